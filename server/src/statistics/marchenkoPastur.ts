/** Spectra of large random matrices (Marchenko & Pastur 1967). */

/**
 * Quantiles of the Marchenko-Pastur law of unit variance: density √((b - x)(x - a)) / (2 π c x) between (1 - √c)² and
 * (1 + √c)².
 * @param c shorter over longer side, above 0 and at most 1
 * @param count of the quantiles, at probabilities (i + 1/2) / count
 */
export function marchenkoPastur(c: number, count = 1000): Float64Array {
  const [a, b] = [(1 - Math.sqrt(c)) ** 2, (1 + Math.sqrt(c)) ** 2];
  // x = a + (b - a) sin²(t) takes the square roots at both ends away.
  const steps = 20_000;
  const point = (t: number) => a + (b - a) * Math.sin(t) ** 2;
  const cumulative = new Float64Array(steps + 1);
  for (let i = 0; i < steps; i++) {
    const t = ((i + 0.5) / steps) * (Math.PI / 2);
    const x = point(t);
    cumulative[i + 1] = cumulative[i] + (x > 0 ? (Math.sin(t) * Math.cos(t)) ** 2 / x : 0);
  }
  const whole = cumulative[steps];
  const quantiles = new Float64Array(count);
  let at = 0;
  for (let i = 0; i < count; i++) {
    const wanted = ((i + 0.5) / count) * whole;
    while (cumulative[at + 1] < wanted) at++;
    const share = (wanted - cumulative[at]) / (cumulative[at + 1] - cumulative[at]);
    quantiles[i] = point(((at + share) / steps) * (Math.PI / 2));
  }
  return quantiles;
}
