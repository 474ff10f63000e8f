/**
 * Calibration texts through the blocks, from the first to the last: for each block what its linear modules see as inputs, then
 * a visitor, who may change the block's weights, then the block's outputs with the weights as they are now. So every block is
 * judged on the outputs of the changed blocks below it, as Wanda and SparseGPT do it.
 *
 * A mixture of experts runs every expert on every token (models/experts.ts), so an expert's gate and up matrices see all tokens
 * and not only the routed ones; its down matrix too.
 */
import type { CalibrationPlan } from '../../../../protocol/pruning.ts';
import { SegmentBuilder } from '../../models/segment.ts';
import type { Architecture } from '../../models/types.ts';
import type { InputStatistics, Pruner } from '../../pruning/types.ts';
import { makeBatches, tablesFor } from '../sweep/batch.ts';
import type { Batch } from '../sweep/batch.ts';
import type { BuiltGraph } from '../sweep/graphs.ts';
import type { Model } from '../sweep/model.ts';
import { floats, numbers } from '../runtime/runtime.ts';
import type { Tensor } from '../runtime/runtime.ts';
import { forward, throughBlock } from '../sweep/sweep.ts';

type Needs = Pruner['needs'];

/**
 * @param visit called per layer, ascending, with the statistics of each module's inputs; modules with one input share the object
 * @param from layers below this one are only run
 */
export async function calibrate(
  model: Model,
  plan: CalibrationPlan,
  needs: Needs,
  visit: (layer: number, inputs: Map<string, InputStatistics>) => Promise<void>,
  from = 0,
): Promise<void> {
  const { architecture } = model;
  model.weights.mode = plan.weights;
  const last = architecture.layers - 1;
  if (needs === 'nothing') {
    for (let layer = from; layer <= last; layer++) await visit(layer, new Map());
    return;
  }
  const batches = makeBatches(architecture, 'train', plan.calibration, plan.batches);
  const rows = batches.map(realRows);
  let [current] = await forward(model, batches, [], 0, () => undefined);
  for (let layer = 0; layer <= last; layer++) {
    if (layer >= from) await visit(layer, await inputsOf(model, { batches, rows, current, layer, needs }));
    if (layer < last) current = await throughBlock(model, batches, current, layer);
  }
}

interface Here {
  batches: Batch[];
  /** Per batch [B, T, 1]: 1 for tokens, 0 for padding. */
  rows: Tensor[];
  current: Tensor[];
  layer: number;
  needs: Exclude<Needs, 'nothing'>;
}

/** Sums of float32 products of a batch, batches added up in float64. */
async function inputsOf(
  model: Model,
  { batches, rows, current, layer, needs }: Here,
): Promise<Map<string, InputStatistics>> {
  const { built, session } = await model.session(`inputs ${needs} ${model.architecture.kind(layer)}`, () =>
    inputsGraph(model.architecture, layer, needs),
  );
  const feeds = model.weights.feeds(built.weights, [layer]);
  const sums = built.outputs.map(({ width }) => new Float64Array(needs === 'products' ? width * width : width));
  for (const [i, batch] of batches.entries()) {
    const out = await session.run({
      x: current[i],
      real: rows[i],
      ...feeds,
      ...tablesFor(batch, built.tables),
    });
    built.outputs.forEach(({ name }, k) => {
      const part = numbers(out[name]);
      const sum = sums[k];
      for (let j = 0; j < part.length; j++) sum[j] += part[j];
    });
  }
  const sequences = batches.reduce((count, batch) => count + batch.samples.length, 0);
  const statistics = sums.map((sum): InputStatistics => ({ sequences, [needs]: sum }));
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
 * column sums of u² [1, width], or uᵀ u [width, width]
 */
function inputsGraph(architecture: Architecture, layer: number, needs: Here['needs']): InputsGraph {
  const b = new SegmentBuilder(`inputs ${layer}`);
  const g = b.graph;
  const x = g.input('x', 'float32', ['B', 'T', architecture.hidden]);
  b.inBlock(0, architecture.layerName(layer), () => architecture.block(b, x, layer));
  const real = g.input('real', 'float32', ['B', 'T', 1]);
  const inputs = [...new Set(b.captures.map((capture) => capture.input))];
  const outputs = inputs.map((input, i) => {
    const width = input.shape[input.shape.length - 1] as number;
    const rows = g.reshape(g.mul(input, real), ['P', width]);
    // Column sums as a product with ones, which adds in many lanes.
    const left = needs === 'products' ? g.transpose(rows, [1, 0]) : g.reshape(real, [1, 'P']);
    const right = needs === 'products' ? rows : g.mul(rows, rows);
    const name = `statistics.${i}`;
    g.output(g.matMul(left, right), name);
    return { name, width };
  });
  const of = new Map(b.captures.map((capture) => [capture.module, inputs.indexOf(capture.input)]));
  return { graph: g, weights: b.weights, tables: [...b.tables], outputs, of };
}
