/**
 * The loss behind a graph's logits, and the cotangent of the logits, which the backward walk starts from.
 *
 *   e = exp(z - max z),   nll = log Σ e - (z_label - max z),   dz = weight / Σ e * (e - Σ e onehot(label))
 *
 * The sum over the classes is a product with ones, as in `engine/sweep/graphs.ts`: a plain float32 sum over a
 * vocabulary was the largest error of all gradients.
 */
import type { DecodedModel } from '../onnx/decode.ts';
import type { Graph, Value } from '../onnx/graph.ts';
import { hiddenOutputs } from './hidden.ts';
import type { GraphTask } from './types.ts';
import { nth } from '../lists/nth.ts';

/** What names the outputs that are no logits: caches, hidden states, attention weights. */
const beside = /^present|^past|hidden_state|attention|pooler|^loss$|_cache$|rotary/i;

/**
 * The output that everything leads to: the logits, or the last hidden states of an encoder without any.
 * @throws Error as `logitsOf`
 */
export function resultOf(model: DecodedModel, asked?: string): { name: string; task: GraphTask } {
  const states = hiddenOutputs(model);
  const last = model.outputs.find(({ name }) => name === 'last_hidden_state')?.name ?? states.at(-1);
  const logits = model.outputs.some(({ name }) => name === 'logits' || !beside.test(name));
  if (asked === undefined && last !== undefined && !logits) return { name: last, task: 'encoder' };
  return logitsOf(model, asked);
}

/**
 * The output that the loss is computed from.
 * @param asked `model.output`
 * @throws Error when there is none or it is not clear which
 */
export function logitsOf(model: DecodedModel, asked?: string): { name: string; task: GraphTask } {
  const names = model.outputs.map(({ name }) => name);
  const chosen = asked ?? chooseOutput(model);
  const output = model.outputs.find(({ name }) => name === chosen);
  if (!output)
    throw new Error(`model.output: the graph has no output "${chosen}"; its outputs are ${names.join(', ')}`);
  const { type, shape } = output;
  if (type !== 'float32' && type !== 'float64')
    throw new Error(`output "${chosen}" is ${type ?? 'no tensor'}: a loss needs logits, which are float numbers`);
  const rank = shape?.length;
  if (rank === 3) return { name: chosen, task: 'causal' };
  if (rank === 2) return { name: chosen, task: 'classification' };
  throw new Error(
    `output "${chosen}" ${shape ? `has ${rank} axes [${shape.join(', ')}]` : 'has no stated rank'}; a loss is known for logits [batch, tokens, vocabulary] of causal language models and [batch, classes] of classifiers`,
  );
}

function chooseOutput(model: DecodedModel): string {
  const names = model.outputs.map(({ name }) => name);
  if (names.includes('logits')) return 'logits';
  const candidates = model.outputs.filter(
    ({ name, type }) => !beside.test(name) && (type === null || type === 'float32'),
  );
  if (candidates.length === 1) return nth(candidates, 0).name;
  if (names.length === 1) return nth(names, 0);
  throw new Error(
    `the graph has the outputs ${names.join(', ')}, and none of them is called logits; say which one holds the logits with model.output`,
  );
}

export interface LossValues {
  /** [P] in nats, not weighted. */
  nll: Value;
  /** Of the sum of weight times nll: the logits' shape. */
  cotangent: Value;
}

/**
 * @param logits [1, P, V] or [1, V] (P = 1). New graph inputs: `labels` [P] int64 and `weight` [P] float32, 0 where a
 *   position
 * is not counted.
 */
export function appendLoss(g: Graph, logits: Value): LossValues {
  const classes = logits.shape.at(-1) as number;
  const positions = (logits.shape as number[]).slice(0, -1).reduce((a, b) => a * b, 1);
  return g.scope('loss', () => {
    const z = g.reshape(logits, [positions, classes]);
    const labels = g.unsqueeze(g.input('labels', 'int64', [positions]), [1]);
    const weight = g.unsqueeze(g.input('weight', 'float32', [positions]), [1]);
    const shifted = g.sub(z, g.reduceMax(z, [-1], true));
    const exponentials = g.exp(shifted);
    const ones = g.initializer('loss/ones', 'float32', [classes, 1], new Float32Array(classes).fill(1));
    const total = g.matMul(exponentials, ones);
    const nll = g.squeeze(g.sub(g.log(total), g.gatherElements(shifted, labels, 1)), [1]);
    const dz = g.scatterElements(exponentials, labels, g.neg(total), 1, 'add');
    return { nll, cotangent: g.reshape(g.mul(dz, g.div(weight, total)), logits.shape) };
  });
}
