/**
 * `tekken.json` of Mistral -> the parts of a tokenizer.json: the special tokens first, then byte ranks (mistral-common
 * 1.13: tokens/tokenizers/tekken.py). A text begins with BOS, as there. Special tokens that a text spells out are
 * found, as in the tokenizer.json of the same models and in transformers' conversion; mistral-common takes them for
 * text.
 */
import * as z from 'zod';
import type { ModelFile } from './modelFile.ts';
import { byteDecoder, byteWords, ofByteRanks } from './byteRanks.ts';
import { nth } from '../lists/nth.ts';

const file = z.object({
  config: z.object({
    pattern: z.string(),
    default_vocab_size: z.int().positive().nullish(),
    default_num_special_tokens: z.int().nonnegative().nullish(),
  }),
  /** In the order of their ranks. */
  vocab: z.array(z.object({ rank: z.int(), token_bytes: z.base64() })),
  special_tokens: z.array(z.object({ rank: z.int(), token_str: z.string() })).nullish(),
});

/** Of files before version 11, which do not name them. */
const OLDER =
  '<unk> <s> </s> [INST] [/INST] [AVAILABLE_TOOLS] [/AVAILABLE_TOOLS] [TOOL_RESULTS] [/TOOL_RESULTS] [TOOL_CALLS] [IMG] <pad> [IMG_BREAK] [IMG_END] [PREFIX] [MIDDLE] [SUFFIX] [SYSTEM_PROMPT] [/SYSTEM_PROMPT] [TOOL_CONTENT]';
const NAMES = { bos_token: '<s>', eos_token: '</s>', pad_token: '<pad>', unk_token: '<unk>' };

/** @throws Error for a file that is none */
export function tekken(content: unknown): ModelFile {
  const parsed = file.safeParse(content);
  if (!parsed.success) {
    const { path, message } = nth(parsed.error.issues, 0);
    throw new Error(`${path.join('.') || 'the file'}: ${message}`);
  }
  const { config, vocab, special_tokens: named } = parsed.data;
  const special = named ? byRank(named) : OLDER.split(' ');
  const places = config.default_num_special_tokens ?? special.length;
  if (special.length > places) throw new Error(`it names ${special.length} special tokens, and has ${places} places`);
  for (let i = special.length; i < places; i += 1) special.push(`<SPECIAL_${i}>`);
  // The vocabulary in the file is longer than what is used of it.
  const size = (config.default_vocab_size ?? places + vocab.length) - places;
  if (size > vocab.length) throw new Error(`it says ${size} tokens beside the special ones, and holds ${vocab.length}`);
  const ranks = new Map(
    vocab.slice(0, size).map(({ token_bytes }, rank) => [Buffer.from(token_bytes, 'base64').toString('latin1'), rank]),
  );
  const model = ofByteRanks(ranks, places);
  const ids = Object.fromEntries(special.map((token, id) => [token, id]));
  return {
    json: {
      model: { ...model, vocab: { ...(model['vocab'] as Record<string, number>), ...ids } },
      normalizer: null,
      pre_tokenizer: byteWords(config.pattern),
      decoder: byteDecoder,
      post_processor: null,
      added_tokens: special.map((content) => ({ content, normalized: false, special: true })),
    },
    extra: null,
    names: Object.fromEntries(Object.entries(NAMES).filter(([, token]) => special.includes(token))),
    settings: { add_bos_token: true },
    whole: true,
    rawAdded: false,
  };
}

function byRank(tokens: readonly { rank: number; token_str: string }[]): string[] {
  const sorted = [...tokens].sort((a, b) => a.rank - b.rank);
  const gap = sorted.findIndex(({ rank }, i) => rank !== i);
  if (gap >= 0)
    throw new Error(`special_tokens: their ranks are not 0 to ${sorted.length - 1}; ${gap} is missing or twice`);
  return sorted.map(({ token_str }) => token_str);
}
