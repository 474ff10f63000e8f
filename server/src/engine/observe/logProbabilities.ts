/** Log-probabilities of the counted tokens, from the last hidden states through the head, a few rows at a time. */
import { headRows } from '../../models/head.ts';
import { SegmentBuilder } from '../../models/segment.ts';
import type { Architecture } from '../../models/types.ts';
import { statesAt } from '../sweep/batch.ts';
import type { Batch } from '../sweep/batch.ts';
import type { BuiltGraph } from '../sweep/graphs.ts';
import type { Model } from '../sweep/model.ts';
import { floats, integers, numbers } from '../runtime/runtime.ts';
import type { Tensor } from '../runtime/runtime.ts';
import type { Reducer } from './types.ts';

export const logProbabilities: Reducer = {
  id: 'log_probabilities',
  open({ model, tensors: { logLikelihood, counted, misses }, headRows }) {
    return {
      async logits(batches, last) {
        for (const [b, batch] of batches.entries()) {
          await countedTokens(model, batch, last.at(b)!, headRows, (text, logProbability, likeliest) => {
            logLikelihood.data[text] += logProbability;
            counted.data[text]++;
            if (!likeliest) misses.data[text]++;
          });
        }
      },
    };
  },
};

/**
 * @param hidden last states of the batch [B, T, hidden]
 * @param visit called for each counted token: index of its text, log-probability in nats, whether no token is more
 *   probable, index of the token in its text
 */
export async function countedTokens(
  model: Model,
  { counted, samples, length }: Batch,
  hidden: Tensor,
  rowsPerRun: number,
  visit: (text: number, logProbability: number, likeliest: boolean, token: number) => void,
): Promise<void> {
  const { built, session } = await model.session('log-probabilities', () => logProbabilityGraph(model.architecture));
  const feeds = model.weights.feeds(built.weights, []);
  const width = model.architecture.hidden;
  const states = numbers(hidden);
  const { position, label, row } = counted;
  for (let start = 0; start < position.length; start += rowsPerRun) {
    const end = Math.min(start + rowsPerRun, position.length);
    const x = statesAt(states, position.subarray(start, end), width);
    const out = await session.run({
      x: floats(x, [end - start, width]),
      labels: integers(BigInt64Array.from(label.subarray(start, end), BigInt), [end - start]),
      ...feeds,
    });
    const logProbability = numbers(out.logProbability);
    const behind = numbers(out.behind);
    for (let p = start; p < end; p++) {
      const token = position[p] - row[p] * length + 1; // a position predicts the token behind it
      visit(samples[row[p]], logProbability[p - start], !(behind[p - start] < 0), token);
    }
  }
}

/**
 * x [P, hidden], labels [P] -> log-probability of each label [P] in nats, and how far its logit lies behind the largest
 * [P], at most 0. The sum over the vocabulary is a product with ones, as in `headGraph`.
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
