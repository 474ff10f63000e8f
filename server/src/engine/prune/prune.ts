/**
 * Pruning block by block: statistics of a block's inputs, the pruner on each of its matrices, the changed block's
 * outputs for the next. Only one block is in memory beside the calibration activations. A finished layer is a file in
 * `workDir`, from which an interrupted run goes on; without a folder the changed matrices stay in the model until
 * `restore`.
 */
import fs from 'node:fs';
import path from 'node:path';
import type { PrunedLayer, PruneRequest, PruneSummary } from '../../../../protocol/pruning.ts';
import { writtenTypes } from '../../checkpoints/dtypes.ts';
import { writeAtomically } from '../../checkpoints/fileBytes.ts';
import { openSafetensors, readFloat32, writeSafetensors } from '../../checkpoints/safetensors.ts';
import type { Products } from '../../linear/types.ts';
import type { LinearModule } from '../../models/types.ts';
import { Graph } from '../../onnx/graph.ts';
import { findPruner } from '../../pruning/pruners.ts';
import { nearestStructure } from '../../pruning/structure.ts';
import type { InputStatistics } from '../../pruning/types.ts';
import { throughLayers } from '../observe/layerSweep.ts';
import type { Report } from '../runtime/report.ts';
import { ActivationStore } from '../sweep/activations.ts';
import { makeBatches } from '../sweep/batch.ts';
import type { Model } from '../sweep/model.ts';
import { asRows, turned, weightName } from '../sweep/weights.ts';
import { tensorOf } from '../runtime/runtime.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { makeFolders } from '../../files/writing.ts';

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
  const visit = async (layer: number, inputs: Map<string, InputStatistics>): Promise<void> => {
    for (const module of chosen(model, layer, request)) {
      const sparsity = request.sparsity[layer][module.name];
      const structure = request.structure && nearestStructure(request.structure, sparsity);
      const amount = { sparsity, structure };
      const tensor = weightName(architecture, layer, module);
      const matrix = { ...module, weight: asRows(weights.values(tensor), module) };
      await pruner.prune(matrix, inputs.get(module.name) ?? null, amount, products);
      weights.replace(tensor, asStored(matrix.weight, module));
      model.runtime.signal?.throwIfAborted();
    }
    layers.push(countZeros(model, layer, request));
    work?.write(layer, model, chosen(model, layer, request));
    work?.use(layer, model);
    show();
  };
  weights.mode = request.weights;
  if (pruner.needs === 'nothing') {
    // Nothing runs, so there is no sweep to take part in.
    for (let layer = resumedLayers; layer < architecture.layers; layer++) await visit(layer, new Map());
  } else {
    const batches = makeBatches(architecture, 'train', request.calibration, request.batches);
    const inputs = { statistic: pruner.needs, from: resumedLayers, changes: true, see: visit };
    await throughLayers(model, batches, { store: new ActivationStore(null), inputs, toTheEnd: false });
  }
  await products.release();
  if (work) weights.restore();
  return {
    layers,
    seconds: (performance.now() - started) / 1000,
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    resumedLayers,
  };
}

function chosen(model: Model, layer: number, { sparsity }: PruneRequest): LinearModule[] {
  return model.architecture.modules(layer).filter(({ name }) => Object.hasOwn(sparsity[layer], name));
}

function countZeros(model: Model, layer: number, request: PruneRequest): PrunedLayer {
  const modules: PrunedLayer['modules'] = {};
  for (const module of chosen(model, layer, request)) {
    const values = model.weights.values(weightName(model.architecture, layer, module));
    let zeros = 0;
    for (let i = 0; i < values.length; i++) if (values[i] === 0) zeros++;
    modules[module.name] = { weights: values.length, zeros };
  }
  return { layer, modules };
}

function asStored(weight: Float32Array, { rows, columns, transposed }: LinearModule): Float32Array {
  return transposed ? turned(weight, rows, columns) : weight;
}

/** In the folder from the first moment on: whose layers these are. */
const KEY_FILE = 'key.txt';

/** Layer files of one request; files of another request are removed before anything is written. */
class PrunedLayers {
  readonly #folder: string;

  constructor(folder: string, key: string) {
    this.#folder = folder;
    makeFolders(folder);
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
      const name = weightName(model.architecture, layer, module);
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
