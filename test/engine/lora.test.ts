/**
 * Per-sample gradients of base matrices and adapter factors, with the adapter applied, against peft in float64
 * (test/reference/lora): rank and alpha patterns, rank-stabilised scaling, chosen layers, Conv1D, fused projections.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { casesFolder, gradients, norm, referenceOf, relativeError, samplesOf } from './reference.ts';
import type { Options } from './reference.ts';

const folder = path.join(casesFolder, 'lora');
const cases = fs.readdirSync(folder).filter((name) => fs.existsSync(path.join(folder, name, 'adapter')));
const alone: Options = { groups: [[0], [1], [2]], segmentLength: 1, weights: 'resident' };
const ways: Record<string, Options> = {
  alone,
  'batched, streamed, all blocks in one segment': { groups: [[0, 1, 2]], segmentLength: 9, weights: 'streamed' },
};

test('there are reference cases', () => {
  assert.deepEqual(cases, ['all_linear', 'conv1d', 'factor_bias', 'parameters', 'patterns', 'stabilised']);
});

for (const name of cases) {
  const base = fs.readFileSync(path.join(folder, name, 'base.txt'), 'utf8').trim();
  const adapter = path.join(folder, name, 'adapter');
  for (const [way, options] of Object.entries(ways)) {
    test(`${name} on ${base}, ${way}: loss and gradients of W, A and B agree with PyTorch float64`, async () => {
      const reference = referenceOf(`lora/${name}`);
      const samples = samplesOf(`lora/${name}`);
      const ours = await gradients(path.join(casesFolder, base), samples, { ...options, adapter });
      const loss = reference.tensor('loss') as Float64Array;
      for (let i = 0; i < loss.length; i++)
        assert.ok(Math.abs(ours.loss[i] - loss[i]) < 2e-6 * loss[i], `loss ${i}: ${ours.loss[i]} for ${loss[i]}`);

      const right = (key: string) => reference.tensor(ours.names.get(key)!) as Float64Array;
      const largest = Math.max(...[...ours.gradient.keys()].map((key) => norm(right(key))));
      let worst = 0;
      for (const [key, gradient] of ours.gradient) {
        const expected = right(key);
        assert.equal(gradient.length, expected.length, key);
        assert.ok(norm(expected) > 1e-6 * largest, `${key} is large enough to compare`);
        worst = Math.max(worst, relativeError(gradient, expected));
        assert.ok(worst <= 1e-5, `${key}: relative error ${worst}`);
      }
      const scored = reference.names().filter((n) => n.startsWith('gradient.'));
      assert.equal(ours.gradient.size, scored.length, 'every matrix of the reference, and no other');
      assert.ok(scored.some((n) => n.endsWith('.lora_B.weight')));
    });
  }
}

test('the adapter matters: without it the losses differ', async () => {
  const samples = samplesOf('lora/patterns');
  const plain = await gradients(path.join(casesFolder, 'llama/biases'), samples, alone);
  const loss = referenceOf('lora/patterns').tensor('loss') as Float64Array;
  assert.ok(plain.loss.every((value, i) => Math.abs(value - loss[i]) > 1e-3));
  assert.ok([...plain.names.values()].every((name) => !name.includes('.lora_')));
});
