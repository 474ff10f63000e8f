/** Hover: the schema's sentence for a key; beside it what lies on disk, for a dataset and for the model. */
import { MarkupKind } from 'vscode-languageserver/node';
import type { Hover, Position } from 'vscode-languageserver/node';
import type { Experiment, Task } from '../../../protocol/experiment.ts';
import { allowedWords, schemaAt } from '../config/jsonSchema.ts';
import type { Path } from '../config/experiment.ts';
import { countTaskRows, describeDataset, describeModel } from '../run/inputs/describe.ts';
import { firstSample } from '../run/inputs/firstSample.ts';
import { listOf } from '../run/inputs/lists.ts';
import { counted } from './choices.ts';
import type { OpenExperiment } from './documents.ts';
import { lspRange } from './ranges.ts';
import { documentation } from './schemaText.ts';
import { nth } from '../lists/nth.ts';
import { lookup } from '../text/lookup.ts';

/** Characters of a text that is shown. */
const LONGEST_TEXT = 1500;

export async function hoverAt(open: OpenExperiment, position: Position): Promise<Hover | null> {
  const { positions, experiment, baseDir } = open;
  const found = positions.at(position.line + 1, position.character + 1);
  if (!found) return null;
  const { path, on } = found;
  const parts = on === 'key' ? [schemaWords(path)] : [];
  if (experiment) parts.push(await diskWords(path, experiment, baseDir));
  if (on === 'value') parts.push(valueWords(path, open.raw));
  // A word of several: what its key decides.
  if (!parts.some(Boolean) && allowedWords(schemaAt(path) ?? {}).length > 1) parts.push(schemaWords(path));
  const value = parts.filter((part) => part !== '').join('\n\n---\n\n');
  if (value === '') return null;
  return {
    contents: { kind: MarkupKind.Markdown, value },
    range: lspRange(on === 'key' ? positions.key(path) : positions.value(path)),
  };
}

function schemaWords(path: Path): string {
  const schema = schemaAt(path);
  const name = typeof path.at(-1) === 'number' ? '' : `**${path.at(-1)}**`;
  return schema?.description ? [name, documentation(schema)].join('\n\n') : '';
}

/** The estimator or the score under the cursor, by name. */
function valueWords(path: Path, raw: unknown): string {
  const where = path.join('/');
  const list = where === 'score/estimator' ? 'estimators' : /^scores\/\d+$/.test(where) ? 'scores' : null;
  if (list === null) return '';
  const id = path.reduce<unknown>((value, key) => (value as Record<string | number, unknown> | undefined)?.[key], raw);
  const found = listOf(list).find((entry) => entry.id === id);
  return found ? `**${found.id}**: ${found.title}\n\n${found.source}` : '';
}

/** What cannot be read is left to the diagnostics. */
async function diskWords(path: Path, experiment: Experiment, baseDir: string): Promise<string> {
  try {
    const [section, name, key] = path;
    if (section === 'model' && (path.length === 1 || name === 'path')) return await modelWords(experiment, baseDir);
    if (
      section === 'datasets' &&
      typeof name === 'string' &&
      (path.length === 2 || key === 'path' || key === 'data_files')
    )
      return await datasetWords(name, experiment, baseDir);
    if (section === 'tasks' && typeof name === 'number') {
      const task = nth(experiment.tasks, name);
      if (key === 'dataset' || key === 'dataset_path') return await datasetWords(task.dataset, experiment, baseDir);
      if (key === 'doc_to_text' || key === 'doc_to_target') return await sampleWords(task, experiment, baseDir);
      if (key === 'task' || key === 'training_split' || key === 'validation_split') {
        const own = lookup(experiment.datasets, task.dataset);
        if (!own) return '';
        const { train, validation } = await countTaskRows(task, own, baseDir);
        return `${task.task}: ${counted(train, 'training sample')} × ${counted(validation, 'validation sample')}`;
      }
    }
  } catch {
    return '';
  }
  return '';
}

/** The first row as it is scored. */
async function sampleWords(task: Task, experiment: Experiment, baseDir: string): Promise<string> {
  const found = await firstSample(experiment, task, baseDir);
  if (!found) return '';
  const { prompt, answer, tokens, truncated } = found;
  const text = prompt + answer;
  const shown = text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}\u2026` : text;
  // Longer than any in the text, which is data.
  const fence = '`'.repeat(1 + Math.max(2, ...[...shown.matchAll(/`+/g)].map(([ticks]) => ticks.length)));
  const size =
    tokens === null
      ? 'tokens are not known, for the model gives no tokenizer'
      : truncated
        ? `cut to ${counted(tokens, 'token')} by max_length`
        : counted(tokens, 'token');
  const examples = task.num_fewshot > 0 ? `, without its ${counted(task.num_fewshot, 'few-shot example')}` : '';
  return [`First training sample${examples}: ${size}`, `${fence}text\n${shown}\n${fence}`].join('\n\n');
}

async function datasetWords(name: string, experiment: Experiment, baseDir: string): Promise<string> {
  const dataset = lookup(experiment.datasets, name);
  if (!dataset) return '';
  const { rows, columns, splits, files } = await describeDataset(name, dataset, baseDir);
  const each = Object.entries(splits).map(([split, count]) => `${split} (${count.toLocaleString('en-US')})`);
  return [
    `**${name}**: ${counted(rows, 'row')} in ${counted(files.length, 'file')}`,
    `Columns: ${columns.map((column) => `\`${column}\``).join(', ')}`,
    `Splits: ${each.join(', ')}`,
  ].join('\n\n');
}

async function modelWords({ model, score }: Experiment, baseDir: string): Promise<string> {
  const { name, family, format, layers, parameters, scoredParameters, coverage, modules } = await describeModel(
    model.path,
    baseDir,
    { adapter: model.adapter, params: model.adapter === undefined ? 'base' : score.params },
  );
  const million = (count: number) =>
    count >= 1e9
      ? `${(count / 1e9).toFixed(2)} billion`
      : count >= 1e5
        ? `${(count / 1e6).toFixed(1)} million`
        : count.toLocaleString('en-US');
  return [
    `**${name}**: ${family}, ${format}, ${counted(layers, 'layer')}`,
    `${million(parameters)} parameters, of which ${million(scoredParameters)} are scored (${(100 * coverage).toFixed(1)} % of the layers' matrices)`,
    `Modules: ${modules.map((module) => `\`${module.name}\``).join(', ')}`,
  ].join('\n\n');
}
