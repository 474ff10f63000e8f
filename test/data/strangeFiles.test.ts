/** Named pipes and symbolic links that lead nowhere under the names of data files: refused, as what they are. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { dataEndings, formatOf, readRows } from '../../server/src/data/formats.ts';
import { openDataset } from '../../server/src/data/splits.ts';
import { collect, folder, refusal } from './files.ts';

const skip = process.platform === 'win32' && 'Windows has no named pipes among files';
const PIPE = 'cannot read the data file: it is a named pipe, a regular file is needed';

test('a pipe under the name of a data file is not opened, whatever its format', { skip }, async (t) => {
  const root = folder(t, {});
  for (const ending of dataEndings) {
    const name = `rows${ending}`;
    const path = join(root, name);
    execFileSync('mkfifo', [path]);
    const read = () => collect(readRows({ path, format: formatOf(path)! }));
    assert.equal(await refusal(read, root), `${name}: ${PIPE}`);
  }
});

test('a pipe under the name of a file that describes a dataset', { skip }, async (t) => {
  for (const name of ['README.md', 'state.json', 'dataset_dict.json']) {
    const root = folder(t, { 'd/rows.jsonl': '{"a":1}\n' });
    execFileSync('mkfifo', [join(root, 'd', name)]);
    assert.equal(await refusal(() => openDataset('d', { path: 'd' }, root), root), `d/${name}: ${PIPE}`);
  }
});

test('a symbolic link that leads nowhere is no missing file', async (t) => {
  const root = folder(t, {});
  symlinkSync('circle.jsonl', join(root, 'circle.jsonl'));
  symlinkSync('annex/x.jsonl', join(root, 'rows.jsonl'));
  const said = (path: string) => refusal(() => openDataset('d', { path }, root), root);
  const start = (name: string) => `dataset "d": the file "${name}" in <root> cannot be read: `;
  assert.equal(await said('circle.jsonl'), `${start('circle.jsonl')}its symbolic links form a circle`);
  assert.equal(
    await said('rows.jsonl'),
    `${start('rows.jsonl')}it is a symbolic link to annex/x.jsonl, which does not exist`,
  );
});
