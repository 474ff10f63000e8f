/**
 * tokenizer.json rebuilt from GGUF metadata, for byte-level BPE (`tokenizer.ggml.model` = gpt2). SentencePiece vocabularies carry
 * scores instead of merges and need the original tokenizer.json.
 */
import { LayerifError } from '../../../protocol/errors.ts';
import type { GgufFile, GgufValue } from './gguf.ts';

type Json = Record<string, unknown>;

const byteLevel: Json = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
const split = (pattern: string): Json => ({
  type: 'Sequence',
  pretokenizers: [
    { type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false },
    { ...byteLevel, use_regex: false },
  ],
});

/** llama.cpp's pre-tokenizer names (`tokenizer.ggml.pre`). */
export const preTokenizers: Readonly<Record<string, Json>> = {
  default: byteLevel,
  'gpt-2': byteLevel,
  smollm: { type: 'Sequence', pretokenizers: [{ type: 'Digits', individual_digits: true }, byteLevel] },
  'llama-bpe': split(
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  ),
  qwen2: split(
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  ),
};

const CONTROL = 3;
const USER_DEFINED = 4;

/** @throws LayerifError `badModel` for a vocabulary that cannot be rebuilt */
export function tokenizerOf(gguf: GgufFile): { tokenizerJson: Json; tokenizerConfig: Json } {
  const fail = (what: string): never => {
    throw new LayerifError('badModel', `${gguf.file}: ${what}; use the Hugging Face folder of the model instead`);
  };
  const meta = (key: string): GgufValue | undefined => gguf.metadata.get(`tokenizer.ggml.${key}`);
  const model = meta('model');
  if (model !== 'gpt2') {
    fail(
      `the tokenizer "${String(model)}" cannot be rebuilt from GGUF metadata (supported: gpt2, which is byte-level BPE)`,
    );
  }
  const pre = String(meta('pre') ?? 'default');
  const preTokenizer =
    preTokenizers[pre] ??
    fail(`the pre-tokenizer "${pre}" is unknown (supported: ${Object.keys(preTokenizers).join(', ')})`);
  const tokens = meta('tokens');
  const types = meta('token_type');
  const merges = meta('merges');
  if (!Array.isArray(tokens) || !Array.isArray(merges)) return fail('it has no tokens or no merges');
  const content = (id: number) => String(tokens[id]);

  const added = tokens.flatMap((_, id) => {
    const type = Array.isArray(types) ? Number(types[id]) : 1;
    if (type !== CONTROL && type !== USER_DEFINED) return [];
    const token = { id, content: content(id), single_word: false, lstrip: false, rstrip: false, normalized: false };
    return [{ ...token, special: type === CONTROL }];
  });
  const special = (key: string): string | undefined => {
    const id = meta(key);
    return id === undefined ? undefined : content(Number(id));
  };
  const bos = special('bos_token_id');
  const addsBos = meta('add_bos_token') === true && bos !== undefined;
  return {
    tokenizerJson: {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: added,
      normalizer: null,
      pre_tokenizer: preTokenizer,
      post_processor: addsBos ? startingWith(bos, Number(meta('bos_token_id'))) : null,
      decoder: { ...byteLevel, add_prefix_space: true },
      model: {
        type: 'BPE',
        dropout: null,
        unk_token: null,
        continuing_subword_prefix: '',
        end_of_word_suffix: '',
        fuse_unk: false,
        byte_fallback: false,
        ignore_merges: pre === 'llama-bpe',
        vocab: Object.fromEntries(tokens.map((_, id) => [content(id), id])),
        merges: merges.map((merge) => pair(String(merge))),
      },
    },
    tokenizerConfig: {
      tokenizer_class: 'PreTrainedTokenizerFast',
      clean_up_tokenization_spaces: false,
      bos_token: bos,
      eos_token: special('eos_token_id'),
      pad_token: special('padding_token_id'),
      unk_token: special('unknown_token_id'),
      chat_template: gguf.metadata.get('tokenizer.chat_template'),
    },
  };
}

/** "a b" -> ["a", "b"]: split once, after the first character, since a part may begin with a space of its own. */
function pair(merge: string): [string, string] {
  const at = merge.indexOf(' ', 1);
  return [merge.slice(0, at), merge.slice(at + 1)];
}

function startingWith(token: string, id: number): Json {
  const bos = { SpecialToken: { id: token, type_id: 0 } };
  const sequence = (name: string) => ({ Sequence: { id: name, type_id: 0 } });
  return {
    type: 'TemplateProcessing',
    single: [bos, sequence('A')],
    pair: [bos, sequence('A'), bos, sequence('B')],
    special_tokens: { [token]: { id: token, ids: [id], tokens: [token] } },
  };
}
