/**
 * `layerif predict`: the Performance Law of a model that is given by its configuration, by a checkpoint, by a hub id or
 * by numbers. Only headers and configurations are read, never weights.
 */
import fs from 'node:fs';
import path from 'node:path';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { PredictedSize, Prediction, PredictionNumbers, ShapeSearch } from '../../../../protocol/prediction.ts';
import { readJsonObject } from '../../checkpoints/jsonObject.ts';
import { openCheckpoint } from '../../checkpoints/openCheckpoint.ts';
import { architectureOf } from '../../planning/architecture.ts';
import type { ReadArchitecture } from '../../planning/architecture.ts';
import { errorBand } from '../../planning/knownModels.ts';
import {
  CHANCE,
  estimatedParameters,
  predictScore,
  sensitivities,
  trainingFlops,
  weightsPerLayer,
} from '../../planning/performanceLaw.ts';
import type { LawInput } from '../../planning/performanceLaw.ts';
import { leastParameters, searchShapes } from '../../planning/searchShapes.ts';
import type { Budget } from '../../planning/searchShapes.ts';
import { hubConfig } from '../inputs/hubConfig.ts';
import { resolveModel } from '../inputs/modelPath.ts';

/** What is known of a model before anything is set by hand. */
export interface PredictedModel {
  name: string;
  read: ReadArchitecture;
  /** Billions; null where there are no weights to count. */
  counted: number | null;
}

/**
 * @param target a config.json, a folder with one, a .gguf file or a hub id, relative to `baseDir`
 * @throws LayerifError `badModel`: also for a mixture of experts
 */
export async function readPredictedModel(
  target: string,
  baseDir: string,
  signal?: AbortSignal,
): Promise<PredictedModel> {
  const resolved = resolveModel(target, baseDir);
  const stat = fs.statSync(resolved, { throwIfNoEntry: false });
  if (stat?.isFile() && /\.json$/i.test(resolved)) return fromConfig(resolved, readJsonObject(resolved, 'config'));
  const alone = path.join(resolved, 'config.json');
  // A configuration without weights is enough.
  if (
    stat?.isDirectory() &&
    !fs.readdirSync(resolved).some((name) => /\.(safetensors|gguf)$/i.test(name)) &&
    fs.existsSync(alone)
  )
    return fromConfig(alone, readJsonObject(alone, 'config'));
  if (!stat) {
    const remote = await hubConfig(resolved, signal);
    if (remote) return fromConfig(target, remote);
  }
  const checkpoint = openCheckpoint(resolved);
  try {
    let counted = 0;
    for (const { shape } of checkpoint.tensors.values()) counted += shape.reduce((product, size) => product * size, 1);
    return { ...fromConfig(target, checkpoint.config), name: checkpoint.name, counted: counted / 1e9 };
  } finally {
    checkpoint.close();
  }
}

function fromConfig(file: string, config: Readonly<Record<string, unknown>>): PredictedModel {
  const { read, why } = architectureOf(config);
  if (!read) throw new LayerifError('badModel', `${file} cannot be predicted: ${why}`);
  const folder = path.basename(path.dirname(file));
  return { name: path.basename(file) === 'config.json' ? folder : file, read, counted: null };
}

const sizes: { of: Exclude<PredictedSize, 'precisionLoss'>; option: string; what: string; whole: boolean }[] = [
  { of: 'layers', option: 'layers', what: 'layers', whole: true },
  { of: 'hidden', option: 'hidden', what: 'hidden size', whole: true },
  { of: 'feedForward', option: 'ffn', what: 'size of the feed-forward network', whole: true },
  { of: 'parameters', option: 'parameters', what: 'billions of weights', whole: false },
  { of: 'tokens', option: 'tokens', what: 'trillions of tokens', whole: false },
];

/** @throws LayerifError `badRequest` for numbers that are missing or make no sense */
export function predict(model: PredictedModel | null, numbers: PredictionNumbers): Prediction {
  for (const { of, option, what, whole } of sizes) {
    const value = numbers[of];
    if (value === undefined || (Number.isFinite(value) && value > 0 && (!whole || Number.isInteger(value)))) continue;
    throw new LayerifError(
      'badRequest',
      `--${option} ${value} is not allowed (${what}): use a ${whole ? 'whole number' : 'number'} above 0`,
    );
  }
  const { precisionLoss = 1, measured } = numbers;
  if (!(precisionLoss >= 1))
    throw new LayerifError('badRequest', `--precision-loss ${precisionLoss} is not allowed: use 1 (BF16) or more`);
  if (measured !== undefined && !(measured >= 0 && measured <= 100))
    throw new LayerifError('badRequest', `--measured ${measured} is not allowed: MMLU is a number from 0 to 100`);
  const { layers, hidden, feedForward } = {
    ...model?.read.shape,
    ...given(numbers, ['layers', 'hidden', 'feedForward']),
  };
  if (layers === undefined || hidden === undefined || feedForward === undefined)
    throw new LayerifError(
      'badRequest',
      'predicting needs a model (a config.json, a folder, a .gguf file or a hub id) or all of --layers, --hidden and --ffn',
    );
  const shape = { layers, hidden, feedForward };
  const counts = model?.read.counts ?? {};
  // Counted weights are those of the shape as it is.
  const own = model && sameShape(model.read.shape, shape) ? model.counted : null;
  const parameters = numbers.parameters ?? own ?? estimatedParameters(shape, counts);
  const tokens = numbers.tokens ?? parameters;
  const input: Required<LawInput> = { ...shape, parameters, tokens, precisionLoss };
  const found = predictScore(input);
  const { halfWidth, ...band } = errorBand();
  return {
    format: 'layerif-prediction',
    version: 1,
    name: model?.name ?? null,
    input,
    parametersFrom: numbers.parameters !== undefined ? 'given' : own !== null ? 'counted' : 'estimated',
    tokensFrom: numbers.tokens === undefined ? 'saturated' : 'given',
    ...found,
    trainingFlops: trainingFlops(parameters, tokens),
    band: { low: Math.max(0, found.score - halfWidth), high: Math.min(100, found.score + halfWidth), ...band },
    sensitivities: sensitivitiesOf(input),
    curves: curvesOf(input),
    removed: removedFrom(input, weightsPerLayer(shape, counts) / 1e9, numbers.remove),
    measured: measured === undefined ? null : judged(measured, found.score, halfWidth),
    notes: notesOf(input, numbers, found.raw),
  };
}

function given<K extends keyof PredictionNumbers>(
  numbers: PredictionNumbers,
  keys: readonly K[],
): Partial<Record<K, number>> {
  const known = keys.filter((key) => numbers[key] !== undefined).map((key) => [key, numbers[key]]);
  return Object.fromEntries(known) as Partial<Record<K, number>>;
}

const sameShape = (a: Omit<LawInput, 'parameters' | 'tokens'>, b: Omit<LawInput, 'parameters' | 'tokens'>) =>
  a.layers === b.layers && a.hidden === b.hidden && a.feedForward === b.feedForward;

const units: Record<PredictedSize, string> = {
  layers: 'layer',
  hidden: 'unit of hidden size',
  feedForward: 'unit of feed-forward size',
  tokens: 'trillion tokens',
  parameters: 'billion weights, which cap the tokens',
  precisionLoss: 'unit of precision loss',
};

function sensitivitiesOf(input: Required<LawInput>): Prediction['sensitivities'] {
  const derivatives = sensitivities(input);
  const { score } = predictScore(input);
  return (Object.keys(units) as PredictedSize[]).map((of) => ({
    of,
    value: input[of],
    unit: units[of],
    derivative: derivatives[of],
    tenPercentMore: predictScore({ ...input, [of]: 1.1 * input[of] }).score - score,
  }));
}

const CURVE_POINTS = 41;

/** From a quarter of the value to four times, on a logarithmic scale. */
function curvesOf(input: Required<LawInput>): Prediction['curves'] {
  return (['layers', 'hidden', 'feedForward', 'tokens'] as const).map((of) => {
    const steps = Array.from({ length: CURVE_POINTS }, (_, i) => input[of] * 4 ** ((2 * i) / (CURVE_POINTS - 1) - 1));
    const values = of === 'tokens' ? steps : [...new Set(steps.map((value) => Math.max(1, Math.round(value))))];
    return { of, values, scores: values.map((value) => predictScore({ ...input, [of]: value }).score) };
  });
}

const REMOVED = 8;

/** @param ofLayer weights of a layer in billions */
function removedFrom(input: Required<LawInput>, ofLayer: number, only: number | undefined): Prediction['removed'] {
  if (only !== undefined && !(Number.isInteger(only) && only >= 1 && only < input.layers))
    throw new LayerifError(
      'badRequest',
      `--remove ${only} is not allowed: use a whole number from 1 to ${input.layers - 1}, one layer fewer than there are`,
    );
  const counts =
    only === undefined ? Array.from({ length: Math.min(REMOVED, input.layers - 1) }, (_, i) => i + 1) : [only];
  return counts.map((layers) => {
    const parameters = Math.max(input.parameters - layers * ofLayer, Number.MIN_VALUE);
    const left = input.layers - layers;
    return { layers, left, parameters, score: predictScore({ ...input, layers: left, parameters }).score };
  });
}

function judged(measured: number, score: number, halfWidth: number): NonNullable<Prediction['measured']> {
  const difference = measured - score;
  const verdict = difference > halfWidth ? 'above' : difference < -halfWidth ? 'below' : 'within';
  const words = {
    above:
      'far above what models of this size reach: the benchmark, or texts like it, may be in the training data (contamination); other reasons, such as better data or distillation, cannot be told apart by this',
    within: 'within the error of the law: no sign of contamination, and no proof of its absence',
    below:
      'far below what models of this size reach: fewer or poorer training tokens, or another way of measuring MMLU (5 examples in the prompt are usual)',
  }[verdict];
  return { score: measured, difference, verdict, words };
}

function notesOf({ parameters, tokens }: LawInput, numbers: PredictionNumbers, raw: number): string[] {
  return [
    'Empirical: a curve through models of 2024 and before; older ones (Llama 1 and 2) come out 10 to 20 points too high.',
    "Unconfirmed: the constants are those of the first author's planner; whether the paper prints the same digits could not be checked.",
    'The error band is ours, from eight models whose published MMLU is quoted from memory.',
    ...(numbers.tokens === undefined
      ? [
          `Tokens are not given: as many are taken as the law can use, ${parameters.toPrecision(3)} trillion (one trillion a billion weights).`,
        ]
      : tokens > parameters
        ? [
            `Of ${tokens} trillion tokens the law uses ${parameters.toPrecision(3)}: beyond one trillion a billion weights more change nothing in it.`,
          ]
        : []),
    ...(raw < CHANCE
      ? [`Below guessing (${raw.toFixed(2)}), so 25 is shown, and small changes of the sizes change nothing.`]
      : []),
    'Removing layers is an extrapolation: the law was fitted to models trained at their depth, not to pruned ones.',
  ];
}

/** @throws LayerifError `badRequest`: no budget, or one below the smallest shape */
export function searchUnder(budget: Budget): ShapeSearch {
  const { flops, parameters, tokens, precisionLoss = 1 } = budget;
  if (flops === undefined && parameters === undefined)
    throw new LayerifError(
      'badRequest',
      '--search needs a budget: --flops (such as 1e24), --parameters (such as 8B), or both',
    );
  if (parameters !== undefined && parameters < leastParameters)
    throw new LayerifError(
      'badRequest',
      `--parameters ${parameters} is below the smallest shape of the search, ${leastParameters.toFixed(2)} billion weights (6 layers of 1024 and 4096)`,
    );
  return {
    format: 'layerif-shapes',
    version: 1,
    budget: { flops: flops ?? null, parameters: parameters ?? null, tokens: tokens ?? null, precisionLoss },
    shapes: searchShapes({ flops, parameters, tokens, precisionLoss }),
    notes: [
      "As in the authors' planner: hidden sizes are multiples of 1024, feed-forward sizes of 4096, layers modulo 8 are 6 or 7; weights and operations (6 · weights · tokens) are its estimates.",
      'The law alone decides, so the best shapes lie where few models were trained (very deep, small feed-forward networks): a hint, not a design.',
      'Empirical: a curve through models of 2024 and before. The constants of the paper could not be confirmed digit by digit.',
    ],
  };
}
