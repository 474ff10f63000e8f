/**
 * What the final norm and the head make of the residual stream at every depth, at drawn counted tokens: cross-entropy
 * of the token, divergence from the distribution behind the last layer, whether the most probable token is the same.
 * One run of the head for each depth and piece.
 */
import { SegmentBuilder } from '../../models/segment.ts';
import { headRows as rowsOfHead } from '../../models/head.ts';
import type { Architecture } from '../../models/types.ts';
import { floats, integers, numbers } from '../runtime/runtime.ts';
import type { Activations } from '../sweep/activations.ts';
import type { Batch } from '../sweep/batch.ts';
import { built } from '../sweep/graphs.ts';
import type { BuiltGraph } from '../sweep/graphs.ts';
import { drawnPositions } from './tokens.ts';
import type { Reducer } from './types.ts';

export const logitLens: Reducer = {
  id: 'logit_lens',
  open({ model, tensors, options, texts, shape: { layers, hidden }, headRows }) {
    const { states, crossEntropy, divergence, agreement, used, text: textOf } = tensors;
    const count = Number(options.tokens);
    const classes = model.architecture.outputs?.classes ?? null;
    const drawn = drawnPositions(texts, {
      count,
      seed: Number(options.seed),
      from: 0,
      // Numbered among the counted tokens of their text.
      upTo: ({ tokens, countedFrom, label }) =>
        classes ? Number(label !== undefined) : Math.max(0, tokens.length - countedFrom),
    });
    /** Places of the batches' texts: batch, index among its counted positions. */
    const placesOf = (batches: readonly Batch[]): { place: number; batch: number; index: number }[] =>
      batches.flatMap(({ samples, counted }, batch) => {
        const found: { place: number; batch: number; index: number }[] = [];
        samples.forEach((text, row) => {
          const start = counted.row.indexOf(row);
          for (const { place, position } of drawn.get(text) ?? []) {
            found.push({ place, batch, index: start + position });
            used.data[place] = 1;
            textOf.data[place] = text;
          }
        });
        return found;
      });
    const take = (depth: number, batches: readonly Batch[], of: Activations): void => {
      const seen = batches.map((_, b) => numbers(of.at(b)!));
      for (const { place, batch, index } of placesOf(batches)) {
        const at = batches[batch].counted.position[index] * hidden;
        states.data.set(seen[batch].subarray(at, at + hidden), (depth * count + place) * hidden);
      }
    };
    return {
      hidden(layer, batches, before, after) {
        if (layer === 0) take(0, batches, before);
        take(layer + 1, batches, after);
      },
      async logits(batches) {
        const places = placesOf(batches);
        const own = await model.session('lens, last', () => lastGraph(model.architecture));
        const lens = await model.session('lens', () => lensGraph(model.architecture));
        const feeds = model.weights.feeds(own.built.weights, []);
        for (let start = 0; start < places.length; start += headRows) {
          const piece = places.slice(start, start + headRows);
          const at = (depth: number) => {
            const x = new Float32Array(piece.length * hidden);
            piece.forEach(({ place }, p) => {
              const from = (depth * count + place) * hidden;
              x.set(states.data.subarray(from, from + hidden), p * hidden);
            });
            return floats(x, [piece.length, hidden]);
          };
          const labels = BigInt64Array.from(piece, ({ batch, index }) => BigInt(batches[batch].counted.label[index]));
          const { logProbabilities, best } = await own.session.run({ x: at(layers), ...feeds });
          for (let depth = 0; depth <= layers; depth++) {
            const out = await lens.session.run({
              x: at(depth),
              labels: integers(labels, [piece.length]),
              last: logProbabilities,
              best,
              ...feeds,
            });
            const [entropy, diverged, behind] = [out.crossEntropy, out.divergence, out.behind].map(numbers);
            piece.forEach(({ place }, p) => {
              crossEntropy.data[depth * count + place] = entropy[p];
              divergence.data[depth * count + place] = diverged[p];
              agreement.data[depth * count + place] = Number(!(behind[p] < 0));
            });
          }
        }
      },
    };
  },
};

/** x [P, hidden] -> log-probabilities [P, rows of the head] and the index of the largest [P, 1] */
function lastGraph(architecture: Architecture): BuiltGraph {
  const b = new SegmentBuilder('lens, last');
  const g = b.graph;
  const { logProbabilities, shifted } = distribution(b, architecture);
  g.output(logProbabilities, 'logProbabilities');
  g.output(g.node('TopK', [shifted, g.ints([1])], { axis: -1 }, 2)[1], 'best');
  return built(b);
}

/**
 * x [P, hidden], labels [P], last [P, rows] log-probabilities of the model itself, best [P, 1] their largest ->
 * crossEntropy, divergence and behind [P]: how far the logit of `best` lies behind the largest, at most 0. Sums over
 * the vocabulary are products with ones, as in `headGraph`.
 */
function lensGraph(architecture: Architecture): BuiltGraph {
  const b = new SegmentBuilder('lens');
  const g = b.graph;
  const rows = rowsOfHead(architecture);
  const { logProbabilities, shifted, ones } = distribution(b, architecture);
  const labels = g.unsqueeze(g.input('labels', 'int64', ['P']), [1]);
  const last = g.input('last', 'float32', ['P', rows]);
  const best = g.input('best', 'int64', ['P', 1]);
  g.output(g.neg(g.squeeze(g.gatherElements(logProbabilities, labels, 1), [1])), 'crossEntropy');
  g.output(g.squeeze(g.matMul(g.mul(g.exp(last), g.sub(last, logProbabilities)), ones), [1]), 'divergence');
  g.output(g.squeeze(g.gatherElements(shifted, best, 1), [1]), 'behind');
  return built(b);
}

function distribution(b: SegmentBuilder, architecture: Architecture) {
  const g = b.graph;
  const rows = rowsOfHead(architecture);
  const logits = architecture.head(b, g.input('x', 'float32', ['P', architecture.hidden]));
  const shifted = g.sub(logits, g.reduceMax(logits, [-1], true));
  const ones = g.initializer('ones', 'float32', [rows, 1], new Float32Array(rows).fill(1));
  return { shifted, ones, logProbabilities: g.sub(shifted, g.log(g.matMul(g.exp(shifted), ones))) };
}
