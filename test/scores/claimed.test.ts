/** What must hold of the rule by which a task claims weights. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../server/src/random/random.ts';
import { claim } from '../../server/src/scores/claimed.ts';

const random = new Random(5, 'claimed');
const normal = (count: number) => Float64Array.from({ length: count }, () => Math.fround(random.normal()));
const which = (weight: ArrayLike<number>, sum: ArrayLike<number>) => {
  const at: number[] = [];
  const found = claim(weight, sum, (i) => at.push(i));
  assert.equal(found.count, at.length);
  return { ...found, at };
};

test('nothing is claimed by no gradient, by one as large as the weights, or where both are constant', () => {
  const weight = normal(500);
  assert.deepEqual(which(weight, new Float64Array(500)).at, []);
  assert.deepEqual(which(weight, new Float64Array(500)).shuffled, 0);
  assert.deepEqual(
    which(
      weight,
      weight.map((w) => -w),
    ).at,
    [],
  );
  const constant = which(new Float64Array(8).fill(2), new Float64Array(8).fill(-3));
  assert.deepEqual([constant.at, constant.shuffled, constant.mask], [[], 0, 0]);
});

test('a constant matrix has the rank one half everywhere, a matrix of zeros the rank 0', () => {
  const sum = [1, 2, 3, 4, 5, 6, 7, 8];
  assert.deepEqual(which(new Float64Array(8).fill(2), sum).at, [4, 5, 6, 7]);
  assert.deepEqual(which(new Float64Array(8), sum).at, [0, 1, 2, 3, 4, 5, 6, 7]);
});

test('the scale of gradients and weights does not matter, opposite batches cancel', () => {
  const [weight, sum] = [normal(300), normal(300)];
  const { at, mask } = which(weight, sum);
  const scaled = which(
    weight.map((w) => 8 * w),
    sum.map((s) => 0.25 * s),
  );
  assert.deepEqual(scaled.at, at);
  assert.ok(Math.abs(scaled.mask - mask) < 1e-9);
  assert.deepEqual(
    which(
      weight,
      sum.map((s) => s - s),
    ).at,
    [],
  );
});

test('of random weights and gradients half is claimed, as expected of any order', () => {
  const [weight, sum] = [normal(200_000), normal(200_000)];
  const { count, shuffled } = which(weight, sum);
  assert.ok(Math.abs(count / 200_000 - 0.5) < 0.004, String(count));
  assert.ok(Math.abs(shuffled / 200_000 - 0.5) < 0.004, String(shuffled));
  // The mean over all orders is of no order.
  assert.equal(which(weight, sum.toReversed()).shuffled, shuffled);
  const sorted = (values: Float64Array) => values.map(Math.abs).sort();
  const together = which(
    sorted(weight),
    sorted(weight).map((w) => w * w),
  );
  assert.ok(
    Math.abs(together.count - together.shuffled) > 0.05 * 200_000,
    `${together.count} and ${together.shuffled}`,
  );
});

test('C lies between one half and one, and the mask at most at one', () => {
  const [weight, sum] = [normal(400), normal(400)];
  const { count, mask } = which(weight, sum);
  assert.ok(mask <= count && mask > 0.9 * count);
});
