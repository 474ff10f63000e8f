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

/** @param text what stands at the diagnostic's range; null when the message proposes nothing */
type Row = (message: string, text: string, place: { document: TextDocument; range: Range }) => Fix | null;

const fixes: readonly Row[] = [didYouMean, rowsThatAreThere, splitColumn];

export function quickFixes(document: TextDocument, diagnostics: readonly Diagnostic[]): CodeAction[] {
  return diagnostics
    .filter(({ source }) => source === 'layerif')
    .flatMap((diagnostic) => {
      const { range, message } = diagnostic;
      const text = document.getText(range);
      return fixes.flatMap((fix): CodeAction[] => {
        const found = fix(message as string, text, { document, range });
        if (!found) return [];
        const { title, ...edit } = found;
        return [
          {
            title,
            kind: CodeActionKind.QuickFix,
            diagnostics: [diagnostic],
            isPreferred: true,
            edit: { changes: { [document.uri]: [edit] } },
          },
        ];
      });
    });
}

/** The word of the text that is nearest to the proposed one is replaced by it. */
function didYouMean(message: string, text: string, { document, range }: Parameters<Row>[2]): Fix | null {
  const proposed = /did you mean "([^"]+)"/.exec(message)?.[1];
  if (proposed === undefined) return null;
  const words = [...text.matchAll(/[\w.*-]+/g)];
  if (words.length === 0) return null;
  const written = closestTo(
    proposed,
    words.map(([word]) => word),
  );
  const start = document.offsetAt(range.start) + words.find(([word]) => word === written)!.index;
  return {
    title: `Change "${written}" to "${proposed}"`,
    range: { start: document.positionAt(start), end: document.positionAt(start + written.length) },
    newText: proposed,
  };
}

/** `train[8:20] asks for rows up to 20, "train" of dataset "reviews" has 12` */
function rowsThatAreThere(message: string, text: string, { range }: Parameters<Row>[2]): Fix | null {
  const [, asked, there] = /asks for rows up to ([\d,]+), .* has ([\d,]+):/.exec(message) ?? [];
  if (asked === undefined || there === undefined) return null;
  const plain = (count: string) => count.replaceAll(',', '');
  const fitting = text.replace(new RegExp(`:${plain(asked)}\\]`), `:${plain(there)}]`);
  return fitting === text ? null : { title: `Take the rows that are there: ${fitting}`, range, newText: fitting };
}

/** `write split_column: split to take the splits from it`, as a line below the dataset's path. */
function splitColumn(message: string, _text: string, { document, range }: Parameters<Row>[2]): Fix | null {
  const line = /write (split_column: \w+) to take the splits/.exec(message)?.[1];
  const written = document.getText({
    start: { line: range.start.line, character: 0 },
    end: { line: range.start.line + 1, character: 0 },
  });
  const indent = /^(\s*)(?:path|data_files):/.exec(written)?.[1];
  if (line === undefined || indent === undefined) return null;
  const end = { line: range.start.line, character: written.trimEnd().length };
  return { title: `Add ${line}`, range: { start: end, end }, newText: `\n${indent}${line}` };
}
