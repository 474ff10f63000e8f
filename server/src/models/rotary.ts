/**
 * Rotary position embedding (Su et al. 2021, arXiv 2104.09864) and the ways of stretching it: linear (position
 * interpolation, arXiv 2306.15595), dynamic NTK, YaRN (arXiv 2309.00071), LongRoPE (arXiv 2402.13753), llama3. The
 * tables are made here in float64, rounded to float32 where transformers rounds, and fed to the graphs: no variant
 * needs a graph of its own.
 *
 * Angle of position p and pair k: p * theta^(-2k/d), stretched; cos and sin are multiplied by the attention factor.
 * To add a variant: one row in `variants`, one reference case in test/reference/llama.
 */
import { onlySupported, positiveInteger, positiveNumber, positiveNumbers, section } from './config.ts';
import type { Rotary, Table } from './tables.ts';
import type { Config } from './types.ts';
import { lookup } from '../text/lookup.ts';
import { nth } from '../lists/nth.ts';

interface Setting {
  dim: number;
  theta: number;
  maxPositions: number;
  parameters: Config;
}

const variants: Record<string, (setting: Setting) => Rotary> = {
  default: ({ dim, theta }) => fixed(plain(dim, theta)),

  linear: ({ dim, theta, parameters }) => {
    const factor = positiveNumber(parameters, 'factor');
    return fixed(plain(dim, theta).map((f) => f / factor));
  },

  // The base grows with the sequence once it is longer than the training length.
  dynamic: ({ dim, theta, parameters, maxPositions }) => {
    const factor = positiveNumber(parameters, 'factor');
    const base = (length: number) => theta * ((factor * length) / maxPositions - (factor - 1)) ** (dim / (dim - 2));
    return {
      frequencies: (length) => plain(dim, base(Math.max(length, maxPositions))),
      scale: 1,
      fixedUpTo: maxPositions,
    };
  },

  // Low frequencies are interpolated, high ones kept, a linear ramp between the two.
  yarn: ({ dim, theta, parameters, maxPositions }) => {
    const trained = positiveInteger(parameters, 'original_max_position_embeddings', maxPositions);
    const factor = positiveNumber(parameters, 'factor', maxPositions / trained);
    const pairOf = (rotations: number) => (dim * Math.log(trained / (rotations * 2 * Math.PI))) / (2 * Math.log(theta));
    const truncate = parameters.truncate !== false;
    const lowRaw = pairOf(positiveNumber(parameters, 'beta_fast', 32));
    const highRaw = pairOf(positiveNumber(parameters, 'beta_slow', 1));
    const low = Math.max(truncate ? Math.floor(lowRaw) : lowRaw, 0);
    const highest = Math.min(truncate ? Math.ceil(highRaw) : highRaw, dim - 1);
    const high = highest === low ? low + 0.001 : highest;
    const frequencies = plain(dim, theta).map((f, k) => {
      const kept = 1 - Math.min(1, Math.max(0, (k - low) / (high - low)));
      return (f / factor) * (1 - kept) + f * kept;
    });
    return { ...fixed(frequencies), scale: yarnScale(parameters, factor) };
  },

  // Every frequency has a divisor of its own, one list for texts up to the trained length, another for longer ones.
  longrope: ({ dim, theta, parameters, maxPositions }) => {
    const trained = positiveInteger(parameters, 'original_max_position_embeddings', maxPositions);
    const factor = positiveNumber(parameters, 'factor', maxPositions / trained);
    const inferred = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(trained));
    const divided = (key: string) => {
      const divisors = positiveNumbers(parameters, key, dim / 2);
      return plain(dim, theta).map((f, k) => f / nth(divisors, k));
    };
    const short = divided('short_factor');
    const long = divided('long_factor');
    for (const key of ['short_mscale', 'long_mscale']) onlySupported(parameters, key, [null]); // Phi-3.5-MoE
    return {
      frequencies: (length) => (length > trained ? long : short),
      scale: positiveNumber(parameters, 'attention_factor', inferred),
      fixedUpTo: trained,
    };
  },

  // Long wavelengths are divided by the factor, short ones kept, a smooth passage between the two.
  llama3: ({ dim, theta, parameters, maxPositions }) => {
    const factor = positiveNumber(parameters, 'factor');
    const lowFactor = positiveNumber(parameters, 'low_freq_factor');
    const highFactor = positiveNumber(parameters, 'high_freq_factor');
    const trained = positiveInteger(parameters, 'original_max_position_embeddings', maxPositions);
    const frequencies = plain(dim, theta).map((f) => {
      const wavelength = (2 * Math.PI) / f;
      if (wavelength < trained / highFactor) return f;
      if (wavelength > trained / lowFactor) return f / factor;
      const smooth = (trained / wavelength - lowFactor) / (highFactor - lowFactor);
      return ((1 - smooth) * f) / factor + smooth * f;
    });
    return fixed(frequencies);
  },
};

/**
 * The rotary setting: `rope_scaling` (transformers 4, or added by hand for long texts) where it holds anything, else
 * `rope_parameters` (transformers 5). What the one holds is not filled up from the other (transformers' rule).
 */
export function ropeParameters(config: Config): Config {
  const scaling = section(config, 'rope_scaling');
  return Object.keys(scaling).length > 0 ? scaling : section(config, 'rope_parameters');
}

/** In words, where a configuration holds two rotary settings that differ; null otherwise. */
export function ropeConflict(config: Config): string | null {
  const [scaling, parameters] = [section(config, 'rope_scaling'), section(config, 'rope_parameters')];
  if (config.model_type === 'gemma3_text' && scaling.type !== undefined && scaling.rope_type === undefined) {
    return `config.json: rope_scaling has type ${JSON.stringify(scaling.type)} and no rope_type, which alone counts in Gemma 3: positions are not stretched, as in transformers; write rope_type`;
  }
  if (Object.keys(scaling).length === 0 || Object.keys(parameters).length === 0) return null;
  if (Object.entries(scaling).every(([key, value]) => JSON.stringify(value) === JSON.stringify(parameters[key])))
    return null;
  return `config.json: rope_scaling ${JSON.stringify(scaling)} stands beside rope_parameters ${JSON.stringify(parameters)}; rope_scaling is taken, as transformers does: remove the one that is not meant`;
}

/**
 * Reads the rotary setting of a configuration.
 * @param dim number of rotated components of a head
 */
export function rotary(config: Config, dim: number): Rotary {
  const given = ropeParameters(config);
  // Some configurations hold the trained length beside the setting, where it counts more than inside (transformers'
  // rule).
  const trained = config.original_max_position_embeddings ?? given.original_max_position_embeddings;
  const parameters: Config = { ...given, original_max_position_embeddings: trained };
  const type = parameters.rope_type ?? parameters.type ?? 'default';
  const make = lookup(variants, type);
  if (!make) {
    throw new Error(
      `config.json: rotary scaling ${JSON.stringify(type)} is not supported; supported: ${Object.keys(variants).join(', ')}`,
    );
  }
  const theta = positiveNumber(parameters, 'rope_theta', positiveNumber(config, 'rope_theta', 10_000));
  return make({ dim, theta, maxPositions: positiveInteger(config, 'max_position_embeddings', 2048), parameters });
}

/**
 * Rotated components of a head of `size`: `partial_rotary_factor` of the rotary setting, else of the configuration.
 * @throws Error where that leaves no pairs
 */
export function rotaryDim(config: Config, size: number, fallback: number): number {
  const parameters = ropeParameters(config);
  const key = 'partial_rotary_factor';
  const factor = positiveNumber({ [key]: parameters[key] ?? config[key] }, key, fallback);
  const dim = Math.trunc(size * factor);
  if (dim < 2 || dim % 2 !== 0 || dim > size) {
    throw new Error(
      `config.json: ${key} ${factor} rotates ${dim} of the ${size} components of a head; an even number from 2 to ${size} is needed`,
    );
  }
  return dim;
}

/**
 * cos and sin [length, dim] of the positions `first`, `first` + 1, ..., each pair's value standing in both halves (the
 * Hugging Face layout). @param longest length of the text, which some rotations depend on
 */
export function rotaryTables(rotary: Rotary, length: number, longest: number, first = 0): { cos: Table; sin: Table } {
  const frequencies = rotary.frequencies(longest);
  const half = frequencies.length;
  const dim = 2 * half;
  const cos = new Float32Array(length * dim);
  const sin = new Float32Array(length * dim);
  for (let p = 0; p < length; p++) {
    for (let k = 0; k < half; k++) {
      const angle = Math.fround((first + p) * Math.fround(nth(frequencies, k)));
      cos[p * dim + k] = cos[p * dim + half + k] = Math.cos(angle) * rotary.scale;
      sin[p * dim + k] = sin[p * dim + half + k] = Math.sin(angle) * rotary.scale;
    }
  }
  return { cos: { shape: [length, dim], data: cos }, sin: { shape: [length, dim], data: sin } };
}

/** No model's heads are as wide. */
const WIDEST_HEAD = 1 << 16;

/** @throws Error for a width that only a damaged file can have */
function plain(dim: number, theta: number): Float64Array {
  if (dim > WIDEST_HEAD) throw new Error(`config.json: heads of ${dim} components; at most ${WIDEST_HEAD} are read`);
  return Float64Array.from({ length: dim / 2 }, (_, k) => theta ** (-(2 * k) / dim));
}

function fixed(frequencies: Float64Array): Rotary {
  return { frequencies: () => frequencies, scale: 1, fixedUpTo: Infinity };
}

function yarnScale(parameters: Config, factor: number): number {
  const given = parameters.attention_factor;
  if (typeof given === 'number') return given;
  const part = (weight: number) => (factor <= 1 ? 1 : 0.1 * weight * Math.log(factor) + 1);
  const { mscale, mscale_all_dim: all } = parameters;
  return typeof mscale === 'number' && typeof all === 'number' && mscale && all ? part(mscale) / part(all) : part(1);
}
