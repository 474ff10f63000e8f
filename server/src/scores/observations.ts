/**
 * What can be observed of a model: one row for each kind, with its version, what it reads and how its numbers are laid
 * out. Scores name the rows (`types.ts`), `run` adds up what they cost (`observationCosts.ts`), and for each the engine
 * has a reducer of the same id (`engine/observe/reducers.ts`).
 *
 * All numbers are sums over texts, or stand in a place of their own for each text or layer that is 0 until it is
 * written. So two parts of an observation are merged by adding them up, whether they are layers after an interruption
 * or texts of several machines.
 *
 * To add one: a row here, a reducer in the engine, a row of `test/engine/observations.ts`. A change of the numbers
 * raises the version.
 */
import type { Json } from '../../../protocol/scores.ts';

/** What sizes depend on. */
export interface ObservedShape {
  layers: number;
  hidden: number;
  texts: number;
  /** Of all texts together; absent where nothing is laid out by them. */
  tokens?: number;
  /** Linear modules of a layer, without factors of an adapter. */
  modules: (layer: number) => readonly { name: string; rows: number; columns: number }[];
}

export interface ObservationSpec {
  version: number;
  /**
   * `weights` needs no texts; `logits` goes through the head, with states of all depths where it asks for them;
   * `inputs` are those of the linear modules; `ablated` goes through the layers on its own, with some of them left out;
   * `gradients` come from a backward sweep, which is the influence run's own where it reads the same texts;
   * `moved_gradients` from three, two of them at other weights; `changes` from a training of masks.
   */
  reads: 'weights' | 'hidden' | 'inputs' | 'logits' | 'ablated' | 'gradients' | 'moved_gradients' | 'changes';
  /** Whether groups of texts may be looked at one after the other; else all texts of a layer are there at once. */
  textsApart: boolean;
  /** Shapes by name. */
  tensors: (shape: ObservedShape, options: Record<string, Json>) => Record<string, number[]>;
  /** Names of tensors that are kept as float32, as hidden states are computed; the others are float64. */
  singles?: readonly string[];
  /** Names, before the `/`, of tensors of bytes. */
  bytes?: string;
  /** Names of tensors that are needed until the pass ends and not kept. */
  scratch?: readonly string[];
  /** Bytes that the reducer holds beside its numbers while it looks at one layer; none where it is left out. */
  work?: (shape: ObservedShape, options: Record<string, Json>) => number;
}

const everyLayer = ({ layers }: ObservedShape): number[] => Array.from({ length: layers }, (_, layer) => layer);

/** `<layer>.<module>` -> shape */
function byModule(
  shape: ObservedShape,
  size: (module: { rows: number; columns: number }) => number[],
): Record<string, number[]> {
  return Object.fromEntries(
    everyLayer(shape).flatMap((layer) =>
      shape.modules(layer).map((module) => [`${layer}.${module.name}`, size(module)] as const),
    ),
  );
}

/** The same tensors for every module under several names: `<name>/<layer>.<module>`. */
function named(
  shape: ObservedShape,
  sizes: Record<string, (module: { rows: number; columns: number }) => number[]>,
): Record<string, number[]> {
  return Object.fromEntries(
    Object.entries(sizes).flatMap(([name, size]) =>
      Object.entries(byModule(shape, size)).map(([module, dims]) => [`${name}/${module}`, dims] as const),
    ),
  );
}

type Modules = ReturnType<ObservedShape['modules']>;

/** Over the layers. */
function largest(shape: ObservedShape, bytes: (modules: Modules) => number): number {
  return Math.max(0, ...everyLayer(shape).map((layer) => bytes(shape.modules(layer))));
}

/**
 * Into how many batches texts are dealt, text i into batch i mod count: as many as the option says, and none is empty.
 */
export function textBatches({ texts }: Pick<ObservedShape, 'texts'>, options: Record<string, Json>): number {
  return Math.max(1, Math.min(Number(options.batches), texts));
}

/** Texts of a batch. @param count of the batches, by `textBatches` */
export const textsOfBatch = (texts: number, count: number, batch: number): number => Math.ceil((texts - batch) / count);

/** Layers of the option `layers`, ascending; all without it. */
export function chosenLayers({ layers }: Pick<ObservedShape, 'layers'>, options: Record<string, Json>): number[] {
  return Array.isArray(options.layers) ? (options.layers as number[]) : Array.from({ length: layers }, (_, i) => i);
}

export const observations = {
  /** Eigenvalues of W Wᵀ, ascending, for each linear module. */
  weight_spectra: {
    version: 1,
    reads: 'weights',
    textsApart: true,
    // The matrix and its transpose, and the smaller product of the two in float64.
    work: (shape) =>
      largest(shape, (modules) =>
        Math.max(0, ...modules.map(({ rows, columns }) => 8 * rows * columns + 8 * Math.min(rows, columns) ** 2)),
      ),
    tensors: (shape) => byModule(shape, ({ rows, columns }) => [Math.min(rows, columns)]),
  },
  /** Of each linear module: sum of the absolute values of its weights, and of their squares. */
  weight_sizes: {
    version: 1,
    reads: 'weights',
    textsApart: true,
    tensors: (shape) => byModule(shape, () => [2]),
  },
  /** Output of each layer: state of the last token, and mean over the tokens. Option `layers`. */
  hidden_pooled: {
    version: 1,
    reads: 'hidden',
    textsApart: true,
    tensors: (shape, options) => {
      const size = [chosenLayers(shape, options).length, shape.texts, shape.hidden];
      return { last: size, mean: size };
    },
  },
  /**
   * One vector per text of the residual stream before the first layer and behind each: option `pool`, last token or
   * mean over the tokens.
   */
  text_states: {
    version: 1,
    reads: 'hidden',
    textsApart: true,
    singles: ['states'],
    tensors: ({ layers, texts, hidden }) => ({ states: [layers + 1, texts, hidden] }),
  },
  /**
   * The residual stream before the first layer and behind each, at `tokens` positions of all texts, drawn with `seed`:
   * the states, and of each place whether there was a position for it, and the index of its text. Where there are fewer
   * positions the last places stay empty.
   */
  token_states: {
    version: 1,
    reads: 'hidden',
    textsApart: true,
    singles: ['states'],
    tensors: ({ layers, hidden }, { tokens }) => ({
      states: [layers + 1, Number(tokens), hidden],
      used: [Number(tokens)],
      text: [Number(tokens)],
    }),
  },
  /**
   * The residual stream before the first layer and behind each, as one vector for each stretch of a text: the mean over
   * its positions. The stretches stand with the texts (`EncodedSample.spans`), `spans` is how many there are.
   */
  span_states: {
    version: 1,
    reads: 'hidden',
    textsApart: true,
    singles: ['states'],
    tensors: ({ layers, hidden }, { spans }) => ({ states: [layers + 1, Number(spans), hidden] }),
  },
  /**
   * ‖output - input‖ / ‖output‖ of a layer, summed over the tokens of a text; tokens whose output is zero are counted
   * apart.
   */
  hidden_change: {
    version: 1,
    reads: 'hidden',
    textsApart: true,
    tensors: ({ layers, texts }) => ({ sum: [layers, texts], tokens: [layers, texts], skipped: [layers, texts] }),
  },
  /**
   * Cosine of a layer's input and output, summed over the tokens of a text; tokens without a direction are counted
   * apart.
   */
  hidden_cosine: {
    version: 1,
    reads: 'hidden',
    textsApart: true,
    tensors: ({ layers, texts }) => ({ sum: [layers, texts], tokens: [layers, texts], skipped: [layers, texts] }),
  },
  /**
   * Output of each layer by text: variance over the features of its mean over the tokens, entries smaller than a
   * threshold, of how many, and the sum of squares. Options `epsilon` and `threshold`: absolute, or relative to the
   * root mean square over all texts; `counted`: of the counted tokens alone.
   */
  hidden_moments: {
    version: 1,
    reads: 'hidden',
    textsApart: false,
    tensors: ({ layers, texts }) =>
      Object.fromEntries(['variance', 'below', 'entries', 'squares'].map((name) => [name, [layers, texts]])),
  },
  /** Percent of |W_ij| ‖x_j‖ above `multiple` times the layer's mean over all its linear modules. */
  outliers: {
    version: 1,
    reads: 'inputs',
    textsApart: false,
    // All matrices of a layer, with outputs as rows.
    work: (shape) =>
      largest(shape, (modules) => modules.reduce((sum, { rows, columns }) => sum + 4 * rows * columns, 0)),
    tensors: ({ layers }) => ({ percent: [layers] }),
  },
  /** Sum over tokens of the squared inputs of each linear module. */
  input_norms: {
    version: 1,
    reads: 'inputs',
    textsApart: true,
    tensors: (shape) => byModule(shape, ({ columns }) => [columns]),
  },
  /**
   * Of the counted tokens of each text: sum of their log-probabilities in nats, how many, and how many are not the most
   * probable token.
   */
  log_probabilities: {
    version: 1,
    reads: 'logits',
    textsApart: true,
    tensors: ({ texts }) => ({ logLikelihood: [texts], counted: [texts], misses: [texts] }),
  },
  /** Log-probability in nats of each counted token, texts one after the other; 0 for tokens that are not counted. */
  token_log_probabilities: {
    version: 1,
    reads: 'logits',
    textsApart: true,
    singles: ['logProbability'],
    tensors: ({ tokens = 0 }) => ({ logProbability: [tokens] }),
  },
  /**
   * Of each linear module with weight W and gradients G of the texts' mean losses: sum of |W_ij G_ij| for the mean
   * gradient of all texts (`whole`), of all but a batch (`without`), of a batch (`batch`); squared norm of the mean
   * gradient of all texts. Option `batches`.
   */
  weighted_gradients: {
    version: 1,
    reads: 'gradients',
    textsApart: false,
    tensors: (shape, options) => {
      const batches = [textBatches(shape, options)];
      return named(shape, { whole: () => [1], without: () => batches, batch: () => batches, square: () => [1] });
    },
  },
  /**
   * Of each linear module, by the rule of `claimed.ts`: weights that the texts claim (`claimed`), without each batch
   * (`without`), sum of the mask, expected number with the gradient in random order (`shuffled`), sums of |W| and of
   * the mean |gradient|; with the option `mask` a bit for each weight, outputs as rows, eight to a byte from the
   * highest one on. Options `batches`, `mask`.
   */
  claimed_weights: {
    version: 1,
    reads: 'gradients',
    textsApart: false,
    bytes: 'bits',
    tensors: (shape, options) => {
      const one = () => [1];
      const batches = [textBatches(shape, options)];
      return named(shape, {
        ...{ claimed: one, mask: one, shuffled: one, weight: one, gradient: one, without: () => batches },
        ...(options.mask === true
          ? { bits: ({ rows, columns }: { rows: number; columns: number }) => [Math.ceil((rows * columns) / 8)] }
          : {}),
      });
    },
  },
  /**
   * Products of weights and gradients at weights moved along the mean gradient g of all texts, W + s g (`plus`) and W -
   * s g (`minus`): of each linear module the sum of W_ij times the mean gradient of each batch. `norm` of g, `step` s.
   * Options `batches`, `step`: s |g|^2, the change of the loss in nats that a step aims at.
   */
  moved_gradients: {
    version: 1,
    reads: 'moved_gradients',
    textsApart: false,
    tensors: (shape, options) => {
      const batches = () => [textBatches(shape, options)];
      return { norm: [1], step: [1], ...named(shape, { plus: batches, minus: batches }) };
    },
  },
  /**
   * Masks on the changes of fine-tuning: s of each linear module by seed, and whether it is changed at all; losses of
   * the texts of each step; mean loss of all texts with none and with all of the changes. Options of the score `ila`,
   * and `changes`, a hash of them.
   */
  delta_masks: {
    version: 1,
    reads: 'changes',
    textsApart: false,
    tensors: (shape, { seeds, steps }) => ({
      loss: [Number(seeds), Number(steps)],
      ends: [2],
      ...named(shape, { s: () => [Number(seeds)], changed: () => [1] }),
    }),
  },
  /**
   * Of each linear module: sum of W_ij times the mean gradient of each batch of texts, and the squared norm of that of
   * all. Option `batches`.
   */
  weight_products: {
    version: 1,
    reads: 'gradients',
    textsApart: false,
    tensors: (shape, options) => named(shape, { product: () => [textBatches(shape, options)], square: () => [1] }),
  },
  /** Of each linear module: squared norm of the gradient of each text's mean loss. */
  gradient_norms: {
    version: 1,
    reads: 'gradients',
    textsApart: false,
    tensors: (shape) => byModule(shape, () => [shape.texts]),
  },
  /**
   * Of `tokens` counted tokens of all texts, drawn with `seed`: what the head makes of the residual stream before the
   * first layer and behind each. Cross-entropy of the token in nats, Kullback-Leibler divergence from the model's own
   * distribution, whether the most probable token is the same; of each place whether it is used, and the index of its
   * text.
   */
  logit_lens: {
    version: 1,
    reads: 'logits',
    textsApart: true,
    singles: ['states'],
    scratch: ['states'],
    tensors: ({ layers, hidden }, { tokens }) => ({
      states: [layers + 1, Number(tokens), hidden],
      ...Object.fromEntries(
        ['crossEntropy', 'divergence', 'agreement'].map((name) => [name, [layers + 1, Number(tokens)]]),
      ),
      used: [Number(tokens)],
      text: [Number(tokens)],
    }),
  },
  /**
   * Of the first `samples` texts: summed negative log-probability of the counted tokens in nats, how many are counted,
   * and the same sum without each layer; with `parts` without its attention alone and its MLP alone too.
   */
  ablated_losses: {
    version: 1,
    reads: 'ablated',
    textsApart: true,
    tensors: ({ layers, texts }, { parts }) => ({
      whole: [texts],
      counted: [texts],
      block: [layers, texts],
      ...(parts === true ? { attention: [layers, texts], mlp: [layers, texts] } : {}),
    }),
  },
  /**
   * Of the first `samples` texts: summed negative log-probability of the counted tokens in nats, how many are counted,
   * and the same sum without the layers of each of `sets`.
   */
  removed_losses: {
    version: 1,
    reads: 'ablated',
    textsApart: true,
    tensors: ({ texts }, { sets }) => ({ whole: [texts], counted: [texts], without: [(sets as Json[]).length, texts] }),
  },
  /**
   * Layers are left out one after the other, each time the one without which the first `samples` texts are most
   * probable. For each round and layer the summed negative log-probability by text without it and those before; layers
   * that are gone have 0.
   */
  greedy_removal: {
    version: 1,
    reads: 'ablated',
    textsApart: false,
    tensors: ({ layers, texts }, { rounds }) => ({ losses: [Math.min(Number(rounds), layers - 1), layers, texts] }),
  },
} as const satisfies Record<string, ObservationSpec>;

export type ObservationId = keyof typeof observations;

type Reading<R extends ObservationSpec['reads']> = {
  [K in ObservationId]: (typeof observations)[K]['reads'] extends R ? K : never;
}[ObservationId];

/** Of a backward sweep. */
export type GradientObservationId = Reading<'gradients'>;
/** Of weights and of a forward sweep. */
export type ForwardObservationId = Reading<'weights' | 'hidden' | 'inputs' | 'logits' | 'ablated'>;

export const observationOf = (id: ObservationId): ObservationSpec => observations[id];

export function isObservation(id: string): id is ObservationId {
  return Object.hasOwn(observations, id);
}

export function isGradientObservation(id: string): id is GradientObservationId {
  return isObservation(id) && observations[id].reads === 'gradients';
}

export function isForwardObservation(id: string): id is ForwardObservationId {
  return isObservation(id) && !/gradients|changes/.test(observations[id].reads);
}
