/**
 * Tokens that llama.cpp takes for control tokens by their text, whatever type the file gives them: ends of a text, a
 * turn or a message, and those of fill-in-the-middle where no key of the file names one. Older files have them as
 * ordinary tokens, so that a chat would be cut into their letters.
 */
import { listed } from '../text/listed.ts';
import type { Metadata } from './ggufMetadata.ts';
import { kinds } from './ggufVocabulary.ts';
import { nth } from '../lists/nth.ts';

const words = (text: string): string[] => text.split(' ');

const ends = new Set(
  words(
    '<|eot_id|> <|eot|> <|im_end|> <|end|> <|return|> <|call|> <|flush|> <|calls|> <end_of_turn> <|endoftext|> </s> ' +
      '<|eom_id|> <EOT> _<EOT> [EOT] [EOS] <|end_of_text|> <end_of_utterance> <eos> <turn|> <|tool_response> ' +
      '<｜end▁of▁sentence｜> [e~[',
  ),
);

/** Keys of `tokenizer.ggml`, newer and older, and what a token looks like that none of them names. */
const middle: readonly (readonly [keys: string, tokens: string])[] = [
  [
    'fim_pre_token_id prefix_token_id',
    '<|fim_prefix|> <fim-prefix> <fim_prefix> <｜fim▁begin｜> <PRE> ▁<PRE> <|code_prefix|> <|prefix|>',
  ],
  [
    'fim_suf_token_id suffix_token_id',
    '<|fim_suffix|> <fim-suffix> <fim_suffix> <｜fim▁hole｜> <SUF> ▁<SUF> <|code_suffix|> <|suffix|>',
  ],
  [
    'fim_mid_token_id middle_token_id',
    '<|fim_middle|> <fim-middle> <fim_middle> <｜fim▁end｜> <MID> ▁<MID> <|code_middle|> <|middle|>',
  ],
  ['fim_pad_token_id', '<|fim_pad|> <fim-pad> <fim_pad> <PAD> [PAD]'],
  ['fim_rep_token_id', '<|fim_repo|> <|repo_name|> <fim-repo> <REPO> <reponame>'],
  ['fim_sep_token_id', '<|file_sep|>'],
];

/** What is made a control token; a text is searched for the others already, and bytes stay bytes. */
const ordinary: readonly number[] = [kinds.normal, kinds.unused];
/** Tokens that a sentence names. */
const MOST_NAMES = 4;

/**
 * The kinds with what looks like a control token as one.
 * @returns a warning where one was another before
 */
export function withControlTokens(
  metadata: Metadata,
  tokens: readonly string[],
  given: ArrayLike<number>,
): { kinds: ArrayLike<number>; warnings: string[] } {
  const unnamed = middle.filter(([keys]) => words(keys).every((key) => !metadata.has(`tokenizer.ggml.${key}`)));
  const looks = new Set([...ends, ...unnamed.flatMap(([, some]) => words(some))]);
  const changed = [...tokens.keys()].filter((id) => looks.has(nth(tokens, id)) && ordinary.includes(nth(given, id)));
  if (changed.length === 0) return { kinds: given, warnings: [] };
  const all = Array.from(given);
  for (const id of changed) all[id] = kinds.control;
  const names = listed(
    changed.map((id) => `${JSON.stringify(nth(tokens, id))} (${id})`),
    MOST_NAMES,
  );
  const one = changed.length === 1;
  return {
    kinds: all,
    warnings: [
      `${metadata.file}: ${names} ${one ? 'looks like a control token, which it is not' : 'look like control tokens, which they are not'} by tokenizer.ggml.token_type; taken for ${one ? 'one' : 'such'}, as in llama.cpp`,
    ],
  };
}
