/**
 * Observations of a user's graph: what is read of weights, of hidden states between its layers and of the inputs of its
 * matrices. The graph runs as it is, sample by sample, and gives these values; the reducers are those of every other
 * model.
 */
import type { EncodedSample } from '../../../../protocol/samples.ts';
import type { ObserveRequest, ObserveSummary } from '../../../../protocol/scores.ts';
import { hiddenOf } from '../../graphs/hidden.ts';
import type { HiddenStates } from '../../graphs/hidden.ts';
import { openGraph } from '../../graphs/open.ts';
import type { OpenedGraph } from '../../graphs/open.ts';
import { moduleInputs } from '../../graphs/moduleInputs.ts';
import type { ModuleInput } from '../../graphs/moduleInputs.ts';
import { fault } from '../../graphs/read.ts';
import type { InputStatistics } from '../../pruning/types.ts';
import { observationOf } from '../../scores/observations.ts';
import type { ObservedShape } from '../../scores/observations.ts';
import { zeros } from '../grams/observedGradients.ts';
import { reducerOf } from '../observe/reducers.ts';
import type { ReducerContext } from '../observe/types.ts';
import type { Report } from '../runtime/report.ts';
import { integers } from '../runtime/runtime.ts';
import type { Runtime, Tensor } from '../runtime/runtime.ts';
import type { Batch } from '../sweep/batch.ts';
import { graphModel } from './collectGraph.ts';
import { addSquares } from './inputSquares.ts';

export async function observeGraph(runtime: Runtime, request: ObserveRequest, report: Report): Promise<ObserveSummary> {
  const started = performance.now();
  const runsBefore = runtime.runs;
  const graph = openGraph(request.modelPath, request.graph ?? {});
  const specs = request.observations.map(({ of }) => observationOf(reducerOf(of).id));
  const hidden = specs.some((spec) => spec.reads === 'hidden') ? statesOf(graph) : null;
  const inputs = specs.some((spec) => spec.reads === 'inputs') ? new InputSums(graph) : null;
  const { architecture } = graph;
  const reader = hidden || inputs ? new StateReader(runtime, graph, hidden, inputs) : null;
  try {
    const texts = reader ? await reader.withPositions(request.texts) : request.texts;
    const shape: ObservedShape = {
      layers: architecture.layers,
      hidden: hidden?.width ?? architecture.hidden,
      texts: texts.length,
      modules: (layer) => architecture.modules(layer),
    };
    const opened = request.observations.map(({ name, of, options }, i) => {
      const tensors = zeros(specs[i], shape, options);
      const model = weightsAlone(runtime, graph);
      const fold = reducerOf(of).open({ model, options, texts, shape, tensors, headRows: 1 });
      return { name, tensors, fold };
    });
    const folds = opened.map(({ fold }) => fold);
    const samples = request.groups.flat(2).length;
    const total = architecture.layers + samples;
    for (let layer = 0; layer < architecture.layers; layer++) {
      for (const fold of folds) await fold.weights?.(layer);
      report({ type: 'observing', done: layer, total });
    }
    let done = architecture.layers;
    for (const group of reader ? request.groups : []) {
      const batches: Batch[] = [];
      const depths: Tensor[][] = Array.from({ length: architecture.layers + 1 }, () => []);
      for (const text of group.flat()) {
        runtime.signal?.throwIfAborted();
        const states = await reader!.states(request.texts[text]);
        states.forEach((state, depth) => depths[depth].push(state));
        if (hidden) batches.push(batchOf(text, texts[text].tokens.length, states[0].dims[1]));
        report({ type: 'observing', done: ++done, total });
      }
      for (let layer = 0; layer < architecture.layers; layer++) {
        const own = inputs?.taken(layer);
        for (const fold of folds) {
          if (hidden) await fold.hidden?.(layer, batches, depths[layer], depths[layer + 1]);
          if (own) await fold.inputs?.(layer, own);
        }
      }
    }
    return {
      observations: Object.fromEntries(opened.map(({ name, tensors }) => [name, tensors])),
      sessionRuns: runtime.runs - runsBefore,
      seconds: (performance.now() - started) / 1000,
      peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
      resumedLayers: 0,
    };
  } finally {
    await reader?.release();
  }
}

function statesOf({ file, found, logits }: OpenedGraph): HiddenStates {
  try {
    return hiddenOf(file.model, found, logits);
  } catch (error) {
    throw fault(file.path, (error as Error).message, error);
  }
}

/** Reducers of weights, inputs and hidden states read no more of a model than this. */
function weightsAlone(runtime: Runtime, { architecture, checkpoint, found }: OpenedGraph): ReducerContext['model'] {
  const modules = (layer: number) =>
    found.layers[layer].modules.map(({ name, module: { rows, columns, uses } }) => {
      return { name, rows, columns, transposed: uses[0].turned };
    });
  return {
    runtime,
    architecture: { ...architecture, modules },
    weights: {
      original: (tensor: string) => checkpoint.read(tensor),
      values: (tensor: string) => checkpoint.read(tensor),
    },
  } as unknown as ReducerContext['model'];
}

/** Squared inputs of the matrices, summed over the samples that were read since they were taken. */
class InputSums {
  readonly inputs: readonly ModuleInput[];
  readonly #path: string;
  #sums = new Map<string, Float64Array>();
  #samples = 0;

  /** @throws LayerifError `badModel` for a graph whose layers have kernels */
  constructor({ found, file }: OpenedGraph) {
    this.#path = file.path;
    try {
      this.inputs = moduleInputs(found);
    } catch (error) {
      throw fault(file.path, (error as Error).message, error);
    }
  }

  add(values: Readonly<Record<string, Tensor>>, places: { positions: number; padded: number }): void {
    for (const { layer, module, columns, value, axis } of this.inputs) {
      const key = `${layer}.${module}`;
      const sums = this.#sums.get(key) ?? new Float64Array(columns);
      this.#sums.set(key, sums);
      const { type, dims, data } = values[value];
      try {
        if (type !== 'float32') throw new Error(`its input is ${type}, not float32`);
        addSquares(sums, { dims, data: data as Float32Array }, axis, places);
      } catch (error) {
        throw fault(this.#path, `module ${module} of layer ${layer}: ${(error as Error).message}`, error);
      }
    }
    this.#samples++;
  }

  /** By module of the layer; a layer's sums are handed over once. */
  taken(layer: number): Map<string, InputStatistics> {
    const names = [...new Set(this.inputs.filter((one) => one.layer === layer).map(({ module }) => module))];
    return new Map(
      names.map((module) => {
        const squaredNorms = this.#sums.get(`${layer}.${module}`)!;
        this.#sums.delete(`${layer}.${module}`);
        return [module, { squaredNorms, sequences: this.#samples }];
      }),
    );
  }
}

/**
 * Hidden states of samples, and what is summed of the inputs of their matrices: one session for all of them or one for
 * each shape.
 */
class StateReader {
  readonly #graph: OpenedGraph;
  readonly #hidden: HiddenStates | null;
  readonly #inputs: InputSums | null;
  readonly #model;
  readonly #readers = new Map<string, Awaited<ReturnType<ReturnType<typeof graphModel>['reader']>>>();
  readonly #positions = new Map<string, number>();

  constructor(runtime: Runtime, graph: OpenedGraph, hidden: HiddenStates | null, inputs: InputSums | null) {
    this.#graph = graph;
    this.#hidden = hidden;
    this.#inputs = inputs;
    this.#model = graphModel(runtime, graph);
  }

  /** Per depth [1, positions, width]. @throws LayerifError `badModel` for states of another form */
  async states(sample: EncodedSample): Promise<Tensor[]> {
    const padded = this.#graph.architecture.longest ?? sample.tokens.length;
    const fed = this.#model.bind(sample, padded);
    const key = shapeKey(sample);
    const [shared] = this.#readers.values();
    let reader = shared?.anyShape ? shared : this.#readers.get(key);
    if (!reader) {
      const asked = [...(this.#hidden?.values ?? []), ...(this.#inputs?.inputs ?? []).map(({ value }) => value)];
      reader = await this.#model.reader([...new Set(asked)], fed);
      this.#readers.set(key, reader);
    }
    const values = await reader.run(fed);
    this.#inputs?.add(values, { positions: sample.tokens.length, padded });
    if (!this.#hidden) return [];
    const { width } = this.#hidden;
    const { path } = this.#graph.file;
    return this.#hidden.values.map((name, depth) => {
      const { dims, type } = values[name];
      if (type !== 'float32' || dims.length !== 3 || dims[0] !== 1 || dims[2] !== width) {
        throw fault(
          path,
          `the value between layers at depth ${depth} ("${name}") is ${type} [${dims.join(', ')}], not float32 [1, positions, ${width}]: hidden states per layer were not found; export the graph with outputs hidden_states.0, hidden_states.1 and so on`,
        );
      }
      if (dims[1] < sample.tokens.length)
        throw fault(path, `depth ${depth} ("${name}") has ${dims[1]} positions for ${sample.tokens.length} tokens`);
      return values[name];
    });
  }

  /**
   * Samples of arrays get as many tokens as they have positions, so that reducers see where they end; stretches in
   * frames become stretches of positions.
   */
  async withPositions(samples: readonly EncodedSample[]): Promise<EncodedSample[]> {
    const found: EncodedSample[] = [];
    for (const sample of samples) {
      if (sample.tokens.length > 0 || !this.#hidden) {
        found.push(sample);
        continue;
      }
      const key = shapeKey(sample);
      const all = this.#positions.get(key) ?? (await this.states(sample))[0].dims[1];
      this.#positions.set(key, all);
      const { frames } = sample;
      const share = frames ? all / frames.all : 1;
      const used = frames ? Math.max(1, Math.min(all, Math.ceil(frames.used * share))) : all;
      const spans = sample.spans?.map(({ place, from, to }) => {
        // Positions whose middle lies in the stretch; a short one has the position that it lies in.
        const start = Math.max(0, Math.min(used - 1, Math.ceil(from * share - 0.5)));
        const end = Math.min(used, Math.ceil(to * share - 0.5));
        const within = Math.max(0, Math.min(used - 1, Math.floor(((from + to) / 2) * share)));
        return end > start ? { place, from: start, to: end } : { place, from: within, to: within + 1 };
      });
      found.push({ ...sample, tokens: new Int32Array(used), ...(spans ? { spans } : {}) });
    }
    return found;
  }

  async release(): Promise<void> {
    for (const reader of this.#readers.values()) await reader.release();
    this.#readers.clear();
  }
}

const shapeKey = ({ tokens, arrays = {} }: EncodedSample): string =>
  JSON.stringify([tokens.length, ...Object.values(arrays).map(({ shape }) => shape)]);

function batchOf(text: number, length: number, padded: number): Batch {
  const none = new Int32Array(0);
  return {
    split: 'train',
    samples: [text],
    lengths: [length],
    length: padded,
    tokens: integers(new BigInt64Array(0), [0]),
    tables: {},
    counted: { position: none, label: none, row: none, weight: new Float32Array(0) },
  };
}
