/**
 * `tokenizer.model` of SentencePiece: pieces with their scores and types, and what its trainer and normaliser were
 * told. The file is one protobuf message; field numbers and defaults are those of sentencepiece_model.proto.
 */
import { nth } from '../lists/nth.ts';

/** Types of pieces. */
export const NORMAL = 1;
export const CONTROL = 3;
export const USER_DEFINED = 4;

export interface Piece {
  piece: string;
  /** Log-probability (unigram), or minus the number of the merge (BPE). */
  score: number;
  type: number;
}

export interface SentencePieceModel {
  pieces: Piece[];
  /** 1 unigram, 2 BPE, 3 words, 4 characters. */
  modelType: number;
  byteFallback: boolean;
  /** Ids below 0: there is none. */
  unknown: { id: number; piece: string };
  bos: { id: number; piece: string };
  eos: { id: number; piece: string };
  /** Rules of the normaliser in base64; empty for none. */
  charsmap: string;
  addDummyPrefix: boolean;
  removeExtraWhitespaces: boolean;
  escapeWhitespaces: boolean;
}

/** A field of a message: a number, or the bytes of a text or of a message. */
interface Field {
  number: number;
  value: number | Buffer;
}

/** @throws Error for bytes that are no such message, or one without pieces */
export function sentencePieceModel(bytes: Buffer): SentencePieceModel {
  const pieces: Piece[] = [];
  let trainer = new Map<number, number | Buffer>();
  let normalizer = new Map<number, number | Buffer>();
  for (const { number, value } of fieldsOf(bytes)) {
    if (number === 1) pieces.push(pieceOf(lastOf(bytesOf(value))));
    else if (number === 2) trainer = lastOf(bytesOf(value));
    else if (number === 3) normalizer = lastOf(bytesOf(value));
  }
  if (pieces.length === 0) throw new Error('it holds no pieces of a SentencePiece model');
  const token = (id: number, piece: number, otherId: number, otherPiece: string): { id: number; piece: string } => ({
    id: signed(trainer.get(id)) ?? otherId,
    piece: textOf(trainer.get(piece)) || otherPiece,
  });
  const flag = (number: number): boolean => normalizer.get(number) !== 0;
  return {
    pieces,
    modelType: signed(trainer.get(3)) ?? 1,
    byteFallback: trainer.get(35) === 1,
    unknown: token(40, 45, 0, '<unk>'),
    bos: token(41, 46, 1, '<s>'),
    eos: token(42, 47, 2, '</s>'),
    charsmap: Buffer.isBuffer(normalizer.get(2)) ? (normalizer.get(2) as Buffer).toString('base64') : '',
    addDummyPrefix: flag(3),
    removeExtraWhitespaces: flag(4),
    escapeWhitespaces: flag(5),
  };
}

function pieceOf(fields: Map<number, number | Buffer>): Piece {
  const score = fields.get(2);
  return {
    piece: textOf(fields.get(1)),
    score: Buffer.isBuffer(score) ? score.readFloatLE() : 0,
    type: signed(fields.get(3)) ?? NORMAL,
  };
}

/** Of a field that stands twice the last value counts. */
function lastOf(bytes: Buffer): Map<number, number | Buffer> {
  return new Map(fieldsOf(bytes).map(({ number, value }) => [number, value]));
}

function bytesOf(value: number | Buffer): Buffer {
  if (Buffer.isBuffer(value)) return value;
  throw new Error('it is no SentencePiece model: a number stands where a message belongs');
}

function textOf(value: number | Buffer | undefined): string {
  return Buffer.isBuffer(value) ? value.toString('utf8') : '';
}

/** An int32, which protobuf writes in 64 bits. */
function signed(value: number | Buffer | undefined): number | undefined {
  return typeof value === 'number' ? value | 0 : undefined;
}

/** Wire types: 0 varint, 1 eight bytes, 2 bytes with their length, 5 four bytes (a float: as bytes). */
function fieldsOf(bytes: Buffer): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      if (at >= bytes.length) throw new Error('it is no SentencePiece model, or cut off');
      const byte = nth(bytes, at++);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number(BigInt.asIntN(64, value));
    }
    throw new Error('it is no SentencePiece model: a number has more than ten bytes');
  };
  const taken = (length: number): Buffer => {
    if (length < 0 || at + length > bytes.length) throw new Error('it is no SentencePiece model, or cut off');
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const key = varint();
    const [number, wire] = [Math.floor(key / 8), key % 8];
    if (number <= 0) throw new Error('it is no SentencePiece model: a field has the number 0');
    if (wire === 0) fields.push({ number, value: varint() });
    else if (wire === 1) fields.push({ number, value: taken(8) });
    else if (wire === 2) fields.push({ number, value: taken(varint()) });
    else if (wire === 5) fields.push({ number, value: taken(4) });
    else throw new Error('it is no SentencePiece model, or damaged');
  }
  return fields;
}
