/**
 * Where the chat templates of a checkpoint stand, as transformers 5.24 looks for them: `chat_template.jinja` and the
 * named ones of the folder `additional_chat_templates` win over `chat_template` of tokenizer_config.json, which is a
 * text or a list of named texts. A GGUF file has `tokenizer.chat_template`, and the same with a name behind it.
 */
import fs from 'node:fs';
import path from 'node:path';
import { readModelText } from './jsonObject.ts';
import type { Metadata } from './ggufMetadata.ts';
import { contentOf } from './tokenizerClasses.ts';

/** As in tokenizer_config.json. */
export type ChatTemplateSetting = string | { name: string; template: string }[];

const FILE = 'chat_template.jinja';
const FOLDER = 'additional_chat_templates';
/** Of a template that has no name. */
const DEFAULT = 'default';

/** From the files of a folder; null where it has none. @throws LayerifError `badModel` for one that cannot be read */
export function folderChatTemplate(folder: string): ChatTemplateSetting | null {
  const file = path.join(folder, FILE);
  const single = fs.existsSync(file) ? readModelText(file, 'config') : null;
  const more = path.join(folder, FOLDER);
  const names = fs.existsSync(more) ? fs.readdirSync(more).filter((name) => name.endsWith('.jinja')) : [];
  if (names.length === 0) return single;
  const named = names.sort().map((name) => ({
    name: name.slice(0, -'.jinja'.length),
    template: readModelText(path.join(more, name), 'config'),
  }));
  return single === null ? named : [{ name: DEFAULT, template: single }, ...named];
}

export function ggufChatTemplate(metadata: Metadata): ChatTemplateSetting | null {
  const key = 'tokenizer.chat_template';
  const single = metadata.text(key) ?? null;
  const named = (metadata.texts(`${key}s`) ?? []).flatMap((name) => {
    const template = metadata.text(`${key}.${name}`);
    return template === undefined ? [] : [{ name, template }];
  });
  if (named.length === 0) return single;
  return single === null ? named : [{ name: DEFAULT, template: single }, ...named];
}

/** By name; a single one is called `default`. */
export function chatTemplates(tokenizerConfig: Readonly<Record<string, unknown>>): Map<string, string> {
  const setting = tokenizerConfig['chat_template'];
  if (typeof setting === 'string') return new Map([[DEFAULT, setting]]);
  const list = Array.isArray(setting) ? (setting as unknown[]) : [];
  return new Map(
    list.flatMap((one) => {
      const { name, template } = (one ?? {}) as Record<string, unknown>;
      return typeof name === 'string' && typeof template === 'string' ? [[name, template] as const] : [];
    }),
  );
}

/** What templates know by name: `bos_token` and the like. Names that GGUF alone has are not among them. */
export function specialTokens(tokenizerConfig: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(tokenizerConfig).flatMap(([key, value]) => {
      const content = key.endsWith('_token') && !GGUF_ALONE.has(key) ? contentOf(value) : undefined;
      return content === undefined ? [] : [[key, content] as const];
    }),
  );
}

const GGUF_ALONE = new Set(['eot_token', 'eom_token']);
