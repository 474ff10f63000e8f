/** Which files of a result are opened without a question. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { isOutside, mayOpen } from '../../extension/src/outside.ts';

test('outside: other folders, ways up, names that only begin alike, links that lead out', (t) => {
  const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-outside-')));
  t.after(() => fs.rmSync(root, { recursive: true, force: true }));
  const at = (...parts: string[]) => path.join(root, ...parts);
  for (const folder of ['work/data', 'work2', 'secret']) fs.mkdirSync(at(folder), { recursive: true });
  for (const file of ['work/data/a.jsonl', 'work2/b.jsonl', 'secret/key']) fs.writeFileSync(at(file), '');
  fs.symlinkSync(at('secret', 'key'), at('work', 'data', 'link.jsonl'));
  fs.symlinkSync(at('secret'), at('work', 'folder'));
  fs.symlinkSync(at('work', 'data', 'a.jsonl'), at('work', 'inner.jsonl'));
  fs.symlinkSync(at('work'), at('alias'));
  const rows: [file: string, folders: string[], outside: boolean][] = [
    [at('work', 'data', 'a.jsonl'), [at('work')], false],
    [at('work', 'data', 'missing.jsonl'), [at('work')], false],
    [at('work', 'inner.jsonl'), [at('work')], false],
    [at('work2', 'b.jsonl'), [at('work')], true],
    [at('work2', 'b.jsonl'), [at('work'), at('work2')], false],
    [`${at('work')}/../secret/key`, [at('work')], true],
    [at('work', 'data', 'link.jsonl'), [at('work')], true],
    [at('work', 'folder', 'key'), [at('work')], true],
    [at('alias', 'data', 'a.jsonl'), [at('alias')], false],
    ['//server/share/a.jsonl', [at('work')], true],
    [at('secret', 'key'), [], true],
    [at('work', '..a.jsonl'), [at('work')], false],
  ];
  for (const [file, folders, outside] of rows) assert.equal(isOutside(file, folders), outside, file);
});

test('the question stands before an outer file alone, names it, and its answer decides', async () => {
  const asked: string[] = [];
  const answer = (agreed: boolean) => (question: string, detail: string) => {
    asked.push(`${question} ${detail}`);
    return Promise.resolve(agreed);
  };
  assert.equal(await mayOpen('/w/a.jsonl', ['/w'], answer(false)), true);
  assert.deepEqual(asked, []);
  assert.equal(await mayOpen('/etc/passwd', ['/w'], answer(false)), false);
  assert.equal(await mayOpen('/etc/pass\nwd', ['/w'], answer(true)), true);
  assert.deepEqual(asked, [
    'This file lies outside the workspace. Open it? The result names "/etc/passwd". Open it only if you know where the result comes from.',
    'This file lies outside the workspace. Open it? The result names "/etc/pass\\nwd". Open it only if you know where the result comes from.',
  ]);
});
