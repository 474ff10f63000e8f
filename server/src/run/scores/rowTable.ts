/** From a score's numbers to a table of rows: the words of the score, and where each row stands. */
import type { ScoredRows, ScoreTable } from '../../../../protocol/scores.ts';
import type { RowFold } from '../../scores/dataTypes.ts';
import { definedNumbers, wordsOf } from '../../scores/tables.ts';
import { relativeTo } from '../files/paths.ts';
import { readsTokens } from './rowPlans.ts';
import type { Plan } from './rowPlans.ts';
import type { RowSource, SourceRow } from './rowSource.ts';

/** Where the rows stand. */
export class Rows {
  readonly #found: ScoredRows;
  readonly #baseDir: string;
  readonly #files = new Map<string, number>();

  constructor({ dataset, split, task, sha256 }: RowSource, baseDir: string, tokenizer: string | null) {
    const rest = { files: [], file: [], row: [], line: [], sha256, tokenizer };
    this.#found = { dataset: dataset.name, split, task: task?.task ?? null, ...rest };
    this.#baseDir = baseDir;
  }

  get count(): number {
    return this.#found.row.length;
  }

  add(rows: readonly SourceRow[]): void {
    const { files, file, row: numbers, line } = this.#found;
    for (const { row } of rows) {
      let index = this.#files.get(row.file);
      if (index === undefined) {
        index = files.push(relativeTo(this.#baseDir, row.file)) - 1;
        this.#files.set(row.file, index);
      }
      file.push(index);
      numbers.push(row.row);
      line.push(row.line);
    }
  }

  rows(): ScoredRows {
    return this.#found;
  }
}

export function tableOf(
  { score, values: options, needs }: Plan,
  { values, parts, notes, groups, ...rest }: Awaited<ReturnType<RowFold['numbers']>>,
  rows: ScoredRows,
  texts: string,
): ScoreTable {
  if (values.length !== rows.row.length)
    throw new Error(`score ${score.id} gave ${values.length} values for ${rows.row.length} rows`);
  return {
    ...wordsOf(score),
    options,
    texts,
    axes: [{ name: 'row', labels: values.map((_, row) => row), ...(groups ? { groups } : {}) }],
    ...definedNumbers({ values, parts }),
    ...rest,
    rows: readsTokens(score) ? rows : { ...rows, tokenizer: null },
    notes,
    needs,
  };
}
