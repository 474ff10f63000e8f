/**
 * `tokenizer.json` and `tokenizer_config.json` rebuilt from the metadata of a GGUF file: one row per kind of vocabulary
 * (`tokenizer.ggml.model`), one per way of splitting text before the merges (`tokenizer.ggml.pre`).
 *
 * A way of splitting is only named in the file, so a row here has to repeat what the model's own tokenizer.json says. To add one:
 * a row in `preTokenizers`, and its ids in test/reference/gguf/make.py.
 */
import type { Metadata } from './ggufMetadata.ts';
import { sentencePiece } from './ggufSentencePiece.ts';
import { kinds, vocabularyMap } from './ggufVocabulary.ts';
import type { Json, TokenizerParts, Vocabulary } from './ggufVocabulary.ts';

const models: Readonly<Record<string, (vocabulary: Vocabulary) => TokenizerParts>> = {
  gpt2: byteLevelBpe,
  llama: sentencePiece,
};

const byteLevel = (regex: boolean): Json => ({
  type: 'ByteLevel',
  add_prefix_space: false,
  trim_offsets: true,
  use_regex: regex,
});
const sequence = (...pretokenizers: Json[]): Json => ({ type: 'Sequence', pretokenizers });
const split = (pattern: string): Json => ({
  type: 'Split',
  pattern: { Regex: pattern },
  behavior: 'Isolated',
  invert: false,
});

const gpt2: Json = byteLevel(true);
const llama3 =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

/** Words end where a capital begins another: o200k_base, and Tekken with each digit for itself and no English endings. */
function cased(ending: string, digits: string): string {
  const [upper, lower] = ['[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]', '[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]'];
  const before = '[^\\r\\n\\p{L}\\p{N}]?';
  const words = `${before}${upper}*${lower}+${ending}|${before}${upper}+${lower}*${ending}`;
  return `${words}|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;
}

interface PreTokenizer {
  split: Json;
  normalizer?: Json;
  /** A word that is a token needs no merges. */
  ignoreMerges?: boolean;
  addsBos?: boolean;
}

const llamaBpe: PreTokenizer = { split: sequence(split(llama3), byteLevel(false)), ignoreMerges: true, addsBos: true };

/** GPT-NeoX's, which Pythia, OLMo and StableLM 3B have. */
const neox: PreTokenizer = { split: gpt2, normalizer: { type: 'NFC' } };
/** As Llama 3, with each digit for itself. */
const qwen2: PreTokenizer = {
  split: sequence(split(llama3.replace('{1,3}', '')), byteLevel(false)),
  normalizer: { type: 'NFC' },
};
/** Llama 3's way of splitting on cl100k_base: OLMo 2, Phi-4. */
const dbrx: PreTokenizer = { split: sequence(split(llama3), byteLevel(false)) };

export const preTokenizers: Readonly<Record<string, PreTokenizer>> = {
  default: { split: gpt2 },
  'gpt-2': { split: gpt2 },
  'phi-2': { split: gpt2 },
  olmo: neox,
  mpt: neox,
  smollm: { split: sequence({ type: 'Digits', individual_digits: true }, gpt2) },
  falcon: {
    split: sequence(
      { type: 'Punctuation', behavior: 'Contiguous' },
      gpt2,
      { type: 'Digits', individual_digits: false },
      split('[0-9][0-9][0-9]'),
    ),
  },
  'llama-bpe': llamaBpe,
  llama3: llamaBpe,
  'llama-v3': llamaBpe,
  dbrx,
  'smaug-bpe': dbrx,
  qwen2,
  stablelm2: qwen2,
  'gpt-4o': { split: sequence(split(cased("(?i:'s|'t|'re|'ve|'m|'ll|'d)?", '\\p{N}{1,3}')), byteLevel(false)) },
  tekken: {
    split: sequence(split(cased('', '\\p{N}')), byteLevel(false)),
    ignoreMerges: true,
    addsBos: true,
  },
};

/** @throws LayerifError `badModel`: no vocabulary, a kind or a way of splitting that is not in the tables */
export function rebuildTokenizer(metadata: Metadata): { tokenizerJson: Json; tokenizerConfig: Json } {
  const key = (name: string): string => `tokenizer.ggml.${name}`;
  const kind = metadata.required(key('model'), metadata.text(key('model')));
  if (!Object.hasOwn(models, kind)) throw unknownTokenizer(metadata, 'vocabulary', kind, Object.keys(models));
  const tokens = metadata.required(key('tokens'), metadata.texts(key('tokens')));
  const vocabulary: Vocabulary = {
    metadata,
    tokens,
    kinds: metadata.numbers(key('token_type')) ?? new Uint8Array(tokens.length).fill(kinds.normal),
  };
  if (vocabulary.kinds.length !== tokens.length) {
    throw metadata.error(`it has ${tokens.length} tokens and ${vocabulary.kinds.length} token types`);
  }
  const parts = models[kind](vocabulary);

  const idOf = (name: string) => metadata.index(key(`${name}_token_id`), tokens.length);
  const contentOf = (name: string): string | null => {
    const id = idOf(name);
    return id === undefined ? null : tokens[id];
  };
  const [bos, eos] = [idOf('bos'), idOf('eos')];
  const first = (metadata.flag(key('add_bos_token')) ?? parts.addsBos) && bos !== undefined ? [bos] : [];
  const last = metadata.flag(key('add_eos_token')) && eos !== undefined ? [eos] : [];
  return {
    tokenizerJson: {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: addedTokens(vocabulary),
      normalizer: parts.normalizer,
      pre_tokenizer: parts.preTokenizer,
      post_processor: first.length + last.length > 0 ? template(tokens, first, last) : null,
      decoder: parts.decoder,
      model: parts.model,
    },
    tokenizerConfig: {
      tokenizer_class: 'PreTrainedTokenizerFast',
      clean_up_tokenization_spaces: false,
      bos_token: contentOf('bos'),
      eos_token: contentOf('eos'),
      unk_token: contentOf('unknown'),
      pad_token: contentOf('padding'),
      add_bos_token: first.length > 0,
      add_eos_token: last.length > 0,
      chat_template: metadata.text('tokenizer.chat_template') ?? null,
    },
  };
}

function byteLevelBpe({ metadata, tokens }: Vocabulary): TokenizerParts {
  const name = metadata.text('tokenizer.ggml.pre') ?? 'default';
  if (!Object.hasOwn(preTokenizers, name))
    throw unknownTokenizer(metadata, 'pre-tokenizer', name, Object.keys(preTokenizers));
  const pre = preTokenizers[name];
  const merges = metadata.required('tokenizer.ggml.merges', metadata.texts('tokenizer.ggml.merges'));
  return {
    normalizer: pre.normalizer ?? null,
    preTokenizer: pre.split,
    decoder: byteLevel(true),
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: pre.ignoreMerges ?? false,
      vocab: vocabularyMap(tokens),
      merges: merges.map((merge) => {
        const at = merge.indexOf(' ', 1); // in byte-level words a space is another character
        if (at < 0)
          throw metadata.error(`merge ${JSON.stringify(merge)} of its tokenizer has no space between two parts`);
        return [merge.slice(0, at), merge.slice(at + 1)];
      }),
    },
    addsBos: pre.addsBos ?? false,
  };
}

/** Tokens that are found in a text before anything else happens to it. */
function addedTokens({ tokens, kinds: all }: Vocabulary): Json[] {
  return tokens.flatMap((content, id) => {
    const special = all[id] === kinds.control || all[id] === kinds.unknown;
    if (!special && all[id] !== kinds.userDefined) return [];
    return [{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special }];
  });
}

/** Puts tokens before and behind every text. */
function template(tokens: readonly string[], first: number[], last: number[]): Json {
  const token = (id: number): Json => ({ SpecialToken: { id: tokens[id], type_id: 0 } });
  const text = (id: string): Json => ({ Sequence: { id, type_id: 0 } });
  const around = (id: string): Json[] => [...first.map(token), text(id), ...last.map(token)];
  return {
    type: 'TemplateProcessing',
    single: around('A'),
    pair: [...around('A'), ...around('B')],
    special_tokens: Object.fromEntries(
      [...first, ...last].map((id) => [tokens[id], { id: tokens[id], ids: [id], tokens: [tokens[id]] }]),
    ),
  };
}

function unknownTokenizer(metadata: Metadata, what: string, name: string, known: string[]): Error {
  return metadata.error(
    `its tokenizer has the ${what} "${name}", which cannot be rebuilt (known: ${known.join(', ')}); take the Hugging Face folder, which has a tokenizer.json`,
  );
}
