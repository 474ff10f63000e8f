/**
 * Log-probabilities of tokens: forward through the blocks, then the head for the counted positions alone. Sequences come in groups
 * that bound the activations; a group goes through a block before the next block, so that streamed weights are read once a group.
 */
import type { EvaluateRequest, EvaluateSummary } from '../../../../protocol/evaluation.ts';
import { headRows } from '../../models/head.ts';
import { SegmentBuilder } from '../../models/segment.ts';
import type { Architecture } from '../../models/types.ts';
import type { Report } from '../runtime/report.ts';
import { makeBatches } from '../sweep/batch.ts';
import type { Batch } from '../sweep/batch.ts';
import type { BuiltGraph } from '../sweep/graphs.ts';
import type { Model } from '../sweep/model.ts';
import { floats, integers, numbers } from '../runtime/runtime.ts';
import type { Tensor } from '../runtime/runtime.ts';
import { forward, throughBlock } from '../sweep/sweep.ts';

/** @throws the AbortSignal's reason when cancelled */
export async function evaluate(model: Model, request: EvaluateRequest, report: Report): Promise<EvaluateSummary> {
  const { architecture } = model;
  const { sequences, headRows } = request;
  model.weights.mode = request.weights;
  const summary: EvaluateSummary = {
    logLikelihood: new Float64Array(sequences.length),
    greedy: new Uint8Array(sequences.length).fill(1),
    counted: Int32Array.from(sequences, ({ tokens, countedFrom }) => tokens.length - countedFrom),
  };
  let done = 0;
  for (const group of request.groups) {
    const batches = makeBatches(architecture, 'train', sequences, group);
    let [current] = await forward(model, batches, [], 0, () => undefined);
    for (let layer = 0; layer < architecture.layers; layer++) {
      current = await throughBlock(model, batches, current, layer);
    }
    for (const [i, batch] of batches.entries()) {
      await addLogLikelihoods(model, batch, current[i], headRows, summary);
      done += batch.samples.length;
    }
    report({ type: 'evaluating', done, total: sequences.length });
  }
  return summary;
}

/** Adds the log-probabilities of the counted tokens of a batch to its sequences. @param hidden last states [B, T, hidden] */
export async function addLogLikelihoods(
  model: Model,
  { counted, samples }: Batch,
  hidden: Tensor,
  rowsPerRun: number,
  { logLikelihood, greedy }: EvaluateSummary,
): Promise<void> {
  const { built, session } = await model.session('log-probabilities', () => logProbabilityGraph(model.architecture));
  const feeds = model.weights.feeds(built.weights, []);
  const width = model.architecture.hidden;
  const states = numbers(hidden);
  const { position, label, row } = counted;
  for (let start = 0; start < position.length; start += rowsPerRun) {
    const end = Math.min(start + rowsPerRun, position.length);
    const x = new Float32Array((end - start) * width);
    for (let p = start; p < end; p++) {
      x.set(states.subarray(position[p] * width, (position[p] + 1) * width), (p - start) * width);
    }
    const out = await session.run({
      x: floats(x, [end - start, width]),
      labels: integers(BigInt64Array.from(label.subarray(start, end), BigInt), [end - start]),
      ...feeds,
    });
    const logProbability = numbers(out.logProbability);
    const behind = numbers(out.behind);
    for (let p = start; p < end; p++) {
      const sequence = samples[row[p]];
      logLikelihood[sequence] += logProbability[p - start];
      if (behind[p - start] < 0) greedy[sequence] = 0;
    }
  }
}

/**
 * x [P, hidden], labels [P] -> log-probability of each label [P] in nats, and how far its logit lies behind the largest [P], at most 0.
 * The sum over the vocabulary is a product with ones, as in `headGraph`.
 */
function logProbabilityGraph(architecture: Architecture): BuiltGraph {
  const b = new SegmentBuilder('log-probabilities');
  const g = b.graph;
  const size = headRows(architecture);
  const x = g.input('x', 'float32', ['P', architecture.hidden]);
  const labels = g.unsqueeze(g.input('labels', 'int64', ['P']), [1]);
  const logits = architecture.head(b, x);
  const shifted = g.sub(logits, g.reduceMax(logits, [-1], true));
  const ones = g.initializer('ones', 'float32', [size, 1], new Float32Array(size).fill(1));
  const behind = g.gatherElements(shifted, labels, 1);
  g.output(g.squeeze(g.sub(behind, g.log(g.matMul(g.exp(shifted), ones))), [1]), 'logProbability');
  g.output(g.squeeze(behind, [1]), 'behind');
  return { graph: g, weights: b.weights, tables: [...b.tables] };
}
