/**
 * `check` over every task file of the installed lm_eval, in this process, with the rows of `rows.py`:
 *
 *   /opt/python rows.py OUT
 *   node test/reference/harness/checkAll.ts OUT TASKS [--write | --only WORD]
 *
 * TASKS is the folder `lm_eval/tasks`. Each file stands in an experiment as `include:` beside made-up data; what
 * `score` takes is checked again with an `evaluate` section. Prints how many pass and why the others are refused;
 * `--write` keeps the table in `checks.json`, which `test/data/harnessChecks.test.ts` holds, and prints README.md's.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import { checkExperiment } from '../../../server/src/run/check/check.ts';
import { writeTinyLlama } from '../../tinyLlama.ts';

interface Line {
  file: string;
  kind: 'task' | 'group' | 'none';
  /** Folder of rows; null without them. */
  rows: string | null;
  /** Split of the task -> train, validation or test. */
  splits: Record<string, string>;
  /** Why lm_eval builds no requests from the rows; null where it does. */
  lm_eval: string | null;
}

export interface Outcome {
  /** The first message without what is particular to a file. */
  reason: string;
  /** Which command refuses the task. */
  verb: 'score' | 'evaluate' | 'none';
  message: string;
}

/** Why a refusal is right, by what its reason says; a reason that is not here wants to be looked at. */
export const explained: readonly [reason: RegExp, why: string][] = [
  [/is a Python function|names a Python class/, 'the texts come from Python code of the task'],
  [/asks for (images|sound)/, 'the rows are no text'],
  [/^nothing is left to evaluate|evaluate leaves the task out/, 'evaluate alone: metrics of written texts, or made by Python; score takes the task'],
  [/gives "..." on row N, which is none of the N choices/, 'made-up rows: lm_eval counts such a row as always wrong, here it has no answer to score'],
  [/which is not a list, on row N/, 'made-up rows: a text where the file wants a list; lm_eval goes through its letters'],
  [/fails on row N/, 'made-up rows: lm_eval fails on them, too'],
  [/num_fewshot is N, and train\[:N\] has only/, 'made-up rows: fewer than the examples that the task wants'],
];

/** Without names, numbers and paths. */
export function kindOf(message: string, taskName: string | undefined): string {
  const named = taskName === undefined ? message : message.replaceAll(`task "${taskName}"`, 'task T');
  return named
    .replace(/\([^()]*\.jsonl:\d+\)$/, '')
    .replace(/!function \S+/g, '!function F')
    .replace(/"(?:[^"\\]|\\.)*"/g, '"..."')
    .replace(/columns: .*/, 'columns: ...')
    .replace(/(datasets|splits) are .*/, '$1 are ...')
    .replace(/\S*\/\S+/g, 'PATH')
    .replace(/\d+/g, 'N')
    .replace(/(available(?: for output_type \w+)?:|computes|is left to evaluate:|leaves the task out:) .*/, '$1 ...')
    .replace(/(of the N choices) .*/, '$1 ...')
    .replace(/(no row is left for validation): .*/, '$1 ...')
    .trim();
}

/** Rows 0 to 4 for training, 5 to 8 for validation where the task has no split for it. */
function experimentOf(line: Line, out: string, tasks: string): Record<string, unknown> {
  const place = (name: string): string => path.join(out, line.rows!, `${name}.jsonl`);
  const named = Object.entries(line.splits).map(([split, name]) => [split, place(name)]);
  const files = Object.fromEntries(named.length > 0 ? named : [['train', place('train')]]) as Record<string, string>;
  const [first] = Object.keys(files);
  const train = Object.keys(line.splits).find((split) => line.splits[split] === 'train') ?? first;
  const validation = Object.keys(line.splits).find((split) => line.splits[split] === 'validation');
  const task = {
    include: path.join(tasks, line.file),
    dataset: 'd',
    training_split: `${train}[:5]`,
    validation_split: validation === undefined || validation === train ? `${train}[5:]` : validation,
  };
  return { version: 1, model: { path: 'model', max_length: 4096 }, datasets: { d: { data_files: files } }, tasks: [task] };
}

/** Whether `score` and `evaluate` would take the task. */
async function outcomeOf(line: Line, out: string, tasks: string, folder: string): Promise<Outcome> {
  const file = path.join(folder, 'e.layerif.yaml');
  const experiment = experimentOf(line, out, tasks);
  const { problems, experiment: read } = await checkExperiment(file, stringify(experiment));
  const name = read?.tasks[0]?.task;
  const error = problems.find(({ severity }) => severity === 'error');
  if (error) return { reason: kindOf(error.message, name), verb: 'score', message: error.message };
  const { problems: more } = await checkExperiment(file, stringify({ ...experiment, evaluate: {} }));
  const left = more.find(({ severity, message }) => severity === 'error' || message.includes('evaluate leaves the task out'));
  if (left) return { reason: kindOf(left.message, name), verb: 'evaluate', message: left.message };
  return { reason: 'passes', verb: 'none', message: '' };
}

async function main(): Promise<void> {
  const [out, tasks] = process.argv.slice(2);
  const only = process.argv.includes('--only') ? process.argv[process.argv.indexOf('--only') + 1] : undefined;
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-harness-'));
  writeTinyLlama(path.join(folder, 'model'), { layers: 1 });
  const lines = fs
    .readFileSync(path.join(out, 'files.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((text) => JSON.parse(text) as Line)
    .filter(({ file }) => only === undefined || file.includes(only));
  const table = new Map<string, { count: number; verb: string; lmEval: Record<string, number>; example: string; message: string }>();
  for (const [i, line] of lines.entries()) {
    if (i % 500 === 499) process.stderr.write(`${i + 1} of ${lines.length}\n`);
    if (line.kind !== 'task') continue;
    const { reason, verb, message } = await outcomeOf(line, out, tasks, folder).catch((error: unknown) => ({
      reason: `RAW ${String(error)}`,
      verb: 'score' as const,
      message: String(error),
    }));
    const row = table.get(reason) ?? { count: 0, verb, lmEval: {}, example: line.file, message };
    row.count += 1;
    const theirs = line.lm_eval === null ? 'builds' : line.lm_eval.split(':')[0];
    row.lmEval[theirs] = (row.lmEval[theirs] ?? 0) + 1;
    if (theirs === 'builds' && row.lmEval.builds === 1) Object.assign(row, { example: line.file, message });
    table.set(reason, row);
  }
  fs.rmSync(folder, { recursive: true });
  const rows = [...table].map(([reason, row]) => ({ reason, ...row })).sort((a, b) => b.count - a.count);
  const count = (kind: Line['kind']): number => lines.filter((line) => line.kind === kind).length;
  console.log(`${lines.length} files: ${count('task')} tasks, ${count('group')} groups, ${count('none')} without a task`);
  for (const { count: n, verb, lmEval, reason, example } of rows)
    console.log(`${n}\t${verb}\t${JSON.stringify(lmEval)}\t${reason}\t${example}`);
  const open = rows.filter(({ reason }) => reason !== 'passes' && !explained.some(([pattern]) => pattern.test(reason)));
  console.log(open.length === 0 ? 'every reason is explained' : `LOOK AT: ${open.map(({ reason }) => reason).join(' | ')}`);
  if (process.argv.includes('--write'))
    fs.writeFileSync(
      path.join(import.meta.dirname, 'checks.json'),
      `${JSON.stringify({ files: lines.length, tasks: count('task'), groups: count('group'), rows }, null, 1)}\n`,
    );
}

if (process.argv[1] === import.meta.filename) await main();
