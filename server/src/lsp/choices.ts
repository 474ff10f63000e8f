/**
 * Values that only the disk or the file itself can tell: one row per place in the experiment. To add a place, add a
 * row.
 *
 * A pattern is a path; `*` stands for any key or index. Nothing here throws: what cannot be read offers nothing.
 */
import fs from 'node:fs';
import path from 'node:path';
import { CompletionItemKind } from 'vscode-languageserver/node';
import type { Dataset } from '../../../protocol/experiment.ts';
import type { Path } from '../config/experiment.ts';
import { dataFileEndings, describeDataset, describeModel } from '../run/inputs/describe.ts';
import { layerScoreIds, listOf } from '../run/inputs/lists.ts';

export interface Choice {
  value: string;
  kind: CompletionItemKind;
  /** Shown beside the value. */
  detail?: string;
  /** Ask again after it is taken, as for a folder. */
  more?: boolean;
}

export interface Asked {
  /** The experiment as last readable. */
  raw: unknown;
  baseDir: string;
  path: Path;
  word: string;
}

type Provider = (asked: Asked) => Choice[] | Promise<Choice[]>;

const rows: [pattern: string, provider: Provider][] = [
  ['tasks/*/dataset', datasetNames],
  ['tasks/*/dataset_path', datasetNames],
  ['prune/calibration/dataset', datasetNames],
  ['evaluate/perplexity/dataset', datasetNames],
  ['evaluate/tasks/*', taskNames],
  ['tasks/*/doc_to_text', columns],
  ['tasks/*/doc_to_target', columns],
  ['tasks/*/doc_to_choice', columns],
  ['datasets/*/split_column', columns],
  ['datasets/*/field_mapping/*', columns],
  ['tasks/*/training_split', splits],
  ['tasks/*/validation_split', splits],
  ['tasks/*/test_split', splits],
  ['tasks/*/fewshot_split', splits],
  ['scores/*', scores],
  ['scores/*/*/texts/dataset', datasetNames],
  ['scores/*/*/texts/split', splits],
  ['prune/calibration/split', splits],
  ['evaluate/perplexity/split', splits],
  ['score/modules/*', modules],
  ['score/estimator', estimators],
  ['model/path', files(['.gguf', '.onnx'])],
  ['model/adapter', files([])],
  ['datasets/*/path', files(dataFileEndings)],
  ['datasets/*/data_files', files(dataFileEndings)],
  ['datasets/*/data_files/*', files(dataFileEndings)],
  ['datasets/*/data_files/*/*', files(dataFileEndings)],
  ['tasks/*/dataset_kwargs/data_files', files(dataFileEndings)],
  ['tasks/*/dataset_kwargs/data_files/*', files(dataFileEndings)],
  ['tasks/*/include', files(['.yaml', '.yml'])],
  ['output_dir', files([])],
];

export async function choicesAt(asked: Asked): Promise<Choice[]> {
  const row = rows.find(([pattern]) => matches(pattern, asked.path));
  if (!row) return [];
  try {
    return await row[1](asked);
  } catch {
    return [];
  }
}

/** Columns of the dataset that belongs to a path: for names inside `{{ }}`. */
export async function columns({ raw, baseDir, path: where }: Asked): Promise<Choice[]> {
  const found = datasetAt(raw, where);
  if (!found) return [];
  const { columns: names } = await describeDataset(found.name, found.dataset, baseDir);
  return names.map((value) => ({ value, kind: CompletionItemKind.Field, detail: `column of ${found.name}` }));
}

async function splits({ raw, baseDir, path: where }: Asked): Promise<Choice[]> {
  const found = datasetAt(raw, where);
  if (!found) return [];
  const { splits: counts } = await describeDataset(found.name, found.dataset, baseDir);
  return Object.entries(counts).flatMap(([split, count]): Choice[] => {
    const detail = `${counted(count, 'row')} in ${found.name}`;
    const part = Math.min(300, Math.max(1, Math.floor(count * 0.8)));
    return [split, `${split}[:${part}]`, `${split}[${part}:]`].map((value) => ({
      value,
      kind: CompletionItemKind.Value,
      detail:
        value === split
          ? detail
          : value.includes('[:')
            ? `the first ${part} of ${detail}`
            : `${detail} after the first ${part}`,
    }));
  });
}

async function modules({ raw, baseDir }: Asked): Promise<Choice[]> {
  const modelPath = field(field(raw, 'model'), 'path');
  if (typeof modelPath !== 'string') return [];
  const adapter = field(field(raw, 'model'), 'adapter');
  const lora = typeof adapter === 'string' && field(field(raw, 'score'), 'params') === 'lora';
  const found = await describeModel(modelPath, baseDir, lora ? { adapter, params: 'lora' } : {});
  const groups = [...new Set(found.modules.map(({ name }) => name.split('.')[0]).filter((group) => group !== ''))];
  const exact = found.modules.map(({ name, shape }) => ({ value: name, detail: shape.join(' × ') }));
  const globs = groups
    .filter((group) => exact.some(({ value }) => value.startsWith(`${group}.`)))
    .map((group) => `${group}.*`);
  const all = [
    { value: '*', detail: 'every module' },
    ...globs.map((value) => ({ value, detail: 'every module of the group' })),
    ...exact,
  ];
  return all.map((choice) => ({ ...choice, kind: CompletionItemKind.Module }));
}

function estimators(): Choice[] {
  return listOf('estimators').map(({ id, title }) => ({
    value: id,
    kind: CompletionItemKind.EnumMember,
    detail: title,
  }));
}

function scores(): Choice[] {
  const ids = new Set(layerScoreIds());
  return listOf('scores')
    .filter(({ id }) => ids.has(id))
    .map(({ id, title }) => ({ value: id, kind: CompletionItemKind.EnumMember, detail: title }));
}

function datasetNames({ raw }: Asked): Choice[] {
  return Object.keys(mapping(field(raw, 'datasets'))).map((value) => ({
    value,
    kind: CompletionItemKind.Reference,
    detail: 'dataset',
  }));
}

function taskNames({ raw }: Asked): Choice[] {
  const tasks = field(raw, 'tasks');
  return (Array.isArray(tasks) ? (tasks as unknown[]) : [])
    .map((task) => field(task, 'task'))
    .filter((name) => typeof name === 'string')
    .map((value) => ({ value, kind: CompletionItemKind.Reference, detail: 'task' }));
}

/** Folders, and files with one of the endings, below what has been typed. */
function files(endings: readonly string[]): Provider {
  return ({ baseDir, word }) => {
    const typed = word.includes('/') ? word.slice(0, word.lastIndexOf('/') + 1) : '';
    const entries = fs.readdirSync(path.resolve(baseDir, typed), { withFileTypes: true });
    return entries
      .filter((entry) => !entry.name.startsWith('.') && entry.name !== 'node_modules')
      .filter((entry) => !entry.isFile() || endings.some((ending) => entry.name.toLowerCase().endsWith(ending)))
      .map((entry) =>
        entry.isFile()
          ? { value: typed + entry.name, kind: CompletionItemKind.File }
          : { value: typed + entry.name, kind: CompletionItemKind.Folder, more: true },
      );
  };
}

/** The dataset that a key below `datasets.NAME` or a task's key speaks of. */
function datasetAt(raw: unknown, [section, first]: Path): { name: string; dataset: Dataset } | null {
  const datasets = mapping(field(raw, 'datasets'));
  const asked =
    section === 'datasets'
      ? first
      : section === 'tasks' && first !== undefined
        ? field(field(field(raw, 'tasks'), first), 'dataset')
        : undefined;
  const names = Object.keys(datasets);
  const name = typeof asked === 'string' ? asked : names.length === 1 ? names[0] : undefined;
  if (name === undefined || !Object.hasOwn(datasets, name)) return null;
  const dataset = mapping(datasets[name]);
  const files = dataset.data_files;
  const readable: Dataset = {
    ...(typeof dataset.path === 'string' ? { path: dataset.path } : {}),
    ...(typeof files === 'string' || Array.isArray(files)
      ? { data_files: { train: files as string } }
      : files
        ? { data_files: files as Dataset['data_files'] }
        : {}),
    ...(typeof dataset.ds_type === 'string' ? { ds_type: dataset.ds_type as Dataset['ds_type'] } : {}),
    // What is being typed there may still be wrong, so it is not asked for.
    ...(section === 'tasks' && typeof dataset.split_column === 'string' ? { split_column: dataset.split_column } : {}),
    ...(section === 'tasks' && dataset.field_mapping
      ? { field_mapping: dataset.field_mapping as Record<string, string> }
      : {}),
  };
  return { name, dataset: readable };
}

function matches(pattern: string, where: Path): boolean {
  const parts = pattern.split('/');
  return parts.length === where.length && parts.every((part, i) => part === '*' || part === String(where[i]));
}

function mapping(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function field(value: unknown, key: string | number): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}

/** `2,400 rows` */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`;
}
