/**
 * Which model an adapter was made for, as far as names tell: two models of one shape take each other's adapters without
 * an error, and the numbers are those of neither.
 */
import fs from 'node:fs';
import type { Checkpoint } from './types.ts';

export const ADAPTER_CONFIG = 'adapter_config.json';

/** Words at the end of a name that say how weights are stored, not which. */
const storage =
  /[-_.](?:gguf|i?q\d\w*|bf16|f16|fp16|f32|fp32|fp8|int[48]|[48]-?bit|bnb|unsloth|awq|gptq|mlx|hf|i1|mxfp4|dynamic)$/;

/** A sentence where the adapter names another model than the one that it is applied to; null where it does not. */
export function otherBase({ path: target, name, config, adapter }: Checkpoint): string | null {
  const made = adapter?.baseModel ?? null;
  if (made === null || made === '') return null;
  if (fs.existsSync(made) && fs.realpathSync(made) === fs.realpathSync(target)) return null;
  const names = [name, inCache(target), config['_name_or_path']].filter((one) => typeof one === 'string');
  if (names.some((one) => plain(one) === plain(made))) return null;
  return `the adapter was made for ${made}, by its ${ADAPTER_CONFIG}, and is applied to ${name}: on another model its numbers mean nothing; if the two are one model, all is well`;
}

/** `name` of `.../models--org--name/snapshots/commit`, where the hub's cache keeps models. */
function inCache(target: string): string | undefined {
  return /models--[^/\\]*?--([^/\\]+)[/\\]snapshots[/\\]/.exec(target)?.[1];
}

function plain(name: string): string {
  let rest =
    name
      .toLowerCase()
      .split(/[/\\]/)
      .filter((part) => part !== '')
      .at(-1) ?? '';
  for (let before = ''; before !== rest;) [before, rest] = [rest, rest.replace(storage, '')];
  return rest.replace(/[-_.]/g, '');
}
