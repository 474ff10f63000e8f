import { test } from 'node:test';
import assert from 'node:assert/strict';
import { Random } from '../../server/src/random/random.ts';
import { pairedDifference } from '../../server/src/statistics/paired.ts';

test('few documents: all signs; p by hand', () => {
  // differences 1, 2, 3: sums over signs ±6, ±4, ±2, 0, 0: two of eight are as far as 6
  const { difference, p } = pairedDifference([1, 2, 3], [0, 0, 0], new Random(1));
  assert.equal(difference, 2);
  assert.equal(p, 2 / 8);
});

test('McNemar by sign flips: 9 documents lost, 1 won', () => {
  const a = [...new Array<number>(30).fill(1), ...new Array<number>(9).fill(0), 1];
  const b = [...new Array<number>(30).fill(1), ...new Array<number>(9).fill(1), 0];
  const { p, difference } = pairedDifference(a, b, new Random(1));
  assert.ok(Math.abs(p - 22 / 1024) < 1e-12); // two-sided binomial: 2 (1 + 10) / 2^10
  assert.ok(Math.abs(difference + 8 / 40) < 1e-12);
});

test('no difference at all has p 1; noise around zero is not significant; a shift is', () => {
  assert.deepEqual(pairedDifference([1, 0], [1, 0], new Random(1)), {
    difference: 0,
    interval: [0, 0],
    p: 1,
    documents: 2,
  });
  const random = new Random(4);
  const zero = new Array<number>(200).fill(0);
  const noise = pairedDifference(
    zero.map(() => random.normal()),
    zero,
    random,
  );
  assert.ok(noise.p > 0.05 && noise.interval![0] < 0 && noise.interval![1] > 0);
  const shift = pairedDifference(
    zero.map(() => 0.5 + random.normal()),
    zero,
    random,
  );
  assert.ok(shift.p < 0.001 && shift.interval![0] > 0.3 && shift.interval![1] < 0.7);
});

test('the interval covers the true mean about as often as it says', () => {
  const random = new Random(8);
  let inside = 0;
  for (let run = 0; run < 100; run++) {
    const values = Array.from({ length: 60 }, () => 1 + random.normal());
    const { interval } = pairedDifference(values, new Array<number>(60).fill(0), random, 0.9);
    if (interval![0] <= 1 && interval![1] >= 1) inside++;
  }
  assert.ok(inside >= 80 && inside <= 97, `${inside} of 100`);
});
