/**
 * Which layers look back over a window only: `use_sliding_window`, `sliding_window` and `layer_types` as Qwen and
 * SmolLM3 read them. `layer_types` (transformers 4.5x and 5) says it layer by layer; without it a rule of the family
 * does.
 */
import { flag, positiveInteger } from './config.ts';
import type { Windows } from './decoder.ts';
import type { Config } from './types.ts';

const FULL = ['full_attention', 'attention'];

/**
 * @param fallback `sliding_window` where the key is missing, null for none
 * @param slides the rule for files without `layer_types`
 * @throws Error for kinds of attention that are not supported, or for a window that is asked for and not given
 */
export function slidingLayers(
  config: Config,
  layers: number,
  fallback: number | null,
  slides: (layer: number) => boolean,
): Windows {
  const given = config.sliding_window === undefined ? fallback : config.sliding_window;
  const used = flag(config, 'use_sliding_window', false);
  const window = used && given !== null ? positiveInteger({ sliding_window: given }, 'sliding_window') : null;
  const types = config.layer_types ?? null;
  if (types === null) return Array.from({ length: layers }, (_, i) => (slides(i) ? window : null));
  if (!Array.isArray(types) || types.length !== layers) {
    throw new Error(
      `config.json: layer_types is ${JSON.stringify(types)}; a list of ${layers} names is needed, one for each layer`,
    );
  }
  return types.map((type: unknown, i) => {
    if (FULL.includes(type as string)) return null;
    if (type !== 'sliding_attention') {
      throw new Error(
        `config.json: layer_types[${i}] is ${JSON.stringify(type)}; supported: full_attention, sliding_attention`,
      );
    }
    if (window === null) {
      throw new Error(
        `config.json: layer_types[${i}] is "sliding_attention", but use_sliding_window is ${used} and sliding_window is ${JSON.stringify(given)}; set both or name full_attention`,
      );
    }
    return window;
  });
}

/**
 * Qwen's rule: layers below `max_window_layers` see everything, in spite of the key's name, those from there on have
 * the window.
 */
export function qwenWindows(config: Config, layers: number): Windows {
  const full = config.max_window_layers ?? 28;
  if (typeof full !== 'number' || !Number.isInteger(full) || full < 0) {
    throw new Error(`config.json: max_window_layers is ${JSON.stringify(full)}; a whole number from 0 is needed`);
  }
  return slidingLayers(config, layers, 4096, (layer) => layer >= full);
}
