/**
 * Student's t distribution (Student 1908): how far a mean of few values may lie from the truth when its standard error
 * comes from the same values. The tail is I_x(ν/2, 1/2) / 2 with x = ν / (ν + t²), the incomplete beta function by its
 * continued fraction (Lentz).
 */

/** P(|T| > t) with `degrees` > 0 of freedom, which need not be whole. */
export function studentTail(t: number, degrees: number): number {
  return incompleteBeta(degrees / (degrees + t * t), degrees / 2, 0.5);
}

/** The t with P(|T| <= t) = level. @param level 0 .. 1, such as 0.95 @param degrees of freedom, > 0 */
export function studentQuantile(level: number, degrees: number): number {
  if (!(level > 0 && level < 1 && degrees > 0)) throw new Error(`Student's t for level ${level}, degrees ${degrees}`);
  let [low, high] = [0, 1];
  while (studentTail(high, degrees) > 1 - level) [low, high] = [high, 2 * high];
  for (let step = 0; step < 200 && high - low > 1e-13 * high; step++) {
    const middle = (low + high) / 2;
    if (studentTail(middle, degrees) > 1 - level) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** I_x(a, b) */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  // The fraction converges fast on this side of the mean.
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const front = Math.exp(a * Math.log(x) + b * Math.log1p(-x) + logGamma(a + b) - logGamma(a) - logGamma(b)) / a;
  const away = (v: number) => (Math.abs(v) < 1e-300 ? 1e-300 : v);
  let c = 1;
  let d = 1 / away(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m <= 500; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    for (const term of [even, odd]) {
      d = 1 / away(1 + term * d);
      c = away(1 + term / c);
      fraction *= c * d;
    }
    if (Math.abs(c * d - 1) < 1e-15) break;
  }
  return front * fraction;
}

/** ln Γ(x), x > 0: Stirling's series where it is accurate to 1e-14, the recurrence below. */
function logGamma(x: number): number {
  let [shifted, product] = [x, 1];
  while (shifted < 12) product *= shifted++;
  const inverse = 1 / shifted;
  const square = inverse * inverse;
  const series = inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square * (1 / 1680 - square / 1188))));
  return (shifted - 0.5) * Math.log(shifted) - shifted + 0.5 * Math.log(2 * Math.PI) + series - Math.log(product);
}
