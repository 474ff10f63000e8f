/** LoRA ranks for a sum or a budget, chosen layers, and the mean over tasks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { allocate } from '../../server/src/allocation/allocate.ts';
import { rankCost, type AllocationInput } from '../../server/src/allocation/layers.ts';
import { taskMean } from '../../server/src/allocation/taskMean.ts';
import { inputOf } from './inputs.ts';

const ranks = (input: AllocationInput, rest: object = {}) => allocate({ kind: 'rank', ...rest }, input);

/** Layers of two kinds: every third one is four times as wide. */
function mixed(values: readonly number[]): AllocationInput {
  const layers = values.map((_, index) => ({
    index,
    name: `layers.${index}`,
    modules:
      index % 3 === 2
        ? [
            { name: 'q', rows: 32, columns: 16 },
            { name: 'm', rows: 64, columns: 8 },
          ]
        : [{ name: 'q', rows: 8, columns: 4 }],
  }));
  return { layers, values };
}

test('a sum of ranks is met exactly, in steps too', () => {
  const found = ranks(inputOf([1, 2, 3, 4]), { total: 32, beta: 1 });
  // shares of the 28 beyond the minimum: 2.8, 5.6, 8.4, 11.2
  assert.deepEqual(
    found.layers.map((l) => l.value),
    [4, 7, 9, 12],
  );
  const stepped = ranks(inputOf([1, 2, 3, 4]), { total: 64, beta: 1, step: 8 });
  assert.deepEqual(
    stepped.layers.map((l) => l.value),
    [8, 16, 16, 24],
  );
  assert.match(stepped.layers[0].why, /Layer 0 gets rank 8 because .* steps of rank 8/);
  assert.match(found.notes.join(), /have 384 trainable weights/);
});

test('a budget: the largest sum that fits, no weight more, the order of the scores kept', () => {
  const values = fc.array(fc.double({ min: 0, max: 100, noNaN: true }), { minLength: 2, maxLength: 12 });
  fc.assert(
    fc.property(values, fc.nat(20_000), fc.constantFrom(1, 2, 4), (S, extra, step) => {
      const input = mixed(S);
      const costs = input.layers.map(rankCost);
      const budget = step * costs.reduce((a, b) => a + b) + extra;
      const found = ranks(input, { budget, step });
      const of = found.layers.map((l) => l.value);
      assert.ok(of.reduce((sum, r, l) => sum + r * costs[l], 0) <= budget);
      assert.ok(of.every((r) => r >= step && r % step === 0));
      for (let a = 0; a < S.length; a++) for (let b = 0; b < S.length; b++) if (S[a] > S[b]) assert.ok(of[a] >= of[b]);
      // One step more in all does not fit.
      const next = ranks(input, { total: found.total + step, step }).layers.map((l) => l.value);
      assert.ok(next.reduce((sum, r, l) => sum + r * costs[l], 0) > budget);
    }),
    { numRuns: 60 },
  );
});

test('bad input of ranks', () => {
  const input = inputOf([1, 2, 3]);
  assert.throws(
    () => ranks(input, { budget: 10 }),
    /a budget of 10 trainable weights is too small: rank 1 in each of 3 layers takes 36/,
  );
  assert.throws(() => ranks(input, { budget: 100, total: 9 }), /exclude each other/);
  assert.throws(() => ranks(input, { total: 10, step: 4 }), /total 10 is no multiple of the step 4/);
  assert.throws(() => ranks(input, { budget: 1000, rule: 'mola_123' }), /sets the ranks by itself/);
  assert.throws(() => ranks(input, { total: 2 }), /too small for 3 layers/);
});

test('tune, freeze and drop: complementary, ties to the lower layer', () => {
  const chosen = (kind: 'tune' | 'freeze' | 'drop', count: number) =>
    allocate({ kind, count }, inputOf([5, 1, 5, 9])).layers.map((l) => l.value);
  assert.deepEqual(chosen('tune', 2), [1, 0, 0, 1]);
  assert.deepEqual(chosen('freeze', 2), [0, 1, 1, 0]);
  assert.deepEqual(chosen('drop', 1), [0, 1, 0, 0]);
  assert.throws(() => chosen('tune', 4), /cannot choose 4 of 4 layers: use a whole number from 1 to 3/);
  assert.throws(() => allocate({ kind: 'freeze', rule: 'owl' }, inputOf([1, 2])), /follow the scores/);
  assert.match(allocate({ kind: 'drop', count: 1 }, inputOf([1, 2])).notes.join(), /evaluate the model/);
});

test('several tasks: the mean of their min-max-normalised scores; one task: its scores', () => {
  assert.deepEqual(taskMean([{ task: 'a', scores: [3, -1] }]), [3, -1]);
  assert.deepEqual(
    taskMean([
      { task: 'a', scores: [0, 1e12, 5e11] },
      { task: 'b', scores: [4, 3, 2] },
    ]),
    [0.5, 0.75, 0.25],
  );
  assert.throws(() => taskMean([{ task: 'a', scores: [1, Infinity] }]), /task a: the score of layer 1 is Infinity/);
});
