/**
 * Colours: which one a task gets, and the diverging ramp of the heat map. The ramp is interpolated in OKLab (B.
 * Ottosson, 2020), so that equal steps look equal, with 0 pinned to the editor's background. Pure: no DOM.
 */
export type Rgb = readonly [number, number, number];

/**
 * Tasks are told apart by hue and by fill pattern, lines also by dash and marker. Diagonal hatching is kept for
 * negative values. From the seventh task on hues come again, each with another pattern, dash and marker than before.
 */
export interface TaskStyle {
  /** CSS variable of `styles/page.css`, which makes the theme's chart colours opaque. */
  variable: string;
  pattern: 'solid' | 'dots' | 'vertical' | 'horizontal' | 'grid' | 'sparse';
  dash: string;
  symbol: 'circle' | 'square' | 'triangle' | 'diamond' | 'star' | 'cross';
}

export const taskStyles: readonly TaskStyle[] = [
  { variable: '--layerif-task-0', pattern: 'solid', dash: '', symbol: 'circle' },
  { variable: '--layerif-task-1', pattern: 'vertical', dash: '6 3', symbol: 'square' },
  { variable: '--layerif-task-2', pattern: 'dots', dash: '2 2', symbol: 'triangle' },
  { variable: '--layerif-task-3', pattern: 'horizontal', dash: '8 3 2 3', symbol: 'diamond' },
  { variable: '--layerif-task-4', pattern: 'grid', dash: '12 3', symbol: 'star' },
  { variable: '--layerif-task-5', pattern: 'sparse', dash: '4 4', symbol: 'cross' },
  { variable: '--layerif-task-0', pattern: 'dots', dash: '12 3', symbol: 'diamond' },
  { variable: '--layerif-task-1', pattern: 'solid', dash: '4 4', symbol: 'triangle' },
  { variable: '--layerif-task-2', pattern: 'grid', dash: '', symbol: 'cross' },
  { variable: '--layerif-task-3', pattern: 'sparse', dash: '6 3', symbol: 'circle' },
  { variable: '--layerif-task-4', pattern: 'vertical', dash: '2 2', symbol: 'square' },
  { variable: '--layerif-task-5', pattern: 'horizontal', dash: '8 3 2 3', symbol: 'star' },
];

export const taskStyle = (task: number): TaskStyle => taskStyles[task % taskStyles.length]!;

/** `steps` (odd) colours from `negative` over `zero` in the middle to `positive`. */
export function divergingRamp(negative: Rgb, zero: Rgb, positive: Rgb, steps = 511): Rgb[] {
  const half = (steps - 1) / 2;
  return Array.from({ length: steps }, (_, i) =>
    i <= half ? mix(negative, zero, i / half) : mix(zero, positive, (i - half) / half),
  );
}

/** Between two colours in OKLab; `t` 0..1. */
export function mix(a: Rgb, b: Rgb, t: number): Rgb {
  const [from, to] = [toOklab(a), toOklab(b)];
  return fromOklab([0, 1, 2].map((i) => from[i]! + (to[i]! - from[i]!) * t));
}

const linear = (c: number) => (c <= 10.31475 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4);
const gamma = (c: number) => 255 * (c <= 0.0031308 ? 12.92 * c : 1.055 * c ** (1 / 2.4) - 0.055);

function toOklab(rgb: Rgb): number[] {
  const [r, g, b] = rgb.map(linear);
  const l = Math.cbrt(0.4122214708 * r! + 0.5363325363 * g! + 0.0514459929 * b!);
  const m = Math.cbrt(0.2119034982 * r! + 0.6806995451 * g! + 0.1073969566 * b!);
  const s = Math.cbrt(0.0883024619 * r! + 0.2817188376 * g! + 0.6299787005 * b!);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

function fromOklab([L, a, b]: number[]): Rgb {
  const l = (L! + 0.3963377774 * a! + 0.2158037573 * b!) ** 3;
  const m = (L! - 0.1055613458 * a! - 0.0638541728 * b!) ** 3;
  const s = (L! - 0.0894841775 * a! - 1.291485548 * b!) ** 3;
  const channel = (value: number) => Math.max(0, Math.min(255, Math.round(gamma(Math.max(0, value)))));
  return [
    channel(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    channel(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    channel(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ];
}
