/**
 * The text of a new experiment file, from a model, a data file and its columns. What was not chosen stands there as an
 * example to be replaced. No `vscode` here.
 */
import type { DescribedColumn, DescribedData } from '../../protocol/dataDescription.ts';
import { scalar } from './yamlText.ts';

/** Paths are relative to the experiment file, with `/`; null where a step was skipped. */
export interface NewExperiment {
  model: string | null;
  data: { path: string; described: DescribedData } | null;
  text: string | null;
  answer: string | null;
}

/** Rows of the paper's experiments; more take longer and may settle the order of layers better. */
const TRAINING = 300;
const VALIDATION = 50;
const CHARACTERS_PER_TOKEN = 4;

const example: DescribedData = {
  columns: [
    { name: 'text', first: '', length: 400, labels: null, sortedFrom: null },
    { name: 'label', first: '', length: 8, labels: null, sortedFrom: null },
  ],
  splits: { train: TRAINING + VALIDATION },
  splitColumn: null,
};

export function newExperiment({ model, data, text, answer }: NewExperiment): string {
  const described = data?.described ?? example;
  const column = (wanted: string | null) => described.columns.find(({ name }) => name === wanted) ?? null;
  const shown = column(data ? text : 'text');
  const given = column(data ? answer : 'label');
  const name = data ? slug(stem(data.path)) || 'data' : 'reviews';
  const renamed = renamedColumns(described, [shown, given]);
  const variable = ({ name }: DescribedColumn) => renamed.find(([, from]) => from === name)?.[0] ?? name;
  const { training, validation } = splitsOf(described, given?.sortedFrom ?? null);
  const lines = [
    'version: 1',
    `description: ${scalar(`Which layers matter for ${name}?`)}`,
    'model:',
    model === null
      ? '  path: ./models/my-model # a folder with config.json and *.safetensors, a .gguf or .onnx file, or a hub id'
      : `  path: ${scalar(model)}`,
    `  max_length: ${lengthOf([shown, given])} # tokens; longer samples are cut and counted`,
    'datasets:',
    `  ${name}:`,
    `    path: ${data ? scalar(data.path) : 'data/reviews.jsonl # .jsonl .json .csv .tsv .parquet .arrow .txt'}`,
    ...(described.splitColumn === null ? [] : [`    split_column: ${scalar(described.splitColumn)}`]),
    ...(renamed.length === 0
      ? []
      : ['    field_mapping:', ...renamed.map(([to, from]) => `      ${to}: ${scalar(from)}`)]),
    'tasks:',
    `  - task: ${name}`,
    `    dataset: ${name}`,
    `    training_split: ${training} # whose influence is measured`,
    `    validation_split: ${validation} # on what it is measured`,
    ...(shown
      ? promptLines(shown, given, variable)
      : ['    doc_to_text: "{{text}}"', '    doc_to_target: "{{label}}"']),
  ];
  return `${lines.join('\n')}\n`;
}

/** [name in templates, column]: a template can only name columns that are words. */
function renamedColumns({ columns }: DescribedData, used: readonly (DescribedColumn | null)[]): [string, string][] {
  const taken = new Set(columns.map(({ name }) => name));
  return used.flatMap((column): [string, string][] => {
    if (!column || isWord(column.name)) return [];
    const base = slug(column.name) || 'column';
    let name = base;
    for (let i = 2; taken.has(name); i++) name = `${base}_${i}`;
    taken.add(name);
    return [[name, column.name]];
  });
}

/** NAME of NAME.layerif.yaml. */
export const experimentStem = ({ data }: Pick<NewExperiment, 'data'>): string =>
  (data && slug(stem(data.path))) || 'experiment';

function promptLines(
  text: DescribedColumn,
  answer: DescribedColumn | null,
  variable: (column: DescribedColumn) => string,
): string[] {
  if (!answer)
    return [
      `    doc_to_text: "{{${variable(text)}}}"`,
      '    output_type: loglikelihood_rolling # the text itself is scored',
    ];
  const prompt = `${title(variable(text))}: {{${variable(text)}}}\\n${title(variable(answer))}:`;
  const choices = choicesOf(answer);
  return [
    `    doc_to_text: "${prompt}" # a Jinja template`,
    ...(choices
      ? [
          `    doc_to_target: ${variable(answer)}`,
          `    doc_to_choice: [${choices.map((choice) => scalar(choice)).join(', ')}]`,
          '    output_type: multiple_choice',
        ]
      : [`    doc_to_target: " {{${variable(answer)}}}"`, '    output_type: loglikelihood']),
  ];
}

/**
 * Whole numbers and booleans are an index into the choices, as in lm-evaluation-harness: numbers from 0 name
 * themselves.
 */
function choicesOf({ labels }: DescribedColumn): string[] | null {
  if (!labels) return null;
  if (labels.every((label) => typeof label === 'boolean')) return ['False', 'True'];
  if (labels.every((label) => typeof label === 'number')) {
    const sorted = [...labels].sort((a, b) => a - b);
    return sorted.every((label, place) => label === place) ? sorted.map(String) : null;
  }
  // Digits would be an index too.
  const texts = labels.map(String);
  return texts.some((label) => /^-?\d+$/.test(label)) ? null : texts.sort((a, b) => a.localeCompare(b));
}

/**
 * Splits of the data where it has two, else four fifths of the rows and the rest; of rows sorted by label, of each
 * label.
 */
function splitsOf({ splits }: DescribedData, sortedFrom: number[] | null): { training: string; validation: string } {
  const names = Object.keys(splits);
  const training = names.find((name) => /^train/i.test(name)) ?? names[0] ?? 'train';
  const held = ['validation', 'valid', 'dev', 'val', 'test', 'eval'];
  const others = names.filter((name) => name !== training);
  const validation =
    held.map((word) => others.find((name) => name.toLowerCase().startsWith(word))).find(Boolean) ?? others[0];
  const rows = splits[training] ?? 0;
  if (validation !== undefined)
    return {
      training: slice(training, 0, Math.min(TRAINING, rows)),
      validation: slice(validation, 0, Math.min(VALIDATION, splits[validation]!)),
    };
  const starts = sortedFrom ?? [0];
  const parts = starts.map((start, i) => {
    const count = (starts[i + 1] ?? rows) - start;
    const held = Math.max(1, Math.min(Math.floor(VALIDATION / starts.length), Math.round(count / 5)));
    const used = Math.max(1, Math.min(Math.floor(TRAINING / starts.length), count - held));
    return {
      training: slice(training, start, start + used),
      validation: slice(training, start + used, start + used + held),
    };
  });
  return {
    training: parts.map((part) => part.training).join('+'),
    validation: parts.map((part) => part.validation).join('+'),
  };
}

const slice = (split: string, from: number, to: number) => `${split}[${from === 0 ? '' : from}:${to}]`;

/** Power of two that holds half as much again as the mean. */
function lengthOf(columns: readonly (DescribedColumn | null)[]): number {
  const characters = columns.reduce((sum, column) => sum + (column?.length ?? 0), 0);
  const tokens = (1.5 * characters) / CHARACTERS_PER_TOKEN;
  return [64, 128, 256].find((length) => tokens <= length) ?? 512;
}

const isWord = (name: string) => /^[A-Za-z_]\w*$/.test(name);
const slug = (text: string) =>
  text
    .replace(/[^A-Za-z0-9]+/g, '_')
    .replace(/^[_\d]+|_+$/g, '')
    .toLowerCase();
const stem = (path: string) => path.replace(/\/+$/, '').replace(/^.*\//, '').replace(/\..*$/, '');
const title = (name: string) => {
  const words = name.replace(/_+/g, ' ').trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
};
