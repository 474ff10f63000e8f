/** Agreement statistics against hand-made cases, and their invariants. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agreementRows } from '../../server/src/validation/agreement.ts';
import type { Predictor } from '../../server/src/validation/agreement.ts';
import {
  detection,
  leaveOut,
  linearDatamodeling,
  predictedChangesOf,
  recallCurve,
  retrieval,
  slope,
} from '../../server/src/validation/agreementMeasures.ts';

const near = (a: number | null, b: number) => assert.ok(a !== null && Math.abs(a - b) < 1e-12, `${a}, expected ${b}`);

test('recall curve: found among the most suspicious, ties in expectation', () => {
  const flipped = [true, false, true, false, false];
  assert.deepEqual(recallCurve([5, 4, 3, 2, 1], flipped, [0.2, 0.4, 0.6, 1]), [0.5, 0.5, 1, 1]);
  assert.deepEqual(
    recallCurve([1, 1, 1, 1, 1], flipped, [0.2, 0.6, 1]),
    [0.2, 0.6, 1].map((s) => s),
  );
});

test('slope by least squares', () => {
  near(slope([1, 2, 3, 4], [3, 5, 7, 9]), 2);
  near(slope([1, 2, 3], [1, 0, 1]), 0);
  assert.equal(slope([1, 1], [0, 1]), null);
});

test('leave-out: B of the left-out samples, over n and m', () => {
  const B = Float64Array.of(1, 2, 3, 4, 5, 6, 7, 8); // n 4, m 2
  assert.deepEqual([...predictedChangesOf(B, 4, 2, [[0], [1, 3]])], [3 / 8, (7 + 15) / 8]);
  const changes = [0.1, 0.2, 0.4, 0.3].map((change) => [change + 0.05, change - 0.05]);
  near(
    leaveOut(4, 2, [[0], [1], [2], [3]], changes, 'spearman')
      .of(B)
      .value(),
    0.8,
  );
  assert.equal(
    leaveOut(4, 2, [[0], [1]], changes.slice(0, 2), 'spearman')
      .of(B)
      .value(),
    null,
  );
});

test('LDS is 1 for a model whose losses are additive in the influence, whatever the offset, and −1 for its opposite', () => {
  const [n, m] = [6, 3];
  const B = Float64Array.from({ length: n * m }, (_, i) => Math.sin(7 * i + 1));
  const subsets = [
    [0, 1, 2],
    [1, 3, 5],
    [0, 4, 5],
    [2, 3, 4],
    [0, 2, 5],
  ];
  const losses = subsets.map((subset) =>
    Array.from({ length: m }, (_, j) => 10 * j - subset.reduce((sum, i) => sum + B[i * m + j], 0)),
  );
  const { of } = linearDatamodeling(n, m, subsets, losses);
  near(of(B).value(), 1);
  near(of(B.map((b) => -b)).value(), -1);
  assert.equal(of(new Float64Array(n * m).fill(1)).value(), null);
});

test('retrieval: same-class rows first', () => {
  const classes = { train: ['a', 'a', 'b', 'b'], validation: ['a', 'b'] };
  const perfect = Float64Array.of(9, 0, 8, 1, 2, 7, 1, 6);
  near(retrieval(4, classes, 'auc').of(perfect).value(), 1);
  near(retrieval(4, classes, 'recall').of(perfect).value(), 1);
  const half = Float64Array.of(9, 0, 1, 1, 2, 7, 1, 6); // the second "a" comes after a "b" for query "a"
  near(retrieval(4, classes, 'recall').of(half).value(), (0.5 + 1) / 2);
  near(retrieval(4, classes, 'recall').of(new Float64Array(8)).value(), 0.5);
});

test('rows: intervals hold the value, the difference to dot is paired, undefined stays undefined', () => {
  const flipped = Array.from({ length: 30 }, (_, i) => i % 3 === 0);
  const good = Float64Array.from(flipped, (f, i) => (f ? 1 : 0) + Math.sin(i));
  const predictor = (id: string, self: Float64Array, control = false): Predictor => ({
    id,
    point: 'p',
    control,
    B: null,
    self,
  });
  const all = [predictor('datainf', good), predictor('dot', good, true), predictor('blank', new Float64Array(30))];
  const options = { seed: 3, values: ({ self }: Predictor) => self };
  const rows = agreementRows(all, detection(flipped), options);
  const [datainf, dot, blank] = rows;
  assert.ok(datainf.interval![0] < datainf.value! && datainf.value! < datainf.interval![1]);
  assert.deepEqual(datainf.overDot, { difference: 0, interval: [0, 0] });
  assert.equal(dot.overDot, null);
  near(blank.value, 0.5);
  assert.deepEqual(agreementRows(all, detection(flipped), options), rows);
  const [undefinedRow] = agreementRows([all[0]], detection(new Array<boolean>(30).fill(true)), options);
  assert.deepEqual([undefinedRow.value, undefinedRow.interval], [null, null]);
});

test('a random control is averaged over its draws, and predictions that differ by rounding are none', () => {
  const one = (B: number[]): Predictor => ({
    id: 'random',
    point: null,
    control: true,
    B: Float64Array.from(B),
    self: null,
  });
  const draws = [one([1, 2, 3, 4]), one([4, 3, 2, 1])];
  const four = leaveOut(4, 1, [[0], [1], [2], [3]], [[1], [2], [3], [4]], 'spearman');
  const [row] = agreementRows([{ ...draws[0], draws }], four, { seed: 0, values: ({ B }) => B });
  near(row.value, 0);
  const three = leaveOut(3, 1, [[0], [1], [2]], [[1], [2], [3]], 'pearson');
  assert.equal(three.of(Float64Array.of(0.1 + 0.2, 0.3, 0.3)).value(), null);
});
