/** Places of `config` (from 1) as ranges of the protocol (from 0); both count UTF-16 units. */
import type { Range as LspRange } from 'vscode-languageserver/node';
import type { Range } from '../config/experiment.ts';

export function lspRange({ line, column, endLine, endColumn }: Omit<Range, 'file'>): LspRange {
  return {
    start: { line: line - 1, character: column - 1 },
    end: { line: endLine - 1, character: endColumn - 1 },
  };
}
