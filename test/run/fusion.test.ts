/**
 * A second model with another tokenizer and other layers, from the experiment file to the table: its vectors are those
 * of the same rows by itself; and what is refused, with the other scores of the run finished.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { runExperiment } from '../../server/src/run/influence/runExperiment.ts';
import { machine, tinyWorkspace } from './workspace.ts';
import type { Workspace } from './workspace.ts';

const other = path.join(import.meta.dirname, '../reference/evaluation/model');

/** An experiment over labelled rows with these scores alone. */
function asked(workspace: Workspace, scores: string): void {
  const rows = Array.from({ length: 24 }, (_, i) => ({
    text: i % 2 ? `bad film ${i}, the end` : `a good one ${i}`,
    label: i % 2 ? 'no' : 'yes',
  }));
  fs.writeFileSync(path.join(workspace.folder, 'rows.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'));
  workspace.edit('datasets:', 'datasets:\n  rows:\n    path: rows.jsonl');
  const text = fs.readFileSync(workspace.experiment, 'utf8');
  fs.writeFileSync(workspace.experiment, `${text.slice(0, text.indexOf('score:'))}${scores}\n`);
}

const texts = 'texts: { dataset: rows, split: "train[:16]", label: label, held_out: "train[16:]" }';

test('both models’ own layers are probed, and their vectors join: the same numbers as each probe by itself', async (t) => {
  const workspace = tinyWorkspace(t);
  fs.cpSync(other, path.join(workspace.folder, 'other'), { recursive: true });
  asked(workspace, `scores:\n  - fusion: { second: ./other, second_pool: last, ${texts} }\n  - probe: { ${texts} }`);
  const made = await runExperiment({ file: workspace.experiment, machine });
  assert.equal(made.passes.length, 2, 'one pass for each model');
  const fusion = made.scores!.tables.find(({ score }) => score === 'fusion')!;
  const probe = made.scores!.tables.find(({ score }) => score === 'probe')!;
  assert.deepEqual(fusion.axes[0].labels, ['first model', 'second model', 'concat', 'mean', 'weighted']);
  assert.equal(fusion.values[0], Math.max(...(probe.values as number[])));
  assert.match(fusion.notes[1], /^First model: layer \d of 3; second model: layer \d of 2 \(\.\/other\)/);
  // 32 and 32 numbers: the mean needs no principal components.
  assert.deepEqual(fusion.parts!['numbers a text'].slice(1, 3), [32, fusion.parts!['numbers a text'][0]! + 32]);

  // The second model by itself, as the experiment's own.
  const alone = tinyWorkspace(t);
  fs.rmSync(alone.model, { recursive: true });
  fs.cpSync(other, alone.model, { recursive: true });
  asked(alone, `scores:\n  - probe: { ${texts} }`);
  const single = (await runExperiment({ file: alone.experiment, machine })).scores!.tables[0];
  assert.equal(fusion.values[1], Math.max(...(single.values as number[])));

  // Nothing is computed again.
  const again = await runExperiment({ file: workspace.experiment, machine });
  assert.equal(again.passes.length, 0);
});

test('a second model that is not named, not there, has no tokenizer or takes no tokens is refused by name', async (t) => {
  const workspace = tinyWorkspace(t);
  fs.cpSync(other, path.join(workspace.folder, 'silent'), { recursive: true });
  fs.rmSync(path.join(workspace.folder, 'silent', 'tokenizer.json'));
  const images = path.join(import.meta.dirname, '../reference/onnx_graphs/resnet-torchscript.onnx');
  const cases: [string, RegExp][] = [
    ['fusion: {}', /score fusion looks at the texts with two models: name the second one with fusion\.second/],
    ['fusion: { second: ./nowhere }', /nowhere/],
    ['fusion: { second: ./silent }', /has no tokenizer\.json/],
    [`fusion: { second: ${images} }`, /takes no tokens/],
  ];
  const named = cases.map(([text]) => `  - ${text.replace('}', `${text.includes('second') ? ', ' : ''}${texts} }`)}`);
  asked(workspace, `scores:\n${named.join('\n')}\n  - magnitude`);
  const { scores } = await runExperiment({ file: workspace.experiment, machine });
  assert.deepEqual(
    scores!.tables.map(({ score }) => score),
    ['magnitude'],
  );
  assert.equal(scores!.refused!.length, cases.length);
  cases.forEach(([, message], i) => assert.match(scores!.refused![i].message, message));
});
