/** Statistics of tables against scipy and scikit-learn (test/reference/analysis/make.py). */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Random } from '../../server/src/random/random.ts';
import { fTail } from '../../server/src/statistics/beta.ts';
import { clusterBootstrap } from '../../server/src/statistics/clusterBootstrap.ts';
import { levene, oneWayAnova, tukeyKramer } from '../../server/src/statistics/groups.ts';
import { kMeans, silhouette } from '../../server/src/statistics/kMeans.ts';
import { normalCdf } from '../../server/src/statistics/normal.ts';
import { studentTail } from '../../server/src/statistics/student.ts';
import { studentizedRangeQuantile, studentizedRangeTail } from '../../server/src/statistics/studentizedRange.ts';
import { divergenceOf, jointProbabilities, tsne } from '../../server/src/statistics/tsne.ts';
import type { Rows } from '../../server/src/statistics/classifier.ts';

interface Reference {
  anova: {
    groups: number[][];
    f: number;
    p: number;
    eta: number;
    levene: [number, number];
    tukey: { a: number; b: number; difference: number; p: number; low: number; high: number }[];
  }[];
  studentizedRange: [k: number, degrees: number, q: number, tail: number][];
  studentizedQuantiles: [k: number, degrees: number, level: number, q: number][];
  normal: [z: number, p: number][];
  fTails: [f: number, between: number, within: number, p: number][];
  points: number[][];
  kMeans: { k: number; inertia: number; labels: number[]; silhouette: number }[];
  tsne: {
    points: number[][];
    perplexity: number;
    joint: number[];
    plane: number[][];
    divergence: number;
    gradient: number[];
  };
}
const file = new URL('../reference/analysis/reference.json', import.meta.url);
const reference = JSON.parse(readFileSync(file, 'utf8')) as Reference;

const rowsOf = (points: number[][]): Rows => ({
  data: Float64Array.from(points.flat()),
  count: points.length,
  width: points[0].length,
});
const near = (value: number, expected: number, tolerance: number) =>
  assert.ok(Math.abs(value - expected) <= tolerance, `${value}, expected ${expected}`);
const nearRelative = (value: number, expected: number, tolerance: number) =>
  near(value, expected, tolerance * Math.abs(expected));

test('the normal distribution and the tail of F', () => {
  for (const [z, p] of reference.normal) near(normalCdf(z), p, 1e-15);
  for (const [f, between, within, p] of reference.fTails) nearRelative(fTail(f, between, within), p, 1e-12);
  assert.equal(fTail(0, 2, 3), 1);
});

test('the studentised range', () => {
  for (const [k, degrees, q, tail] of reference.studentizedRange)
    near(studentizedRangeTail(q, k, degrees), tail, 1e-12);
  for (const [k, degrees, level, q] of reference.studentizedQuantiles)
    nearRelative(studentizedRangeQuantile(level, k, degrees), q, 1e-10);
  near(studentizedRangeQuantile(0.95, 3, 10), 3.8768, 5e-5);
  assert.equal(studentizedRangeTail(0, 3, 10), 1);
  // Two groups: q = t √2.
  for (const degrees of [1, 3, 30, 400])
    near(studentizedRangeTail(2 * Math.SQRT2, 2, degrees), studentTail(2, degrees), 1e-12);
});

test('analysis of variance, Levene and Tukey-Kramer, groups of unequal size', () => {
  for (const { groups, f, p, eta, levene: variances, tukey } of reference.anova) {
    const found = oneWayAnova(groups)!;
    nearRelative(found.f, f, 1e-12);
    nearRelative(found.p, p, 1e-10);
    nearRelative(found.etaSquared, eta, 1e-12);
    nearRelative(levene(groups)!.statistic, variances[0], 1e-10);
    nearRelative(levene(groups)!.p, variances[1], 1e-10);
    const pairs = tukeyKramer(groups, found, 0.95);
    assert.deepEqual(
      pairs.map(({ a, b }) => [a, b]),
      tukey.map(({ a, b }) => [a, b]),
    );
    pairs.forEach((pair, i) => {
      near(pair.difference, tukey[i].difference, 1e-12);
      near(pair.p, tukey[i].p, 1e-11);
      // scipy solves for its intervals less exactly.
      near(pair.low, tukey[i].low, 1e-5);
      near(pair.high, tukey[i].high, 1e-5);
    });
  }
  const [golden] = reference.anova;
  const found = oneWayAnova(golden.groups)!;
  near(found.f, 4.9, 1e-12);
  near(found.p, 0.03634, 1e-6);
  const expected = [0.18410564, 0.03101405, 0.50312726];
  tukeyKramer(golden.groups, found, 0.95).forEach(({ p }, i) => near(p, expected[i], 1e-8));
});

test('two groups: F is t squared, and Tukey says what F says', () => {
  const two = reference.anova.at(-1)!.groups;
  const found = oneWayAnova(two)!;
  near(tukeyKramer(two, found, 0.95)[0].p, found.p, 1e-12);
  near(studentTail(Math.sqrt(found.f), found.within), found.p, 1e-12);
});

test('what is not defined', () => {
  assert.equal(oneWayAnova([[1, 2, 3]]), null);
  assert.equal(oneWayAnova([[1], [2]]), null);
  assert.equal(
    oneWayAnova([
      [0.1 + 0.2, 0.3, 0.3],
      [5, 5],
    ]),
    null,
  );
  assert.equal(
    levene([
      [1, 2],
      [3, 4],
    ]),
    null,
  );
});

test('k-means reaches the inertia of scikit-learn, silhouettes agree', () => {
  const rows = rowsOf(reference.points);
  for (const { k, inertia, labels, silhouette: expected } of reference.kMeans) {
    const found = kMeans(rows, k, new Random(0, 'k-means'));
    nearRelative(found.inertia, inertia, 1e-9);
    near(silhouette(rows, labels)!.mean, expected, 1e-12);
    near(silhouette(rows, found.labels)!.mean, expected, 1e-12);
    assert.deepEqual(kMeans(rows, k, new Random(0, 'k-means')), found);
  }
  assert.equal(silhouette(rows, new Int32Array(60)), null);
});

test("t-SNE: probabilities, divergence and gradient are scikit-learn's", () => {
  const { points, perplexity, joint, plane, divergence, gradient } = reference.tsne;
  const n = points.length;
  const P = jointProbabilities(rowsOf(points), perplexity);
  // scikit-learn has the pairs i < j once, in float32.
  let at = 0;
  for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) near(P[i * n + j], joint[at++], 1e-6);
  near(
    P.reduce((sum, value) => sum + value, 0),
    1,
    1e-9,
  );
  const own = new Float64Array(2 * n);
  near(divergenceOf(P, Float64Array.from(plane.flat()), own), divergence, 1e-4);
  for (let i = 0; i < 2 * n; i++) near(own[i], gradient[i], 1e-5);
});

test('t-SNE: the same from run to run, the divergence falls, blobs stay apart', () => {
  const rows = rowsOf(reference.points);
  const found = tsne(rows, 10, new Random(42, 't-SNE'), 500);
  assert.deepEqual(tsne(rows, 10, new Random(42, 't-SNE'), 500), found);
  const { divergences, points } = found;
  for (let i = 1; i < divergences.length; i++) assert.ok(divergences[i] <= divergences[i - 1] + 1e-3);
  const blob = (i: number) => Math.floor(i / 20);
  const embedded: Rows = { data: points, count: 60, width: 2 };
  const labels = Int32Array.from({ length: 60 }, (_, i) => blob(i));
  assert.ok(silhouette(embedded, labels)!.mean > 0.6);
  assert.deepEqual(kMeans(embedded, 3, new Random(0)).labels, labels);
});

test('the cluster bootstrap is wider than one of rows where clusters differ, and as wide where every row is one', () => {
  const random = new Random(3);
  const clusters = Int32Array.from({ length: 200 }, (_, i) => i % 10);
  const shift = Array.from({ length: 10 }, () => 3 * random.normal());
  const groups = clusters.map((cluster) => cluster % 2);
  const values = Float64Array.from(clusters, (cluster) => shift[cluster] + random.normal());
  const options = () => ({ random: new Random(1), level: 0.95, count: 2 });
  const width = (own: Int32Array) => {
    const [low, high] = clusterBootstrap(values, groups, own, options())[0]!;
    return high - low;
  };
  const alone = width(Int32Array.from({ length: 200 }, (_, i) => i));
  assert.ok(width(clusters) > 2 * alone);
  // Standard error of a difference of means, times 2 · 1.96.
  const part = (group: number) => values.filter((_, i) => groups[i] === group);
  const variance = (own: Float64Array) => {
    const mean = own.reduce((a, b) => a + b, 0) / own.length;
    return own.reduce((sum, value) => sum + (value - mean) ** 2, 0) / own.length;
  };
  const expected = 2 * 1.96 * Math.sqrt(variance(part(0)) / 100 + variance(part(1)) / 100);
  nearRelative(alone, expected, 0.1);
});
