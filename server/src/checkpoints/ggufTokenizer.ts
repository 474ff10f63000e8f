/**
 * `tokenizer.json` and `tokenizer_config.json` rebuilt from the metadata of a GGUF file: one row per kind of vocabulary
 * (`tokenizer.ggml.model`), one per way of splitting text before the merges (`tokenizer.ggml.pre`).
 *
 * Encoders' vocabularies (bert, t5) and those that do not merge (rwkv, plamo2, gemma4) are refused by name.
 */
import { ggufChatTemplate } from './chatTemplates.ts';
import { withControlTokens } from './ggufControlTokens.ts';
import type { Metadata } from './ggufMetadata.ts';
import { byteLevel, preTokenizers } from './ggufPreTokenizers.ts';
import { sentencePiece } from './ggufSentencePiece.ts';
import { kinds, vocabularyMap } from './ggufVocabulary.ts';
import type { Json, TokenizerParts, Vocabulary } from './ggufVocabulary.ts';
import { lookup } from '../text/lookup.ts';
import { nth } from '../lists/nth.ts';

const models: Readonly<Record<string, (vocabulary: Vocabulary) => TokenizerParts>> = {
  gpt2: byteLevelBpe,
  llama: sentencePiece,
};

/** @throws LayerifError `badModel`: no vocabulary, a kind or a way of splitting that is not in the tables */
export function rebuildTokenizer(metadata: Metadata): {
  tokenizerJson: Json;
  tokenizerConfig: Json;
  warnings: string[];
} {
  const key = (name: string): string => `tokenizer.ggml.${name}`;
  const kind = metadata.required(key('model'), metadata.text(key('model')));
  if (!Object.hasOwn(models, kind)) throw unknownTokenizer(metadata, 'vocabulary', kind, Object.keys(models));
  const tokens = metadata.required(key('tokens'), metadata.texts(key('tokens')));
  const given = metadata.numbers(key('token_type')) ?? new Uint8Array(tokens.length).fill(kinds.normal);
  if (given.length !== tokens.length)
    throw metadata.error(`it has ${tokens.length} tokens and ${given.length} token types`);
  const control = withControlTokens(metadata, tokens, given);
  const vocabulary: Vocabulary = { metadata, tokens, kinds: control.kinds };
  const parts = lookup(models, kind)!(vocabulary);

  const idOf = (name: 'bos' | 'eos' | 'unknown' | 'padding') =>
    metadata.index(key(`${name}_token_id`), tokens.length) ?? parts.defaults?.[name];
  const contentOf = (name: Parameters<typeof idOf>[0]): string | null => {
    const id = idOf(name);
    return id === undefined ? null : nth(tokens, id);
  };
  /** Ends of a turn and of a message, where the file tells them apart from the end of a text. */
  const named = (name: 'eot' | 'eom'): string | null => {
    const id = metadata.index(key(`${name}_token_id`), tokens.length);
    return id === undefined ? null : nth(tokens, id);
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
      eot_token: named('eot'),
      eom_token: named('eom'),
      add_bos_token: first.length > 0,
      add_eos_token: last.length > 0,
      chat_template: ggufChatTemplate(metadata),
    },
    warnings: [...(parts.warnings ?? []), ...control.warnings],
  };
}

/** As llama.cpp warns. */
const NO_PRE_TOKENIZER =
  'its metadata lack tokenizer.ggml.pre, the way of splitting text before the merges; "default" of llama.cpp is taken, which is not that of Llama 3, Qwen and most others, so tokens and losses may be wrong; take a newer GGUF file of the model, or its Hugging Face folder';

function byteLevelBpe({ metadata, tokens }: Vocabulary): TokenizerParts {
  const given = metadata.text('tokenizer.ggml.pre');
  const name = given ?? 'default';
  if (!Object.hasOwn(preTokenizers, name))
    throw unknownTokenizer(metadata, 'pre-tokenizer', name, Object.keys(preTokenizers));
  const pre = lookup(preTokenizers, name)!;
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
    warnings: given === undefined ? [`${metadata.file}: ${NO_PRE_TOKENIZER}`] : [],
  };
}

/** Tokens that are found in a text before anything else happens to it. */
function addedTokens({ metadata, tokens, kinds: all }: Vocabulary): Json[] {
  // Phi-3's own tokens take the white space behind them along, which the file does not say; llama.cpp goes by the name
  // too.
  const phi3 = /phi[- ]?3(?!\d)/i.test(metadata.text('general.name') ?? '');
  const strips = (content: string): boolean => phi3 && !['<unk>', '<s>', '<|endoftext|>'].includes(content);
  return tokens.flatMap((content, id) => {
    const special = all[id] === kinds.control || all[id] === kinds.unknown;
    if (!special && all[id] !== kinds.userDefined) return [];
    const rstrip = strips(content);
    return [{ id, content, single_word: false, lstrip: false, rstrip, normalized: false, special }];
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
