/**
 * What observations cost is added up before a pass: large ones go through the model apart, or are refused with their
 * bytes.
 */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { runCommandLine } from '../../server/src/cli/cli.ts';
import { runExperiment } from '../../server/src/run/influence/runExperiment.ts';
import { observationCosts, totalOf } from '../../server/src/run/machine/fitting.ts';
import { observedGradientBytes } from '../../server/src/run/machine/gradientPass.ts';
import { costOf } from '../../server/src/scores/observationCosts.ts';
import { engine, machine, tinyWorkspace } from './workspace.ts';

const MIB = 2 ** 20;
/** The tiny model: 3 layers of width 32. */
const shape = { layers: 3, hidden: 32, texts: 10, modules: () => [{ name: 'a', rows: 6, columns: 4 }] };

test('numbers by their type, three times where they are kept; reducers hold their work beside them', () => {
  const tokens = 1000;
  const states = 4 * (3 + 1) * tokens * 32;
  assert.deepEqual(costOf('token_states', shape, { tokens }), { numbers: 3 * (states + 8 * 2 * tokens), work: 0 });
  // States of the lens stay in the engine.
  assert.deepEqual(costOf('logit_lens', shape, { tokens }), {
    numbers: states + 3 * 8 * (3 * (3 + 1) + 2) * tokens,
    work: 0,
  });
  assert.deepEqual(costOf('weight_spectra', shape, {}), { numbers: 3 * 8 * 3 * 4, work: 8 * 24 + 8 * 16 });
  assert.deepEqual(costOf('outliers', shape, { multiple: 5 }), { numbers: 3 * 8 * 3, work: 4 * 24 });
  // A bit for each weight: three bytes a matrix.
  const claimed = (mask: boolean) => costOf('claimed_weights', shape, { batches: 2, mask }).numbers;
  assert.equal(claimed(true) - claimed(false), 3 * 3 * 3);
});

test('costs of one pass: numbers add up, one reducer works at a time', () => {
  const asked = [
    { of: 'weight_spectra', options: {} },
    { of: 'outliers', options: { multiple: 5 } },
  ] as const;
  assert.deepEqual(observationCosts(asked, shape), { observations: 288 + 72, reducing: 320 });
  assert.deepEqual(observationCosts([], shape), { observations: 0, reducing: 0 });
});

test('gradients summed over batches of texts: each number of batches that is asked for has sums of its own', () => {
  const bytes = (batches: number[], keepGradients?: boolean) => {
    const asked = batches.map((count) => ({ of: 'weighted_gradients', options: { batches: count } }) as const);
    return observedGradientBytes(shape, asked, 100, keepGradients) - totalOf(observationCosts(asked, shape));
  };
  // Matrices of 6 x 4, one a layer, and its inputs and outputs at 100 tokens; six matrices beside the sums.
  const beside = 4 * (6 * 24 + 10 * 100);
  assert.equal(bytes([]), 0);
  assert.equal(bytes([8]), beside + 4 * 24 * 8);
  assert.equal(bytes([8, 8]), beside + 4 * 24 * 8);
  assert.equal(bytes([8, 3]), beside + 4 * 24 * (8 + 3));
  // No more batches than the ten texts.
  assert.equal(bytes([8, 64]), beside + 4 * 24 * (8 + 10));
  // Mean gradients of a layer wait to be written, and are sums over one batch.
  assert.equal(bytes([8], true), beside + 4 * 24 * (8 + 1) + 4 * 24);
});

test('two observations that fit one by one go apart and give the same tables; one that does not fit is refused', async (t) => {
  const { experiment, folder } = tinyWorkspace(t);
  const text = fs.readFileSync(experiment, 'utf8');
  const draws = ['{ cka: { tokens: 8192, seed: 0 } }', '{ cka: { tokens: 8192, seed: 1 } }'];
  fs.writeFileSync(experiment, `${text.slice(0, text.indexOf('score:'))}scores: [${draws.join(', ')}]\n`);
  const each = totalOf(observationCosts([{ of: 'token_states', options: { tokens: 8192 } }], shape));
  assert.equal(each, 3 * (4 * 4 * 8192 * 32 + 8 * 2 * 8192)); // 12.4 MiB

  const whole = await runExperiment({ file: experiment, machine, engine });
  assert.equal(whole.passes.length, 1);
  const code = async (memory: string) => {
    const said = { err: '', out: '' };
    const answer = await runCommandLine(['score', experiment, '--device', 'cpu', '--memory', memory, '--json'], {
      out: (words) => void (said.out += words),
      err: (words) => void (said.err += words),
      columns: 100,
      interactive: false,
      fitted: false,
      baseDir: folder,
      signal: new AbortController().signal,
    });
    return { answer, ...said };
  };
  const refused = await remade(folder, () => code(String(200 / 1024)));
  assert.equal(refused.answer, 3, refused.err);
  const [, needed] = /observing token_states on 8 texts needs about (\d+) MiB of memory, the limit is 200 MiB/.exec(
    refused.err,
  )!;
  // Between what one takes and what both take.
  const limit = Number(needed) * MIB + 0.5 * each;
  const apart = await remade(folder, () =>
    runExperiment({ file: experiment, machine: { ...machine, memoryBytes: limit }, engine }),
  );
  assert.equal(apart.passes.length, 2);
  assert.deepEqual(apart.scores!.tables, whole.scores!.tables);
});

/** Without what an earlier run has left. */
async function remade<T>(folder: string, work: () => Promise<T>): Promise<T> {
  fs.rmSync(`${folder}/runs`, { recursive: true });
  return work();
}
