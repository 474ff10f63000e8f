/**
 * K, C and diag(V Vᵀ) of both ways of Gram products against inner products of PyTorch's float64 gradients; sums over
 * batches of texts that are taken from the tiles against sums of these gradients.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { makeBatches } from '../../server/src/engine/sweep/batch.ts';
import { cheaper, GramProducts } from '../../server/src/engine/grams/grams.ts';
import type { DealtSums } from '../../server/src/engine/grams/dealtSums.ts';
import { GradientSums } from '../../server/src/engine/grams/gradientSums.ts';
import { WorkMemory } from '../../server/src/engine/grams/workMemory.ts';
import type { ModuleGrams, Way } from '../../server/src/engine/grams/grams.ts';
import { Model } from '../../server/src/engine/sweep/model.ts';
import { Runtime } from '../../server/src/engine/runtime/runtime.ts';
import type { ModuleCaptures } from '../../server/src/engine/sweep/captures.ts';
import { segmentsOf } from '../../server/src/engine/sweep/chain.ts';
import { backwardSegment, forward, head } from '../../server/src/engine/sweep/sweep.ts';
import { casesFolder, referenceOf, relativeError, samplesOf } from './reference.ts';

const NAME = 'llama/biases';

/** Grams of layer 1: samples 2 and 0 train (in that order), sample 1 validates. */
async function layerGrams(
  way: Way,
  tileSize: number,
  known?: { train: number; validation: number },
): Promise<Map<string, ModuleGrams & { dealt: DealtSums }>> {
  const model = Model.open(new Runtime('cpu', 1), path.join(casesFolder, NAME));
  const [a, b, c] = samplesOf(NAME);
  const batches = [
    ...makeBatches(model.architecture, 'train', [c, a], [[1], [0]]),
    ...makeBatches(model.architecture, 'validation', [b], [[0]]),
  ];
  const [, segment] = segmentsOf(model.architecture.layers, 0, 1);
  const boundaries = await forward(model, batches, [[0], segment], 2, () => undefined);
  const results = await head(model, batches, boundaries.pop()!, 512, () => undefined);
  const { captures } = await backwardSegment(
    model,
    batches,
    segment,
    boundaries.pop()!,
    results.map((r) => r.dy),
    () => true,
    false,
    () => undefined,
  );
  const products = await GramProducts.create(model.runtime);
  const sums = await GradientSums.create(model.runtime);
  const grams = new Map<string, ModuleGrams & { dealt: DealtSums }>();
  for (const capture of captures) {
    const dealt = sums.dealt(capture, [1, 2], batches, new WorkMemory());
    const see = known ? undefined : dealt.see.bind(dealt);
    const found = await products.of(capture, 2, 1, tileSize, { way, known, see });
    grams.set(capture.module, { ...found, dealt });
  }
  await products.release();
  await sums.release();
  await model.release();
  return grams;
}

/** Sum over one batch of texts as the weight lies. */
function placed(dealt: DealtSums, count: number, b: number): Float64Array {
  const found = new Float64Array(dealt.order.length);
  for (const { first, width, sums } of dealt.sums(count)!) {
    const own = sums.subarray(b * width, (b + 1) * width);
    own.forEach((value, i) => (found[dealt.order[first + i]] = value));
  }
  return found;
}

const ways: { title: string; way: Way; tileSize: number }[] = [
  { title: 'tiles, whole matrix', way: 'tiles', tileSize: 1 << 20 },
  { title: 'tiles of parts of both sides', way: 'tiles', tileSize: 150 },
  { title: 'tiles of one number', way: 'tiles', tileSize: 1 },
  { title: 'tokens', way: 'tokens', tileSize: 1 },
];

for (const { title, way, tileSize } of ways) {
  test(`Grams by ${title} are the inner products of PyTorch's gradients`, async () => {
    const reference = referenceOf(NAME);
    const grams = await layerGrams(way, tileSize);
    assert.equal(grams.size, 7);
    for (const [module, { K, C, diagV, dealt }] of grams) {
      const g = [0, 1, 2].map((s) => reference.tensor(`gradient.${s}.model.layers.1.${module}.weight`) as Float64Array);
      const dot = (i: number, j: number) => g[i].reduce((sum, x, k) => sum + x * g[j][k], 0);
      const right = [dot(2, 2), dot(2, 0), dot(0, 2), dot(0, 0), dot(2, 1), dot(0, 1), dot(1, 1)];
      const error = relativeError([...K, ...C, ...diagV], right);
      assert.ok(error < 1e-5, `${module}: ${error}`);
      assert.equal(K[1], K[2], 'K is symmetric');
      assert.equal(dealt.complete, way === 'tiles');
      if (way !== 'tiles') continue;
      // Training samples 0 and 1 are the texts 2 and 0: together, and in a batch each.
      assert.ok(
        relativeError(
          placed(dealt, 1, 0),
          g[2].map((x, k) => x + g[0][k]),
        ) < 1e-5,
        module,
      );
      assert.ok(relativeError(placed(dealt, 2, 0), g[2]) < 1e-5, module);
      assert.ok(relativeError(placed(dealt, 2, 1), g[0]) < 1e-5, module);
    }
  });
}

for (const { title, way, tileSize } of ways.filter(({ tileSize: size }) => size !== 150)) {
  test(`pairs of known samples are left out, all others are there, by ${title}`, async () => {
    const [whole, rest] = [
      await layerGrams(way, tileSize),
      await layerGrams(way, tileSize, { train: 1, validation: 1 }),
    ];
    for (const [module, { K, C, diagV }] of rest) {
      const right = whole.get(module)!;
      assert.ok(relativeError([K[1], K[2], K[3], C[1]], [right.K[1], right.K[2], right.K[3], right.C[1]]) < 1e-6);
      assert.deepEqual([K[0], C[0], diagV[0]], [0, 0, 0]);
    }
  });
}

test('few tokens are multiplied with each other, many go through tiles', () => {
  const captures = (samples: number, length: number): ModuleCaptures => ({
    layer: 0,
    module: 'm',
    rows: 576,
    columns: 576,
    batches: [
      { batch: { samples: Array.from({ length: samples }, (_, i) => i), length } } as ModuleCaptures['batches'][0],
    ],
  });
  assert.equal(cheaper(captures(64, 13)), 'tokens');
  assert.equal(cheaper(captures(80, 128)), 'tiles');
});
