/** Reads a case of test/reference, `<family>/<case>`, and computes the same quantities with our engine. */
import type { EncodedSample } from '../../protocol/samples.ts';
import fs from 'node:fs';
import path from 'node:path';
import { readSafetensors } from '../../server/src/checkpoints/safetensors.ts';
import { makeBatches } from '../../server/src/engine/sweep/batch.ts';
import type { Batch } from '../../server/src/engine/sweep/batch.ts';
import { GramProducts } from '../../server/src/engine/grams/grams.ts';
import { Model } from '../../server/src/engine/sweep/model.ts';
import { Runtime } from '../../server/src/engine/runtime/runtime.ts';
import type { ModuleCaptures } from '../../server/src/engine/sweep/captures.ts';
import { segmentsOf } from '../../server/src/engine/sweep/chain.ts';
import { backwardSegment, forward, head } from '../../server/src/engine/sweep/sweep.ts';
import type { Architecture } from '../../server/src/models/types.ts';

export const casesFolder = path.join(import.meta.dirname, '../reference');
/** `<family>/<case>` for every folder below test/reference/<family> that holds a checkpoint and its reference. */
export const cases = fs
  .readdirSync(casesFolder, { recursive: true, encoding: 'utf8' })
  .filter((file) => path.basename(file) === 'reference.safetensors')
  .map((file) => path.dirname(file).replaceAll(path.sep, '/'))
  .filter((name) => fs.existsSync(path.join(casesFolder, name, 'config.json')))
  .sort();

export function samplesOf(name: string): EncodedSample[] {
  const text = fs.readFileSync(path.join(casesFolder, name, 'samples.json'), 'utf8');
  const { samples } = JSON.parse(text) as { samples: { tokens: number[]; countedFrom: number; label?: number }[] };
  return samples.map(({ tokens, ...rest }) => ({ ...rest, tokens: Int32Array.from(tokens) }));
}

/** Float64 numbers of PyTorch: `loss`, `gradient.<sample>.<parameter>`. */
export function referenceOf(name: string) {
  return readSafetensors(path.join(casesFolder, name, 'reference.safetensors'));
}

export interface Options {
  /** Which samples share a batch, except where their lengths change the tables: then only equals do. */
  groups: number[][];
  segmentLength: number;
  weights: 'resident' | 'streamed';
  /** Folder of a PEFT adapter. */
  adapter?: string;
}

/** Per-sample losses and gradients of every linear module, `<sample> <layer> <module>` -> as the weight is stored. */
export async function gradients(
  folder: string,
  samples: EncodedSample[],
  { groups, segmentLength, weights, adapter }: Options,
): Promise<{ loss: number[]; gradient: Map<string, Float32Array>; names: Map<string, string> }> {
  const model = Model.open(new Runtime('cpu', 1), folder, adapter);
  model.weights.mode = weights;
  const together = groups.flatMap((group) => {
    const lengths = group.map((i) => samples[i].tokens.length);
    const keys = lengths.map((length) => (model.architecture.lengthMatters(length) ? length : 0));
    return [...new Set(keys)].map((key) => group.filter((_, i) => keys[i] === key));
  });
  const batches: Batch[] = makeBatches(model.architecture, 'train', samples, together);
  const segments = segmentsOf(model.architecture.layers, 0, segmentLength);
  const boundaries = await forward(model, batches, segments, segments.length, () => undefined);
  const results = await head(model, batches, boundaries.pop()!, 7, () => undefined);
  const loss: number[] = [];
  batches.forEach((batch, b) => batch.samples.forEach((sample, row) => (loss[sample] = results[b].loss[row])));
  let cotangents = results.map((r) => r.dy);
  const products = await GramProducts.create(model.runtime);
  const gradient = new Map<string, Float32Array>();
  const names = new Map<string, string>();
  for (const segment of segments.toReversed()) {
    const { captures, dx } = await backwardSegment(
      model,
      batches,
      segment,
      boundaries.pop()!,
      cotangents,
      () => true,
      segment[0] > 0,
      () => undefined,
    );
    for (const capture of captures) {
      const size = capture.rows * capture.columns;
      const all = new Float32Array(size * samples.length);
      await products.tiles.gradients(capture, 0, capture.rows, all);
      let at = 0;
      for (const { batch } of capture.batches) {
        for (const sample of batch.samples) {
          const key = `${sample} ${capture.layer} ${capture.module}`;
          gradient.set(key, asStored(model.architecture, capture, all.slice(at, (at += size))));
          names.set(key, `gradient.${sample}.${model.architecture.layerName(capture.layer)}.${capture.module}.weight`);
        }
      }
    }
    if (dx) cotangents = dx;
  }
  await products.release();
  await model.release();
  return { loss, gradient, names };
}

/** [rows, columns] in the layout of the weight. */
function asStored(architecture: Architecture, { layer, module, rows, columns }: ModuleCaptures, matrix: Float32Array) {
  if (!architecture.modules(layer).find((m) => m.name === module)!.transposed) return matrix;
  return Float32Array.from(matrix, (_, i) => matrix[(i % rows) * columns + Math.floor(i / rows)]);
}

/** ‖a − b‖ / ‖b‖ */
export function relativeError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let difference = 0;
  let size = 0;
  for (let i = 0; i < b.length; i++) {
    difference += (a[i] - b[i]) ** 2;
    size += b[i] ** 2;
  }
  return difference === 0 ? 0 : Math.sqrt(difference / size);
}

export function norm(a: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] ** 2;
  return Math.sqrt(sum);
}
