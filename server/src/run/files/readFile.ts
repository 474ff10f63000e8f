/** Files of ours that a user names: what is wrong with one is said in one sentence, with the file and what to do. */
import { LayerifError } from '../../../../protocol/errors.ts';
import { fileKinds } from '../../../../protocol/files/kinds.ts';
import type { FileContents, FileKind } from '../../../../protocol/files/kinds.ts';
import type { Schema } from '../../../../protocol/files/parts.ts';
import { faultSentence, parseFile } from '../../../../protocol/files/read.ts';
import { unreadableWords } from '../../files/reading.ts';
import { readText } from '../../files/textFile.ts';

/**
 * @param advice what to do where it cannot be read; by default, what writes such a file
 * @param schema of the part that the caller reads; by default, of the whole file
 * @throws LayerifError `badRequest`: no such file, none of this kind and version, damaged
 */
export function readFileOf<K extends FileKind>(
  kind: K,
  file: string,
  advice?: string,
  schema?: Schema<unknown>,
): FileContents[K] {
  let text: string;
  try {
    text = readText(file, 'result');
  } catch (error) {
    const sentence = faultSentence(kind, file, { kind: 'unreadable', words: unreadableWords(error) }, advice);
    throw new LayerifError('badRequest', sentence, { cause: error });
  }
  const { value, fault } = parseFile(kind, text, schema ?? fileKinds[kind].schema);
  if (fault !== null) throw new LayerifError('badRequest', faultSentence(kind, file, fault, advice));
  return value;
}
