/** Quick fixes: what a problem's own message proposes, as an edit. To add one, write a row in `fixes`. */
import { CodeActionKind } from 'vscode-languageserver/node';
import type { CodeAction, Diagnostic, Range } from 'vscode-languageserver/node';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { closestTo } from '../text/nearest.ts';

interface Fix {
  title: string;
  range: Range;
  newText: string;
}

/** @param text what stands at the diagnostic's range; empty when the message proposes nothing, else the best first */
type Row = (message: string, text: string, place: { document: TextDocument; range: Range }) => Fix[];

const fixes: readonly Row[] = [didYouMean, otherColumn, rowsThatAreThere, emptySplit, splitColumn];

/** Columns that are offered in place of one that is not there and like none. */
const MOST_COLUMNS = 5;

export function quickFixes(document: TextDocument, diagnostics: readonly Diagnostic[]): CodeAction[] {
  return diagnostics
    .filter(({ source }) => source === 'layerif')
    .flatMap((diagnostic) => {
      const { range, message } = diagnostic;
      const text = document.getText(range);
      return fixes.flatMap((fix) =>
        fix(message as string, text, { document, range }).map(({ title, ...edit }, index): CodeAction => ({
          title,
          kind: CodeActionKind.QuickFix,
          diagnostics: [diagnostic],
          isPreferred: index === 0,
          edit: { changes: { [document.uri]: [edit] } },
        })),
      );
    });
}

/** The word of the text that is nearest to the proposed one is replaced by it. */
function didYouMean(message: string, text: string, { document, range }: Parameters<Row>[2]): Fix[] {
  const proposed = /did you mean "([^"]+)"/.exec(message)?.[1];
  if (proposed === undefined) return [];
  const words = [...text.matchAll(/[\w.*-]+/g)];
  if (words.length === 0) return [];
  const written = closestTo(
    proposed,
    words.map(([word]) => word),
  );
  const start = document.offsetAt(range.start) + words.find(([word]) => word === written)!.index;
  const place = { start: document.positionAt(start), end: document.positionAt(start + written.length) };
  return [{ title: `Change "${written}" to "${proposed}"`, range: place, newText: proposed }];
}

/** `doc_to_text uses "stars", which is not a column of row 0; columns: review, label`, where none is alike. */
function otherColumn(message: string, text: string, { document, range }: Parameters<Row>[2]): Fix[] {
  const [, written, columns] = /uses "([^"]+)", which is not a column of .*?; columns: ([^(]+)/.exec(message) ?? [];
  const at = written === undefined ? -1 : text.indexOf(written);
  if (written === undefined || columns === undefined || at < 0 || message.includes('did you mean')) return [];
  const start = document.offsetAt(range.start) + at;
  const place = { start: document.positionAt(start), end: document.positionAt(start + written.length) };
  return columns
    .split(',')
    .slice(0, MOST_COLUMNS)
    .map((name) => name.trim())
    .filter((name) => /^\w+$/.test(name))
    .map((name) => ({ title: `Use the column "${name}"`, range: place, newText: name }));
}

/** `the split train[300:350] is empty: "train" has 12 rows`: four fifths for training, the rest for validation. */
function emptySplit(message: string, _text: string, { document, range }: Parameters<Row>[2]): Fix[] {
  const [, split, there] = /the split .* is empty: "([^"]+)" has ([\d,]+) rows?/.exec(message) ?? [];
  const rows = Number(there?.replaceAll(',', ''));
  if (split === undefined || !(rows > 1)) return [];
  const before = document.getText({ start: { line: range.start.line, character: 0 }, end: range.start });
  const cut = Math.min(rows - 1, Math.max(1, Math.round(0.8 * rows)));
  const fitting = /training_split:\s*$/.test(before) ? `${split}[:${cut}]` : `${split}[${cut}:]`;
  return [{ title: `Take rows that are there: ${fitting}`, range, newText: fitting }];
}

/** `train[8:20] asks for rows up to 20, "train" of dataset "reviews" has 12` */
function rowsThatAreThere(message: string, text: string, { range }: Parameters<Row>[2]): Fix[] {
  const [, asked, there] = /asks for rows up to ([\d,]+), .* has ([\d,]+):/.exec(message) ?? [];
  if (asked === undefined || there === undefined) return [];
  const plain = (count: string) => count.replaceAll(',', '');
  const fitting = text.replace(new RegExp(`:${plain(asked)}\\]`), `:${plain(there)}]`);
  return fitting === text ? [] : [{ title: `Take the rows that are there: ${fitting}`, range, newText: fitting }];
}

/** `write split_column: split to take the splits from it`, as a line below the dataset's path. */
function splitColumn(message: string, _text: string, { document, range }: Parameters<Row>[2]): Fix[] {
  const line = /write (split_column: \w+) to take the splits/.exec(message)?.[1];
  const written = document.getText({
    start: { line: range.start.line, character: 0 },
    end: { line: range.start.line + 1, character: 0 },
  });
  const indent = /^(\s*)(?:path|data_files):/.exec(written)?.[1];
  if (line === undefined || indent === undefined) return [];
  const end = { line: range.start.line, character: written.trimEnd().length };
  return [{ title: `Add ${line}`, range: { start: end, end }, newText: `\n${indent}${line}` }];
}
