/**
 * How a checkpoint wants to be generated with: `generation_config.json`, where the folder has one, else what
 * `config.json` says of the end (transformers' rule). A GGUF file says it in its metadata: the ends of a text, of a
 * turn and of a message.
 */
import fs from 'node:fs';
import path from 'node:path';
import { LayerifError } from '../../../protocol/errors.ts';
import { readJsonObject } from './jsonObject.ts';
import { quoted } from './printable.ts';
import { contentOf } from './tokenizerClasses.ts';
import type { Checkpoint } from './types.ts';

export type GenerationConfig = Readonly<Record<string, unknown>>;

/** Empty where there is no such file. @throws LayerifError `badModel` for a file that is no JSON object */
export function generationConfig({ format, path: folder }: Pick<Checkpoint, 'format' | 'path'>): GenerationConfig {
  const file = path.join(folder, 'generation_config.json');
  if (format !== 'safetensors' || !fs.existsSync(file)) return {};
  return readJsonObject(file, 'tokenizer');
}

/**
 * Tokens that end a text, ascending: `eos_token_id`, a number or a list, of generation_config.json, where there is none
 * of config.json, and where that has none either the tokenizer's own.
 * @param config of the language model
 * @throws LayerifError `badModel` for what is no token id
 */
export function endTokens(
  checkpoint: Checkpoint,
  config: Readonly<Record<string, unknown>>,
  idOf: (content: string) => number | null,
): number[] {
  const named = checkpoint.tokenizer().tokenizerConfig;
  const idsOf = (...keys: string[]): number[] =>
    keys.flatMap((key) => {
      const content = contentOf(named[key]);
      const id = content === undefined ? null : idOf(content);
      return id === null ? [] : [id];
    });
  if (checkpoint.format === 'gguf') return unique(idsOf('eos_token', 'eot_token', 'eom_token'));
  const given = generationConfig(checkpoint).eos_token_id ?? config.eos_token_id ?? null;
  if (given === null) return unique(idsOf('eos_token'));
  const list: unknown[] = Array.isArray(given) ? given : [given];
  const wrong = list.find((id) => typeof id !== 'number' || !Number.isInteger(id));
  if (wrong !== undefined) {
    throw new LayerifError(
      'badModel',
      `${checkpoint.path}: eos_token_id holds ${quoted(wrong)}; a token id or a list of them is needed`,
    );
  }
  return unique(list as number[]);
}

function unique(ids: readonly number[]): number[] {
  return [...new Set(ids)].sort((a, b) => a - b);
}
