/**
 * Our per-sample gradients of some matrices, for `compare.py --gradients`:
 *
 *   node test/reference/demo/gradients.ts MODEL samples.json 0.mlp.up_proj,29.mlp.down_proj gradients.safetensors
 */
import type { EncodedSample } from '../../../protocol/samples.ts';
import fs from 'node:fs';
import { writeSafetensors } from '../../../server/src/checkpoints/safetensors.ts';
import { makeBatches } from '../../../server/src/engine/sweep/batch.ts';
import { GramProducts, order } from '../../../server/src/engine/grams/grams.ts';
import { Model } from '../../../server/src/engine/sweep/model.ts';
import { Runtime } from '../../../server/src/engine/runtime/runtime.ts';
import { segmentsOf } from '../../../server/src/engine/sweep/chain.ts';
import { backwardSegment, forward, head } from '../../../server/src/engine/sweep/sweep.ts';

const [modelPath, samplesFile, list, into] = process.argv.slice(2);
const wanted = new Set(list.split(','));
type Given = { tokens: number[]; countedFrom: number };
const given = JSON.parse(fs.readFileSync(samplesFile, 'utf8')) as { train: Given[]; validation: Given[] };
const encode = (samples: Given[]): EncodedSample[] =>
  samples.map(({ tokens, countedFrom }) => ({ tokens: Int32Array.from(tokens), countedFrom }));
const [train, validation] = [encode(given.train), encode(given.validation)];
const all = (samples: EncodedSample[]) => [samples.map((_, i) => i)];

const model = Model.open(new Runtime('cpu', 2), modelPath);
const batches = [
  ...makeBatches(model.architecture, 'train', train, all(train)),
  ...makeBatches(model.architecture, 'validation', validation, all(validation)),
];
const segments = segmentsOf(model.architecture.layers, 0, 1);
const boundaries = await forward(model, batches, segments, segments.length, () => undefined);
const results = await head(model, batches, boundaries.pop()!, 256, () => undefined);
let cotangents = results.map((r) => r.dy);
const products = await GramProducts.create(model.runtime);
const tensors: Parameters<typeof writeSafetensors>[1][number][] = [];
for (const segment of segments.toReversed()) {
  const scored = (layer: number, module: string) => wanted.has(`${layer}.${module}`);
  const { captures, dx } = await backwardSegment(
    model,
    batches,
    segment,
    boundaries.pop()!,
    cotangents,
    scored,
    segment[0] > 0,
    () => undefined,
  );
  for (const capture of captures) {
    const { layer, module, rows, columns } = capture;
    const size = rows * columns;
    const total = train.length + validation.length;
    const gradients = new Float32Array(total * size);
    await products.tiles.gradients(capture, 0, rows, gradients);
    const positions = order(capture, train.length);
    const part = (start: number, count: number) => {
      const data = new Float32Array(count * size);
      for (let i = 0; i < count; i++) {
        const at = positions[start + i] * size;
        data.set(gradients.subarray(at, at + size), i * size);
      }
      return data;
    };
    const add = (name: string, start: number, count: number) =>
      tensors.push({
        name: `${layer}.${module}.${name}`,
        dtype: 'F32',
        shape: [count, rows, columns],
        data: part(start, count),
      });
    add('train', 0, train.length);
    add('validation', train.length, validation.length);
  }
  if (dx) cotangents = dx;
}
writeSafetensors(into, tensors);
console.log(`${tensors.length} tensors in ${into}`);
