/**
 * SentencePiece vocabularies of Llama 1 and 2, Mistral and their kin (`tokenizer.ggml.model` = llama). SentencePiece
 * joins, again and again, the two neighbours whose union has the best score (Kudo and Richardson 2018, arXiv
 * 1808.06226). The same as byte-pair merges: every way to put a piece together from two others, in the order of the
 * scores. Characters without a piece become bytes.
 */
import { kinds, vocabularyMap } from './ggufVocabulary.ts';
import type { Json, TokenizerParts, Vocabulary } from './ggufVocabulary.ts';
import { nth } from '../lists/nth.ts';

/** U+2581, which stands for a space. */
const SPACE = '▁';

/** Blanks at both ends go, several become one. */
const oneSpace: Json[] = [
  { type: 'Replace', pattern: { Regex: '^ +| +$' }, content: '' },
  { type: 'Replace', pattern: { Regex: ' {2,}' }, content: ' ' },
];

/** @throws LayerifError `badModel`: no scores, or bytes that have no piece */
export function sentencePiece({ metadata, tokens, kinds: all }: Vocabulary): TokenizerParts {
  const scores = metadata.required('tokenizer.ggml.scores', metadata.numbers('tokenizer.ggml.scores'));
  if (scores.length !== tokens.length)
    throw metadata.error(`it has ${tokens.length} tokens and ${scores.length} token scores`);
  const bytes = tokens.filter((_, id) => all[id] === kinds.byte).length;
  if (bytes !== 0 && bytes !== 256)
    throw metadata.error(`its tokenizer has pieces for ${bytes} bytes; all 256 or none are needed`);
  const unknown =
    metadata.index('tokenizer.ggml.unknown_token_id', tokens.length) ??
    Array.from(tokens, (_, id) => all[id]).indexOf(kinds.unknown);
  const prefix = metadata.flag('tokenizer.ggml.add_space_prefix') ?? true;
  const toSpace: Json = { type: 'Replace', pattern: { String: SPACE }, content: ' ' };
  const toMark: Json = { type: 'Replace', pattern: { String: ' ' }, content: SPACE };
  return {
    normalizer: {
      type: 'Sequence',
      normalizers: [
        ...(metadata.flag('tokenizer.ggml.remove_extra_whitespaces') ? oneSpace : []),
        ...(prefix ? [{ type: 'Prepend', prepend: SPACE }] : []),
        toMark,
      ],
    },
    preTokenizer: null,
    decoder: {
      type: 'Sequence',
      decoders: [
        toSpace,
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        ...(prefix ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : []),
      ],
    },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: unknown < 0 ? null : tokens[unknown],
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: true,
      byte_fallback: bytes > 0,
      ignore_merges: false,
      vocab: vocabularyMap(tokens),
      merges: mergesByScore(tokens, all, scores),
    },
    addsBos: true,
    defaults: Object.fromEntries(
      [['unknown', 0] as const, ['bos', 1] as const, ['eos', 2] as const].filter(([, id]) => id < tokens.length),
    ),
  };
}

/** Best score first; of the ways to one piece, the longest left part first, as transformers' converter has it. */
function mergesByScore(
  tokens: readonly string[],
  all: ArrayLike<number>,
  scores: ArrayLike<number>,
): [string, string][] {
  const pieces = new Set(tokens.filter((_, id) => all[id] === kinds.normal));
  const found: { left: string; right: string; score: number }[] = [];
  tokens.forEach((piece, id) => {
    if (all[id] !== kinds.normal) return;
    for (let at = 1; at < piece.length; at++) {
      const [left, right] = [piece.slice(0, at), piece.slice(at)];
      if (pieces.has(left) && pieces.has(right)) found.push({ left, right, score: nth(scores, id) });
    }
  });
  found.sort((a, b) => b.score - a.score || b.left.length - a.left.length);
  return found.map(({ left, right }) => [left, right]);
}
