/** Texts and JSON files of a model's folder: what cannot be read is named, with what is wrong and what to do. */
import { LayerifError } from '../../../protocol/errors.ts';
import { HEAD_BYTES, mistakenOr } from '../files/mistaken.ts';
import { unreadableWords } from '../files/reading.ts';
import { readText } from '../files/textFile.ts';
import type { TextKind } from '../files/textFile.ts';
import { NotJson, parsedJson } from '../text/jsonFault.ts';

const AGAIN = 'copy or download it again';

/** @param kind how large such a file may be. @throws LayerifError `badModel` for what cannot be read */
export function readModelText(file: string, kind: TextKind): string {
  try {
    return readText(file, kind);
  } catch (error) {
    throw fault(file, `cannot be read: ${unreadableWords(error)}; ${AGAIN}`, error);
  }
}

/** @throws LayerifError `badModel` for what cannot be read or is no JSON */
export function readModelJson(file: string, kind: TextKind): unknown {
  const text = readModelText(file, kind);
  try {
    return parsedJson(text);
  } catch (error) {
    if (!(error instanceof NotJson)) throw error;
    const head = Buffer.from(text.slice(0, HEAD_BYTES));
    throw fault(file, `cannot be read: ${mistakenOr(head, `it is no JSON: ${error.message}`, AGAIN)}`, error);
  }
}

/** @throws LayerifError `badModel` for what cannot be read or is no object */
export function readJsonObject(file: string, kind: TextKind): Record<string, unknown> {
  const value = readModelJson(file, kind);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw fault(file, `is not a JSON object, as {"key": value}; ${AGAIN}`);
}

function fault(file: string, text: string, cause?: unknown): LayerifError {
  return new LayerifError('badModel', `${file} ${text}`, { place: { file }, cause });
}
