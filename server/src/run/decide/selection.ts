/**
 * Which rows a score chooses: the highest (or lowest) of those that its rule does not leave out, without doubles, as
 * many of each class; and how many of them the controls would have chosen too. Pure.
 */
import { LayerifError } from '../../../../protocol/errors.ts';
import { ableRows, labelOf, sameRows } from '../../../../protocol/rowSelection.ts';
import type { Overlap } from '../../../../protocol/rowSelection.ts';
import { factLevels } from '../../../../protocol/scores.ts';
import type { ScoreTable } from '../../../../protocol/scores.ts';
import type { Random } from '../../random/random.ts';
import { listed } from '../../text/listed.ts';
import { nth } from '../../lists/nth.ts';

/** What a choice is put beside. */
export const controlIds = ['bm25', 'similarity', 'loss', 'length', 'random'] as const;

export interface Choice {
  /** Rows, ascending. */
  rows: number[];
  /** Rows that the rule of the score leaves out, and rows without a value. */
  left: number;
  /** Rows that say the same as one that is chosen. */
  doubles: number;
}

export interface ChoiceOptions {
  /** How many rows. */
  keep: number;
  lowest: boolean;
  /** Of each row: rows with the same key are doubles. */
  keys?: readonly string[] | undefined;
  /** Class of each row. */
  classes?: readonly string[] | undefined;
  /** Of facts: only those of these levels, in an order that is drawn. */
  levels?: readonly number[] | undefined;
  random?: Random | undefined;
}

/** "2" or "1,2" of the levels of a table of facts. @throws LayerifError `badRequest` */
export function levelsOf(table: ScoreTable, word: string | undefined): number[] | undefined {
  if (table.subject !== 'fact') {
    if (word === undefined) return undefined;
    throw new LayerifError(
      'badRequest',
      `--level is of facts, and ${table.score} scores rows: leave it out, or use --by mastery`,
    );
  }
  const counts = factLevels.map(
    (level) => `${level} (${(table.parts?.level ?? []).filter((one) => one === level).length})`,
  );
  const fault = (what: string) =>
    new LayerifError(
      'badRequest',
      `${what}: use one or several of the levels, with commas; facts of each: ${listed(counts)}`,
    );
  if (word === undefined) throw fault('facts of which level? give --level');
  const levels = word.split(',').map((part) => (part.trim() === '' ? NaN : Number(part)));
  if (levels.every((level) => (factLevels as readonly number[]).includes(level))) return levels;
  throw fault(`--level ${word} is not allowed`);
}

/** "10" or "12.5%" of `rows`. @throws LayerifError `badRequest` */
export function keptCount(word: string, rows: number): number {
  const [, number, percent] = /^(\d+(?:\.\d+)?)\s*(%?)$/.exec(word.trim()) ?? [];
  const count = percent === '%' ? Math.round((Number(number) / 100) * rows) : Number(number);
  const fault = (what: string) => new LayerifError('badRequest', `--keep ${word} ${what}`);
  if (number === undefined) throw fault(`is not allowed: use a number of rows such as 100, or a share such as 10%`);
  if (!Number.isInteger(count))
    throw fault(`is not allowed: rows are whole, use ${Math.round(count)} or a share with %`);
  if (percent === '%' && Number(number) > 100) throw fault('is more than all rows: use a share up to 100%');
  if (count < 1) throw fault(`keeps none of the ${rows} rows: use a larger number`);
  if (count > rows) throw fault(`is more than the ${rows} rows that are scored`);
  return count;
}

export function chosenRows(
  table: Pick<ScoreTable, 'values' | 'marks' | 'parts' | 'axes'>,
  options: ChoiceOptions,
): Choice {
  const { values } = table;
  const { levels, random } = options;
  const level = table.parts?.level ?? [];
  const fits = (row: number) => levels === undefined || levels.includes(level[row] ?? -1);
  const able = ableRows(table).filter(fits);
  const sign = options.lowest ? 1 : -1;
  const drawn = random && levels ? random.permutation(values.length) : null;
  const place = (row: number) => (drawn ? nth(drawn, row) : sign * values[row]!);
  able.sort((a, b) => place(a) - place(b) || a - b);
  const seen = new Set<string>();
  const single = able.filter((row) => {
    const key = options.keys?.[row];
    if (key === undefined) return true;
    const known = seen.has(key);
    seen.add(key);
    return !known;
  });
  // Facts of a level are as many of each relation, where nothing else is asked for.
  const classes = options.classes ?? (levels === undefined ? undefined : table.axes[0]?.groups);
  const rows = classes ? balanced(single, classes, options.keep) : single.slice(0, options.keep);
  return {
    rows: rows.sort((a, b) => a - b),
    left: values.length - able.length,
    doubles: able.length - single.length,
  };
}

/** The best of each class in turn, until there are enough: classes that run out leave their places to the others. */
function balanced(rows: readonly number[], classes: readonly string[], keep: number): number[] {
  const queues = new Map<string, number[]>();
  for (const row of rows) queues.set(nth(classes, row), [...(queues.get(nth(classes, row)) ?? []), row]);
  const lists = [...queues.values()];
  const chosen: number[] = [];
  for (let place = 0; chosen.length < keep && lists.some((list) => place < list.length); place++)
    for (const list of lists) if (place < list.length && chosen.length < keep) chosen.push(nth(list, place));
  return chosen;
}

/** How many of the rows each control would have chosen, among the rows that both can choose. */
export function overlaps(table: ScoreTable, rows: readonly number[], tables: readonly ScoreTable[]): Overlap[] {
  const chosen = new Set(rows);
  const controls = tables.filter(
    (one) => one !== table && (controlIds as readonly string[]).includes(one.score) && sameRows(one, table),
  );
  return controls.map((control) => {
    const { rows: others } = chosenRows(control, { keep: rows.length, lowest: false });
    return {
      control: labelOf(control, controls),
      shared: others.filter((row) => chosen.has(row)).length,
      chance: (others.length * rows.length) / Math.max(1, table.values.length),
    };
  });
}
