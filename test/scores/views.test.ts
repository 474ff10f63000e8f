/**
 * Views of vectors: canonical correlations, principal components, mini-batch k-means and mutual information against
 * numpy and scikit-learn (test/reference/scores/views.py), and what must hold of the scores made of them.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { Random } from '../../server/src/random/random.ts';
import { crossValidated, EPSILONS, foldsOf } from '../../server/src/scores/canonical.ts';
import { clusterInformation } from '../../server/src/scores/clusterInformation.ts';
import { cka } from '../../server/src/scores/cka.ts';
import { optionValues } from '../../server/src/scores/options.ts';
import { pwcca } from '../../server/src/scores/pwcca.ts';
import {
  directionsOf,
  evaluateDirections,
  momentsOf,
  reduced,
} from '../../server/src/statistics/canonicalCorrelation.ts';
import type { Rows } from '../../server/src/statistics/classifier.ts';
import { moveCentres, nearestCentres } from '../../server/src/statistics/miniBatchKMeans.ts';
import { entropy, mutualInformation } from '../../server/src/statistics/mutualInformation.ts';

interface Reference {
  cca: {
    x: number[];
    y: number[];
    n: number;
    folds: number[];
    train: number[];
    sklearn: number[];
    test: { pwcca: number; mean: number; rho: number[]; weights: number[] };
    cross_validated: Record<'pwcca' | 'mean', number[]>;
  };
  pca: { share: number; components: number[] };
  clusters: {
    points: number[];
    start: number[];
    batches: number[][];
    centres: number[];
    clusters: number[];
    labels: number[];
    information: number;
    entropy: number;
    expected: number;
  };
}
const { cca, pca, clusters } = JSON.parse(
  fs.readFileSync(path.join(import.meta.dirname, '../reference/scores/views.json'), 'utf8'),
) as Reference;

const rowsOf = (data: ArrayLike<number>, width: number): Rows => ({
  data: Float64Array.from(data),
  count: data.length / width,
  width,
});
const all = (n: number) => Array.from({ length: n }, (_, i) => i);
const near = (found: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number) => {
  assert.equal(found.length, expected.length);
  for (let i = 0; i < found.length; i++)
    assert.ok(Math.abs(found[i] - expected[i]) < tolerance, `${i}: ${found[i]}, not ${expected[i]}`);
};
const random = new Random(5, 'views test');
const gauss = (count: number, width: number): Rows =>
  rowsOf(
    Float64Array.from({ length: count * width }, () => random.normal()),
    width,
  );
/** Rows times a matrix of width x width. */
const mapped = ({ data, count, width }: Rows, matrix: Rows): Rows =>
  rowsOf(
    Float64Array.from({ length: count * matrix.width }, (_, at) => {
      const [i, j] = [Math.floor(at / matrix.width), at % matrix.width];
      let sum = 0;
      for (let k = 0; k < width; k++) sum += data[i * width + k] * matrix.data[k * matrix.width + j];
      return sum;
    }),
    matrix.width,
  );
const beside = (a: Rows, b: Rows): Rows =>
  rowsOf(
    Array.from({ length: a.count }, (_, i) => [
      ...a.data.subarray(i * a.width, (i + 1) * a.width),
      ...b.data.subarray(i * b.width, (i + 1) * b.width),
    ]).flat(),
    a.width + b.width,
  );

test('canonical correlations are those of numpy and of scikit-learn, fitted and on other rows', () => {
  const [x, y] = [rowsOf(cca.x, 5), rowsOf(cca.y, 4)];
  const [train, held] = [all(cca.n).filter((i) => cca.folds[i] < 8), all(cca.n).filter((i) => cca.folds[i] >= 8)];
  const [directions] = directionsOf(momentsOf(x, y, train), [1e-8]);
  near(directions.correlations, cca.train, 1e-9);
  near(directions.correlations, cca.sklearn, 1e-6);
  const found = evaluateDirections(directions, x, y, held);
  near([found.pwcca, found.mean], [cca.test.pwcca, cca.test.mean], 1e-9);
  near(found.correlations, cca.test.rho, 1e-9);
  near(found.weights, cca.test.weights, 1e-9);
});

test('cross-validated over ten folds and six regularisers as by numpy', () => {
  const [x, y] = [rowsOf(cca.x, 5), rowsOf(cca.y, 4)];
  assert.equal(EPSILONS.length, 6);
  const found = crossValidated(x, y, y, Int32Array.from(cca.folds));
  for (const measure of ['pwcca', 'mean'] as const) near(found[measure].pairs, cca.cross_validated[measure], 1e-8);
});

test('principal components and their share of the variance are those of scikit-learn', () => {
  const { rows, share } = reduced(rowsOf(cca.x, 5), 3);
  assert.ok(Math.abs(share - pca.share) < 1e-12);
  near(rows.data.subarray(0, 15).map(Math.abs), pca.components, 1e-9);
});

test('a view that is an invertible map of the other correlates fully; nothing depends on such maps', () => {
  const x = gauss(300, 6);
  const y = mapped(x, gauss(6, 6));
  const fit = (a: Rows, b: Rows) => {
    const [directions] = directionsOf(momentsOf(a, b, all(200)), [1e-12]);
    return evaluateDirections(directions, a, b, all(300).slice(200));
  };
  assert.ok(Math.abs(fit(x, y).pwcca - 1) < 1e-6, `${fit(x, y).pwcca}`);
  const noise = gauss(300, 5);
  // Correlations that differ: where two are equal their directions are not defined one by one.
  const other = rowsOf(
    noise.data.map((value, at) => value * (0.3 + (at % 5)) + x.data[6 * Math.floor(at / 5) + (at % 5)]),
    5,
  );
  const before = fit(x, other);
  const after = fit(mapped(x, gauss(6, 6)), other);
  near(after.correlations, before.correlations, 1e-6);
  // The smaller view decides the weights: a map of the larger one changes nothing.
  assert.ok(Math.abs(after.pwcca - before.pwcca) < 1e-6, `${after.pwcca} ${before.pwcca}`);
});

test('two of four signals are shared: two correlations near 1, the others near 0 on other rows', () => {
  const shared = gauss(3000, 2);
  const x = mapped(beside(shared, gauss(3000, 2)), gauss(4, 4));
  const y = mapped(beside(shared, gauss(3000, 2)), gauss(4, 4));
  const [directions] = directionsOf(momentsOf(x, y, all(2000)), [1e-10]);
  const { correlations } = evaluateDirections(directions, x, y, all(3000).slice(2000));
  assert.ok(correlations[0] > 0.9999 && correlations[1] > 0.9999, correlations.join());
  assert.ok(Math.abs(correlations[2]) < 0.1 && Math.abs(correlations[3]) < 0.1, correlations.join());
});

test('independent views of 64 dimensions: fitted far above 0 with few rows, on other rows at 0', () => {
  const [x, y] = [gauss(640, 64), gauss(640, 64)];
  const [directions] = directionsOf(momentsOf(x, y, all(512)), [1e-10]);
  const fitted = evaluateDirections(directions, x, y, all(512));
  // Measured with numpy: 0.27 at 640 rows, 0.63 at 128.
  assert.ok(fitted.pwcca > 0.2 && fitted.pwcca < 0.4, `${fitted.pwcca}`);
  const held = evaluateDirections(directions, x, y, all(640).slice(512));
  assert.ok(Math.abs(held.pwcca) < 0.05 && Math.abs(held.mean) < 0.05, `${held.pwcca} ${held.mean}`);
});

/** States of depths as a score gets them. */
const states = (depths: readonly Rows[]) => ({
  states: {
    shape: [depths.length, depths[0].count, depths[0].width],
    data: Float64Array.from(depths.flatMap(({ data }) => [...data])),
  },
});
const model = (layers: number, hidden: number) => ({ layers, hidden, texts: 40, modules: () => [] });

test('PWCCA of a layer that only turns and stretches is 1 where CKA is not; tuned is compared layer by layer', async () => {
  const n = 400;
  const x = gauss(n, 8);
  const turned = mapped(x, gauss(8, 8));
  const other = gauss(n, 8);
  const view = { text: Int32Array.from({ length: n }, (_, i) => i % 40), words: 'drawn' };
  const observed = { states: states([x, turned, other]), other: states([x, x, x]) };
  const tools = { model: model(2, 8), random: new Random(0, ''), labels: null, view };
  const input = await pwcca.fitted!(observed, optionValues(pwcca, {}), tools);
  assert.ok(Math.abs(input.values[0]! - 1) < 1e-6 && Math.abs(input.values[1]!) < 0.15, input.values.join());
  const tuned = await pwcca.fitted!(observed, optionValues(pwcca, { view: 'tuned' }), tools);
  near(tuned.values as number[], input.values as number[], 1e-9);
  const kernels = cka.score(
    { tokens: { ...states([x, turned, other]), used: { shape: [n], data: new Float64Array(n).fill(1) } } },
    optionValues(cka, {}),
    { model: model(2, 8), random: new Random(0, '') },
  );
  assert.ok(kernels.layers!.values[0]! > 0.05, 'CKA is not invariant');
});

test('folds keep texts whole and are about equally large', () => {
  const text = Int32Array.from({ length: 500 }, (_, i) => Math.floor(Math.sqrt(i)));
  const folds = foldsOf({ text, words: '' }, 3);
  for (const own of new Set(text))
    assert.equal(
      new Set(
        all(500)
          .filter((i) => text[i] === own)
          .map((i) => folds[i]),
      ).size,
      1,
    );
  const sizes = all(10).map((f) => folds.filter((fold) => fold === f).length);
  assert.ok(Math.min(...sizes) > 35, sizes.join());
});

test('k-means takes the steps of scikit-learn; mutual information and entropy are its own', () => {
  const rows = rowsOf(clusters.points, 3);
  const centres = { data: Float64Array.from(clusters.start), count: 4, seen: new Float64Array(4) };
  for (const batch of clusters.batches) moveCentres(centres, rows, batch);
  near(centres.data, clusters.centres, 1e-9);
  const found = nearestCentres(centres, rows, all(120));
  assert.deepEqual([...found], clusters.clusters);
  const information = mutualInformation(found, clusters.labels, { classesA: 4, classesB: 3 });
  assert.ok(Math.abs(information - clusters.information) < 1e-12);
  assert.ok(Math.abs(entropy(clusters.labels, 3) - clusters.entropy) < 1e-12);
  // What shuffled labels say on average.
  const draws = all(2000).map(() => random.permutation(120).map((i) => clusters.labels[i]));
  const mean = draws.reduce((sum, own) => sum + mutualInformation(found, own, { classesA: 4, classesB: 3 }), 0) / 2000;
  assert.ok(Math.abs(mean - clusters.expected) < 0.002, `${mean}, not ${clusters.expected}`);
});

test('clusters of random vectors say no more than by chance; numbers are cut into ten classes', async () => {
  const n = 600;
  const planted = gauss(n, 4);
  const numbers = Float64Array.from({ length: n }, (_, i) => i % 100);
  for (let i = 0; i < n; i++) planted.data[4 * i] = numbers[i];
  const view = { text: Int32Array.from({ length: n }, (_, i) => Math.floor(i / 15)), words: 'drawn', numbers };
  const { values, p, reference } = await clusterInformation.fitted!(
    { states: states([gauss(n, 4), gauss(n, 4), planted]) },
    optionValues(clusterInformation, { view: 'position', clusters: 20, permutations: 99 }),
    { model: model(2, 4), random: new Random(0, ''), labels: null, view },
  );
  const [chance] = reference!.value as number[];
  assert.ok(Math.abs(values[0]! - chance) < 0.03 && p![0]! > 0.01, `${values[0]} and ${chance}`);
  assert.ok(values[1]! > 0.6 && p![1] === 0.01, `${values[1]}`);
});
