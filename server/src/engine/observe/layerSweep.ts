/**
 * The one way through the layers for whoever looks at them: for each layer sums of what its linear modules see as
 * inputs, then a visitor, who may change the layer's weights, then its outputs with the weights as they are now. So a
 * pruner judges every layer on the outputs of the changed layers below it. Where nobody changes anything, sums and
 * outputs come from one run of the layer.
 *
 * A mixture of experts runs every expert on every token (models/experts.ts), so an expert's gate and up matrices see
 * all tokens and not only the routed ones; its down matrix too.
 */
import { SegmentBuilder } from '../../models/segment.ts';
import type { Architecture } from '../../models/types.ts';
import type { InputStatistics } from '../../pruning/types.ts';
import type { Activations, ActivationStore } from '../sweep/activations.ts';
import type { Batch } from '../sweep/batch.ts';
import { openSegment, upward } from '../sweep/chain.ts';
import type { Segment } from '../sweep/chain.ts';
import type { BuiltGraph } from '../sweep/graphs.ts';
import type { Model } from '../sweep/model.ts';
import { floats, numbers } from '../runtime/runtime.ts';
import type { Tensor } from '../runtime/runtime.ts';
import { forward, through } from '../sweep/sweep.ts';

export type Statistic = 'squaredNorms' | 'products';

export interface LayerSweep {
  store: ActivationStore;
  /** Inputs of layer `from`, where they are known already; else the batches start at the embedding. */
  start?: { from: number; inputs: Activations } | undefined;
  /** Of layers from this one on. Modules with one input share the object. */
  inputs?:
    | {
        statistic: Statistic;
        from: number;
        /** Whether `see` changes weights, so that the outputs must come after it. */
        changes: boolean;
        see: (layer: number, inputs: Map<string, InputStatistics>) => void | Promise<void>;
      }
    | undefined;
  /**
   * Whether the output of the last layer is wanted; without it that layer runs only as far as its inputs are asked for.
   */
  toTheEnd: boolean;
  /** Called per layer with its input and output, before the input is let go. */
  hidden?: ((layer: number, before: Activations, after: Activations) => void | Promise<void>) | undefined;
  /** Called when all of a layer is done. @param after its output, kept by the sweep */
  onLayer?: ((layer: number, after: Activations | null) => void | Promise<void>) | undefined;
}

/** @returns output of the last layer, where it is wanted; the caller lets it go */
export async function throughLayers(model: Model, batches: Batch[], sweep: LayerSweep): Promise<Activations | null> {
  const { architecture } = model;
  const { store, inputs } = sweep;
  const last = architecture.layers - 1;
  const rows = inputs ? batches.map(realRows) : [];
  const from = sweep.start?.from ?? 0;
  let current: Activations | null =
    sweep.start?.inputs ?? (await forward(model, batches, [], 0, () => undefined, store))[0];
  const step = async ([layer]: Segment, before: Activations): Promise<Activations | null> => {
    const after = layer < last || sweep.toTheEnd ? store.make() : null;
    const watched = inputs && layer >= inputs.from ? inputs : null;
    if (watched) {
      const { statistic, changes } = watched;
      const here = { batches, rows, before, layer, statistic, outputs: changes ? null : after };
      await watched.see(layer, await inputsOf(model, here));
      if (!changes) return after;
    }
    return after && through(model, batches, before, [layer], () => undefined, after);
  };
  const layers = Array.from({ length: last - from + 1 }, (_, i) => [from + i]);
  for await (const {
    layers: [layer],
    before,
    after,
  } of upward(layers, current, step)) {
    if (after) await sweep.hidden?.(layer, before, after);
    await sweep.onLayer?.(layer, after);
    store.release(before);
    current = after;
  }
  return current;
}

interface Here {
  batches: Batch[];
  /** Per batch [B, T, 1]: 1 for tokens, 0 for padding. */
  rows: Tensor[];
  before: Activations;
  layer: number;
  statistic: Statistic;
  /** Where the layer's outputs go; null where they are not wanted. */
  outputs: Activations | null;
}

/** Sums of float32 products of a batch, batches added up in float64. */
async function inputsOf(
  model: Model,
  { batches, rows, before, layer, statistic, outputs }: Here,
): Promise<Map<string, InputStatistics>> {
  const key = `inputs ${statistic} ${outputs !== null} ${model.architecture.kind(layer)}`;
  const { built, run } = await openSegment(model, key, [layer], () =>
    inputsGraph(model.architecture, layer, statistic, outputs !== null),
  );
  const sums = built.outputs.map(({ width }) => new Float64Array(statistic === 'products' ? width * width : width));
  for (const [i, batch] of batches.entries()) {
    const out = await run(batch, { x: before.at(i)!, real: rows[i] });
    outputs?.push(out.y);
    built.outputs.forEach(({ name }, k) => {
      const part = numbers(out[name]);
      const sum = sums[k];
      for (let j = 0; j < part.length; j++) sum[j] += part[j];
    });
  }
  const sequences = batches.reduce((count, batch) => count + batch.samples.length, 0);
  const statistics = sums.map((sum): InputStatistics => ({ sequences, [statistic]: sum }));
  return new Map([...built.of].map(([module, output]) => [module, statistics[output]]));
}

function realRows({ samples, length, lengths }: Batch): Tensor {
  const rows = new Float32Array(samples.length * length);
  lengths.forEach((count, row) => rows.fill(1, row * length, row * length + count));
  return floats(rows, [samples.length, length, 1]);
}

interface InputsGraph extends BuiltGraph {
  /** One per distinct input: a graph output with its width. */
  outputs: { name: string; width: number }[];
  /** Module name -> index into `outputs`. */
  of: Map<string, number>;
}

/**
 * x [B, T, hidden], real [B, T, 1] -> per distinct input of a linear module, u = real * input as [tokens, width]:
 * column sums of u² [1, width], or uᵀ u [width, width]; and y [B, T, hidden] where it is wanted
 */
function inputsGraph(
  architecture: Architecture,
  layer: number,
  statistic: Statistic,
  withOutput: boolean,
): InputsGraph {
  const b = new SegmentBuilder(`inputs ${layer}`);
  const g = b.graph;
  const x = g.input('x', 'float32', ['B', 'T', architecture.hidden]);
  const y = b.inBlock(0, architecture.layerName(layer), () => architecture.block(b, x, layer));
  const real = g.input('real', 'float32', ['B', 'T', 1]);
  const inputs = [...new Set(b.captures.map((capture) => capture.input))];
  const outputs = inputs.map((input, i) => {
    const width = input.shape[input.shape.length - 1] as number;
    const rows = g.reshape(g.mul(input, real), ['P', width]);
    // Column sums as a product with ones, which adds in many lanes.
    const left = statistic === 'products' ? g.transpose(rows, [1, 0]) : g.reshape(real, [1, 'P']);
    const right = statistic === 'products' ? rows : g.mul(rows, rows);
    const name = `statistics.${i}`;
    g.output(g.matMul(left, right), name);
    return { name, width };
  });
  if (withOutput) g.output(y, 'y');
  const of = new Map(b.captures.map((capture) => [capture.module, inputs.indexOf(capture.input)]));
  return { graph: g, weights: b.weights, tables: [...b.tables], outputs, of };
}
