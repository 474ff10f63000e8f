/** `model` of tokenizer.json: a word into token ids, one row per type. */
import { bpe, byteTokens } from './bpe.ts';
import { makerOf, wordOf } from './json.ts';
import type { Json } from './json.ts';
import { unigram } from './unigram.ts';

export interface Model {
  vocab: ReadonlyMap<string, number>;
  /** Ids of one word, none for symbols that have no id. */
  encode(word: string): readonly number[];
}

const makers: Readonly<Record<string, (model: Json) => Model>> = {
  BPE: (model) => {
    const vocab = vocabularyOf(model);
    if (Number(model['dropout'] ?? 0) > 0)
      throw new Error(
        `its model has dropout ${String(model['dropout'])}, which makes tokens at random; set it to null`,
      );
    return {
      vocab,
      encode: bpe({
        vocab,
        merges: ((model['merges'] ?? []) as (string | [string, string])[]).map(mergeOf),
        unknown: unknownOf(model, vocab),
        fuseUnknown: model['fuse_unk'] === true,
        byteFallback: model['byte_fallback'] === true,
        ignoreMerges: model['ignore_merges'] === true,
        continuingPrefix: wordOf(model['continuing_subword_prefix'], ''),
        endSuffix: wordOf(model['end_of_word_suffix'], ''),
      }),
    };
  },
  WordPiece: (model) => {
    const vocab = vocabularyOf(model);
    const unknown = unknownOf(model, vocab);
    const prefix = wordOf(model['continuing_subword_prefix'], '##');
    const longest = Number(model['max_input_chars_per_word'] ?? 100);
    return { vocab, encode: (word) => wordPieces(Array.from(word), vocab, prefix, longest) ?? known(unknown) };
  },
  WordLevel: (model) => {
    const vocab = vocabularyOf(model);
    const unknown = unknownOf(model, vocab);
    return { vocab, encode: (word) => known(vocab.get(word) ?? unknown) };
  },
  Unigram: (model) => {
    const pieces = (model['vocab'] ?? []) as [string, number][];
    const vocab = new Map(pieces.map(([piece], id) => [piece, id]));
    const unknown = typeof model['unk_id'] === 'number' ? model['unk_id'] : null;
    const segments = unigram(pieces, vocab, unknown);
    const fallback = model['byte_fallback'] === true;
    const idsOf = (piece: string): readonly number[] => {
      const id = vocab.get(piece);
      if (id !== undefined) return [id];
      return (fallback ? byteTokens(piece, vocab) : null) ?? known(unknown);
    };
    return { vocab, encode: (word) => segments(word).flatMap(idsOf) };
  },
};

/** @throws Error for a type that is not in the table, or a vocabulary that cannot be */
export function modelOf(model: Json): Model {
  const type = typeof model['type'] === 'string' ? model['type'] : typeOf(model);
  return makerOf('model', { type }, makers)(model);
}

/** Files of before 2020 do not name it. */
function typeOf(model: Json): string {
  if (Array.isArray(model['vocab'])) return 'Unigram';
  if ('merges' in model) return 'BPE';
  return 'continuing_subword_prefix' in model ? 'WordPiece' : 'WordLevel';
}

function vocabularyOf(model: Json): Map<string, number> {
  const vocab = model['vocab'];
  if (typeof vocab !== 'object' || vocab === null || Array.isArray(vocab))
    throw new Error('its model has no vocabulary of tokens and their ids');
  return new Map(Object.entries(vocab as Record<string, number>));
}

/** In older files "a b", a space between the two. */
function mergeOf(merge: string | [string, string]): [string, string] {
  if (typeof merge !== 'string') return [String(merge[0]), String(merge[1])];
  const at = merge.indexOf(' ', 1);
  return [merge.slice(0, at), merge.slice(at + 1)];
}

function unknownOf(model: Json, vocab: ReadonlyMap<string, number>): number | null {
  const name = model['unk_token'];
  return typeof name === 'string' ? (vocab.get(name) ?? null) : null;
}

const known = (id: number | null): readonly number[] => (id === null ? [] : [id]);

/** The longest piece first, again and again; null where a rest has none. */
function wordPieces(
  characters: readonly string[],
  vocab: ReadonlyMap<string, number>,
  prefix: string,
  longest: number,
): number[] | null {
  if (characters.length > longest) return null;
  const ids: number[] = [];
  for (let start = 0; start < characters.length;) {
    let end = characters.length;
    let id: number | undefined;
    for (; end > start && id === undefined; end--)
      id = vocab.get((start > 0 ? prefix : '') + characters.slice(start, end).join(''));
    if (id === undefined) return null;
    ids.push(id);
    start = end + 1;
  }
  return ids;
}
