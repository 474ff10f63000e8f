/**
 * `tokenizer.model` -> the parts of a tokenizer.json, as transformers 5.24 makes them: of a SentencePiece model, for
 * classes with rules of their own (Llama, Gemma) or by the model's own settings; of a list of ranks (tiktoken, Llama
 * 3's first form).
 */
import { CONTROL, NORMAL, sentencePieceModel, USER_DEFINED } from './sentencePieceModel.ts';
import { byteDecoder, byteWords, ofByteRanks } from './byteRanks.ts';
import type { SentencePieceModel } from './sentencePieceModel.ts';
import { nth } from '../lists/nth.ts';

type Json = Record<string, unknown>;

export interface ModelFile {
  /** model, normalizer, pre_tokenizer, decoder, post_processor, added_tokens */
  json: Json;
  /** Special tokens that the file brings along, in place of those that the settings add. */
  extra: Json[] | null;
  /** Names of special tokens, where the settings give none. */
  names: Record<string, string>;
  /** What is set where the folder's settings say nothing. */
  settings?: Json;
  /** The class sets nothing but names: the parts are complete. */
  whole: boolean;
  /** Added tokens are found in the text as it is, whatever their flags say. */
  rawAdded: boolean;
}

const MARK = '▁';
/** Begin and end of a text; `^` and `$` are those of a line here. */
const BEGIN = '(?<![\\s\\S])';
const END = '(?![\\s\\S])';

/**
 * @param ownRules whether the class sets normaliser and pre-tokenizer itself
 * @param settings tokenizer_config.json
 * @throws Error for a file that is neither, and for a model of words or characters
 */
export function modelFile(bytes: Buffer, ownRules: boolean, settings: Json): ModelFile {
  if (isRanks(bytes)) return ofRanks(bytes, settings);
  const model = sentencePieceModel(bytes);
  if (model.modelType !== 1 && model.modelType !== 2)
    throw new Error('its model is one of words or characters; unigram and BPE are read');
  const added = model.pieces
    .filter(({ type }) => type === CONTROL || (type === USER_DEFINED && ownRules))
    .map(({ piece, type }) => ({ content: piece, normalized: false, special: type === CONTROL }));
  const decoder = decoderOf(model);
  if (ownRules) {
    const vocab = new Map(model.pieces.map(({ piece }, id) => [piece, id]));
    const merges = [...vocab].sort(([, a], [, b]) => a - b).flatMap(([piece]) => splitsOf(piece, vocab));
    const json = { model: { type: 'BPE', vocab: Object.fromEntries(vocab), merges }, decoder };
    return { json, extra: added, names: {}, whole: false, rawAdded: false };
  }
  const names: [string, { id: number; piece: string }][] = [
    ['bos_token', model.bos],
    ['eos_token', model.eos],
    ['unk_token', model.unknown],
  ];
  return {
    json: { model: ownModel(model, settings), ...ownParts(model, settings['legacy'] !== false), decoder },
    extra: added,
    names: Object.fromEntries(names.filter(([, { id }]) => id >= 0).map(([key, { piece }]) => [key, piece])),
    whole: true,
    rawAdded: model.addDummyPrefix,
  };
}

/** Every way to cut a piece into two others, the shorter left part first. */
function splitsOf(piece: string, known: { has(piece: string): boolean }): [string, string][] {
  const characters = [...piece];
  const splits: [string, string][] = [];
  let left = '';
  for (const character of characters.slice(0, -1)) {
    left += character;
    const right = piece.slice(left.length);
    if (known.has(left) && known.has(right)) splits.push([left, right]);
  }
  return splits;
}

function ownModel(model: SentencePieceModel, settings: Json): Json {
  const { pieces, byteFallback } = model;
  if (model.modelType === 1)
    return {
      type: 'Unigram',
      unk_id: model.unknown.id,
      vocab: pieces.map(({ piece, score }) => [piece, score]),
      byte_fallback: byteFallback,
    };
  const names = renamed(
    pieces.map(({ piece }) => piece),
    settings,
  );
  const normal = new Map(
    pieces.flatMap(({ score, type }, id) => (type === NORMAL ? [[nth(names, id), { score, id }] as const] : [])),
  );
  const merges = [...normal]
    .sort(([, a], [, b]) => b.score - a.score || a.id - b.id)
    .flatMap(([piece]) => splitsOf(piece, normal));
  return {
    type: 'BPE',
    vocab: Object.fromEntries(names.map((piece, id) => [piece, id])),
    merges,
    unk_token: model.unknown.piece,
    fuse_unk: true,
    byte_fallback: byteFallback,
    ignore_merges: pieces.some(({ type }) => type === USER_DEFINED),
  };
}

/**
 * A token of `added_tokens_decoder` gives its name to the piece of its number, unless another piece keeps that name.
 */
function renamed(pieces: string[], settings: Json): string[] {
  const names = addedDecoder(settings);
  const kept = new Set(pieces.filter((_, id) => !names.has(id)));
  return pieces.map((piece, id) => {
    const name = names.get(id);
    return name !== undefined && !kept.has(name) ? name : piece;
  });
}

function addedDecoder(settings: Json): Map<number, string> {
  const decoder = settings['added_tokens_decoder'];
  if (typeof decoder !== 'object' || decoder === null) return new Map();
  return new Map(
    Object.entries(decoder).map(([id, token]) => [
      Number(id),
      typeof token === 'object' && token !== null ? String((token as Json)['content']) : String(token),
    ]),
  );
}

/**
 * Normaliser and pre-tokenizer, in SentencePiece's order.
 * @param legacy a prefix before every text between added tokens
 */
function ownParts(model: SentencePieceModel, legacy: boolean): Json {
  const { charsmap, removeExtraWhitespaces, escapeWhitespaces, addDummyPrefix, pieces } = model;
  const replace = (Regex: string, content: string): Json => ({ type: 'Replace', pattern: { Regex }, content });
  const normalizers: Json[] = [
    ...(charsmap === '' ? [] : [{ type: 'Precompiled', precompiled_charsmap: charsmap }]),
    // Spaces alone: other white space is left as it is.
    ...(removeExtraWhitespaces ? [replace(`${BEGIN} +| +${END}`, ''), replace(' {2,}', ' ')] : []),
    ...(escapeWhitespaces ? [{ type: 'Replace', pattern: { String: ' ' }, content: MARK }] : []),
    ...(addDummyPrefix && legacy ? [replace(BEGIN + MARK, MARK + MARK)] : []),
  ];
  const users = pieces
    .filter(({ type }) => type === USER_DEFINED)
    .map(({ piece }) => piece)
    .sort((a, b) => [...b].length - [...a].length)
    .map((piece) => piece.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&'));
  const preTokenizers: Json[] = [
    ...(addDummyPrefix
      ? [{ type: 'Metaspace', replacement: MARK, prepend_scheme: legacy ? 'always' : 'first', split: false }]
      : []),
    ...(users.length > 0
      ? [{ type: 'Split', pattern: { Regex: users.join('|') }, behavior: 'Isolated', invert: false }]
      : []),
  ];
  return {
    normalizer: { type: 'Sequence', normalizers },
    pre_tokenizer: preTokenizers.length === 0 ? null : { type: 'Sequence', pretokenizers: preTokenizers },
  };
}

function decoderOf({ byteFallback, addDummyPrefix }: SentencePieceModel): Json {
  const strip = { type: 'Strip', content: ' ', start: 1, stop: 0 };
  return {
    type: 'Sequence',
    decoders: [
      { type: 'Replace', pattern: { String: MARK }, content: ' ' },
      ...(byteFallback ? [{ type: 'ByteFallback' }] : []),
      { type: 'Fuse' },
      ...(addDummyPrefix ? [strip] : []),
    ],
  };
}

/** `base64 rank` a line. */
function isRanks(bytes: Buffer): boolean {
  const end = bytes.indexOf(10);
  return /^[A-Za-z0-9+/]+={0,2} \d+\r?$/.test(bytes.toString('latin1', 0, end < 0 ? bytes.length : end));
}

/** The pattern of tiktoken's cl100k_base, which transformers takes for every such file. */
const WORDS =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

function ofRanks(bytes: Buffer, settings: Json): ModelFile {
  const ranks = new Map<string, number>();
  for (const [i, line] of bytes.toString('latin1').split(/\r?\n/).entries()) {
    if (line === '') continue;
    const [token, rank] = line.split(' ');
    if (token === undefined || rank === undefined || !/^\d+$/.test(rank))
      throw new Error(`its line ${i + 1} is no token in base64 with its rank`);
    ranks.set(Buffer.from(token, 'base64').toString('latin1'), Number(rank));
  }
  return {
    json: {
      model: ofByteRanks(ranks),
      normalizer: null,
      pre_tokenizer: byteWords(WORDS),
      decoder: byteDecoder,
      post_processor: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: false, use_regex: true },
      added_tokens: behindRanks(ranks.size, settings).map((content) => ({ content, normalized: false, special: true })),
    },
    extra: null,
    names: {},
    whole: true,
    rawAdded: false,
  };
}

/**
 * Tokens behind the ranks: those of `added_tokens_decoder`, with a name for every number between them, then the others.
 */
function behindRanks(size: number, settings: Json): string[] {
  const added = addedDecoder(settings);
  const extra = settings['extra_special_tokens'];
  const others = Array.isArray(extra) ? extra : typeof extra === 'object' && extra !== null ? Object.keys(extra) : [];
  const names = others.map((token: unknown) =>
    typeof token === 'object' && token !== null ? String((token as Json)['content']) : String(token),
  );
  const last = Math.max(-1, ...added.keys());
  if (last < size) return names;
  const numbered = Array.from(
    { length: last + 1 - size },
    (_, i) => added.get(size + i) ?? `<|reserved_token_${size + i}|>`,
  );
  return [...numbered, ...names.filter((name) => !numbered.includes(name))];
}
