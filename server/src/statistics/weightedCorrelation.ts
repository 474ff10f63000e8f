/** Canonical correlations of rows that are drawn with repeats, for intervals: nothing is fitted again. */
import type { Evaluated } from './canonicalCorrelation.ts';

/** How the correlations of all directions become one: projection-weighted, or their mean. */
export type Measure = 'pwcca' | 'mean';

/** The measure on rows that are drawn so often, with directions and weights as they are. */
export function weightedCorrelation({ h, k, weights }: Evaluated, drawn: Float64Array, measure: Measure): number {
  const n = drawn.length;
  const total = drawn.reduce((a, b) => a + b, 0);
  let value = 0;
  for (let i = 0; i < weights.length; i++) {
    let [sh, sk, hk, hh, kk] = [0, 0, 0, 0, 0];
    for (let t = 0, at = i * n; t < n; t++, at++) {
      const times = drawn[t];
      if (times === 0) continue;
      sh += times * h[at];
      sk += times * k[at];
      hk += times * h[at] * k[at];
      hh += times * h[at] * h[at];
      kk += times * k[at] * k[at];
    }
    const [vh, vk] = [hh - (sh * sh) / total, kk - (sk * sk) / total];
    const correlation = vh > 0 && vk > 0 ? (hk - (sh * sk) / total) / Math.sqrt(vh * vk) : 0;
    value += correlation * (measure === 'pwcca' ? weights[i] : 1 / weights.length);
  }
  return value;
}
