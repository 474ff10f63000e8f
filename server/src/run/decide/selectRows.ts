/**
 * Rows of a dataset that a score chooses, written as a dataset of their own in its format: a file beside the scores (or
 * where it is asked for), never one of the dataset's own, with a file that says where it comes from. With `token_mask`
 * a column `loss_mask` is added, or the tokens are written as TRL or axolotl read them.
 */
import path from 'node:path';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { DataFormat } from '../../../../protocol/experiment.ts';
import { labelOf } from '../../../../protocol/rowSelection.ts';
import type { SelectedRows } from '../../../../protocol/rowSelection.ts';
import { SCORES_SUFFIX } from '../../../../protocol/scores.ts';
import type { ScoresFile, ScoreTable } from '../../../../protocol/scores.ts';
import { formatOf } from '../../data/formats.ts';
import { cellsOf, writers, writtenFormat } from '../../data/writers.ts';
import type { WrittenFormat } from '../../data/writers.ts';
import { nth } from '../../lists/nth.ts';
import { Random } from '../../random/random.ts';
import { listed } from '../../text/listed.ts';
import { didYouMean } from '../../text/nearest.ts';
import { written } from '../files/provenance.ts';
import { writeJson } from '../files/results.ts';
import { freeName, previewOf, requireNew, writeRows } from '../inputs/dataRows.ts';
import { maskedRows } from '../scores/maskedRows.ts';
import type { MaskedRow } from '../scores/maskedRows.ts';
import { requireSameData, rowsOf, scoresOf, sourceOf, tableOf, textsOf } from './scoredRows.ts';
import type { RowsSource, TableOfRows } from './scoredRows.ts';
import { chosenRows, controlIds, keptCount, levelsOf, overlaps } from './selection.ts';
import type { Choice } from './selection.ts';

/** How tokens and their masks are written. */
export const maskForms = ['loss_mask', 'trl', 'axolotl'] as const;
export type MaskForm = (typeof maskForms)[number];

const maskWriters: Record<MaskForm, (row: MaskedRow, from: DataFormat | null) => Record<string, unknown>> = {
  loss_mask: ({ row, lossMask }, from) => ({ ...cellsOf(row, from, 'jsonl'), loss_mask: Array.from(lossMask) }),
  trl: ({ tokens, lossMask }) => ({ input_ids: Array.from(tokens), completion_mask: Array.from(lossMask) }),
  axolotl: ({ tokens, lossMask }) => ({
    input_ids: Array.from(tokens),
    attention_mask: Array.from(tokens, () => 1),
    labels: Array.from(tokens, (token, t) => (lossMask[t] === 1 ? token : -100)),
  }),
};

const maskUse: Record<MaskForm, string> = {
  loss_mask: 'layerif train reads it with train.loss_mask: loss_mask, with the same model and template',
  trl: "TRL's SFTTrainer reads it with completion_only_loss: true",
  axolotl: 'axolotl reads it as a dataset without a type',
};

export interface SelectOptions {
  /** Experiment file, or a file of scores. */
  file: string;
  /** Id of the score. */
  by: string;
  /** Absent: all rows, for token masks; or all but `without`. */
  keep?: string | undefined;
  /** Rows of the table that are left out, in place of `keep`. */
  without?: readonly number[] | undefined;
  lowest?: boolean;
  dedup?: boolean;
  /** Column whose values get as many rows each. */
  balance?: string | undefined;
  /** Of facts: their levels, with commas. */
  level?: string | undefined;
  /** Of what is drawn from a level. */
  seed?: number | undefined;
  to?: string | undefined;
  output?: string | undefined;
  /** Nothing is written. */
  dry?: boolean;
  /** Of the experiment, where runs lie in another folder. */
  outputDir?: string | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * @throws LayerifError `badRequest`: no scores, no such score or column, a file that exists; `badData` where the data
 *   were changed since; `cannotWrite`
 */
export async function selectRows(options: SelectOptions): Promise<SelectedRows> {
  const { scoresFile, scores } = scoresOf(options.file, options.outputDir);
  const table = tableOf(scores, options.by, scoresFile);
  const form = maskFormOf(table, options);
  const levels = levelsOf(table, options.level);
  await requireSameData(table, scores);
  const source = sourceOf(scores, table);
  const all = table.values.length;
  const notes: string[] = [];
  const wanted = options.keep === undefined ? null : keptCount(options.keep, all);
  if (wanted === null && form === null && options.without === undefined)
    throw new LayerifError('badRequest', 'how many rows? give --keep N or --keep P%');
  const needsTexts = options.dedup === true || options.balance !== undefined;
  const texts = needsTexts ? await keysOf(table, source, options.balance) : null;
  const choice =
    wanted === null
      ? allBut(options.without ?? [], all)
      : chosenRows(table, {
          keep: wanted,
          lowest: options.lowest === true,
          keys: options.dedup ? texts?.keys : undefined,
          classes: options.balance === undefined ? undefined : texts?.classes,
          levels,
          random: new Random(options.seed ?? 0, 'facts of a level'),
        });
  if (choice.rows.length === 0)
    throw new LayerifError(
      'badRequest',
      options.without
        ? `none of the ${all} rows would be left: choose fewer`
        : levels
          ? `no fact of ${all} is of level ${listed(levels.map(String))}: choose another one`
          : `${options.by} leaves out all ${all} rows: look at their marks with layerif score`,
    );
  if (wanted !== null && choice.rows.length < wanted)
    notes.push(
      `only ${choice.rows.length} of ${wanted} rows could be chosen: ${choice.left} are ${levels ? 'of another level' : 'left out by the score or have no value'}${options.dedup ? `, ${choice.doubles} are doubles` : ''}`,
    );
  const first = nth(table.rows.files, 0);
  const sourceFormat = source.kind.format ?? formatOf(first);
  const format: WrittenFormat = form === null ? writtenFormat(sourceFormat, first) : 'jsonl';
  if (form === null && format === 'jsonl' && sourceFormat !== 'json')
    notes.push(`written as JSON lines: files of the format ${sourceFormat ?? 'of this dataset'} are not written`);
  const file = outputOf(options, scoresFile, table, form, writers[format].ending);
  const rows =
    form === null
      ? chosen(table, source, choice.rows, sourceFormat, format)
      : masked(scores, scoresFile, table, form, choice.rows, sourceFormat, options.signal);
  const others = wanted === null ? [] : overlaps(table, choice.rows, scores.tables);
  const missing = controlIds.filter(
    (id) => id !== table.score && !others.some(({ control }) => control.split(' ')[0] === id),
  );
  if (wanted !== null && levels === undefined && missing.length > 0)
    notes.push(`not beside it: ${listed([...missing])}; add them to data_scores to see whether they choose the same`);
  if (form !== null) notes.push(maskUse[form]);
  const provenanceFile = `${file}.provenance.json`;
  const selected: SelectedRows = {
    file,
    provenanceFile,
    by: labelOf(table, scores.tables),
    rows: choice.rows.length,
    of: all,
    left: choice.left,
    doubles: choice.doubles,
    overlaps: others,
    notes,
  };
  if (options.dry) return { ...selected, preview: await previewOf(format, rows) };
  selected.rows = await writeRows(file, format, rows);
  writeJson(provenanceFile, {
    by: table.score,
    options: table.options,
    formula: table.formula,
    source: table.source,
    model: scores.model,
    scoresFile,
    rows: selected.rows,
    of: all,
    keep: options.keep ?? null,
    without: options.without?.length ?? null,
    lowest: options.lowest === true,
    dedup: options.dedup === true,
    balance: options.balance ?? null,
    ...(levels ? { levels, seed: options.seed ?? 0 } : {}),
    to: form,
    dataset: table.rows.dataset,
    split: table.rows.split,
    dataSha256: table.rows.sha256,
    tokenizer: form === null ? null : { model: scores.model.name, sha256: table.rows.tokenizer },
    overlaps: others,
    ...written(),
  });
  return selected;
}

function allBut(without: readonly number[], all: number): Choice {
  const unknown = without.find((row) => !Number.isInteger(row) || row < 0 || row >= all);
  if (unknown !== undefined)
    throw new LayerifError('badRequest', `there is no row ${unknown}: the score has rows 0 to ${all - 1}`);
  const left = new Set(without);
  return { rows: Array.from({ length: all }, (_, row) => row).filter((row) => !left.has(row)), left: 0, doubles: 0 };
}

/** What doubles have in common, and the class of each row. @param column whose values are the classes */
async function keysOf(
  table: TableOfRows,
  source: RowsSource,
  column: string | undefined,
): Promise<{ keys: string[]; classes: string[] }> {
  const keys: string[] = [];
  const classes: string[] = [];
  const all = table.values.map((_, row) => row);
  for await (const { index, prompt, answer, values, names } of textsOf(table, source, all)) {
    keys[index] = `${prompt}\n${answer}`.replace(/\s+/g, ' ').trim();
    if (column === undefined) continue;
    if (!names.includes(column)) {
      throw new LayerifError(
        'badRequest',
        `--balance ${column}: the dataset has no such column; columns: ${listed(names)}${didYouMean(column, names)}`,
      );
    }
    classes[index] = JSON.stringify(values[column] ?? null);
  }
  return { keys, classes };
}

async function* chosen(
  table: TableOfRows,
  source: RowsSource,
  rows: readonly number[],
  from: DataFormat | null,
  to: WrittenFormat,
) {
  for await (const { row, columns } of rowsOf(table, source, rows)) yield { values: cellsOf(row, from, to), columns };
}

function maskFormOf(table: ScoreTable, { to, by }: SelectOptions): MaskForm | null {
  if (table.subject !== 'token') {
    if (to === undefined) return null;
    throw new LayerifError('badRequest', `--to ${to} writes token masks, which ${by} has none of: use --by token_mask`);
  }
  const form = maskForms.find((one) => one === (to ?? 'loss_mask'));
  if (form) return form;
  throw new LayerifError('badRequest', `--to ${to} is not allowed with token_mask: use ${listed([...maskForms])}`);
}

async function* masked(
  scores: ScoresFile,
  scoresFile: string,
  table: ScoreTable,
  form: MaskForm,
  chosen: readonly number[],
  from: DataFormat | null,
  signal: AbortSignal | undefined,
) {
  const wanted = new Set(chosen);
  let index = 0;
  for await (const row of maskedRows(scores, scoresFile, table, { signal }))
    if (wanted.has(index++)) yield { values: maskWriters[form](row, from), columns: [] };
}

function outputOf(
  { output }: SelectOptions,
  scoresFile: string,
  table: ScoreTable,
  form: MaskForm | null,
  ending: string,
): string {
  if (output !== undefined) {
    const file = path.resolve(output);
    requireNew(file, `--output ${output}`);
    return file;
  }
  const stem = `${path.basename(scoresFile).slice(0, -SCORES_SUFFIX.length)}.${table.score}${form === null ? '' : `.${form}`}`;
  return freeName(path.join(path.dirname(scoresFile), stem), ending);
}
