/**
 * Comparison of allocations: means and standard errors written out, differences seed by seed, sentences that claim no
 * more than that.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareAllocations, findingsOf } from '../../server/src/evaluation/expertsComparison.ts';

const documents = 40;
/** The first `right` documents are right. */
const acc = (right: number) => ({ acc: Array.from({ length: documents }, (_, d) => (d < right ? 1 : 0)) });
const better = { acc: true };

test('mean and standard error over seeds; differences on the same documents with the same seeds', () => {
  const [first, other] = compareAllocations(
    [
      { id: 'layerif', seeds: [acc(20), acc(24), acc(28)] },
      { id: 'uniform', seeds: [acc(10), acc(16), acc(16)] },
    ],
    better,
    0,
  );
  assert.deepEqual(first[0].values, [0.5, 0.6, 0.7]);
  assert.ok(Math.abs(first[0].mean - 0.6) < 1e-12);
  // deviations -0.1, 0, 0.1: sd 0.1 by n - 1
  assert.ok(Math.abs(first[0].standardError! - 0.1 / Math.sqrt(3)) < 1e-12);
  assert.equal(first[0].againstFirst, null);
  const { difference, interval, p, standardError } = other[0].againstFirst!;
  assert.ok(Math.abs(difference - -0.25) < 1e-12);
  // differences by seed -0.25, -0.2, -0.3
  assert.ok(Math.abs(standardError! - 0.05 / Math.sqrt(3)) < 1e-12);
  assert.ok(interval![0] < -0.25 && interval![1] > -0.25 && interval![1] < 0);
  assert.ok(p < 0.01);
});

test('a difference needs both sides; one seed has no standard error; equal documents have p 1', () => {
  const rows = compareAllocations(
    [
      { id: 'a', seeds: [acc(20), acc(30)] },
      { id: 'b', seeds: [acc(20)] },
      { id: 'c', seeds: [] },
    ],
    better,
    0,
  );
  const { difference, p, standardError } = rows[1][0].againstFirst!;
  assert.deepEqual([difference, p, standardError], [0, 1, null]);
  assert.equal(rows[1][0].standardError, null);
  assert.deepEqual(rows[2], []);
});

test('findings name the best, who is told apart from the first, and who is not', () => {
  const ids = ['layerif', 'uniform', 'mola_8642'];
  const metrics = compareAllocations(
    [
      { id: ids[0], seeds: [acc(20), acc(20)] },
      { id: ids[1], seeds: [acc(5), acc(5)] },
      { id: ids[2], seeds: [acc(21), acc(21)] },
    ],
    better,
    0,
  );
  const text = findingsOf(ids, metrics).join('\n');
  assert.match(text, /Best mean acc: mola_8642; picked after the fact/);
  assert.match(text, /uniform is worse than layerif on these documents/);
  assert.match(text, /Not told apart from layerif on these documents: mola_8642\./);
  const lower = findingsOf(
    ['a', 'b'],
    compareAllocations(
      [
        { id: 'a', seeds: [acc(20)] },
        { id: 'b', seeds: [acc(5)] },
      ],
      { acc: false },
      0,
    ),
  );
  assert.deepEqual(findingsOf(['a'], compareAllocations([{ id: 'a', seeds: [acc(20)] }], better, 0)), []);
  assert.match(lower.join('\n'), /Best mean acc: b;[^]*b is better than a/);
});
