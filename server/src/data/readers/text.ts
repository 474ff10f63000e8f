/** Plain text: one row a line, column `text`. An empty line is a row with an empty text. */
import type { Reader } from './reader.ts';
import { lineBytes, readLines } from './lines.ts';

export const text: Reader = {
  format: 'text',
  endings: ['.txt'],
  async *rows(file, start, end) {
    if (end <= start) return;
    for await (const { text, line } of readLines(file, start + 1)) {
      yield { values: { text }, file, row: line - 1, line };
      if (line >= end) return;
    }
  },
  async count(file) {
    const lines = lineBytes(file);
    let count = 0;
    while ((await lines.next()).done !== true) count += 1;
    return count;
  },
  columns: () => Promise.resolve(['text']),
};
