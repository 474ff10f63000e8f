/**
 * Pruning block by block: statistics of a block's inputs, the pruner on each of its matrices, the changed block's outputs for the
 * next. Only one block is in memory beside the calibration activations. A finished layer is a file in `workDir`, from which an
 * interrupted run goes on; without a folder the changed matrices stay in the model until `restore`.
 */
import fs from 'node:fs';
import path from 'node:path';
import type {
  OutlierRequest,
  OutlierSummary,
  PrunedLayer,
  PruneRequest,
  PruneSummary,
} from '../../../../protocol/pruning.ts';
import { writtenTypes } from '../../checkpoints/dtypes.ts';
import { writeAtomically } from '../../checkpoints/fileBytes.ts';
import { openSafetensors, readFloat32, writeSafetensors } from '../../checkpoints/safetensors.ts';
import type { Products } from '../../linear/types.ts';
import type { LinearModule } from '../../models/types.ts';
import { Graph } from '../../onnx/graph.ts';
import { findPruner } from '../../pruning/pruners.ts';
import { inputNorms } from '../../pruning/wanda.ts';
import { nearestStructure } from '../../pruning/structure.ts';
import type { InputStatistics } from '../../pruning/types.ts';
import { calibrate } from '../observe/inputs.ts';
import type { Report } from '../runtime/report.ts';
import type { Model } from '../sweep/model.ts';
import { tensorOf } from '../runtime/runtime.ts';
import type { Runtime } from '../runtime/runtime.ts';

/** @throws LayerifError; the AbortSignal's reason when cancelled. Finished layers stay in `request.workDir`. */
export async function prune(model: Model, request: PruneRequest, report: Report): Promise<PruneSummary> {
  const started = performance.now();
  const { architecture, weights } = model;
  const pruner = findPruner(request.method);
  weights.restore();
  const work = request.workDir === null ? null : new PrunedLayers(request.workDir, request.key);
  const layers: PrunedLayer[] = [];
  const show = (): void => report({ type: 'pruning', done: layers.length, total: architecture.layers });

  for (let layer = 0; layer < architecture.layers && work?.has(layer); layer++) {
    work.use(layer, model);
    layers.push(countZeros(model, layer, request));
  }
  const resumedLayers = layers.length;
  show();
  const products = await productsOf(model.runtime);
  await calibrate(
    model,
    request,
    pruner.needs,
    async (layer, inputs) => {
      for (const module of chosen(model, layer, request)) {
        const sparsity = request.sparsity[layer][module.name];
        const structure = request.structure && nearestStructure(request.structure, sparsity);
        const amount = { sparsity, structure };
        const tensor = tensorName(model, layer, module);
        const matrix = { ...module, weight: asRows(weights.values(tensor), module) };
        await pruner.prune(matrix, inputs.get(module.name) ?? null, amount, products);
        weights.replace(tensor, asStored(matrix.weight, module));
        model.runtime.signal?.throwIfAborted();
      }
      layers.push(countZeros(model, layer, request));
      work?.write(layer, model, chosen(model, layer, request));
      work?.use(layer, model);
      show();
    },
    resumedLayers,
  );
  await products.release();
  if (work) weights.restore();
  return {
    layers,
    seconds: (performance.now() - started) / 1000,
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    resumedLayers,
  };
}

/** Per layer the percentage of |W_ij| ‖X_j‖ above a multiple of the layer's mean, over all its linear modules. */
export async function outliers(model: Model, request: OutlierRequest, report: Report): Promise<OutlierSummary> {
  const { architecture, weights } = model;
  weights.restore();
  const found: number[] = [];
  await calibrate(model, request, 'squaredNorms', async (layer, inputs) => {
    const parts = architecture.modules(layer).map((module) => {
      const norms = normsOf(inputs.get(module.name)!, module.columns);
      return { module, norms, weight: asRows(weights.values(tensorName(model, layer, module)), module) };
    });
    let sum = 0;
    let count = 0;
    const each = (visit: (value: number) => void): void => {
      for (const { module, norms, weight } of parts) {
        for (let i = 0; i < weight.length; i++) visit(Math.abs(weight[i]) * norms[i % module.columns]);
      }
    };
    each((value) => {
      sum += value;
      count++;
    });
    const limit = (request.multiple * sum) / count;
    let above = 0;
    each((value) => {
      if (value > limit) above++;
    });
    found.push((100 * above) / count);
    report({ type: 'pruning', done: found.length, total: architecture.layers });
    await Promise.resolve();
  });
  return { outliers: found };
}

function normsOf({ squaredNorms, sequences }: InputStatistics, columns: number): Float32Array {
  return inputNorms(squaredNorms, sequences, columns);
}

function chosen(model: Model, layer: number, { sparsity }: PruneRequest): LinearModule[] {
  return model.architecture.modules(layer).filter(({ name }) => Object.hasOwn(sparsity[layer], name));
}

function tensorName(model: Model, layer: number, { name }: LinearModule): string {
  return `${model.architecture.layerName(layer)}.${name}.weight`;
}

function countZeros(model: Model, layer: number, request: PruneRequest): PrunedLayer {
  const modules: PrunedLayer['modules'] = {};
  for (const module of chosen(model, layer, request)) {
    const values = model.weights.values(tensorName(model, layer, module));
    let zeros = 0;
    for (let i = 0; i < values.length; i++) if (values[i] === 0) zeros++;
    modules[module.name] = { weights: values.length, zeros };
  }
  return { layer, modules };
}

/** A copy with outputs as rows. */
function asRows(stored: Float32Array, { rows, columns, transposed }: LinearModule): Float32Array {
  return transposed ? turned(stored, columns, rows) : stored.slice();
}

function asStored(weight: Float32Array, { rows, columns, transposed }: LinearModule): Float32Array {
  return transposed ? turned(weight, rows, columns) : weight;
}

function turned(values: Float32Array, rows: number, columns: number): Float32Array {
  const t = new Float32Array(values.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) t[c * rows + r] = values[r * columns + c];
  return t;
}

/** In the folder from the first moment on: whose layers these are. */
const KEY_FILE = 'key.txt';

/** Layer files of one request; files of another request are removed before anything is written. */
class PrunedLayers {
  readonly #folder: string;

  constructor(folder: string, key: string) {
    this.#folder = folder;
    fs.mkdirSync(folder, { recursive: true });
    const file = path.join(folder, KEY_FILE);
    if (fs.existsSync(file) && fs.readFileSync(file, 'utf8') === key) return;
    for (const name of fs.readdirSync(folder)) fs.rmSync(path.join(folder, name), { recursive: true, force: true });
    writeAtomically(file, [Buffer.from(key)]);
  }

  has(layer: number): boolean {
    return fs.existsSync(this.#file(layer));
  }

  /** The model reads the layer's matrices from the file, so that they need not stay in memory. */
  use(layer: number, { weights }: Model): void {
    for (const info of openSafetensors(this.#file(layer)).tensors) weights.replace(info.name, () => readFloat32(info));
  }

  write(layer: number, model: Model, modules: LinearModule[]): void {
    const tensors = modules.map((module) => {
      const name = tensorName(model, layer, module);
      const { dtype, shape } = model.weights.stored(name);
      // GGUF's block types cannot hold a pruned matrix: it becomes float32.
      const type = dtype === 'F16' || dtype === 'BF16' ? dtype : 'F32';
      return { name, dtype: type, shape, data: () => writtenTypes[type].encode(model.weights.values(name)) } as const;
    });
    writeSafetensors(this.#file(layer), tensors);
  }

  #file(layer: number): string {
    return path.join(this.#folder, `layer-${layer}.safetensors`);
  }
}

/** Matrix products by ONNX Runtime, in the type of the operands. */
async function productsOf(runtime: Runtime): Promise<Products & { release(): Promise<void> }> {
  const sessions = {
    float32: await runtime.session(productGraph('float32')),
    float64: await runtime.session(productGraph('float64')),
  };
  return {
    async multiply<T extends Float32Array | Float64Array>(a: T, b: T, m: number, k: number, n: number): Promise<T> {
      const session = a instanceof Float64Array ? sessions.float64 : sessions.float32;
      return (await session.run({ a: tensorOf(a, [m, k]), b: tensorOf(b, [k, n]) })).c.data as T;
    },
    async release() {
      await sessions.float32.release();
      await sessions.float64.release();
    },
  };
}

function productGraph(type: 'float32' | 'float64'): Graph {
  const g = new Graph(`product ${type}`);
  g.output(g.matMul(g.input('a', type, ['m', 'k']), g.input('b', type, ['k', 'n'])), 'c');
  return g;
}
