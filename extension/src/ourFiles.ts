/**
 * Reading files of ours in the editor: results, scores, validations, comparisons. A file may come from a newer LayerIF,
 * another tool or a half-finished copy, so `protocol/files` checks all that a page draws, and a fault becomes one
 * sentence.
 */
import * as vscode from 'vscode';
import type { FileContents, FileKind } from '../../protocol/files/kinds.ts';
import { faultSentence, largestFile, parseFile } from '../../protocol/files/read.ts';

/**
 * @throws vscode.FileSystemError where the file is not there or cannot be read, else an `Error` whose message can be
 *   shown as it is
 */
export async function readFileOf<K extends FileKind>(kind: K, uri: vscode.Uri): Promise<FileContents[K]> {
  const refuse = (words: string) => new Error(faultSentence(kind, uri.fsPath, { kind: 'unreadable', words }));
  const { type, size } = await vscode.workspace.fs.stat(uri);
  if ((type & vscode.FileType.Directory) !== 0) throw refuse('it is a folder, a file is needed');
  if ((type & vscode.FileType.File) === 0) throw refuse('it is no regular file');
  if (size > largestFile) throw refuse(`it has ${size} bytes, at most ${largestFile} are read`);
  const { value, fault } = parseFile(kind, new TextDecoder().decode(await vscode.workspace.fs.readFile(uri)));
  if (fault !== null) throw new Error(faultSentence(kind, uri.fsPath, fault));
  return value;
}

/** Why a file cannot be shown. @param gone what to say where it is not there */
export function whyNot(uri: vscode.Uri, error: unknown, gone: string): string {
  if (!(error instanceof vscode.FileSystemError)) return (error as Error).message;
  if (error.code === 'FileNotFound') return gone;
  const why = error.code === 'NoPermissions' ? 'permission to read it is missing' : 'the system cannot read it';
  return `${uri.fsPath} cannot be shown: ${why}; look at the file and open it again`;
}
