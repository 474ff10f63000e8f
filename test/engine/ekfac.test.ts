/**
 * EK-FAC of the engine against kronfluence (test/reference/ekfac) and against its formula written out with dense
 * matrices.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { Matrix, EigenvalueDecomposition, inverse } from 'ml-matrix';
import type { EkfacRequest } from '../../protocol/engine.ts';
import type { EncodedSample } from '../../protocol/samples.ts';
import { readSafetensors } from '../../server/src/checkpoints/safetensors.ts';
import { makeBatches } from '../../server/src/engine/sweep/batch.ts';
import type { Batch } from '../../server/src/engine/sweep/batch.ts';
import { EkfacProducts } from '../../server/src/engine/grams/ekfac.ts';
import type { EkfacInfluence } from '../../server/src/engine/grams/ekfac.ts';
import { Model } from '../../server/src/engine/sweep/model.ts';
import { floats, Runtime } from '../../server/src/engine/runtime/runtime.ts';
import { draw, drawLabels, fisherBatches } from '../../server/src/engine/grams/sampledLabels.ts';
import type { ModuleCaptures } from '../../server/src/engine/sweep/captures.ts';
import { segmentsOf } from '../../server/src/engine/sweep/chain.ts';
import { backwardSegment, forward, head } from '../../server/src/engine/sweep/sweep.ts';
import { seededRandom } from '../tinyLlama.ts';
import { casesFolder, relativeError } from './reference.ts';

interface Sample {
  tokens: number[];
  countedFrom: number;
  /** Labels in place of tokens[countedFrom..], for the true Fisher. */
  sampled?: number[];
}
interface Case {
  train: Sample[];
  validation: Sample[];
  damping: number;
}

const reference = JSON.parse(fs.readFileSync(path.join(casesFolder, 'ekfac/samples.json'), 'utf8')) as Record<
  string,
  Case
>;
const right = readSafetensors(path.join(casesFolder, 'ekfac/influence.safetensors'));

const encoded = (samples: Sample[]): EncodedSample[] =>
  samples.map(({ tokens, countedFrom }) => ({ tokens: Int32Array.from(tokens), countedFrom }));

/** B of every module, `<layer name>.<module>`. @param groups sizes of the training batches */
async function influence(
  { train, validation }: Case,
  request: EkfacRequest,
  groups: number[][],
  tileSize = 1 << 20,
): Promise<Map<string, EkfacInfluence>> {
  const model = Model.open(new Runtime('cpu', 1), path.join(casesFolder, 'llama/tied'));
  const training = makeBatches(model.architecture, 'train', encoded(train), groups);
  const fisher = request.fisher === 'true' ? fisherBatches(training) : [];
  for (const { samples, counted } of fisher) counted.label.set(samples.flatMap((i) => train[i].sampled!));
  const all = validation.map((_, i) => i);
  const batches: Batch[] = [
    ...training,
    ...makeBatches(model.architecture, 'validation', encoded(validation), [all]),
    ...fisher,
  ];
  const segments = segmentsOf(model.architecture.layers, 0, 2);
  const boundaries = await forward(model, batches, segments, segments.length, () => undefined);
  let cotangents = (await head(model, batches, boundaries.pop()!, 512, () => undefined)).map((r) => r.dy);
  const products = await EkfacProducts.create(model.runtime);
  const found = new Map<string, EkfacInfluence>();
  for (const segment of segments.toReversed()) {
    const inputs = boundaries.pop()!;
    const { captures, dx } = await backwardSegment(
      model,
      batches,
      segment,
      inputs,
      cotangents,
      () => true,
      segment[0] > 0,
      () => undefined,
    );
    for (const capture of captures) {
      const name = `${model.architecture.layerName(capture.layer)}.${capture.module}`;
      found.set(name, await products.of(capture, train.length, validation.length, tileSize, request));
    }
    if (dx) cotangents = dx;
  }
  await products.release();
  await model.release();
  return found;
}

/** kronfluence's damping of a sum over T tokens is T² of ours, for the gradients of a mean. */
const summedTokens = (name: string) => (name === 'summed' ? reference[name].train[0].tokens.length - 1 : 1);

const cases: { name: string; fisher: EkfacRequest['fisher']; title: string }[] = [
  { name: 'summed', fisher: 'empirical', title: 'empirical Fisher, loss summed over tokens' },
  { name: 'mean', fisher: 'empirical', title: 'empirical Fisher, mean loss, texts of different lengths' },
  { name: 'sampled', fisher: 'true', title: 'true Fisher of given labels, mean loss' },
];

for (const { name, fisher, title } of cases) {
  const heuristic: EkfacRequest = { fisher, seed: 0, damping: { relative: true, factors: [0.1] } };
  const absolute: EkfacRequest = {
    ...heuristic,
    damping: { relative: false, factors: [reference[name].damping / summedTokens(name) ** 2] },
  };
  test(`EK-FAC agrees with kronfluence: ${title}`, async () => {
    const n = reference[name].train.length;
    const groups = [Array.from({ length: n - 2 }, (_, i) => n - 1 - i), [0, 1]]; // out of order, two sizes
    let worst = 0;
    for (const [rule, request] of Object.entries({ heuristic, absolute })) {
      const found = await influence(reference[name], request, groups);
      assert.equal(found.size, 21);
      for (const [module, { B }] of found) {
        const error = relativeError(B, right.tensor(`${name}.${rule}.${module}`) as Float64Array);
        assert.ok(error < 1e-4, `${rule} ${module}: ${error}`);
        worst = Math.max(worst, error);
      }
    }
    console.log(`largest relative difference ${worst.toExponential(1)}`);
  });
}

test('EK-FAC does not depend on batches, tiles and the other dampings', async () => {
  const request = (factors: number[]): EkfacRequest => ({
    fisher: 'true',
    seed: 0,
    damping: { relative: true, factors },
  });
  const one = await influence(reference.sampled, request([0.1]), [[0, 1, 2, 3, 4, 5]]);
  const two = await influence(reference.sampled, request([10, 0.1]), [[5], [3, 1], [0, 2, 4]], 1);
  for (const [module, { B, dampings, meanEigenvalue }] of one) {
    const other = two.get(module)!;
    const error = relativeError(other.B.subarray(B.length), B);
    assert.ok(error < 1e-5, `${module}: ${error}`);
    assert.ok(relativeError(other.B.subarray(0, B.length), B) > 0.1, 'another damping, another B');
    assert.ok(Math.abs(dampings[0] / (0.1 * meanEigenvalue) - 1) < 1e-6);
  }
});

/** Captures of random numbers: one batch per split, the second training sample shorter than the first. */
function randomCaptures(rows: number, columns: number, scale = 1): ModuleCaptures {
  const random = seededRandom(5);
  const numbers = (size: number) => Float32Array.from({ length: size }, () => 2 * random() - 1);
  const part = (split: Batch['split'], lengths: number[]) => {
    const T = Math.max(...lengths);
    const y = numbers(lengths.length * T * rows).map((value) => scale * value);
    lengths.forEach((length, b) => y.fill(0, (b * T + length) * rows, (b + 1) * T * rows));
    const batch = { split, samples: lengths.map((_, i) => i), lengths, length: T } as Batch;
    const x = floats(numbers(lengths.length * T * columns), [lengths.length, T, columns]);
    return { batch, x, y: floats(y, [lengths.length, T, rows]) };
  };
  return { layer: 0, module: 'm', rows, columns, batches: [part('train', [4, 2, 3]), part('validation', [3, 3])] };
}

/** v_jᵀ (Q Λ Qᵀ + λ I)⁻¹ g_i with the d x d matrix written out, d = rows * columns. */
function dense({ rows, columns, batches }: ModuleCaptures, damping: number): number[] {
  const A = Matrix.zeros(columns, columns);
  const S = Matrix.zeros(rows, rows);
  const gradients = batches.map(({ batch, x, y }) =>
    batch.samples.map((_, b) => {
      const G = Matrix.zeros(rows, columns);
      for (let t = 0; t < batch.lengths[b]; t++) {
        const token = b * batch.length + t;
        const xt = Matrix.columnVector([...(x.data as Float32Array).subarray(token * columns, (token + 1) * columns)]);
        const yt = Matrix.columnVector([...(y.data as Float32Array).subarray(token * rows, (token + 1) * rows)]);
        G.add(yt.mmul(xt.transpose()));
        if (batch.split !== 'train') continue;
        A.add(xt.mmul(xt.transpose()));
        S.add(yt.mmul(yt.transpose()));
      }
      return Matrix.columnVector(G.to1DArray());
    }),
  );
  const qa = new EigenvalueDecomposition(A).eigenvectorMatrix;
  const qs = new EigenvalueDecomposition(S).eigenvectorMatrix;
  const Q = qs.kroneckerProduct(qa); // rows of G first, as to1DArray lays it out
  const eigenvalues = Matrix.zeros(rows * columns, 1);
  for (const g of gradients[0]) eigenvalues.add(Q.transpose().mmul(g).pow(2).div(gradients[0].length));
  const mean = eigenvalues.mean();
  const H = Q.mmul(Matrix.diag(eigenvalues.to1DArray()))
    .mmul(Q.transpose())
    .add(Matrix.eye(rows * columns).mul(damping * mean));
  const solved = inverse(H);
  return gradients[0].flatMap((g) => gradients[1].map((v) => v.transpose().mmul(solved).mmul(g).get(0, 0)));
}

for (const scale of [1, 1e-9]) {
  test(`EK-FAC is the dense formula; gradients of size ${scale}`, async () => {
    const captures = randomCaptures(3, 4, scale);
    const products = await EkfacProducts.create(new Runtime('cpu', 1));
    const factors = [0.001, 0.1, 1000];
    const request: EkfacRequest = { fisher: 'empirical', seed: 0, damping: { relative: true, factors } };
    const { B } = await products.of(captures, 3, 2, 1 << 20, request);
    factors.forEach((factor, f) => {
      const error = relativeError(B.subarray(f * 6, (f + 1) * 6), dense(captures, factor));
      assert.ok(error < 2e-5, `factor ${factor}: ${error}`);
    });
    await products.release();
  });
}

test('gradients that are all zero give no influence and no damping', async () => {
  const products = await EkfacProducts.create(new Runtime('cpu', 1));
  const request: EkfacRequest = { fisher: 'empirical', seed: 0, damping: { relative: true, factors: [0.1] } };
  const { B, meanEigenvalue, dampings } = await products.of(randomCaptures(3, 4, 0), 3, 2, 1 << 20, request);
  assert.deepEqual([...B, meanEigenvalue, ...dampings], new Array(8).fill(0));
  await products.release();
});

test('labels are drawn in proportion to the probabilities, the same in every batch', async () => {
  assert.deepEqual(
    [0, 0.24, 0.26, 0.74, 0.76, 0.999].map((u) => draw(Float32Array.of(1, 0, 2, 1), u)),
    [0, 0, 2, 2, 3, 3],
  );

  const model = Model.open(new Runtime('cpu', 1), path.join(casesFolder, 'llama/tied'));
  const samples = encoded(reference.mean.train);
  const labels = async (groups: number[][], rows: number, seed: number) => {
    const batches = fisherBatches(makeBatches(model.architecture, 'train', samples, groups));
    const boundaries = await forward(
      model,
      batches.map((b) => b.twin!),
      [[0, 1, 2]],
      1,
      () => undefined,
    );
    await drawLabels(model, batches, boundaries.pop()!, rows, seed);
    const found: number[][] = [];
    for (const { counted, samples: members } of batches)
      counted.label.forEach((label, p) => (found[members[counted.row[p]]] ??= []).push(label));
    return found;
  };
  const once = await labels([[0, 1, 2, 3, 4, 5]], 512, 3);
  assert.deepEqual(await labels([[4], [5, 0], [3, 2, 1]], 2, 3), once);
  assert.notDeepEqual(await labels([[0, 1, 2, 3, 4, 5]], 512, 4), once);
  assert.deepEqual(
    once.map((l) => l.length),
    samples.map((s) => s.tokens.length - s.countedFrom),
  );
  await model.release();
});
