/**
 * Marks on the rows of a data file: what the last run over it found harmful (a tenth of the training samples has less
 * influence in the mean over layers, and it harms in most layers), misaligned (the rule of a score of rows leaves it
 * out) or masked (most tokens of its answer). They belong to the file as it was: its hash decides.
 */
import path from 'node:path';
import type { RowMark, RowMarks, RunOfRows } from '../../../../protocol/rowRequests.ts';
import type { Result, ResultTask } from '../../../../protocol/result.ts';
import type { ScoredRows, ScoresFile, ScoreTable } from '../../../../protocol/scores.ts';
import { nth } from '../../lists/nth.ts';
import { dataHashes } from '../files/provenance.ts';
import { readFileOf } from '../files/readFile.ts';
import { readResult } from '../files/results.ts';
import { orderedRows } from './rows.ts';

/** Of the training samples, those with the least influence. */
const HARMFUL_SHARE = 0.1;
/** Of the tokens of an answer. */
const MASKED_SHARE = 0.5;

/** What of a run speaks of one file. */
interface Found {
  sha256: string | undefined;
  experimentFile: string;
  /** Computed where the file is the same. */
  marks: () => RowMark[];
}

/** @param runs newest first: the first that read the file counts @throws LayerifError for a run that cannot be read */
export async function rowMarks(file: string, runs: readonly RunOfRows[]): Promise<RowMarks | null> {
  for (const { result, scores } of runs) {
    const found = [
      ...(result === null ? [] : ofResult(readResult(result), result, file)),
      ...(scores === null ? [] : ofScores(readFileOf('scores', scores), file)),
    ];
    if (found.length === 0) continue;
    const [now] = Object.values(await dataHashes([file], path.dirname(file)));
    const same = found.filter(({ sha256 }) => sha256 === now);
    const run = result ?? scores ?? '';
    const { experimentFile } = nth(found, 0);
    if (same.length === 0) return { run, experimentFile, sha256: null, marks: [] };
    const marks = same.flatMap((one) => one.marks());
    return { run, experimentFile, sha256: now ?? null, marks: marks.sort((a, b) => a.line - b.line) };
  }
  return null;
}

const isFile = (experimentFile: string, name: string, file: string) =>
  path.resolve(path.dirname(experimentFile), name) === file;

function ofResult(result: Result, resultFile: string, file: string): Found[] {
  const { experimentFile, tasks, provenance } = result;
  const name = Object.keys(provenance.dataSha256).find((one) => isFile(experimentFile, one, file));
  if (name === undefined) return [];
  const marks = () => tasks.flatMap((task) => harmful(result, resultFile, task, name));
  return [{ sha256: provenance.dataSha256[name], experimentFile, marks }];
}

function harmful(result: Result, resultFile: string, task: ResultTask, name: string): RowMark[] {
  if (task.layers.length === 0) return [];
  const of = task.train.samples;
  const { rows, layers, over } = orderedRows(result, resultFile, task, { top: Math.ceil(HARMFUL_SHARE * of) });
  return rows.flatMap(({ file, line, row, harms, value }) =>
    file === name && line !== null && 2 * harms > layers.length
      ? [
          {
            line,
            row,
            kind: 'harmful' as const,
            words: `harms validation of ${task.task} in ${harms} of ${layers.length} ${layers.length === 1 ? 'layer' : 'layers'}${over === 'rank' ? `; mean rank ${value.toFixed(1)} of ${of} (1 = least influence)` : ''}`,
          },
        ]
      : [],
  );
}

function ofScores({ tables, experimentFile }: ScoresFile, file: string): Found[] {
  return tables.flatMap((table) => {
    if (!table.rows) return [];
    const name = table.rows.files.find((one) => isFile(experimentFile, one, file));
    if (name === undefined) return [];
    const rows = { ...table, rows: table.rows };
    return [{ sha256: table.rows.sha256[name], experimentFile, marks: () => markedRows(rows, name) }];
  });
}

function markedRows(table: ScoreTable & { rows: ScoredRows }, name: string): RowMark[] {
  const { rows, values, parts, marks = [] } = table;
  const at = rows.files.indexOf(name);
  const place = (index: number) => {
    const line = rows.line[index];
    return rows.file[index] === at && typeof line === 'number' ? { line, row: nth(rows.row, index) } : null;
  };
  const token = table.subject === 'token';
  const dropped = marks
    .filter(({ drop }) => drop)
    .flatMap(({ at: indices, words }) =>
      indices.flatMap((index): RowMark[] => {
        const found = place(index);
        const value = values[index];
        const number = typeof value === 'number' && !token ? ` (${value.toPrecision(3)})` : '';
        const kind = token ? 'masked' : 'misaligned';
        return found ? [{ ...found, kind, words: `${table.score}: ${words}${number}` }] : [];
      }),
    );
  if (!token) return dropped;
  const known = new Set(dropped.map(({ row }) => row));
  const most = values.flatMap((kept, index): RowMark[] => {
    const found = place(index);
    if (!found || known.has(found.row) || kept === null || 1 - kept <= MASKED_SHARE) return [];
    const masked = parts?.['masked tokens']?.[index] ?? null;
    const of = masked === null ? '' : ` (${masked} of ${Math.round(masked / (1 - kept))})`;
    return [{ ...found, kind: 'masked', words: `${table.score}: most tokens of the answer are masked${of}` }];
  });
  return [...dropped, ...most];
}
