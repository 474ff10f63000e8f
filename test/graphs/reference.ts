/**
 * Graphs of `test/reference/onnx_graphs` with their samples, and per-sample gradients as the engine's captures give
 * them.
 */
import type { EncodedSample } from '../../protocol/samples.ts';
import path from 'node:path';
import { openSafetensors, readSafetensors } from '../../server/src/checkpoints/safetensors.ts';
import { graphModel } from '../../server/src/engine/userGraph/collectGraph.ts';
import { capture } from '../../server/src/engine/userGraph/graphCaptures.ts';
import { Runtime } from '../../server/src/engine/runtime/runtime.ts';
import type { OpenedGraph } from '../../server/src/graphs/open.ts';

export const folder = path.resolve(import.meta.dirname, '../reference/onnx_graphs');

export interface Reference {
  samples: EncodedSample[];
  loss: Float64Array;
  /** [rows, columns], row-major, of a parameter by its Hugging Face name; kernels with their axes joined. */
  gradient(sample: number, parameter: string): { shape: number[]; data: Float32Array };
  parameters: string[];
}

export function reference(name: string): Reference {
  const where = path.join(folder, `${name}.safetensors`);
  const file = readSafetensors(where);
  const shapes = new Map(openSafetensors(where).tensors.map((tensor) => [tensor.name, tensor.shape]));
  const loss = file.tensor('loss') as Float64Array;
  const label = file.tensor('label') as Int32Array;
  const has = (tensor: string) => shapes.has(tensor);
  const samples = [...loss].map((_, i): EncodedSample => {
    const tokens = has(`input.input_ids.${i}`)
      ? (file.tensor(`input.input_ids.${i}`) as Int32Array)
      : new Int32Array(0);
    const pixels = has(`input.pixel_values.${i}`) ? (file.tensor(`input.pixel_values.${i}`) as Float32Array) : null;
    const shape = pixels ? [...shapes.get(`input.pixel_values.${i}`)!.slice(1)] : [];
    return {
      tokens,
      countedFrom: 1,
      label: label[i],
      ...(pixels ? { arrays: { pixel_values: { shape, data: pixels } } } : {}),
    };
  });
  const parameters = [...shapes.keys()].flatMap((key) => (key.startsWith('gradient.0.') ? [key.slice(11)] : []));
  return {
    samples,
    loss,
    parameters,
    gradient: (sample, parameter) => {
      const key = `gradient.${sample}.${parameter}`;
      return { shape: [...shapes.get(key)!], data: file.tensor(key) as Float32Array };
    },
  };
}

export interface Measured {
  loss: number;
  /** By module path with its layer: ‖g − g64‖ / ‖g64‖, the largest over the samples. */
  errors: Map<string, number>;
}

/** @param nameOf Hugging Face parameter of a module, where the two differ; `transposed` as GPT-2 stores it */
export async function measure(
  opened: OpenedGraph,
  expected: Reference,
  nameOf: (path: string) => string = (module) => `${module}.weight`,
): Promise<Measured> {
  const samples = expected.samples.map((sample, index) => ({ split: 'train' as const, index, sample }));
  const layers = opened.found.layers.map((_, i) => i);
  const modules = [...new Set(opened.found.layers.flatMap((l) => l.modules.map((m) => m.name)))];
  const model = graphModel(new Runtime('cpu', 1), opened);
  const { captures, losses } = await capture(model, opened, samples, layers, modules);
  const loss = Math.max(...[...losses.train].map((value, i) => Math.abs(value - expected.loss[i]) / expected.loss[i]));
  const errors = new Map<string, number>();
  for (const { layer, module, rows, columns, batches } of captures) {
    const name = `${opened.found.layers[layer].name}.${module}`;
    for (const { batch, x, y } of batches) {
      const got = new Float64Array(rows * columns);
      const [xs, ys] = [x.data as Float32Array, y.data as Float32Array];
      for (let t = 0; t < batch.length; t++)
        for (let r = 0; r < rows; r++)
          for (let c = 0; c < columns; c++) got[r * columns + c] += ys[t * rows + r] * xs[t * columns + c];
      const { shape, data } = expected.gradient(batch.samples[0], nameOf(name));
      const turned = shape.length === 2 && shape[0] === columns && shape[1] === rows && nameOf(name).includes('.c_');
      let [difference, size] = [0, 0];
      for (let r = 0; r < rows; r++) {
        for (let c = 0; c < columns; c++) {
          const wanted = turned ? data[c * rows + r] : data[r * columns + c];
          difference += (got[r * columns + c] - wanted) ** 2;
          size += wanted ** 2;
        }
      }
      errors.set(name, Math.max(errors.get(name) ?? 0, Math.sqrt(difference / size)));
    }
  }
  return { loss, errors };
}
