/**
 * Rows of a dataset that a score chooses, written as a dataset of their own in its format: a file beside the scores (or
 * where it is asked for), never one of the dataset's own, with a file that says where it comes from. With `token_mask`
 * a column `loss_mask` is added, or the tokens are written as TRL or axolotl read them.
 */
import fs from 'node:fs';
import path from 'node:path';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { DataFormat } from '../../../../protocol/experiment.ts';
import { SCORES_SUFFIX } from '../../../../protocol/scores.ts';
import type { ScoresFile, ScoreTable } from '../../../../protocol/scores.ts';
import { writeAtomically } from '../../checkpoints/fileBytes.ts';
import { loadExperiment } from '../../config/experiment.ts';
import { exampleOf, shownTask } from '../../data/context.ts';
import { columnsOf, formatOf, readRows } from '../../data/formats.ts';
import { asRead } from '../../data/splits.ts';
import type { Row } from '../../data/types.ts';
import { writers, writtenFormat } from '../../data/writers.ts';
import type { WrittenFormat } from '../../data/writers.ts';
import { Random } from '../../random/random.ts';
import { cannotWrite, makeFolders } from '../../files/writing.ts';
import { listed } from '../../text/listed.ts';
import { didYouMean } from '../../text/nearest.ts';
import { dataHashes, written } from '../files/provenance.ts';
import { readFileOf } from '../files/readFile.ts';
import { experimentName, resultFiles, writeJson } from '../files/results.ts';
import { maskedRows } from '../scores/maskedRows.ts';
import type { MaskedRow } from '../scores/maskedRows.ts';
import { labelOf } from '../scores/rowAgreement.ts';
import { chosenRows, controlIds, keptCount, levelsOf, overlaps } from './selection.ts';
import type { Overlap } from './selection.ts';
import { nth } from '../../lists/nth.ts';

/** How tokens and their masks are written. */
export const maskForms = ['loss_mask', 'trl', 'axolotl'] as const;
export type MaskForm = (typeof maskForms)[number];

const maskWriters: Record<MaskForm, (row: MaskedRow) => Record<string, unknown>> = {
  loss_mask: ({ row, lossMask }) => ({ ...row.values, loss_mask: Array.from(lossMask) }),
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
  /** Absent: all rows, for token masks. */
  keep?: string | undefined;
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
  /** Of the experiment, where runs lie in another folder. */
  outputDir?: string | undefined;
  signal?: AbortSignal | undefined;
}

export interface Selected {
  file: string;
  provenanceFile: string;
  by: string;
  rows: number;
  of: number;
  /** Rows that the rule of the score leaves out. */
  left: number;
  doubles: number;
  overlaps: Overlap[];
  notes: string[];
}

/**
 * @throws LayerifError `badRequest`: no scores, no such score or column, a file that exists; `badData` where the data
 *   were changed since; `cannotWrite`
 */
export async function selectRows(options: SelectOptions): Promise<Selected> {
  const { scoresFile, scores } = scoresOf(options);
  const table = tableOf(scores, options.by, scoresFile);
  const baseDir = path.dirname(scores.experimentFile);
  const form = maskFormOf(table, options);
  const levels = levelsOf(table, options.level);
  await requireSameData(table, scores, baseDir);
  const { experiment, task } = taskOf(scores, table);
  const { field, ds_type, field_mapping: mapping = {} } = experiment.datasets[table.rows!.dataset] ?? {};
  const kind: Kind = { field, format: ds_type };
  const all = table.values.length;
  const notes: string[] = [];
  const wanted = options.keep === undefined ? null : keptCount(options.keep, all);
  if (wanted === null && form === null)
    throw new LayerifError('badRequest', 'how many rows? give --keep N or --keep P%');
  const needsTexts = options.dedup === true || options.balance !== undefined;
  const texts = needsTexts ? await textsOf(table, baseDir, { kind, mapping, task }, options.balance) : null;
  const choice =
    wanted === null
      ? { rows: Array.from({ length: all }, (_, row) => row), left: 0, doubles: 0 }
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
      levels
        ? `no fact of ${all} is of level ${listed(levels.map(String))}: choose another one`
        : `${options.by} leaves out all ${all} rows: look at their marks with layerif score`,
    );
  if (wanted !== null && choice.rows.length < wanted)
    notes.push(
      `only ${choice.rows.length} of ${wanted} rows could be chosen: ${choice.left} are ${levels ? 'of another level' : 'left out by the score or have no value'}${options.dedup ? `, ${choice.doubles} are doubles` : ''}`,
    );
  const first = nth(table.rows!.files, 0);
  const sourceFormat = ds_type ?? formatOf(path.resolve(baseDir, first));
  const format: WrittenFormat = form === null ? writtenFormat(sourceFormat, first) : 'jsonl';
  if (form === null && format === 'jsonl' && sourceFormat !== 'json')
    notes.push(`written as JSON lines: files of the format ${sourceFormat ?? 'of this dataset'} are not written`);
  const file = outputOf(options, scoresFile, table, form, writers[format].ending);
  const rows =
    form === null
      ? plainRows(table, baseDir, kind, choice.rows)
      : masked(scores, scoresFile, table, form, choice.rows, options.signal);
  const count = await write(file, format, rows);
  const others = wanted === null ? [] : overlaps(table, choice.rows, scores.tables);
  const missing = controlIds.filter(
    (id) => id !== table.score && !others.some(({ control }) => control.split(' ')[0] === id),
  );
  if (wanted !== null && levels === undefined && missing.length > 0)
    notes.push(`not beside it: ${listed([...missing])}; add them to data_scores to see whether they choose the same`);
  if (form !== null) notes.push(maskUse[form]);
  const provenanceFile = `${file}.provenance.json`;
  writeJson(provenanceFile, {
    by: table.score,
    options: table.options,
    formula: table.formula,
    source: table.source,
    model: scores.model,
    scoresFile,
    rows: count,
    of: all,
    keep: options.keep ?? null,
    lowest: options.lowest === true,
    dedup: options.dedup === true,
    balance: options.balance ?? null,
    ...(levels ? { levels, seed: options.seed ?? 0 } : {}),
    to: form,
    dataset: table.rows!.dataset,
    split: table.rows!.split,
    dataSha256: table.rows!.sha256,
    tokenizer: form === null ? null : { model: scores.model.name, sha256: table.rows!.tokenizer },
    overlaps: others,
    ...written(),
  });
  const label = labelOf(table, scores.tables);
  return {
    file,
    provenanceFile,
    by: label,
    rows: count,
    of: all,
    left: choice.left,
    doubles: choice.doubles,
    overlaps: others,
    notes,
  };
}

/** How the files of the dataset are read. */
interface Kind {
  field: string | undefined;
  format: DataFormat | undefined;
}

function scoresOf({ file, outputDir }: SelectOptions): { scoresFile: string; scores: ScoresFile } {
  const absolute = path.resolve(file);
  if (absolute.endsWith(SCORES_SUFFIX)) return { scoresFile: absolute, scores: readFileOf('scores', absolute) };
  const experiment = loadExperiment(absolute);
  const output = path.resolve(path.dirname(absolute), outputDir ?? experiment.output_dir);
  for (const scoresFile of resultFiles(output, experimentName(absolute), SCORES_SUFFIX)) {
    const scores = readFileOf('scores', scoresFile);
    if (scores.tables.some(({ rows }) => rows)) return { scoresFile, scores };
  }
  throw new LayerifError(
    'badRequest',
    `${path.basename(absolute)} has no scores of rows yet: name some under data_scores and run layerif score ${path.basename(absolute)}`,
  );
}

function tableOf({ tables }: ScoresFile, by: string, scoresFile: string): ScoreTable {
  const ofRows = tables.filter(({ rows }) => rows);
  const table = ofRows.findLast((one) => one.score === by || labelOf(one, ofRows) === by);
  if (table) return table;
  const known = [...new Set(ofRows.map((one) => labelOf(one, ofRows)))];
  throw new LayerifError(
    'badRequest',
    known.length === 0
      ? `${path.basename(scoresFile)} holds no scores of rows: name some under data_scores`
      : `${path.basename(scoresFile)} has no score of rows "${by}": use one of ${listed(known)}${didYouMean(by, known)}`,
  );
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

async function requireSameData(
  { rows, score }: ScoreTable,
  { experimentFile }: ScoresFile,
  baseDir: string,
): Promise<void> {
  for (const file of rows!.files) {
    const absolute = path.resolve(baseDir, file);
    const now = fs.existsSync(absolute) ? (await dataHashes([absolute], baseDir))[file] : null;
    if (now === rows!.sha256[file]) continue;
    throw new LayerifError(
      'badData',
      `${file} ${now === null ? 'is gone' : 'was changed'} since ${score} was computed: run layerif score ${path.basename(experimentFile)} --only data_scores again, or bring the file back`,
    );
  }
}

function taskOf({ experimentFile }: ScoresFile, { rows }: ScoreTable) {
  const experiment = loadExperiment(experimentFile);
  return { experiment, task: experiment.tasks.find(({ task }) => task === rows!.task) ?? null };
}

/** Rows of the table with the columns of their files, in the order of the table. */
async function* plainRows(
  { rows }: ScoreTable,
  baseDir: string,
  kind: Kind,
  chosen: readonly number[],
): AsyncGenerator<{ index: number; row: Row; values: Record<string, unknown>; columns: string[] }, void, undefined> {
  const { files, file, row: numbers } = rows!;
  for (const at of new Set(chosen.map((index) => nth(file, index)))) {
    const source = {
      path: path.resolve(baseDir, nth(files, at)),
      format: kind.format ?? formatOf(nth(files, at))!,
      field: kind.field,
    };
    const wanted = new Map<number, number[]>();
    for (const index of chosen)
      if (file[index] === at) wanted.set(nth(numbers, index), [...(wanted.get(nth(numbers, index)) ?? []), index]);
    const places = [...wanted.keys()];
    const first = places.reduce((a, b) => Math.min(a, b));
    const last = places.reduce((a, b) => Math.max(a, b));
    const columns = await columnsOf(source);
    for await (const row of readRows(source, first, last + 1))
      for (const index of wanted.get(row.row) ?? []) yield { index, row, values: row.values, columns };
  }
}

async function textsOf(
  table: ScoreTable,
  baseDir: string,
  source: { kind: Kind; mapping: Record<string, string>; task: ReturnType<typeof taskOf>['task'] },
  column: string | undefined,
): Promise<{ keys: string[]; classes: string[] }> {
  const keys: string[] = [];
  const classes: string[] = [];
  const all = table.values.map((_, row) => row);
  for await (const { index, row, columns } of plainRows(table, baseDir, source.kind, all)) {
    const read = asRead(row, columns, source.mapping);
    const { prompt, answer } = source.task
      ? exampleOf(shownTask({ ...source.task, num_fewshot: 0 }), read)
      : { prompt: '', answer: String(read.values.text) };
    keys[index] = `${prompt}\n${answer}`.replace(/\s+/g, ' ').trim();
    if (column === undefined) continue;
    const names = [...columns, ...Object.keys(source.mapping)];
    if (!names.includes(column)) {
      throw new LayerifError(
        'badRequest',
        `--balance ${column}: the dataset has no such column; columns: ${listed(names)}${didYouMean(column, names)}`,
      );
    }
    classes[index] = JSON.stringify(read.values[column] ?? null);
  }
  return { keys, classes };
}

async function* masked(
  scores: ScoresFile,
  scoresFile: string,
  table: ScoreTable,
  form: MaskForm,
  chosen: readonly number[],
  signal: AbortSignal | undefined,
) {
  const wanted = new Set(chosen);
  let index = 0;
  for await (const row of maskedRows(scores, scoresFile, table, { signal }))
    if (wanted.has(index++)) yield { values: maskWriters[form](row), columns: [] };
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
    if (!fs.existsSync(file)) return file;
    throw new LayerifError('badRequest', `--output ${output} exists already: give the name of a new file`);
  }
  const stem = `${path.basename(scoresFile).slice(0, -SCORES_SUFFIX.length)}.${table.score}${form === null ? '' : `.${form}`}`;
  for (let n = 1; ; n++) {
    const file = path.join(path.dirname(scoresFile), `${stem}${n === 1 ? '' : `-${n}`}${ending}`);
    if (!fs.existsSync(file)) return file;
  }
}

async function write(
  file: string,
  format: WrittenFormat,
  rows: AsyncIterable<{ values: Record<string, unknown>; columns: string[] }>,
): Promise<number> {
  const writer = writers[format];
  const parts: Buffer[] = [];
  let count = 0;
  for await (const { values, columns } of rows) {
    parts.push(Buffer.from((count === 0 ? writer.start(columns) : writer.between) + writer.row(values, columns)));
    count++;
  }
  parts.push(Buffer.from(writer.end));
  try {
    makeFolders(path.dirname(file));
    writeAtomically(file, parts);
  } catch (error) {
    throw cannotWrite(file, error);
  }
  return count;
}
