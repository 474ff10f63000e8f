/**
 * Student's t distribution (Student 1908): how far a mean of few values may lie from the truth when its standard error
 * comes from the same values. The tail is I_x(ν/2, 1/2) / 2 with x = ν / (ν + t²).
 */
import { incompleteBeta } from './beta.ts';

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
