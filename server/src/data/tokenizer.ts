/**
 * Text -> token ids, by the checkpoint's own `tokenizer.json`, with the special tokens that its post-processor adds and no others.
 * Wraps `@huggingface/tokenizers`, whose `decode` cleans up spaces unless it is told not to, and whose Unigram model overflows the
 * stack on long texts.
 */
import { Tokenizer } from '@huggingface/tokenizers';
import { LayerifError } from '../../../protocol/errors.ts';

/** As in `Checkpoint.tokenizer()`. */
export interface TokenizerFiles {
  tokenizerJson: Record<string, unknown>;
  tokenizerConfig: Record<string, unknown>;
}

export interface TextTokenizer {
  /** Token ids of the whole text, special tokens included. */
  encode(text: string): Int32Array;
  /** The first `limit` ids of `encode(text)` and whether there are more; does not encode all of a long text. */
  encodeStart(text: string, limit: number): { tokens: Int32Array; truncated: boolean };
  /** Number of ids that `text` takes at the start of a longer text: special tokens before it count, those after it do not. */
  promptLength(text: string): number;
  decode(tokens: Int32Array | readonly number[]): string;
  /** Token ids without any special tokens. */
  encodePlain(text: string): Int32Array;
  /** What stands before the first token of a text that is predicted from nothing: BOS, else EOS; null when there is neither. */
  prefix: number | null;
}

/** Characters above which the Unigram model is not given a text at once. */
export const LONGEST_UNIGRAM_TEXT = 100_000;
/** Characters of the library's own words in an error: they may repeat a piece of a damaged file. */
const LONGEST_REASON = 300;
/** Ids at the end of a cut text that may differ from those of the whole. */
const CUT_MARGIN_TOKENS = 64;
/** Characters that are tried first for each wanted id. */
const CHARACTERS_PER_TOKEN = 16;

/** @throws LayerifError `badModel` when the library cannot build this tokenizer. */
export function createTokenizer(files: TokenizerFiles): TextTokenizer {
  const tokenizer = build(files);
  const unigram = (files.tokenizerJson['model'] as { type?: string } | undefined)?.type === 'Unigram';

  const ids = (text: string, specialTokens: boolean): Int32Array => {
    if (unigram && text.length > LONGEST_UNIGRAM_TEXT) {
      throw new LayerifError(
        'badData',
        `a text of ${text.length} characters is too long for a Unigram tokenizer; split it into rows of at most ${LONGEST_UNIGRAM_TEXT} characters`,
      );
    }
    // Symbols outside a vocabulary without unknown token have no id; Python drops them too.
    const encoded = tokenizer.encode(text, { add_special_tokens: specialTokens }).ids as (number | undefined)[];
    return Int32Array.from(encoded.filter((id): id is number => id !== undefined && id !== null));
  };

  const suffix = specialSuffix(ids);
  return {
    encode: (text) => ids(text, true),
    encodeStart(text, limit) {
      for (let length = Math.max(4096, CHARACTERS_PER_TOKEN * limit); length < text.length; length *= 2) {
        const tokens = ids(text.slice(0, cutBefore(text, length)), true);
        if (tokens.length >= limit + CUT_MARGIN_TOKENS) return { tokens: tokens.slice(0, limit), truncated: true };
      }
      const tokens = ids(text, true);
      return { tokens: tokens.slice(0, limit), truncated: tokens.length > limit };
    },
    promptLength: (text) => ids(text, true).length - suffix,
    decode: (tokens) => (tokens.length === 0 ? '' : tokenizer.decode(Array.from(tokens))),
    encodePlain: (text) => ids(text, false),
    prefix: specialToken(tokenizer, files.tokenizerConfig, ['bos_token', 'eos_token']),
  };
}

function build({ tokenizerJson, tokenizerConfig }: TokenizerFiles): Tokenizer {
  const parts = {
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
    decoder: null,
    added_tokens: [],
    ...tokenizerJson,
  };
  try {
    // Python's tokenizers never cleans up unless told to; the JavaScript default is the other way round.
    return new Tokenizer(parts, {
      ...tokenizerConfig,
      clean_up_tokenization_spaces: tokenizerConfig['clean_up_tokenization_spaces'] ?? false,
    });
  } catch (error) {
    throw new LayerifError(
      'badModel',
      `the tokenizer cannot be used: ${(error instanceof Error ? error.message : String(error)).slice(0, LONGEST_REASON)}; tokenizer.json must be a file of the Hugging Face tokenizers library`,
      { cause: error },
    );
  }
}

/** Id of the first of these tokens that the configuration names. */
function specialToken(
  tokenizer: Tokenizer,
  tokenizerConfig: TokenizerFiles['tokenizerConfig'],
  keys: string[],
): number | null {
  for (const key of keys) {
    const named = tokenizerConfig[key];
    const content = typeof named === 'string' ? named : (named as { content?: unknown } | null | undefined)?.content;
    const id = typeof content === 'string' ? tokenizer.token_to_id(content) : undefined;
    if (id !== undefined) return id;
  }
  return null;
}

/** Special tokens that the post-processor puts behind a text, as BERT's [SEP]. */
function specialSuffix(ids: (text: string, specialTokens: boolean) => Int32Array): number {
  const plain = ids('a', false);
  const full = ids('a', true);
  for (let start = 0; start + plain.length <= full.length; start += 1) {
    if (plain.every((id, i) => full[start + i] === id)) return full.length - start - plain.length;
  }
  return 0;
}

/** The last white space before `length`, so that no word is cut; never inside a surrogate pair. */
function cutBefore(text: string, length: number): number {
  for (let at = length; at > length - 256; at -= 1) if (/\s/.test(text[at])) return at;
  return /[\uDC00-\uDFFF]/.test(text[length]) ? length - 1 : length;
}
