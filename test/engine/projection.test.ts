/**
 * The Kronecker projection: orthonormal rows, inner products right on average over seeds, exact at full rank on every
 * reference case of every family, and independent of batches, segments, streaming and of what else is scored.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { makeBatches } from '../../server/src/engine/sweep/batch.ts';
import { GramProducts } from '../../server/src/engine/grams/grams.ts';
import type { ModuleGrams } from '../../server/src/engine/grams/grams.ts';
import { Model } from '../../server/src/engine/sweep/model.ts';
import { orthonormalRows, Projection } from '../../server/src/engine/sweep/projection.ts';
import { Runtime } from '../../server/src/engine/runtime/runtime.ts';
import { segmentsOf } from '../../server/src/engine/sweep/chain.ts';
import { backwardSegment, forward, head } from '../../server/src/engine/sweep/sweep.ts';
import { Random } from '../../server/src/random/random.ts';
import { cases, casesFolder, referenceOf, relativeError, samplesOf } from './reference.ts';

interface Options {
  rank?: number;
  seed?: number;
  groups?: number[][];
  segmentLength?: number;
  weights?: 'resident' | 'streamed';
  modules?: (name: string) => boolean;
}

/** Grams of all layers, `<layer> <module>`; sample 1 validates, the others train. */
async function grams(
  model: Model,
  name: string,
  { rank, seed = 0, groups, segmentLength = 1, weights = 'resident', modules = () => true }: Options,
): Promise<Map<string, ModuleGrams>> {
  model.weights.mode = weights;
  const { architecture } = model;
  const [a, b, c] = samplesOf(name);
  const batches = [
    ...makeBatches(architecture, 'train', [a, c], groups ?? [[0], [1]]),
    ...makeBatches(architecture, 'validation', [b], [[0]]),
  ];
  const segments = segmentsOf(architecture.layers, 0, segmentLength);
  const boundaries = await forward(model, batches, segments, segments.length, () => undefined);
  let cotangents = (await head(model, batches, boundaries.pop()!, 512, () => undefined)).map((r) => r.dy);
  const projection = rank === undefined ? null : new Projection(architecture, { rank, seed });
  const products = await GramProducts.create(model.runtime);
  const found = new Map<string, ModuleGrams>();
  for (const segment of segments.toReversed()) {
    const inputs = boundaries.pop()!;
    const scored = (_layer: number, module: string) => modules(module);
    const below = segment[0] > 0;
    const { captures, dx } = await backwardSegment(
      model,
      batches,
      segment,
      inputs,
      cotangents,
      scored,
      below,
      () => undefined,
      { projection },
    );
    for (const capture of captures) {
      if (rank !== undefined) assert.ok(capture.rows <= rank && capture.columns <= rank);
      found.set(`${capture.layer} ${capture.module}`, await products.of(capture, 2, 1, 1 << 20));
    }
    if (dx) cotangents = dx;
  }
  await products.release();
  return found;
}

const flat = ({ K, C, diagV }: ModuleGrams) => [...K, ...C, ...diagV];

function withModel<T>(name: string, body: (model: Model) => Promise<T>): Promise<T> {
  const model = Model.open(new Runtime('cpu', 1), path.join(casesFolder, name));
  return body(model).finally(() => model.release());
}

test('rows are orthonormal, also when there are as many as columns', () => {
  for (const [count, size] of [
    [1, 1],
    [8, 8],
    [16, 96],
    [64, 64],
    [64, 1000],
  ]) {
    const rows = orthonormalRows(count, size, new Random(3, `${count} ${size}`));
    for (let i = 0; i < count; i++) {
      for (let j = 0; j <= i; j++) {
        let product = 0;
        for (let c = 0; c < size; c++) product += rows[i * size + c] * rows[j * size + c];
        assert.ok(
          Math.abs(product - (i === j ? 1 : 0)) < 1e-10,
          `${count} x ${size}: row ${i} times row ${j}: ${product}`,
        );
      }
    }
  }
});

for (const name of cases.filter((n) => !n.startsWith('lora/'))) {
  test(`${name}: at full rank the Grams are exact`, async () => {
    await withModel(name, async (model) => {
      const exact = await grams(model, name, {});
      const projected = await grams(model, name, { rank: 1 << 20 });
      assert.deepEqual([...projected.keys()], [...exact.keys()]);
      const largest = Math.max(...[...exact.values()].flatMap(flat).map(Math.abs));
      for (const [key, right] of exact) {
        const error = relativeError(flat(projected.get(key)!), flat(right));
        // Gradients that are rounding alone have no digits to agree in.
        if (Math.max(...flat(right).map(Math.abs)) > 1e-12 * largest) assert.ok(error < 1e-5, `${key}: ${error}`);
      }
    });
  });
}

test('inner products are right on average over seeds, and a larger rank comes closer', async () => {
  const name = 'llama/biases';
  const reference = referenceOf(name);
  await withModel(name, async (model) => {
    const module = 'mlp.up_proj';
    const g = [0, 2, 1].map((s) => reference.tensor(`gradient.${s}.model.layers.1.${module}.weight`) as Float64Array);
    const dot = (i: number, j: number) => g[i].reduce((sum, x, k) => sum + x * g[j][k], 0);
    const right = [dot(0, 0), dot(0, 1), dot(1, 0), dot(1, 1), dot(0, 2), dot(1, 2), dot(2, 2)];
    const spread = async (rank: number, seeds: number) => {
      const mean = right.map(() => 0);
      let square = 0;
      for (let seed = 0; seed < seeds; seed++) {
        const found = flat(
          (await grams(model, name, { rank, seed, modules: (m) => m === module })).get(`1 ${module}`)!,
        );
        found.forEach((value, i) => (mean[i] += value / seeds));
        square += relativeError(found, right) ** 2 / seeds;
      }
      return { bias: relativeError(mean, right), error: Math.sqrt(square) };
    };
    const few = await spread(4, 150);
    // The mean of 150 draws is about 12 times closer than one draw.
    assert.ok(few.bias < (4 * few.error) / Math.sqrt(150), `bias ${few.bias}, error of one draw ${few.error}`);
    const more = await spread(16, 30);
    assert.ok(more.error < few.error / 2, `${more.error} at rank 16, ${few.error} at rank 4`);
  });
});

const ways: Record<string, Options> = {
  'batched and padded': { groups: [[0, 1]] },
  'in another order': { groups: [[1], [0]] },
  'several blocks per segment': { segmentLength: 2 },
  streamed: { weights: 'streamed' },
  'with fewer modules scored': { modules: (module) => !/(q_proj|gate_proj)$/.test(module) },
};
for (const [way, options] of Object.entries(ways)) {
  test(`${way}: the same projected Grams`, async () => {
    const name = 'llama/tied';
    await withModel(name, async (model) => {
      const expected = await grams(model, name, { rank: 8, seed: 5 });
      const actual = await grams(model, name, { rank: 8, seed: 5, ...options });
      assert.ok(actual.size > 0);
      for (const [key, found] of actual) {
        const error = relativeError(flat(found), flat(expected.get(key)!));
        assert.ok(error < 1e-5, `${key}: ${error}`);
      }
    });
  });
}

test('a seed gives the same numbers again, another one others; layers and modules have matrices of their own', async () => {
  const name = 'llama/tied';
  await withModel(name, async (model) => {
    const first = await grams(model, name, { rank: 8, seed: 5 });
    assert.deepEqual(await grams(model, name, { rank: 8, seed: 5 }), first);
    const other = await grams(model, name, { rank: 8, seed: 6 });
    for (const [key, found] of first) assert.ok(relativeError(flat(other.get(key)!), flat(found)) > 1e-3, key);
    const inputs = ['self_attn.q_proj out', 'self_attn.k_proj out', 'self_attn.q_proj in'].map((stream) => {
      return { input: stream, block: 0, stream, size: 32 };
    });
    const matrices = [0, 1].flatMap((layer) => {
      const feeds = new Projection(model.architecture, { rank: 8, seed: 5 }).feeds(inputs, [layer]);
      return Object.values(feeds).map((tensor) => [...(tensor.data as Float32Array)].join());
    });
    assert.equal(new Set(matrices).size, 6);
  });
});
