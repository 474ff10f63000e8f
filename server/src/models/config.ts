/** Typed reading of `config.json` with errors that name the key and its value. */
import type { Config, Weights } from './types.ts';

export function positiveInteger(config: Config, key: string, fallback?: number): number {
  const value = config[key] ?? fallback;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1) {
    throw new Error(`config.json: ${key} is ${JSON.stringify(value)}; a positive whole number is needed`);
  }
  return value;
}

export function positiveNumber(config: Config, key: string, fallback?: number): number {
  const value = config[key] ?? fallback;
  if (typeof value !== 'number' || !(value > 0) || !Number.isFinite(value)) {
    throw new Error(`config.json: ${key} is ${JSON.stringify(value)}; a positive number is needed`);
  }
  return value;
}

export function flag(config: Config, key: string, fallback: boolean): boolean {
  const value = config[key] ?? fallback;
  if (typeof value !== 'boolean')
    throw new Error(`config.json: ${key} is ${JSON.stringify(value)}; true or false is needed`);
  return value;
}

export function oneOf<T extends string>(config: Config, key: string, allowed: readonly T[], fallback: T): T {
  const value = config[key] ?? fallback;
  if (!allowed.includes(value as T)) {
    throw new Error(`config.json: ${key} is ${JSON.stringify(value)}; supported: ${allowed.join(', ')}`);
  }
  return value as T;
}

/**
 * What stands before the tensors of a model: causal language models are saved with a prefix, their inner models without.
 * @param probe a tensor that every such checkpoint has
 */
export function prefixOf(weights: Weights, prefix: string, probe: string): string {
  return weights.has(probe) && !weights.has(prefix + probe) ? '' : prefix;
}
