/** Sliders of the page of predictions: their ranges, what they say, and what a prediction says. Pure: no DOM. */
import type { PredictedSize, Prediction, PredictionNumbers } from '../../../protocol/prediction.ts';
import type { Grid } from './grid.ts';
import { formatNumber } from './format.ts';
import type { Series } from './series.ts';

export interface SizeSlider {
  of: PredictedSize;
  label: string;
  min: number;
  max: number;
  step: number;
  /** Place of a value on the slider, and the value of a place: the same, or a logarithm. */
  toPlace: (value: number) => number;
  toValue: (place: number) => number;
  text: (value: number) => string;
}

const same = (value: number) => value;
const linear = (
  of: PredictedSize,
  label: string,
  min: number,
  max: number,
  step: number,
  text: (value: number) => string,
): SizeSlider => ({
  of,
  label,
  min,
  max,
  step,
  toPlace: same,
  toValue: same,
  text,
});
/** Twenty steps to a factor of ten. */
const decades = (
  of: PredictedSize,
  label: string,
  from: number,
  to: number,
  text: (value: number) => string,
): SizeSlider => ({
  of,
  label,
  min: Math.log10(from) * 20,
  max: Math.log10(to) * 20,
  step: 1,
  toPlace: (value) => Math.log10(value) * 20,
  toValue: (place) => Number((10 ** (place / 20)).toPrecision(3)),
  text,
});

const whole = (value: number) => value.toLocaleString('en-US');
/** Billions of weights, or trillions of tokens given in billions. */
const billions = (value: number) =>
  value >= 1000
    ? `${Number((value / 1000).toPrecision(3))}T`
    : value >= 1
      ? `${Number(value.toPrecision(3))}B`
      : `${Number((1000 * value).toPrecision(3))}M`;

export const sliders: readonly SizeSlider[] = [
  linear('layers', 'Layers', 1, 160, 1, whole),
  linear('hidden', 'Hidden size', 64, 16_384, 64, whole),
  linear('feedForward', 'Feed-forward size', 128, 65_536, 128, whole),
  decades('parameters', 'Weights', 0.01, 1000, billions),
  decades('tokens', 'Training tokens', 0.001, 100, (value) => billions(1000 * value)),
  linear('precisionLoss', 'Precision loss', 1, 4, 0.05, (value) => value.toFixed(2)),
];

/** A model of 8 billion weights, where none is given. */
export const byHand: PredictionNumbers = { layers: 32, hidden: 4096, feedForward: 14_336, parameters: 8, tokens: 15 };

const curveNames: Partial<Record<PredictedSize, string>> = {
  layers: 'Layers',
  hidden: 'Hidden size',
  feedForward: 'Feed-forward size',
  tokens: 'Training tokens',
};
export const curveOptions = Object.entries(curveNames).map(([id, name]) => ({ id: id as PredictedSize, name }));

/** Beside an axis there is little room. */
export const shortAxis = (of: PredictedSize) => (curveNames[of] ?? '').split(/[ -]/).at(of === 'tokens' ? -1 : 0)!;

/** The score over one size, at about 20 places. */
export function curveOf({ curves }: Prediction, of: PredictedSize): { series: Series[]; slots: string[] } {
  const found = curves.find((curve) => curve.of === of);
  const slider = sliders.find((one) => one.of === of);
  if (!found || !slider) return { series: [], slots: [] };
  return {
    series: [{ name: 'Predicted MMLU', style: 0, mark: 'lines', values: found.scores }],
    slots: found.values.map((value) => slider.text(of === 'tokens' ? Number(value.toPrecision(3)) : value)),
  };
}

export function sensitivityGrid({ sensitivities }: Prediction): Grid {
  return {
    title: 'What each size is worth, in points of MMLU',
    columns: ['size', 'value', '10 % more', 'derivative', 'per'],
    rows: sensitivities.map(({ of, value, tenPercentMore, derivative, unit }) => {
      const slider = sliders.find((one) => one.of === of);
      return [slider?.label ?? of, slider?.text(value) ?? value, tenPercentMore, derivative, unit];
    }),
  };
}

export function removedGrid({ removed }: Prediction): Grid {
  return {
    title: 'Layers removed (extrapolation)',
    columns: ['removed', 'left', 'billions of weights', 'predicted MMLU'],
    rows: removed.map(({ layers, left, parameters, score }) => [layers, left, parameters, score]),
  };
}

export function bandWords({ band, raw, score, stability, trainingFlops }: Prediction): string {
  const bounds = raw === score ? '' : `${raw.toFixed(1)} before the bounds; `;
  return `${bounds}${Math.round(100 * band.level)} % band ${band.low.toFixed(1)} to ${band.high.toFixed(1)}, stability ${stability.toFixed(3)}, training ${formatNumber(trainingFlops)} operations`;
}

const origins = { counted: 'counted in the model', given: 'as set', estimated: 'estimated from the shape' };
export const originWords = ({ parametersFrom, tokensFrom }: Prediction) =>
  `Weights are ${origins[parametersFrom]}${tokensFrom === 'saturated' ? '; tokens are not set: as many as the law can use' : ''}.`;
