/**
 * Which class transformers 5 gives a folder's tokenizer, and what the class makes of it. Most take tokenizer.json as it
 * is; those of the table below keep its vocabulary, merges and post-processor alone and set the rest themselves
 * (transformers 5.24: models/auto/tokenization_auto.py and each model's tokenization file).
 */
import { lookup } from '../text/lookup.ts';
type Json = Record<string, unknown>;

/** The class that takes tokenizer.json as it is. */
export const GENERIC = 'TokenizersBackend';

/** model_type -> the class that is meant for it, where there is one. */
const registered: Readonly<Record<string, string>> = {
  gpt2: 'GPT2Tokenizer',
  gpt_neo: 'GPT2Tokenizer',
  gptj: 'GPT2Tokenizer',
  opt: 'GPT2Tokenizer',
  phi: 'GPT2Tokenizer',
  starcoder2: 'GPT2Tokenizer',
  gpt_neox: 'GPTNeoXTokenizer',
  olmo: 'GPTNeoXTokenizer',
  olmoe: 'GPTNeoXTokenizer',
  mpt: 'GPTNeoXTokenizer',
  qwen2: 'Qwen2Tokenizer',
  qwen2_moe: 'Qwen2Tokenizer',
  qwen3: 'Qwen2Tokenizer',
  qwen3_moe: 'Qwen2Tokenizer',
  gemma: 'GemmaTokenizer',
  gemma2: 'GemmaTokenizer',
  gemma3: 'GemmaTokenizer',
  gemma3_text: 'GemmaTokenizer',
  cohere: 'CohereTokenizer',
  cohere2: 'CohereTokenizer',
  mistral: GENERIC,
  ministral: GENERIC,
  mixtral: GENERIC,
  olmo2: GENERIC,
  olmo3: GENERIC,
  stablelm: GENERIC,
  phi3: GENERIC,
  granite: GENERIC,
  gpt_bigcode: GENERIC,
};

/** Whose settings name a class that is not theirs. */
const wronglyNamed = new Set(['phi3', 'qwen2']);

/** Classes without rules of their own. */
const generic = new Set([GENERIC, 'PreTrainedTokenizer', 'PythonBackend']);

/** @param named `tokenizer_class` of tokenizer_config.json, else of config.json */
export function tokenizerClass(modelType: string, named: string | undefined, bytes: boolean): string {
  const own = lookup(registered, modelType);
  const wanted = named?.replace(/Fast$/, '');
  if (wanted === 'LlamaTokenizer' && !wronglyNamed.has(modelType) && bytes) return GENERIC;
  if (wanted === undefined) return own ?? GENERIC;
  if (own !== undefined && own !== wanted) {
    if (own === GENERIC) return GENERIC;
    return wronglyNamed.has(modelType) ? own : plain(wanted);
  }
  return plain(wanted);
}

const plain = (name: string): string => (generic.has(name) ? GENERIC : name);

export interface Rebuilt {
  /** Beside vocabulary and merges. */
  model: Json;
  normalizer: Json | null;
  preTokenizer: Json;
  /** Special tokens that the class has when the files name none. */
  names: Readonly<Record<string, string>>;
  /** A post-processor of BOS and EOS takes the place of the file's. */
  ownPostProcessor?: boolean;
  /** Special tokens lose their flags. */
  plainNames?: boolean;
}

const MARK = '▁';
const byteLevel = (prefix: unknown, regex: boolean): Json => ({
  type: 'ByteLevel',
  add_prefix_space: prefix === true,
  trim_offsets: true,
  use_regex: regex,
});
const NFC: Json = { type: 'NFC' };
const bytes: Json = { fuse_unk: false, byte_fallback: false, unk_token: null };
const endoftext = { unk_token: '<|endoftext|>', bos_token: '<|endoftext|>', eos_token: '<|endoftext|>' };
const words =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

const gpt2 = (settings: Json): Rebuilt => ({
  model: bytes,
  normalizer: null,
  preTokenizer: byteLevel(settings['add_prefix_space'], true),
  names: endoftext,
});

/** Class -> what it makes of the settings. */
const rebuilt: Readonly<Record<string, (settings: Json) => Rebuilt>> = {
  GPT2Tokenizer: gpt2,
  CodeGenTokenizer: gpt2,
  GPTNeoXTokenizer: (settings) => ({
    ...gpt2(settings),
    normalizer: NFC,
    names: { ...endoftext, pad_token: '<|padding|>' },
    ownPostProcessor: true,
  }),
  Qwen2Tokenizer: (settings) => ({
    model: bytes,
    normalizer: NFC,
    preTokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: words }, behavior: 'Isolated', invert: false },
        byteLevel(settings['add_prefix_space'], false),
      ],
    },
    names: { unk_token: '<|endoftext|>', eos_token: '<|endoftext|>', pad_token: '<|endoftext|>' },
    plainNames: true,
  }),
  CohereTokenizer: (settings) => ({
    model: bytes,
    normalizer: NFC,
    preTokenizer: {
      type: 'Sequence',
      pretokenizers: [{ type: 'Digits', individual_digits: true }, byteLevel(settings['add_prefix_space'], true)],
    },
    names: {
      unk_token: '<UNK>',
      bos_token: '<BOS_TOKEN>',
      eos_token: '<|END_OF_TURN_TOKEN|>',
      pad_token: '<PAD>',
      cls_token: '<CLS>',
      sep_token: '<SEP>',
      mask_token: '<MASK_TOKEN>',
    },
  }),
  GemmaTokenizer: (settings) => {
    const names = {
      unk_token: '<unk>',
      bos_token: '<bos>',
      eos_token: '<eos>',
      pad_token: '<pad>',
      mask_token: '<mask>',
    };
    return {
      model: { fuse_unk: true, byte_fallback: true, unk_token: contentOf(settings['unk_token']) ?? names.unk_token },
      normalizer: { type: 'Replace', pattern: { String: ' ' }, content: MARK },
      preTokenizer: { type: 'Split', pattern: { String: ' ' }, behavior: 'MergedWithPrevious', invert: false },
      names,
    };
  },
  LlamaTokenizer: (settings) => {
    const prefix = (settings['add_prefix_space'] ?? true) === true;
    const scheme = settings['legacy'] === true ? 'always' : 'first';
    return {
      model: { fuse_unk: true, byte_fallback: true, unk_token: null },
      normalizer: null,
      preTokenizer: { type: 'Metaspace', replacement: MARK, prepend_scheme: prefix ? scheme : 'never', split: false },
      names: { unk_token: '<unk>', bos_token: '<s>', eos_token: '</s>' },
    };
  },
};

/** Null for a class that takes tokenizer.json as it is. */
export function rebuiltBy(name: string, settings: Json): Rebuilt | null {
  return lookup(rebuilt, name)?.(settings) ?? null;
}

/** A token stands as text or as an object with its flags. */
export function contentOf(token: unknown): string | undefined {
  if (typeof token === 'string') return token;
  const content = typeof token === 'object' && token !== null ? (token as Json)['content'] : undefined;
  return typeof content === 'string' ? content : undefined;
}
