/**
 * In which settings runs differ: what the view Runs says of a run, and what a comparison shows beside the scores. Only
 * what changes a score counts: not the description, where results go, or what is computed from scores. Pure.
 */
import type { Result } from './result.ts';

/** What is read of a result. */
export type Configured = Pick<Result, 'experiment'> & {
  model: Pick<Result['model'], 'sha256'>;
  provenance: Pick<Result['provenance'], 'dataSha256'>;
  tasks: readonly {
    task: string;
    train: Pick<Result['tasks'][number]['train'], 'samples'>;
    validation: Pick<Result['tasks'][number]['validation'], 'samples'>;
  }[];
};

export interface SettingDifference {
  /** Where it stands in the experiment file, as in `tasks.sentiment.training_split`. */
  setting: string;
  /** One value per run; null where the run has no such setting. */
  values: (string | null)[];
}

/** Sections of an experiment file that change scores, beside `tasks`. */
const sections = ['model', 'datasets', 'score'] as const;

interface Setting {
  value: string;
  /** Whose it is; '' for what all tasks share. */
  task: string;
  /** What to say of a run that has it when the run before had not. */
  words: string;
}

/**
 * Settings that are not alike in all runs, in the order of the experiment file. A task that only some runs scored is
 * one difference.
 */
export function settingDifferences(runs: readonly Configured[]): SettingDifference[] {
  const all = runs.map(settingsOf);
  const scored = (task: string) => runs.map(({ tasks }) => tasks.some((one) => one.task === task));
  const differences = new Map<string, SettingDifference>();
  for (const [setting, { task }] of all.flatMap((settings) => [...settings])) {
    const by = task === '' ? [] : scored(task);
    const values = all.map((settings) => settings.get(setting)?.value ?? null);
    if (by.includes(false))
      differences.set(`tasks.${task}`, {
        setting: `tasks.${task}`,
        values: by.map((there) => (there ? 'scored' : 'not scored')),
      });
    else if (new Set(values).size > 1) differences.set(setting, { setting, values });
  }
  return [...differences.values()];
}

/**
 * The difference to the run before in a few words, as in "estimator fisher, train 300"; '' where there is none. A task
 * is named where not all have the difference.
 */
export function differenceWords(before: Configured, after: Configured): string {
  const tasks = after.tasks.map(({ task }) => task);
  const known = new Set(before.tasks.map(({ task }) => task));
  if (tasks.length !== known.size || tasks.some((task) => !known.has(task))) return `tasks ${tasks.join(', ')}`;
  const [was, is] = [settingsOf(before), settingsOf(after)];
  const said = new Map<string, Set<string>>();
  const say = (words: string, task: string) => said.set(words, (said.get(words) ?? new Set()).add(task));
  const differs = (name: string) => was.get(name)?.value !== is.get(name)?.value;
  for (const [name, { task, words }] of is) {
    // Another number of rows says it shorter than the split.
    const shorter = name.replace(/\.(train|validation)(ing)?_split$/, '.$1 samples');
    if (differs(name) && (shorter === name || !differs(shorter))) say(words, task);
  }
  for (const [name, { task }] of was) if (!is.has(name)) say(`no ${name.slice(name.lastIndexOf('.') + 1)}`, task);
  return [...said]
    .map(([words, of]) => (of.has('') || of.size === tasks.length ? words : `${[...of].join(', ')} ${words}`))
    .join(', ');
}

function settingsOf({ experiment, model, provenance, tasks }: Configured): Map<string, Setting> {
  const settings = new Map<string, Setting>();
  for (const section of sections) collect(experiment[section], section, '', settings);
  settings.set('weights', { value: `hash ${model.sha256.slice(0, 8)}`, task: '', words: 'other weights' });
  for (const { task, train, validation } of tasks) {
    const written = experiment.tasks.find((one) => one.task === task);
    collect({ ...written, task: undefined }, `tasks.${task}`, task, settings);
    for (const [split, { samples }] of Object.entries({ train, validation }))
      settings.set(`tasks.${task}.${split} samples`, { value: String(samples), task, words: `${split} ${samples}` });
  }
  for (const [file, hash] of Object.entries(provenance.dataSha256))
    settings.set(`contents of ${file}`, {
      value: `hash ${hash.slice(0, 8)}`,
      task: '',
      words: `other rows in ${file}`,
    });
  return settings;
}

function collect(value: unknown, name: string, task: string, settings: Map<string, Setting>): void {
  if (value === undefined) return;
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
    for (const [key, inner] of Object.entries(value)) collect(inner, `${name}.${key}`, task, settings);
    return;
  }
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  settings.set(name, { value: text, task, words: `${name.slice(name.lastIndexOf('.') + 1)} ${text}` });
}
