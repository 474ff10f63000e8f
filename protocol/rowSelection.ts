/**
 * Rows of a dataset that a score chooses: which ones can be chosen, what the tables of one dataset are called, and what
 * is said of a choice. The server and the pages use the same rule. Pure.
 */
import type { Json, ScoreTable } from './scores.ts';

export interface Overlap {
  control: string;
  /** Rows that both choose. */
  shared: number;
  /** Expected of a random choice of as many rows. */
  chance: number;
}

/** A dataset of some of the rows, written or about to be. */
export interface WrittenRows {
  /** The new file; before it is written, the name that is proposed. */
  file: string;
  rows: number;
  of: number;
  notes: string[];
  /** Beginning of the file, where it is not written yet. */
  preview?: string;
}

/** As `layerif select` writes it. */
export interface SelectedRows extends WrittenRows {
  /** Says where the rows come from. */
  provenanceFile: string;
  /** The score. */
  by: string;
  /** Rows that the rule of the score leaves out. */
  left: number;
  doubles: number;
  overlaps: Overlap[];
}

/** Places of the rows that a selection may take: those with a value that the rule of the score does not leave out. */
export function ableRows({ values, marks = [] }: Pick<ScoreTable, 'values' | 'marks'>): number[] {
  const dropped = new Set(marks.filter(({ drop }) => drop).flatMap(({ at }) => at));
  return values.flatMap((value, row) => (value !== null && !dropped.has(row) ? [row] : []));
}

export function sameRows({ rows: a }: ScoreTable, { rows: b }: ScoreTable): boolean {
  if (!a || !b || a.row.length !== b.row.length) return false;
  return a.row.every((row, i) => row === b.row[i] && a.files[a.file[i]!] === b.files[b.file[i]!]);
}

/** The score's id, with the options in which it differs from another table of the score. */
export function labelOf(table: ScoreTable, among: readonly ScoreTable[]): string {
  const alike = among.filter(({ score }) => score === table.score);
  const differ = Object.entries(table.options).filter(([name, value]) =>
    alike.some(({ options }) => JSON.stringify(options[name]) !== JSON.stringify(value)),
  );
  return [table.score, ...differ.map(([name, value]) => `${name} ${wordOf(value)}`)].join(' ');
}

const wordOf = (value: Json): string =>
  value === '' ? 'default' : typeof value === 'string' ? value : JSON.stringify(value);
