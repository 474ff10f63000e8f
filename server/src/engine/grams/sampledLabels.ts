/**
 * Labels drawn from the model's own distribution, for the true Fisher E_{y ~ p(y|x)}[g gᵀ] (Martens 2020, arXiv
 * 1412.1193): the same tokens, but at every counted position the label is a draw instead of the next token of the text.
 *
 * The head's probabilities come from ONNX Runtime; a label is the first one whose cumulative probability exceeds a
 * uniform number, added up in float64. The numbers depend on seed and sample alone, not on how samples are batched.
 */
import { Random } from '../../random/random.ts';
import { headRows } from '../../models/head.ts';
import { SegmentBuilder } from '../../models/segment.ts';
import type { Architecture } from '../../models/types.ts';
import type { Activations } from '../sweep/activations.ts';
import type { Batch } from '../sweep/batch.ts';
import type { BuiltGraph } from '../sweep/graphs.ts';
import type { Model } from '../sweep/model.ts';
import { floats, numbers } from '../runtime/runtime.ts';

/**
 * The training batches again: same tokens and activations, labels of their own.
 * @param train batches of the training split
 */
export function fisherBatches(train: Batch[]): Batch[] {
  return train.map((twin) => ({
    ...twin,
    split: 'fisher',
    twin,
    counted: { ...twin.counted, label: twin.counted.label.slice() },
  }));
}

/**
 * Replaces the labels of `fisher` batches.
 * @param hidden per batch: last hidden state [B, T, hidden]
 * @param rowsPerRun positions per run of the head
 */
export async function drawLabels(
  model: Model,
  batches: Batch[],
  hidden: Activations,
  rowsPerRun: number,
  seed: number,
): Promise<void> {
  const { architecture } = model;
  const width = architecture.hidden;
  const size = headRows(architecture);
  for (const [i, batch] of batches.entries()) {
    if (batch.split !== 'fisher') continue;
    const { built, session } = await model.session('probabilities', () => probabilityGraph(architecture));
    const feeds = model.weights.feeds(built.weights, []);
    const states = numbers(hidden.at(i)!);
    const { position, label, row } = batch.counted;
    const random = batch.samples.map((sample) => new Random(seed, `sampled labels ${sample}`));
    for (let start = 0; start < position.length; start += rowsPerRun) {
      const end = Math.min(start + rowsPerRun, position.length);
      const x = new Float32Array((end - start) * width);
      for (let p = start; p < end; p++)
        x.set(states.subarray(position[p] * width, (position[p] + 1) * width), (p - start) * width);
      const { weights } = await session.run({ x: floats(x, [end - start, width]), ...feeds });
      const all = numbers(weights);
      for (let p = start; p < end; p++)
        label[p] = draw(all.subarray((p - start) * size, (p - start + 1) * size), random[row[p]].uniform());
    }
  }
}

/** Index drawn in proportion to `weights`. @param uniform in [0, 1) */
export function draw(weights: Float32Array, uniform: number): number {
  let total = 0;
  for (const weight of weights) total += weight;
  const limit = uniform * total;
  let sum = 0;
  for (let i = 0; i < weights.length; i++) {
    sum += weights[i];
    if (sum > limit) return i;
  }
  return weights.length - 1;
}

/** x [P, hidden] -> weights [P, vocabulary] = exp(z - max z), probabilities up to a factor per row */
function probabilityGraph(architecture: Architecture): BuiltGraph {
  const b = new SegmentBuilder('probabilities');
  const g = b.graph;
  const logits = architecture.head(b, g.input('x', 'float32', ['P', architecture.hidden]));
  g.output(g.exp(g.sub(logits, g.reduceMax(logits, [-1], true))), 'weights');
  return { graph: g, weights: b.weights, tables: [...b.tables] };
}
