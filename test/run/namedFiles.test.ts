/**
 * Files that a user names and that are not what they should be: one sentence with the file and what to do, no system's
 * text alone.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { LayerifError } from '../../protocol/errors.ts';
import { openCheckpoint } from '../../server/src/checkpoints/openCheckpoint.ts';
import { parseCommandLine } from '../../server/src/cli/arguments.ts';
import { commands } from '../../server/src/cli/commands.ts';
import { readAllocation } from '../../server/src/run/decide/sparsityMap.ts';
import { writeExport } from '../../server/src/run/decide/export.ts';
import { readResult, writeJson } from '../../server/src/run/files/results.ts';
import { cannotWrite, makeFolder, makeFolders, requireWritable } from '../../server/src/files/writing.ts';
import { readExperimentText } from '../../server/src/config/experiment.ts';
import { score, tinyWorkspace } from './workspace.ts';

function folder(t: TestContext): string {
  const made = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-named-'));
  t.after(() => fs.rmSync(made, { recursive: true, force: true }));
  return made;
}

function said(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof LayerifError, String(error));
    assert.doesNotMatch(error.message, /\n|ENOENT|EISDIR|EACCES|Unexpected|JSON\.parse/);
    return error.message;
  }
  throw new Error('nothing was refused');
}

test('a result or an allocation that is missing, a folder, empty or cut off', (t) => {
  const root = folder(t);
  const file = (name: string, content: string) => {
    fs.writeFileSync(path.join(root, name), content);
    return path.join(root, name);
  };
  const missing = path.join(root, 'none.json');
  assert.equal(
    said(() => readResult(missing)),
    `cannot read the result ${missing}: it does not exist; give a file NAME.layerif-result.json, as layerif score writes it`,
  );
  assert.match(
    said(() => readResult(root)),
    /it is a folder, a file is needed/,
  );
  assert.match(
    said(() => readResult(file('empty.json', ' '))),
    /it is empty/,
  );
  assert.match(
    said(() => readResult(file('cut.json', '{"format":'))),
    /it is not JSON, perhaps cut off/,
  );
  assert.match(
    said(() => readResult(file('list.json', '[]'))),
    /it is no JSON object/,
  );
  assert.match(
    said(() => readResult(file('other.json', '{}'))),
    /is not a LayerIF result of version 1/,
  );
  assert.equal(
    said(() => readAllocation(missing, 'drop')),
    `cannot read the allocation ${missing}: it does not exist; write one with: layerif allocate RESULT --kind drop`,
  );
});

test('a result that lacks what its readers need is named as damaged, place by place', async (t) => {
  const { experiment } = tinyWorkspace(t);
  const { resultFile } = await score(experiment, { tasks: ['sentiment'] });
  const sound = fs.readFileSync(resultFile, 'utf8');
  assert.deepEqual(readResult(resultFile), JSON.parse(sound));
  const damages: [path: string, value: unknown, message: RegExp][] = [
    ['tasks', undefined, /is damaged: tasks is missing; it should be a list; restore it or run layerif score again/],
    ['tasks.0.layers', null, /tasks\[0\]\.layers is null; it should be a list;/],
    ['tasks.0', 3, /tasks\[0\] is 3; it should be an object;/],
    ['model', 'm', /model is "m"; it should be an object/],
    ['experiment.score', undefined, /experiment\.score is missing/],
    ['status', 'done', /status is "done"; it should be partial or complete/],
  ];
  for (const [where, value, message] of damages) {
    const result = JSON.parse(sound) as Record<string, unknown>;
    const keys = where.split('.');
    const parent = keys.slice(0, -1).reduce((at, key) => at[key] as Record<string, unknown>, result);
    parent[keys.at(-1)!] = value;
    fs.writeFileSync(resultFile, JSON.stringify(result));
    assert.match(
      said(() => readResult(resultFile)),
      message,
    );
  }
});

test('what cannot be written: a folder of that name, a full disk, no such place', (t) => {
  const root = folder(t);
  assert.equal(
    said(() => writeExport('x', root)),
    `cannot write ${root}: there is a folder of that name; give a file with --output`,
  );
  assert.match(
    said(() => writeJson(path.join(root, 'a', 'b.json'), {})),
    /there is no folder .*; make it, or give another with --output$/,
  );
  const full = cannotWrite('/x/y.json', Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' }));
  assert.match(full.message, /^cannot write \/x\/y\.json: the disk is full; free some space/);
});

test('a URL in place of a path', () => {
  for (const url of ['https://huggingface.co/org/name', path.resolve('https://example.org/m.gguf')])
    assert.match(
      said(() => openCheckpoint(url)),
      /^model https:\/\/[a-z]+\.(co|org)\/.* is a URL; of a model on the Hugging Face hub give the id org\/name/,
    );
});

test('an unknown option lists the options of its own command', () => {
  const message = said(() => parseCommandLine(['evaluate', 'x.yaml', '--tsak', 'a'], commands));
  assert.match(message, /unknown option "--tsak": did you mean "--task"\? Known: --task, --model, --limit/);
  assert.doesNotMatch(message, /--beta|--protocol/);
  assert.match(
    said(() => parseCommandLine(['--nothing'], commands)),
    /^unknown option "--nothing"; known: --task.*--beta/,
  );
});

test('a folder below /proc, which the system lets nobody make, is refused before the run, and at once', async (t) => {
  const { experiment, folder: root } = tinyWorkspace(t);
  const no = '/proc/layerif/runs';
  const refused = `cannot write ${no}: no folder can be made there; choose another with output_dir or --output`;
  assert.equal(
    said(() => makeFolder(no)),
    refused,
  );
  assert.equal(
    said(() => requireWritable(no)),
    refused,
  );
  await assert.rejects(score(experiment, { outputDir: no }), { code: 'cannotWrite', message: refused });
  const deep = path.join(root, 'a', 'b', 'c');
  requireWritable(deep);
  assert.ok(!fs.existsSync(path.join(root, 'a')), 'nothing is left behind');
  assert.deepEqual(makeFolders(deep), [path.join(root, 'a'), path.join(root, 'a', 'b'), deep]);
  assert.deepEqual(makeFolders(deep), []);
  assert.match(
    said(() => requireWritable(path.join(experiment, 'x'))),
    /a part of the path is a file/,
  );
});

test('experiments and JSON files in another encoding than UTF-8 are refused in one sentence', (t) => {
  const root = folder(t);
  const text = 'version: 1\ndescription: Über alles\n';
  const big = Buffer.from(text, 'utf16le').swap16();
  const wide = (bytes: Buffer): Buffer =>
    Buffer.concat([...bytes.toString('utf16le')].map((c) => Buffer.from([c.charCodeAt(0), 0, 0, 0])));
  const cases: [name: string, bytes: Buffer, message: string][] = [
    ['16', Buffer.from(`\uFEFF${text}`, 'utf16le'), 'the text is UTF-16, UTF-8 is needed'],
    ['16le', Buffer.from(text, 'utf16le'), 'the text is UTF-16LE, UTF-8 is needed'],
    ['16be', big, 'the text is UTF-16BE, UTF-8 is needed'],
    ['32le', wide(Buffer.from(text, 'utf16le')), 'the text is UTF-32LE, UTF-8 is needed'],
    ['latin1', Buffer.from(text, 'latin1'), 'the text is not UTF-8 (first in line 2), perhaps Latin-1 or Windows-1252'],
    ['cut', Buffer.from(text.slice(0, -10) + 'ü').subarray(0, -1), 'the text is not UTF-8 (first in line 2)'],
  ];
  for (const [name, bytes, message] of cases) {
    const file = path.join(root, `${name}.layerif.yaml`);
    fs.writeFileSync(file, bytes);
    const sentence = said(() => readExperimentText(file));
    assert.ok(sentence.startsWith(`cannot read the experiment ${file}: ${message}`), sentence);
    assert.match(
      sentence,
      /save it as UTF-8, in VS Code with "Save with Encoding", elsewhere with: iconv -f [\w-]+ -t UTF-8/,
    );
    assert.match(
      said(() => readResult(file)),
      /^cannot read the result .*: the text is /,
    );
  }
  const marked = path.join(root, 'marked.layerif.yaml');
  fs.writeFileSync(marked, `\uFEFF${text}`);
  assert.equal(readExperimentText(marked), text);
  assert.equal(
    said(() => readExperimentText(path.resolve('https://example.org/a.layerif.yaml'))),
    'cannot read the experiment https://example.org/a.layerif.yaml: it is a URL; download it and give the path of a *.layerif.yaml or layerif.yaml file',
  );
});
