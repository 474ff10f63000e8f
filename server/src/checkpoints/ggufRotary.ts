/**
 * Rotary position settings of a GGUF file as `config.json` has them. Linear and YaRN scaling stand in the metadata. The
 * scaling of Llama 3.1 and later stands nowhere: llama.cpp stores its result, one divisor per rotated pair
 * (`rope_freqs.weight`). Its four parameters are found again: three are the same in every published model, the fourth
 * is the largest divisor, and the formula with them must give the stored divisors.
 */
import { readTensor } from './ggufTensor.ts';
import type { GgufTensor } from './gguf.ts';
import type { Metadata } from './ggufMetadata.ts';
import { nth } from '../lists/nth.ts';

const llama3 = { low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8192 };

/** What these change has no counterpart; the first value stands for a missing key. */
const neutralScaling: Readonly<Record<string, readonly number[]>> = {
  'scaling.attn_factor': [1],
  'scaling.alpha': [0, 1],
  'scaling.yarn_attn_factor': [1],
  'scaling.yarn_ext_factor': [1, -1],
  'scaling.yarn_log_multiplier': [0],
};

export interface RotaryOptions {
  /** Whether a part of each head may be rotated; `partial_rotary_factor` says which. */
  partial?: boolean;
  /** The caller knows the scaling and its factor of cos and sin. */
  ownScaling?: boolean;
}

/**
 * @param id architecture, the first word of its keys
 * @param size numbers per head
 * @returns `rope_theta`, `rope_scaling` and, where it is not 1, `partial_rotary_factor`
 * @throws LayerifError `badModel` for a setting that has no counterpart
 */
export function rotaryConfig(
  metadata: Metadata,
  id: string,
  size: number,
  divisors: GgufTensor | undefined,
  { partial = false, ownScaling = false }: RotaryOptions = {},
): Record<string, unknown> {
  const key = (name: string): string => `${id}.rope.${name}`;
  const theta = metadata.number(key('freq_base')) ?? 10_000;
  const rotated = metadata.count(key('dimension_count')) ?? size;
  if (rotated !== size && !partial)
    throw metadata.error(
      `${key('dimension_count')} is ${rotated}, a head has ${size} numbers; partial rotation is not supported`,
    );
  // Families differ in what a missing key means, so a part is always written.
  const share = partial ? { partial_rotary_factor: shareOf(rotated, size) } : {};
  const settings = { rope_theta: theta, ...share };
  if (ownScaling) return { ...settings, rope_scaling: null };
  for (const [name, neutral] of Object.entries(neutralScaling)) {
    const value = metadata.number(key(name)) ?? nth(neutral, 0);
    if (!neutral.includes(value))
      throw metadata.error(`${key(name)} ${value} is not supported; take the Hugging Face folder`);
  }

  // scale_linear: before scaling.* came. A factor without a type is linear, 0 and 1 are none (llama.cpp's rule).
  const factor = metadata.number(key('scaling.factor')) ?? metadata.number(key('scale_linear'));
  const scales = factor !== undefined && factor !== 0 && factor !== 1;
  const given = metadata.text(key('scaling.type')) ?? (scales ? 'linear' : 'none');
  const type = given === 'linear' && factor === 0 ? 'none' : given;
  const trained = metadata.count(key('scaling.original_context_length'));
  if (divisors) {
    if (type !== 'none')
      throw metadata.error(`it has both rope_freqs.weight and ${type} rotary scaling; take the Hugging Face folder`);
    return { ...settings, rope_scaling: llama3Scaling(metadata, theta, size, divisors) };
  }
  switch (type) {
    case 'none':
      return { ...settings, rope_scaling: null };
    case 'linear':
      return {
        ...settings,
        rope_scaling: { rope_type: 'linear', factor: metadata.required(key('scaling.factor'), factor) },
      };
    case 'yarn':
      return {
        ...settings,
        rope_scaling: {
          rope_type: 'yarn',
          factor: metadata.required(key('scaling.factor'), factor),
          original_max_position_embeddings: metadata.required(key('scaling.original_context_length'), trained),
          ...optional('beta_fast', metadata.number(key('scaling.yarn_beta_fast'))),
          ...optional('beta_slow', metadata.number(key('scaling.yarn_beta_slow'))),
        },
      };
    default:
      throw metadata.error(
        `rotary scaling "${type}" is not supported, only none, linear and yarn; take the Hugging Face folder`,
      );
  }
}

/** A share of which readers, who cut off what is behind the point, get the same number back. */
function shareOf(rotated: number, size: number): number {
  const share = rotated / size;
  return Math.trunc(size * share) === rotated ? share : share * (1 + Number.EPSILON);
}

function optional(name: string, value: number | undefined): Record<string, number> {
  return value === undefined ? {} : { [name]: value };
}

function llama3Scaling(metadata: Metadata, theta: number, size: number, tensor: GgufTensor): Record<string, unknown> {
  const stored = readTensor(metadata.file, tensor);
  const factor = stored.reduce((most, value) => Math.max(most, value), 0);
  const { low_freq_factor: low, high_freq_factor: high, original_max_position_embeddings: trained } = llama3;
  const fits =
    stored.length === size / 2 &&
    stored.every((value, k) => {
      const wavelength = 2 * Math.PI * theta ** ((2 * k) / size);
      const smooth = Math.min(1, Math.max(0, (trained / wavelength - low) / (high - low)));
      const divisor = 1 / ((1 - smooth) / factor + smooth);
      return Math.abs(value - divisor) <= 1e-4 * divisor;
    });
  if (!fits) throw metadata.error('its rope_freqs.weight is not that of a Llama 3 model; take the Hugging Face folder');
  return { rope_type: 'llama3', factor, ...llama3 };
}
