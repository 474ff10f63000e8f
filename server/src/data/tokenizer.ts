/**
 * Text -> token ids, by the checkpoint's own `tokenizer.json`, with the special tokens that its post-processor adds and
 * no others: special tokens in the text, normaliser, pre-tokenizer, model, post-processor, each in `tokenizers/` as
 * Python's library has it (test/reference/tokenizers holds its ids). Ids -> text is left to `@huggingface/tokenizers`,
 * which cleans up spaces unless it is told not to.
 */
import { Tokenizer } from '@huggingface/tokenizers';
import { LayerifError } from '../../../protocol/errors.ts';
import { ourWords } from '../text/languageErrors.ts';
import { addedTokens, TokenFinder } from './tokenizers/addedTokens.ts';
import type { Json } from './tokenizers/json.ts';
import { modelOf } from './tokenizers/models.ts';
import { normalizerOf } from './tokenizers/normalizers.ts';
import { around } from './tokenizers/postProcessors.ts';
import { patternsIn, mayBacktrack } from './tokenizers/patterns.ts';
import { preTokenizerOf } from './tokenizers/preTokenizers.ts';
import { inTime, TooSlow } from '../text/inTime.ts';

/** As in `Checkpoint.tokenizer()`. */
export interface TokenizerFiles {
  tokenizerJson: Record<string, unknown>;
  tokenizerConfig: Record<string, unknown>;
  /** What the file leaves open and how it was taken. */
  warnings?: readonly string[];
  /** Folder or file that it comes from, for messages. */
  source?: string;
}

export interface TextTokenizer {
  /** Token ids of the whole text, special tokens included. */
  encode(text: string): Int32Array;
  /** The first `limit` ids of `encode(text)` and whether there are more; does not encode all of a long text. */
  encodeStart(text: string, limit: number): { tokens: Int32Array; truncated: boolean };
  /**
   * Number of ids that `text` takes at the start of a longer text: special tokens before it count, those after it do
   * not.
   */
  promptLength(text: string): number;
  decode(tokens: Int32Array | readonly number[]): string;
  /** Without special tokens, as a generated text is shown. */
  decodeText(tokens: Int32Array | readonly number[]): string;
  /** Id of a token that is written like this; null where there is none. */
  idOf(content: string): number | null;
  /** Token ids without any special tokens. */
  encodePlain(text: string): Int32Array;
  /**
   * What stands before the first token of a text that is predicted from nothing: BOS, else EOS; null when there is
   * neither.
   */
  prefix: number | null;
  /** `prefix` as it stands in a text. */
  prefixText: string | null;
  /** The end of a text as it is written (`eos_token`); null where there is none. */
  endText: string | null;
  /** The first token that `encode` puts before a text; null when it puts none. */
  begins: number | null;
  /** What the checkpoint leaves open about its tokens. */
  warnings: readonly string[];
}

/** Characters of a pattern that a message shows. */
const LONGEST_PATTERN = 60;
/** Characters of the library's own words in an error: they may repeat a piece of a damaged file. */
const LONGEST_REASON = 300;
/** Ids at the end of a cut text that may differ from those of the whole. */
const CUT_MARGIN_TOKENS = 64;
/** Characters that are tried first for each wanted id. */
const CHARACTERS_PER_TOKEN = 16;

/**
 * @param seconds that patterns may take for a text, beside what a long one takes
 * @throws LayerifError `badModel` for a tokenizer.json that asks for what is not known
 */
export function createTokenizer(
  { tokenizerJson, tokenizerConfig, warnings = [], source }: TokenizerFiles,
  seconds = PATTERN_SECONDS,
): TextTokenizer {
  const usable = usableOf(source);
  const { plain, before, behind, idOf, contents } = usable(() =>
    pipeline(tokenizerJson, tokenizerConfig['split_special_tokens'] === true),
  );
  const patterns = patternsIn([tokenizerJson['normalizer'], tokenizerJson['pre_tokenizer']]);
  const watched = patterns.some(mayBacktrack);
  const ids = (text: string): number[] =>
    usable(() => {
      if (!watched && text.length < LONG_TEXT) return plain(text);
      return bounded(text, patterns, seconds + text.length / CHARACTERS_A_SECOND, () => plain(text));
    });
  const encode = (text: string): Int32Array => Int32Array.from([...before, ...ids(text), ...behind]);

  const prefix = specialToken(idOf, tokenizerConfig, ['bos_token', 'eos_token']);
  const special = new Set(
    addedTokens((tokenizerJson['added_tokens'] ?? []) as unknown[], contents)
      .filter((token) => token.special)
      .map(({ id }) => id),
  );
  let decoder: Tokenizer | undefined;
  const decode = (tokens: Int32Array | readonly number[]): string => {
    if (tokens.length === 0) return '';
    decoder ??= usable(() => decoderOf(tokenizerJson, tokenizerConfig, contents));
    return decoder.decode(Array.from(tokens));
  };
  return {
    encode,
    encodeStart(text, limit) {
      for (let length = Math.max(4096, CHARACTERS_PER_TOKEN * limit); length < text.length; length *= 2) {
        const tokens = encode(text.slice(0, cutBefore(text, length)));
        if (tokens.length >= limit + CUT_MARGIN_TOKENS) return { tokens: tokens.slice(0, limit), truncated: true };
      }
      const tokens = encode(text);
      return { tokens: tokens.slice(0, limit), truncated: tokens.length > limit };
    },
    promptLength: (text) => before.length + ids(text).length,
    decode,
    decodeText: (tokens) => decode(Array.from(tokens).filter((token) => !special.has(token))),
    idOf: (content) => idOf(content) ?? null,
    encodePlain: (text) => Int32Array.from(ids(text)),
    prefix: prefix === null ? null : (idOf(prefix) ?? null),
    prefixText: prefix,
    endText: specialToken(idOf, tokenizerConfig, ['eos_token']),
    begins: before[0] ?? null,
    warnings,
  };
}

interface Pipeline {
  /** Ids without those that are added. */
  plain: (text: string) => number[];
  before: number[];
  behind: number[];
  idOf: (token: string) => number | undefined;
  contents: Map<string, number>;
}

/** @param splits whether special tokens that a text spells out are text (`split_special_tokens`) */
function pipeline(json: Json, splits: boolean): Pipeline {
  const part = (name: string): Json | null => (json[name] ?? null) as Json | null;
  const model = modelOf(part('model') ?? {});
  const normalize = normalizerOf(part('normalizer'));
  const words = preTokenizerOf(part('pre_tokenizer'));
  const added = addedTokens((json['added_tokens'] ?? []) as unknown[], model.vocab);
  const finder = (normalized: boolean, look: (content: string) => string): TokenFinder => {
    const some = added.filter((token) => token.normalized === normalized);
    return new TokenFinder(
      some,
      some.map(({ content }) => look(content)),
      splits,
    );
  };
  const asTheyAre = finder(false, (content) => content);
  const normalized = finder(true, normalize);
  const contents = new Map([...model.vocab, ...added.map(({ content, id }) => [content, id] as const)]);

  /**
   * Whether the normaliser takes the first character away: what is left does not stand at the start of the text, then.
   */
  const vanishes = (text: string): boolean => {
    const character = String.fromCodePoint(text.codePointAt(0)!);
    return normalize(character) === '' && normalize(text) === normalize(text.slice(character.length));
  };
  const plain = (text: string): number[] => {
    const ids: number[] = [];
    // Half a pair of surrogates has no UTF-8.
    for (const section of asTheyAre.split(text.replace(/\p{Surrogate}/gu, '\ufffd'))) {
      if ('token' in section) {
        ids.push(section.token);
        continue;
      }
      for (const piece of normalized.split(normalize(section.text))) {
        if ('token' in piece) {
          ids.push(piece.token);
          continue;
        }
        const first = section.start === 0 && piece.start === 0 && !vanishes(section.text);
        for (const word of words({ text: piece.text, first })) for (const id of model.encode(word.text)) ids.push(id);
      }
    }
    return ids;
  };
  return { plain, ...around(part('post_processor')), idOf: (token) => contents.get(token), contents };
}

/** The library decodes by the vocabulary and the decoder alone. */
function decoderOf(json: Json, config: Json, contents: ReadonlyMap<string, number>): Tokenizer {
  const model = (json['model'] ?? {}) as Json;
  const tokenizer = new Tokenizer(
    {
      added_tokens: [],
      decoder: null,
      ...json,
      normalizer: null,
      pre_tokenizer: null,
      post_processor: null,
      model: { type: 'WordPiece', vocab: Object.fromEntries(contents), unk_token: model['unk_token'] },
    },
    // Python's tokenizers never cleans up unless told to; the JavaScript default is the other way round.
    { ...config, clean_up_tokenization_spaces: config['clean_up_tokenization_spaces'] ?? false },
  );
  const suffix = model['end_of_word_suffix'];
  if (suffix && tokenizer.decoder) Object.assign(tokenizer.decoder, { end_of_word_suffix: suffix });
  return tokenizer;
}

/** A pattern takes time of the square of white space even when it is meant well: longer texts are watched. */
const LONG_TEXT = 1000;
const PATTERN_SECONDS = 20;
/** A tenth of what is made when all is well. */
const CHARACTERS_A_SECOND = 100_000;

/** @throws LayerifError `badModel` for patterns that do not come to an end */
function bounded<T>(text: string, patterns: readonly string[], seconds: number, work: () => T): T {
  try {
    return inTime(seconds, work);
  } catch (error) {
    if (!(error instanceof TooSlow)) throw error;
    const shown = patterns.map((pattern) => JSON.stringify(pattern.slice(0, LONGEST_PATTERN))).join(', ');
    throw new LayerifError(
      'badModel',
      `the tokenizer takes longer than ${Math.round(seconds)} s for a text of ${text.length} characters: a pattern of its normalizer or pre_tokenizer backtracks (${shown || 'none of its own'}); write it without nested repetition, or cut the text`,
      { cause: error },
    );
  }
}

/** Runs work on a tokenizer's file. @throws LayerifError `badModel` for whatever goes wrong in it */
function usableOf(source?: string): <T>(work: () => T) => T {
  const from = source === undefined ? '' : `${source}: `;
  return (work) => {
    try {
      return work();
    } catch (error) {
      if (error instanceof LayerifError) throw error;
      const reason = (error instanceof Error ? ourWords(error) : String(error)).slice(0, LONGEST_REASON);
      throw new LayerifError(
        'badModel',
        `${from}the tokenizer cannot be used: ${reason}; tokenizer.json must be a file of the Hugging Face tokenizers library`,
        { cause: error },
      );
    }
  };
}

/** The first of these tokens that the configuration names. */
function specialToken(
  idOf: Pipeline['idOf'],
  tokenizerConfig: TokenizerFiles['tokenizerConfig'],
  keys: string[],
): string | null {
  for (const key of keys) {
    const named = tokenizerConfig[key];
    const content = typeof named === 'string' ? named : (named as { content?: unknown } | null | undefined)?.content;
    if (typeof content === 'string' && idOf(content) !== undefined) return content;
  }
  return null;
}

/** The last white space before `length`, so that no word is cut; never inside a surrogate pair. */
function cutBefore(text: string, length: number): number {
  for (let at = length; at > length - 256; at -= 1) if (/\s/.test(text.charAt(at))) return at;
  return /[\uDC00-\uDFFF]/.test(text.charAt(length)) ? length - 1 : length;
}
