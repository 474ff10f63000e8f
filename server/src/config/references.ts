/**
 * Rules between keys, which a schema cannot say: names that refer to each other, keys that exclude each other, keys
 * that may come from an included file. Each works on the raw value and skips what the schema has already refused, so
 * that one slip hides nothing else.
 */
import { isHubId } from '../hub/cache.ts';
import { scores as ownScores } from '../scores/scores.ts';
import { layerRange } from './layerList.ts';
import { at, didYouMean, dotted, missing, shown } from './messages.ts';
import type { Finding } from './messages.ts';
import { readsTask } from './scoresSchema.ts';
import { builders, refusedKwargs, refusedTaskKeys } from './taskSchema.ts';
import { isMapping } from './words.ts';
import type { Path } from './yamlSource.ts';

export function referenceFindings(root: unknown): Finding[] {
  if (!isMapping(root)) return [];
  return [...exclusive(root), ...datasets(root), ...tasks(root), ...layers(root), ...fisher(root), ...uses(root)];
}

/** Of each list only one key may be there. */
function exclusive(root: Record<string, unknown>): Finding[] {
  const lists: Path[][] = [
    ['max_length', 'sequence_len', 'cutoff_len'].map((key) => ['model', key]),
    ['damping_factor', 'damping'].map((key) => ['score', key]),
    ...Object.entries(isMapping(root.datasets) ? root.datasets : {})
      .filter(([, dataset]) => !isMapping(dataset) || !isRepository(dataset.path))
      .map(([name]) => ['path', 'data_files', 'arrays'].map((key) => ['datasets', name, key])),
  ];
  return lists.flatMap((list) =>
    list
      .filter((path) => at(root, path) !== undefined)
      .slice(1)
      .map((path) => {
        const others = list
          .filter((other) => other !== path && at(root, other) !== undefined)
          .map((other) => other.at(-1));
        return error(path, 'key', `${dotted(path)} says the same as ${others.join(' and ')}: keep one of them`);
      }),
  );
}

function datasets(root: Record<string, unknown>): Finding[] {
  const found: Finding[] = [];
  const everyTaskBringsItsOwn =
    Array.isArray(root.tasks) &&
    root.tasks.length > 0 &&
    root.tasks.every((task) => isMapping(task) && hasDatasetPath(task));
  if (root.datasets === undefined && !everyTaskBringsItsOwn) found.push(missing(['datasets']));
  if (!isMapping(root.datasets)) return found;
  const names = Object.keys(root.datasets);
  if (names.length === 0 && !everyTaskBringsItsOwn) {
    found.push(
      error(
        ['datasets'],
        'key',
        'datasets is empty: name at least one, for example reviews: { path: data/reviews.jsonl }',
      ),
    );
  }
  for (const name of names) {
    const dataset = root.datasets[name];
    if (
      isMapping(dataset) &&
      dataset.path === undefined &&
      dataset.data_files === undefined &&
      dataset.arrays === undefined
    ) {
      found.push(
        error(
          ['datasets', name],
          'key',
          `datasets.${name} has no data: give it a path (a file, a folder or a glob), data_files, or arrays (.npy files)`,
        ),
      );
    }
  }
  return found;
}

function tasks(root: Record<string, unknown>): Finding[] {
  if (!Array.isArray(root.tasks)) return [];
  const names = datasetNames(root);
  const seen = new Map<string, number>();
  return root.tasks.flatMap((task: unknown, index): Finding[] => {
    if (!isMapping(task)) return [];
    const found: Finding[] = [];
    const path: Path = ['tasks', index];
    const name = task.task;
    if (name === undefined) found.push(missing([...path, 'task']));
    if (typeof name === 'string') {
      const first = seen.get(name);
      if (first === undefined) seen.set(name, index);
      else
        found.push(
          error(
            [...path, 'task'],
            'value',
            `the task name ${shown(name)} is already taken by tasks[${first}]: give each task its own`,
          ),
        );
    }
    for (const [key, message] of Object.entries(refusedTaskKeys)) {
      if (task[key] !== undefined && task[key] !== null) found.push(error([...path, key], 'key', message));
    }
    for (const key of refusedKwargs(task)) found.push(kwargOf(path, key));
    return [...found, ...datasetOf(task, path, names), ...texts(task, path), ...splits(task, path)];
  });
}

function kwargOf(path: Path, key: string): Finding {
  const message = `dataset_kwargs.${key} changes what load_dataset reads, and is not read here: save the rows that it gives as a file (dataset.to_json) and name that under datasets; read are data_files, data_dir, field and revision`;
  return error([...path, 'dataset_kwargs', key], 'key', message);
}

function datasetOf(task: Record<string, unknown>, path: Path, names: string[]): Finding[] {
  if (typeof task.dataset === 'string') {
    if (names.includes(task.dataset)) return [];
    const hint = didYouMean(task.dataset, names);
    return [
      error(
        [...path, 'dataset'],
        'value',
        `there is no dataset ${shown(task.dataset)}${hint || `: datasets are ${names.join(', ') || 'none'}`}`,
      ),
    ];
  }
  if (task.dataset !== undefined) return [];
  if (hasDatasetPath(task)) {
    const builder = builders.get(task.dataset_path as string);
    const kwargs = isMapping(task.dataset_kwargs) ? task.dataset_kwargs : {};
    if (builder === undefined || kwargs.data_files !== undefined || kwargs.data_dir !== undefined) return [];
    return [
      error(
        [...path, 'dataset_path'],
        'value',
        `dataset_path ${shown(task.dataset_path)} needs dataset_kwargs.data_files: the files to read`,
      ),
    ];
  }
  if (names.length <= 1) return [];
  return [
    error([...path, 'dataset'], 'key', `${dotted(path)} does not say which dataset: datasets are ${names.join(', ')}`),
  ];
}

/** What a task needs so that a row becomes a text. */
function texts(task: Record<string, unknown>, path: Path): Finding[] {
  const has = (key: string) => task[key] !== undefined && task[key] !== null;
  // Refused already; such a file needs no templates.
  if (has('class')) return [];
  if (!has('doc_to_text') && !has('doc_to_target')) {
    return [
      error(
        [...path, 'doc_to_text'],
        'key',
        `${dotted(path)}.doc_to_text is missing: expected a Jinja template such as "Review: {{text}}" or the name of a column`,
      ),
    ];
  }
  const type = task.output_type;
  const needs =
    type === 'multiple_choice'
      ? ['doc_to_target', 'doc_to_choice']
      : type === 'loglikelihood' || type === 'generate_until'
        ? ['doc_to_target']
        : [];
  return needs
    .filter((key) => !has(key))
    .map((key) =>
      error([...path, key], 'key', `${dotted(path)}.${key} is missing: output_type ${type as string} needs it`),
    );
}

/** A slice that is empty by what it says. */
function splits(task: Record<string, unknown>, path: Path): Finding[] {
  return ['training_split', 'validation_split', 'test_split', 'fewshot_split'].flatMap((key) => {
    const text = task[key];
    if (typeof text !== 'string') return [];
    const slice = /\[(\d+)(%?):(\d+)(%?)\]\s*$/.exec(text);
    if (!slice || text.includes('+') || slice[2] !== slice[4] || Number(slice[1]) < Number(slice[3])) return [];
    return [
      error(
        [...path, key],
        'value',
        `${key} ${shown(text)} holds no row: the end is exclusive and must be larger than the start`,
      ),
    ];
  });
}

function layers(root: Record<string, unknown>): Finding[] {
  return ['score', 'train'].flatMap((section) => {
    const path = [section, 'layers'];
    const text = at(root, path);
    const range = typeof text === 'string' ? layerRange.exec(text) : null;
    if (!range || Number(range[1]) <= Number(range[2])) return [];
    return [error(path, 'value', `${section}.layers ${shown(text)} runs backwards: write "${range[2]}-${range[1]}"`)];
  });
}

function fisher(root: Record<string, unknown>): Finding[] {
  if (at(root, ['score', 'fisher']) === undefined || at(root, ['score', 'estimator']) === 'ekfac') return [];
  const estimator = at(root, ['score', 'estimator']) ?? 'datainf';
  return [
    error(
      ['score', 'fisher'],
      'key',
      `score.fisher is for the estimator ekfac, this experiment uses ${shown(estimator)}: remove the key`,
    ),
  ];
}

/** Where scores have options. */
function scoreOptions(root: unknown): Path[] {
  const scores = at(root, ['scores']);
  if (!Array.isArray(scores)) return [];
  return scores.flatMap((entry: unknown, i): Path[] =>
    isMapping(entry) ? Object.keys(entry).map((id) => ['scores', i, id]) : [],
  );
}

/** Texts are named, or they are those of a task. */
function textsTwice(root: unknown, options: Path): Finding[] {
  const [texts, task] = [at(root, [...options, 'texts']), at(root, [...options, 'task'])];
  if (texts === undefined || task === undefined) return [];
  return [error([...options, 'task'], 'key', 'texts and task both say what the score looks at: remove one of them')];
}

/** Names of datasets and tasks in the sections that use scores. */
function uses(root: Record<string, unknown>): Finding[] {
  const names = datasetNames(root);
  const tasks = (Array.isArray(root.tasks) ? root.tasks : [])
    .map((task) => at(task, ['task']))
    .filter((t) => typeof t === 'string');
  const found: Finding[] = [];
  for (const path of [
    ['prune', 'calibration', 'dataset'],
    ['evaluate', 'perplexity', 'dataset'],
    ...scoreOptions(root).map((path) => [...path, 'texts', 'dataset']),
  ]) {
    const name = at(root, path);
    if (typeof name !== 'string' || names.includes(name)) continue;
    found.push(
      error(
        path,
        'value',
        `there is no dataset ${shown(name)}${didYouMean(name, names) || `: datasets are ${names.join(', ') || 'none'}`}`,
      ),
    );
  }
  const evaluated = at(root, ['evaluate', 'tasks']);
  for (const path of [
    ...(Array.isArray(evaluated) ? evaluated : []).map((_, index): Path => ['evaluate', 'tasks', index]),
    ...scoreOptions(root)
      .filter((options) => ownScores.some((score) => score.id === options.at(-1) && readsTask(score)))
      .map((options): Path => [...options, 'task']),
  ]) {
    const name = at(root, path);
    if (typeof name !== 'string' || name === '' || tasks.includes(name)) continue;
    found.push(
      error(
        path,
        'value',
        `there is no task ${shown(name)}${didYouMean(name, tasks) || `: tasks are ${tasks.join(', ') || 'none'}`}`,
      ),
    );
  }
  found.push(...scoreOptions(root).flatMap((options) => textsTwice(root, options)));
  return found;
}

function hasDatasetPath(task: Record<string, unknown>): boolean {
  return typeof task.dataset_path === 'string';
}

function datasetNames(root: Record<string, unknown>): string[] {
  return isMapping(root.datasets) ? Object.keys(root.datasets) : [];
}

function error(path: Path, where: Finding['at'], message: string): Finding {
  return { path, at: where, message, severity: 'error' };
}

/** `org/name`, whose `data_files` are names within the repository; not `data/reviews.jsonl`. */
function isRepository(place: unknown): boolean {
  return typeof place === 'string' && isHubId(place) && !/\.(jsonl?|csv|tsv|parquet|arrow|txt)$/i.test(place);
}
