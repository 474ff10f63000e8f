/** A row's tokens as a heat map: which table knows them, which shade each has, what is said of it. Pure: no DOM. */
import { labelOf } from '../../../protocol/rowSelection.ts';
import { TOKEN_SCORES } from '../../../protocol/rowRequests.ts';
import type { RowToken } from '../../../protocol/rowRequests.ts';
import type { RowsTable } from './dataChoice.ts';
import { formatNumber, MISSING } from './format.ts';

/** A perplexity from this on has the shade of this place; below the first it has none. */
export const SHADES = [2, 5, 20, 100] as const;

/** 0 for the least; null for a token that is not counted. */
export const shadeOf = ({ perplexity }: RowToken): number | null =>
  perplexity === null ? null : SHADES.filter((least) => perplexity >= least).length;

/** "below 2", "2 to 5", ... "100 and more". */
export const shadeWords = (shade: number): string =>
  shade === 0
    ? `below ${SHADES[0]}`
    : shade === SHADES.length
      ? `${SHADES.at(-1)} and more`
      : `${SHADES[shade - 1]} to ${SHADES[shade]}`;

/** White space that would not be seen. */
export const shownText = (text: string): string =>
  text.replaceAll('\r', '\u240d').replaceAll('\n', '\u21b5\n').replaceAll('\t', '\u21e5\t');

export function describeToken({ text, id, perplexity, masked }: RowToken, place: number): string {
  const value = perplexity === null ? 'not counted' : `perplexity ${formatNumber(perplexity)}`;
  const mask = masked === null ? '' : masked ? ', masked: left out of the loss' : ', not masked';
  return `Token ${place + 1} ${JSON.stringify(text)} (${id}): ${value}${mask}`;
}

export const tokenColumns = ['Token', 'Text', 'Id', 'Perplexity', 'Masked'];

export const tokenCells = ({ text, id, perplexity, masked }: RowToken, place: number): string[] => [
  String(place + 1),
  JSON.stringify(text),
  String(id),
  perplexity === null ? MISSING : formatNumber(perplexity),
  masked === null ? MISSING : masked ? 'yes' : 'no',
];

/** Where the tokens of a row are asked for. */
export interface TokenPlace {
  by: string;
  row: number;
}

/** By file and row of the dataset: the table that says most of the row's tokens. */
export function tokenPlaces(tables: readonly RowsTable[]): (file: string, row: number) => TokenPlace | null {
  const found = new Map<string, TokenPlace>();
  const known = TOKEN_SCORES.flatMap((id) => tables.filter(({ score }) => score === id));
  for (const table of known) {
    const by = labelOf(table, tables);
    const { files, file, row } = table.rows;
    row.forEach((number, at) => {
      const key = `${files[file[at]!]}\n${number}`;
      if (!found.has(key)) found.set(key, { by, row: at });
    });
  }
  return (file, row) => found.get(`${file}\n${row}`) ?? null;
}
