/** Typed reading of `config.json` with errors that name the key and its value. */
import type { Config, Weights } from './types.ts';

/** More than any model has: what a damaged file says would only be allocated, or walked through. */
const LARGEST = 1 << 26;
const MOST_LAYERS_OR_EXPERTS = 4096;

export function positiveInteger(config: Config, key: string, fallback?: number): number {
  const value = config[key] ?? fallback;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1) {
    throw new Error(`config.json: ${key} is ${JSON.stringify(value)}; a positive whole number is needed`);
  }
  const largest = /layers?$|experts/.test(key) ? MOST_LAYERS_OR_EXPERTS : LARGEST;
  if (value > largest) throw new Error(`config.json: ${key} is ${value}; no model has more than ${largest}`);
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
 * What stands before the tensors of a model: causal language models are saved with a prefix, their inner models
 * without.
 * @param probe a tensor that every such checkpoint has
 */
export function prefixOf(weights: Weights, prefix: string, probe: string): string {
  return weights.has(probe) && !weights.has(prefix + probe) ? '' : prefix;
}

/** A key whose null means "none"; a missing key means `fallback`. */
export function nullOr(
  read: (config: Config, key: string) => number,
  config: Config,
  key: string,
  fallback: number | null,
): number | null {
  const value = config[key] === undefined ? fallback : config[key];
  return value === null ? null : read({ [key]: value }, key);
}

/** An object below `key`, empty where the key is missing or null. */
export function section(config: Config, key: string): Config {
  const value = config[key] ?? {};
  if (typeof value !== 'object' || Array.isArray(value))
    throw new Error(`config.json: ${key} is ${JSON.stringify(value)}; an object is needed`);
  return value as Config;
}

/**
 * The value of a key that goes by two names, each of which transformers takes for the other.
 * @throws Error where both are there and differ
 */
export function eitherKey(config: Config, key: string, other: string): Config {
  const [value, same] = [config[key] ?? config[other], config[other] ?? config[key]];
  if (value !== same) {
    throw new Error(
      `config.json: ${key} is ${JSON.stringify(value)} and ${other} is ${JSON.stringify(same)}, two names of one thing; remove the wrong one`,
    );
  }
  return { [key]: value };
}

/** Refuses a key whose other values change the mathematics; a missing key is fine. */
export function onlySupported(config: Config, key: string, supported: readonly unknown[]): void {
  const value = config[key];
  if (value === undefined || supported.includes(value)) return;
  const list = supported.map((v) => JSON.stringify(v)).join(', ');
  throw new Error(`config.json: ${key} is ${JSON.stringify(value)}; supported: ${list}`);
}

export function positiveNumbers(config: Config, key: string, count: number): number[] {
  const value = config[key];
  if (!Array.isArray(value) || value.length !== count || value.some((x) => typeof x !== 'number' || !(x > 0))) {
    throw new Error(`config.json: ${key} is ${JSON.stringify(value)}; a list of ${count} positive numbers is needed`);
  }
  return value as number[];
}
