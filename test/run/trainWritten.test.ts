/**
 * What a training wrote has, loaded by peft and transformers, the losses that it says: committed numbers of
 * `test/reference/training/written.py`, which trained the same cases.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { trainExperiment } from '../../server/src/run/train/train.ts';
import { trainedCases, withTraining } from './trainedCases.ts';
import { engine, machine, tinyWorkspace } from './workspace.ts';

const written = JSON.parse(
  fs.readFileSync(new URL('../reference/training/written.json', import.meta.url), 'utf8'),
) as Record<string, Record<'train' | 'validation', number[]>>;

for (const [name, section] of Object.entries(trainedCases)) {
  test(`${name}: losses behind the training are those of the written folder in peft or transformers`, async (t) => {
    const { experiment } = tinyWorkspace(t);
    withTraining(experiment, section);
    const { result } = await trainExperiment({ file: experiment, machine, engine });
    for (const split of ['train', 'validation'] as const) {
      const own = result[split]!;
      assert.equal(own.samples.length, written[name][split].length);
      own.samples.forEach((loss, i) => {
        const wanted = written[name][split][i];
        assert.ok(Math.abs(loss - wanted) < 2e-4, `${split} sample ${i}: ${loss}, not ${wanted}`);
      });
      // The training has done something that the comparison would miss.
      assert.ok(Math.abs(own.after - own.before) > 1e-2, `${split}: ${own.before} to ${own.after}`);
    }
  });
}
