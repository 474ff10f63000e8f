/**
 * The tokenizer of a Hugging Face folder as transformers' AutoTokenizer (5.24) makes it: tokenizer.json, or
 * tekken.json, or tokenizer.model, or vocab.json and merges.txt; the class that tokenizer_config.json names; special
 * tokens from `added_tokens_decoder` there, else from special_tokens_map.json, added_tokens.json and tokenizer.json;
 * and named tokens that are in none of these. The last mention of a token gives its flags.
 */
import fs from 'node:fs';
import path from 'node:path';
import { LayerifError } from '../../../protocol/errors.ts';
import { folderChatTemplate } from './chatTemplates.ts';
import { contentOf, GENERIC, rebuiltBy, tokenizerClass } from './tokenizerClasses.ts';
import { modelFile } from './modelFile.ts';
import type { ModelFile } from './modelFile.ts';
import { tekken } from './tekken.ts';
import { faultWords } from '../files/reading.ts';
import { readBytes } from '../files/textFile.ts';
import { readJsonObject, readModelJson, readModelText } from './jsonObject.ts';

type Json = Record<string, unknown>;
type Token = Json & { content: string };

export interface FolderTokenizer {
  tokenizerJson: Json;
  tokenizerConfig: Json;
}

const NAMES = ['bos_token', 'eos_token', 'unk_token', 'sep_token', 'pad_token', 'cls_token', 'mask_token'];
/** Classes that read vocab.json and merges.txt. */
const SLOW = new Set(['GPT2Tokenizer', 'GPTNeoXTokenizer', 'Qwen2Tokenizer']);

/**
 * @param read reads a file of the folder as an object
 * @throws LayerifError `badModel`: no file that can be read as a tokenizer
 */
export function folderTokenizer(folder: string, config: Json, read: (file: string) => Json): FolderTokenizer {
  const at = (name: string): string => path.join(folder, name);
  const optional = (name: string): Json | null => (fs.existsSync(at(name)) ? read(at(name)) : null);
  const file = optional('tokenizer.json');
  const settings = { ...(optional('tokenizer_config.json') ?? {}) };
  const chat = folderChatTemplate(folder);
  if (chat !== null) settings['chat_template'] = chat;
  const named = [settings['tokenizer_class'], config['tokenizer_class']].find((name) => typeof name === 'string');
  const name = tokenizerClass(
    typeof config['model_type'] === 'string' ? config['model_type'] : '',
    named,
    file !== null && hasBytes(file),
  );
  if (file !== null) for (const key of ['add_bos_token', 'add_eos_token']) delete settings[key];

  // What is no tokenizer is refused where it is used.
  if (file !== null && (typeof file['model'] !== 'object' || file['model'] === null))
    return { tokenizerJson: file, tokenizerConfig: settings };

  const model = file === null ? (tekkenIn(folder) ?? modelIn(folder, name, settings)) : null;
  for (const [key, value] of Object.entries(model?.settings ?? {})) settings[key] ??= value;
  const special = specialTokens(settings, file, optional);
  const base = file ?? model?.json ?? slowFiles(folder, name);
  const whole = (base['model'] ?? {}) as Json;
  const own = whole['type'] === 'BPE' || file === null ? rebuiltBy(name, special.settings) : null;
  const rebuilt = model?.whole === true ? null : own;
  for (const [key, content] of Object.entries({ ...own?.names, ...model?.names })) special.names[key] ??= content;
  special.names = inOrder(special.names);
  if (model?.extra) special.extra = model.extra as Token[];
  if (model?.rawAdded === true) special.decoder = special.decoder.map((token) => ({ ...token, normalized: false }));
  if (file === null && model === null && name === GENERIC)
    Object.assign(special.names, { bos_token: '<s>', eos_token: '</s>' });

  const made = rebuilt
    ? { type: 'BPE', dropout: null, vocab: whole['vocab'], merges: whole['merges'] ?? [], ...rebuilt.model }
    : whole;
  const tokens = tokensOf(rebuilt ? [] : listOf(base['added_tokens']), special, rebuilt?.plainNames === true);
  const added = numbered(tokens, idsOf(made));
  const explicit = 'add_bos_token' in settings || 'add_eos_token' in settings;
  const ownPost = explicit || rebuilt?.ownPostProcessor === true || (base['post_processor'] ?? null) === null;
  return {
    tokenizerJson: {
      ...base,
      added_tokens: added,
      ...(rebuilt ? { normalizer: rebuilt.normalizer, pre_tokenizer: rebuilt.preTokenizer } : {}),
      model: made,
      post_processor: ownPost ? template(settings, special.names, added) : base['post_processor'],
    },
    tokenizerConfig: { ...settings, ...special.names },
  };
}

interface Special {
  /** tokenizer_config.json with what special_tokens_map.json says. */
  settings: Json;
  /** From `added_tokens_decoder` and its kin, in the order of their numbers. */
  decoder: Token[];
  names: Record<string, string | Token>;
  extra: (string | Token)[];
}

function specialTokens(settings: Json, file: Json | null, optional: (name: string) => Json | null): Special {
  const all: Json = { ...settings };
  const decoder = new Map<number, Token>();
  olderName(all);
  if (typeof all['added_tokens_decoder'] === 'object' && all['added_tokens_decoder'] !== null) {
    for (const [id, token] of Object.entries(all['added_tokens_decoder'] as Record<string, Token>))
      decoder.set(Number(id), token);
  } else {
    for (const [key, value] of Object.entries(optional('special_tokens_map.json') ?? {})) {
      const isToken =
        typeof value === 'object' && value !== null && !Array.isArray(value) && key !== 'extra_special_tokens';
      all[key] = isToken ? { ...value, special: true } : value;
    }
    olderName(all);
    const known = new Set([
      ...NAMES.map((key) => contentOf(all[key])),
      ...listOf(all['extra_special_tokens']).map(contentOf),
    ]);
    for (const [content, id] of Object.entries(optional('added_tokens.json') ?? {})) {
      const isSpecial = known.has(content);
      decoder.set(Number(id), { content, normalized: !isSpecial, special: isSpecial });
    }
    for (const token of listOf(file?.['added_tokens'])) decoder.set(Number(token['id']), token);
  }
  const byContent = new Map([...decoder.values()].map((token) => [token.content, token]));
  const names: Special['names'] = {};
  const give = (key: string, token: unknown): void => {
    const content = contentOf(token);
    if (content === undefined) return;
    names[key] = (NAMES.includes(key) ? byContent.get(content) : undefined) ?? (token as string | Token);
  };
  for (const key of NAMES) give(key, all[key]);
  for (const [key, token] of Object.entries(all)) if (key.endsWith('_token') && !NAMES.includes(key)) give(key, token);
  const extra = all['extra_special_tokens'];
  if (typeof extra === 'object' && extra !== null && !Array.isArray(extra))
    for (const [key, token] of Object.entries(extra)) give(key, token);
  return {
    settings: all,
    decoder: [...decoder].sort(([a], [b]) => a - b).map(([, token]) => token),
    names,
    extra: (Array.isArray(extra) ? (extra as (string | Token)[]) : []).filter(
      (token) => contentOf(token) !== undefined,
    ),
  };
}

/** New tokens are numbered in this order. */
function inOrder(names: Special['names']): Special['names'] {
  const rank = (key: string): number => (NAMES.includes(key) ? NAMES.indexOf(key) : NAMES.length);
  return Object.fromEntries(Object.entries(names).sort(([a], [b]) => rank(a) - rank(b)));
}

/** Before transformers 5 the list had another name. */
function olderName(all: Json): void {
  if (Array.isArray(all['additional_special_tokens']) && !truthy(all['extra_special_tokens']))
    all['extra_special_tokens'] = all['additional_special_tokens'];
}

/** Every mention, in the order in which they are added. */
function tokensOf(base: Token[], { decoder, names, extra }: Special, plainNames: boolean): Token[] {
  const named = new Set(Object.values(names).map((token) => contentOf(token)));
  const known = new Set([...base, ...decoder].map(({ content }) => content));
  const added: Token[] = decoder.map((token) =>
    named.has(token.content)
      ? { ...token, special: true, normalized: token['normalized'] ?? token['special'] !== true }
      : token,
  );
  for (const token of [...Object.values(names), ...extra]) {
    const content = contentOf(token)!;
    if (known.has(content)) continue;
    known.add(content);
    added.push(typeof token === 'string' ? { content, special: true, normalized: false } : { ...token, special: true });
  }
  const plain: Token[] = plainNames
    ? [...Object.values(names), ...extra].map((token) => ({
        content: contentOf(token)!,
        special: true,
        normalized: false,
      }))
    : [];
  return [...base, ...added, ...plain];
}

/**
 * A token of the vocabulary keeps its number, the others have the next ones; the last mention of a content gives the
 * flags.
 */
function numbered(tokens: readonly Token[], ids: ReadonlyMap<string, number>): Token[] {
  const found = new Map<string, Token>();
  let next = ids.size;
  for (const { content, ...flags } of tokens) {
    if (typeof content !== 'string' || content === '') continue;
    const id = ids.get(content) ?? (found.get(content)?.['id'] as number | undefined) ?? next;
    next = Math.max(next, id + 1);
    const special = flags['special'] === true;
    const flag = (name: string): boolean => flags[name] === true;
    found.set(content, {
      id,
      content,
      single_word: flag('single_word'),
      lstrip: flag('lstrip'),
      rstrip: flag('rstrip'),
      normalized: (flags['normalized'] ?? !special) === true,
      special,
    });
  }
  return [...found.values()];
}

function idsOf(model: Json): Map<string, number> {
  const vocab = model['vocab'];
  if (Array.isArray(vocab)) return new Map((vocab as [string, number][]).map(([piece], id) => [piece, id]));
  return new Map(Object.entries((vocab ?? {}) as Record<string, number>));
}

/** BOS before and EOS behind a text, as the settings ask for; null for neither. */
function template(settings: Json, names: Special['names'], added: readonly Token[]): Json | null {
  const token = (key: string): Token | undefined =>
    settings[`add_${key}`] === true ? added.find(({ content }) => content === contentOf(names[key])) : undefined;
  const [bos, eos] = [token('bos_token'), token('eos_token')];
  if (!bos && !eos) return null;
  const part = (some: Token | undefined): Json[] => (some ? [{ SpecialToken: { id: some.content, type_id: 0 } }] : []);
  const text = (id: string): Json => ({ Sequence: { id, type_id: 0 } });
  const around = (id: string): Json[] => [...part(bos), text(id), ...part(eos)];
  return {
    type: 'TemplateProcessing',
    single: around('A'),
    pair: [...around('A'), ...around('B')],
    special_tokens: Object.fromEntries(
      [bos, eos].flatMap((some) =>
        some ? [[some.content, { id: some.content, ids: [some['id']], tokens: [some.content] }]] : [],
      ),
    ),
  };
}

/** Classes that read tokenizer.model. */
const FROM_MODEL = new Set([GENERIC, 'LlamaTokenizer', 'GemmaTokenizer']);

/** What tokenizer.model makes of the folder; null without such a file, or for a class that does not read it. */
function modelIn(folder: string, name: string, settings: Json): ModelFile | null {
  if (!FROM_MODEL.has(name)) return null;
  return fromFile(
    path.join(folder, 'tokenizer.model'),
    (file) => modelFile(readBytes(file, 'tokenizer'), name !== GENERIC, settings),
    'a SentencePiece model, or a list of base64 tokens with ranks (tiktoken)',
  );
}

/** Whatever the class: all models that have such a file are read by it. */
function tekkenIn(folder: string): ModelFile | null {
  return fromFile(
    path.join(folder, 'tekken.json'),
    (file) => tekken(readModelJson(file, 'tokenizer')),
    'the tokenizer of a Mistral model, with config, vocab and special_tokens',
  );
}

/** Null without the file. */
function fromFile(file: string, read: (file: string) => ModelFile, expected: string): ModelFile | null {
  if (!fs.existsSync(file)) return null;
  try {
    return read(file);
  } catch (error) {
    if (error instanceof LayerifError) throw error;
    throw new LayerifError('badModel', `${file} cannot be read: ${faultWords(error)}; expected ${expected}`, {
      place: { file },
      cause: error,
    });
  }
}

function slowFiles(folder: string, name: string): Json {
  const vocab = path.join(folder, 'vocab.json');
  const merges = path.join(folder, 'merges.txt');
  if (!fs.existsSync(vocab) || !fs.existsSync(merges) || !SLOW.has(name)) throw absent(folder, name);
  const tokens = readJsonObject(vocab, 'tokenizer');
  const lines = readModelText(merges, 'tokenizer').split(/\r?\n/);
  const pairs = lines.flatMap((line, i) => {
    if (line === '' || line.startsWith('#version')) return [];
    const parts = line.split(' ');
    if (parts.length === 2) return [parts];
    throw new LayerifError(
      'badModel',
      `${merges}:${i + 1}: ${JSON.stringify(line.slice(0, 60))} is no merge of two parts with a space between them; copy the file of the model again`,
      {
        place: { file: merges, line: i + 1 },
      },
    );
  });
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    post_processor: null,
    model: { type: 'BPE', vocab: tokens, merges: pairs },
  };
}

function absent(folder: string, name: string): LayerifError {
  const others = ['tokenizer.model', 'vocab.txt', 'vocab.json', 'tiktoken.model', 'spiece.model'].filter((some) =>
    fs.existsSync(path.join(folder, some)),
  );
  const seen =
    others.length > 0
      ? ` but ${others.join(', ')}, which ${name === GENERIC ? 'cannot be read alone' : `cannot be read alone for a ${name}`}`
      : '';
  return new LayerifError(
    'badModel',
    `${folder} has no tokenizer.json${seen}; copy the one of the model beside config.json (transformers: tokenizer.save_pretrained)`,
    { place: { file: path.join(folder, 'tokenizer.json') } },
  );
}

function hasBytes(file: Json): boolean {
  const types = (part: unknown): string[] => {
    if (typeof part !== 'object' || part === null) return [];
    const { type, pretokenizers, decoders } = part as Json;
    return [
      typeof type === 'string' ? type : '',
      ...[pretokenizers, decoders].flatMap((list) => (Array.isArray(list) ? list.flatMap(types) : [])),
    ];
  };
  return [file['pre_tokenizer'], file['decoder']].flatMap(types).includes('ByteLevel');
}

const truthy = (value: unknown): boolean =>
  Array.isArray(value)
    ? value.length > 0
    : typeof value === 'object' && value !== null && Object.keys(value).length > 0;
const listOf = (value: unknown): Token[] =>
  (Array.isArray(value) ? value : []).map((item) => (typeof item === 'string' ? { content: item } : (item as Token)));
