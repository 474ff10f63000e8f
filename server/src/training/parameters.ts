/**
 * Trained numbers by tensor name. Masters are float64 whatever the graphs compute in, so that small steps are not
 * rounded away.
 */
export type Parameters = Map<string, Float64Array>;

/** Anything with numbers by tensor name, such as gradients in float32. */
export type Numbers = ReadonlyMap<string, ArrayLike<number>>;

export function copyOf(parameters: Numbers): Parameters {
  return new Map([...parameters].map(([name, values]) => [name, Float64Array.from(values)]));
}

/** Square root of the sum of all squares. */
export function globalNorm(values: Numbers): number {
  let sum = 0;
  for (const tensor of values.values()) for (let i = 0; i < tensor.length; i++) sum += tensor[i] ** 2;
  return Math.sqrt(sum);
}

/**
 * @throws Error naming the tensor whose gradient is missing or of another size, so that no parameter silently stays as
 *   it is
 */
export function gradientOf(gradients: Numbers, name: string, size: number): ArrayLike<number> {
  const gradient = gradients.get(name);
  if (gradient?.length === size) return gradient;
  throw new Error(
    `the gradient of ${name} has ${gradient?.length ?? 'no'} numbers, the parameter has ${size}; a graph left it out`,
  );
}
