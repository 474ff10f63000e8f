/**
 * The normal distribution function Φ, by Hart's rational approximation as West gives it (Better approximations to
 * cumulative normal functions, Wilmott 2005); absolute error below 1e-15.
 */

const numerator = [
  3.52624965998911e-2, 0.700383064443688, 6.37396220353165, 33.912866078383, 112.079291497871, 221.213596169931,
  220.206867912376,
];
const denominator = [
  8.83883476483184e-2, 1.75566716318264, 16.064177579207, 86.7807322029461, 296.564248779674, 637.333633378831,
  793.826512519948, 440.413735824752,
];
/** From here on a continued fraction is used. */
const FAR = 7.07106781186547;
const ROOT_TWO_PI = Math.sqrt(2 * Math.PI);

/** P(Z <= z) */
export function normalCdf(z: number): number {
  const size = Math.abs(z);
  const upper = size > 37 ? 0 : size < FAR ? Math.exp((-size * size) / 2) * ratio(size) : far(size);
  return z > 0 ? 1 - upper : upper;
}

export function normalDensity(z: number): number {
  return Math.exp((-z * z) / 2) / ROOT_TWO_PI;
}

function ratio(size: number): number {
  let [above, below] = [0, 0];
  for (const coefficient of numerator) above = above * size + coefficient;
  for (const coefficient of denominator) below = below * size + coefficient;
  return above / below;
}

function far(size: number): number {
  let fraction = size + 0.65;
  for (let term = 4; term >= 1; term--) fraction = size + term / fraction;
  return normalDensity(size) / fraction;
}
