/**
 * `layerif export --to peft` from a result: what the command writes equals the committed folders, which peft loads with
 * the ranks of the allocation (test/reference/export/folders.py).
 */
import { execFileSync } from 'node:child_process';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { AllocationKind } from '../../protocol/allocation.ts';
import type { Result } from '../../protocol/result.ts';
import { exportTargets } from '../../server/src/export/targets.ts';
import { exportName, exportResult, writeExport } from '../../server/src/run/decide/export.ts';
import { allocateResult } from '../../server/src/run/decide/allocate.ts';
import { tinyWorkspace } from '../run/workspace.ts';

interface Loaded {
  versions: Record<string, string>;
  kinds: Record<string, { factors: Record<string, { rank: number; scaling: number }>; trained: number }>;
}
const here = (name: string) => path.join(import.meta.dirname, name);
const loaded = JSON.parse(fs.readFileSync(here('../reference/export/folders.json'), 'utf8')) as Loaded;
const requests: [kind: AllocationKind, options: { count?: number }][] = [
  ['rank', {}],
  ['experts', {}],
  ['tune', { count: 2 }],
];
/** LoRA rank of a layer by its allocated number. */
const ranks: Partial<Record<AllocationKind, (value: number) => number>> = {
  rank: (value) => value,
  experts: (value) => 8 * value,
  tune: (value) => 8 * value,
};

test('PEFT makes of every exported folder the ranks and the trained weights that were allocated', async (t) => {
  const { folder, experiment } = tinyWorkspace(t);
  const golden = JSON.parse(fs.readFileSync(here('../golden/files/tiny.layerif-result.json'), 'utf8')) as Result;
  const resultFile = path.join(folder, 'g.layerif-result.json');
  fs.writeFileSync(resultFile, JSON.stringify({ ...golden, experimentFile: experiment }));
  assert.deepEqual(Object.keys(loaded.kinds).sort(), requests.map(([kind]) => kind).sort());
  for (const [kind, options] of requests) {
    const request = { kind, ...options };
    const { content } = await exportResult({ resultFile, to: 'peft', tasks: ['sentiment'], request });
    const file = path.join(folder, kind, 'adapter_config.json');
    writeExport(content, file);
    const written = fs.readFileSync(file, 'utf8');
    const { base_model_name_or_path: base } = JSON.parse(written) as { base_model_name_or_path: string };
    assert.ok(path.isAbsolute(base) && fs.existsSync(path.join(base, 'config.json')), base);
    const committed = fs.readFileSync(here(`../reference/export/folders/${kind}.adapter_config.json`), 'utf8');
    assert.equal(written.replace(base, 'MODEL'), committed, kind);

    const { layers } = await allocateResult({ resultFile, tasks: ['sentiment'], request });
    const expected = layers.flatMap(({ name, value }) => {
      const rank = ranks[kind]!(value);
      return rank === 0
        ? []
        : golden.model.modules.map((module): [string, unknown] => [`${name}.${module}`, { rank, scaling: 2 }]);
    });
    assert.deepEqual(loaded.kinds[kind].factors, Object.fromEntries(expected), kind);
  }
  assert.equal(loaded.kinds.rank.trained, 12288); // what the command says of its own export
  const { notes } = await exportResult({ resultFile, to: 'peft', tasks: ['sentiment'], request: { kind: 'rank' } });
  assert.ok(
    notes.some((note) => note.includes('12288 trainable weights')),
    notes.join('\n'),
  );
});

test('a folder that is not there is named, not made, unless it is the last one', (t) => {
  const { folder } = tinyWorkspace(t);
  assert.throws(
    () => writeExport('{}', path.join(folder, 'a', 'b', 'adapter_config.json')),
    /^LayerifError: cannot write .*adapter_config\.json: there is no folder .*\/a\/b; make it, or give another with --output$/,
  );
  writeExport('{}', path.join(folder, 'a', 'adapter_config.json'));
  assert.ok(fs.existsSync(path.join(folder, 'a', 'adapter_config.json')));
});

test('a device or a pipe of that name is left alone', { skip: process.platform === 'win32' }, (t) => {
  const { folder } = tinyWorkspace(t);
  const pipe = path.join(folder, 'pipe.csv');
  execFileSync('mkfifo', [pipe]);
  assert.throws(
    () => writeExport('a', pipe),
    /^LayerifError: cannot write .*pipe\.csv: it is a device or a pipe, whose place the file would take; give a file with --output$/,
  );
  assert.ok(fs.statSync(pipe).isFIFO());
});

test('default names say the target once', () => {
  const names = Object.fromEntries(exportTargets.map((target) => [target.id, exportName(target, 't')]));
  assert.deepEqual(
    ['csv', 'markdown', 'axolotl', 'llamafactory', 'mergekit', 'mola', 'peft'].map((id) => names[id]),
    [
      't.csv',
      't.markdown.md',
      't.axolotl.yaml',
      't.llamafactory.yaml',
      't.mergekit.yaml',
      't.mola.args.txt',
      path.join('t.peft', 'adapter_config.json'),
    ],
  );
  assert.equal(new Set(Object.values(names)).size, exportTargets.length);
});
