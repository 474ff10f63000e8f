/** `layerif predict CONFIG`: the Performance Law, MMLU from the shape of a model and its training tokens. */
import { LayerifError } from '../../../protocol/errors.ts';
import type { Prediction, ShapeSearch } from '../../../protocol/prediction.ts';
import { predict as predictOf, readPredictedModel, searchUnder } from '../run/predict/predict.ts';
import { count, counted, table } from './format.ts';
import { readCount, readNumber } from './lists.ts';
import type { OptionName } from './options.ts';
import type { Command, Options } from './types.ts';
import { wrapped } from './wrap.ts';

/** Stands for CONFIG when all is said by options. */
const BY_HAND = '';

export const predict: Command = {
  name: 'predict',
  argument: 'CONFIG',
  without: BY_HAND,
  summary: "predict MMLU from a model's shape and training tokens (Performance Law)",
  details:
    'CONFIG is a config.json, a folder with one, a .gguf file or a hub id org/name (of which config.json alone is read); or leave it out and give --layers, --hidden and --ffn. An option wins over the file.\n' +
    'With --search the shapes that promise most under --flops, --parameters and --tokens.\n' +
    'An empirical law for dense models (arXiv 2408.09895); mixtures of experts are refused.',
  options: [
    'layers',
    'hidden',
    'ffn',
    'parameters',
    'tokens',
    'precision-loss',
    'measured',
    'remove',
    'search',
    'flops',
    'top',
    'json',
  ],
  words: { top: { help: 'with --search: how many shapes (default 10)' } },

  async run(argument, options, terminal) {
    if (options.flags.has('search')) {
      const found = searchUnder({
        flops: readNumber('flops', options.values.flops),
        parameters: amount(options, 'parameters', 1e9),
        tokens: amount(options, 'tokens', 1e12),
        precisionLoss: readNumber('precision-loss', options.values['precision-loss']),
      });
      const most = options.values.top === undefined ? 10 : readCount('top', options.values.top);
      const shown = { ...found, shapes: found.shapes.slice(0, most) };
      terminal.out(options.json ? `${JSON.stringify(shown, null, 2)}\n` : searchReport(shown, terminal.columns));
      return 0;
    }
    if (options.values.flops !== undefined)
      throw new LayerifError(
        'badRequest',
        '--flops is a budget: it goes with --search, as in layerif predict --search --flops 1e24',
      );
    const model = argument === BY_HAND ? null : await readPredictedModel(argument, terminal.baseDir, terminal.signal);
    const whole = (name: OptionName) => {
      const text = options.values[name];
      return text === undefined ? undefined : readCount(name, text);
    };
    const prediction = predictOf(model, {
      layers: whole('layers'),
      hidden: whole('hidden'),
      feedForward: whole('ffn'),
      parameters: amount(options, 'parameters', 1e9),
      tokens: amount(options, 'tokens', 1e12),
      precisionLoss: readNumber('precision-loss', options.values['precision-loss']),
      measured: readNumber('measured', options.values.measured),
      remove: whole('remove'),
    });
    terminal.out(
      options.json ? `${JSON.stringify(prediction, null, 2)}\n` : predictionReport(prediction, terminal.columns),
    );
    return 0;
  },
};

const suffixes = new Map([
  ['K', 1e3],
  ['M', 1e6],
  ['B', 1e9],
  ['T', 1e12],
]);
/** Fewer weights or tokens than this are a number that lacks its letter. */
const LEAST_COUNT = 1000;

/** "8B", "15T", "3e11" -> in units of `unit`. @throws LayerifError `badRequest` */
function amount({ values }: Pick<Options, 'values'>, name: 'parameters' | 'tokens', unit: number): number | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  const [, digits, letter] = /^(\d+(?:\.\d+)?(?:e\+?\d+)?)([KMBT]?)$/i.exec(text.trim()) ?? [];
  const value = digits === undefined ? NaN : Number(digits) * (letter ? suffixes.get(letter.toUpperCase())! : 1);
  if (value >= LEAST_COUNT && Number.isFinite(value)) return value / unit;
  throw new LayerifError(
    'badRequest',
    `--${name} "${text}" is not an amount: use a number with K, M, B or T, such as ${name === 'tokens' ? '15T or 300B' : '8B or 135M'}, or a whole count`,
  );
}

/** 6.7 billion -> "6.7B". */
const billions = (value: number) =>
  value >= 1 ? `${Number(value.toPrecision(3))}B` : `${Number((1000 * value).toPrecision(3))}M`;
const trillions = (value: number) => (value >= 1 ? `${Number(value.toPrecision(3))}T` : billions(1000 * value));

const origins = { counted: 'counted', given: 'as given', estimated: 'estimated from the shape' };
const sizeNames = {
  layers: 'layers N',
  hidden: 'hidden size h',
  feedForward: 'feed-forward size d',
  tokens: 'tokens T',
  parameters: 'weights S',
  precisionLoss: 'precision loss γ',
} as const;

export function predictionReport(found: Prediction, width: number): string {
  const { name, input, score, raw, band, stability } = found;
  const shape = `${counted(input.layers, 'layer')}, hidden ${count(input.hidden)}, feed-forward ${count(input.feedForward)}, ${billions(input.parameters)} weights (${origins[found.parametersFrom]}), ${trillions(input.tokens)} tokens${found.tokensFrom === 'saturated' ? ' (not given: as many as the law can use)' : ''}`;
  const percentLevel = Math.round(100 * band.level);
  return [
    ...wrapped(`${name ?? 'Model by numbers'}: ${shape}`, width),
    '',
    `Predicted MMLU ${score.toFixed(2)}${raw === score ? '' : ` (${raw.toFixed(2)} before the bounds)`}, ${percentLevel} % band ${band.low.toFixed(1)} to ${band.high.toFixed(1)} (root mean square error ${band.rmse.toFixed(1)} over ${counted(band.models, 'model')})`,
    `Stability u ${stability.toFixed(6)}; training ${found.trainingFlops.toExponential(2).replace('e+', 'e')} operations`,
    ...(found.measured
      ? [
          '',
          ...wrapped(
            `Measured ${found.measured.score.toFixed(1)}, ${signed(found.measured.difference)} beside the prediction: ${found.measured.words}.`,
            width,
          ),
        ]
      : []),
    '',
    ...table(
      [
        ['', 'value', '10 % more', 'derivative', ''],
        ...found.sensitivities.map(({ of, value, tenPercentMore, derivative, unit }) => [
          sizeNames[of],
          of === 'tokens' ? trillions(value) : of === 'parameters' ? billions(value) : String(value),
          signed(tenPercentMore),
          signedPrecise(derivative),
          `per ${unit}`,
        ]),
      ],
      [1, 2, 3],
    ),
    '',
    'Layers removed (extrapolation)',
    ...table(
      [
        ['removed', 'left', 'weights', 'MMLU'],
        ...found.removed.map(({ layers, left, parameters, score: then }) => [
          String(layers),
          String(left),
          billions(parameters),
          then.toFixed(2),
        ]),
      ],
      [0, 1, 2, 3],
    ),
    '',
    ...found.notes.flatMap((note) => wrapped(note, width)),
  ]
    .map((line) => `${line}\n`)
    .join('');
}

export function searchReport({ budget, shapes, notes }: ShapeSearch, width: number): string {
  const limits = [
    ...(budget.flops === null ? [] : [`${budget.flops.toExponential(2).replace('e+', 'e')} operations`]),
    ...(budget.parameters === null ? [] : [`${billions(budget.parameters)} weights`]),
    ...(budget.tokens === null ? [] : [`${trillions(budget.tokens)} tokens`]),
  ];
  return [
    `Shapes with the highest predicted MMLU under ${limits.join(', ')}`,
    '',
    ...table(
      [
        ['layers', 'hidden', 'feed-forward', 'weights', 'tokens', 'operations', 'u', 'MMLU'],
        ...shapes.map(({ layers, hidden, feedForward, parameters, tokens, flops, stability, score }) => [
          String(layers),
          String(hidden),
          String(feedForward),
          billions(parameters),
          trillions(tokens),
          flops.toExponential(2).replace('e+', 'e'),
          stability.toFixed(4),
          score.toFixed(2),
        ]),
      ],
      [0, 1, 2, 3, 4, 5, 6, 7],
    ),
    '',
    ...notes.flatMap((note) => wrapped(note, width)),
  ]
    .map((line) => `${line}\n`)
    .join('');
}

const signed = (value: number) => `${value >= 0 ? '+' : ''}${value.toFixed(2)}`;
const signedPrecise = (value: number) => `${value >= 0 ? '+' : ''}${value === 0 ? '0' : value.toPrecision(3)}`;
