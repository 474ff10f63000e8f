/**
 * Which files of ours make a run, which runs belong to one experiment, and how a run is told from the one before. Pure;
 * paths have `/`.
 */
import { fileKinds } from '../../protocol/files/kinds.ts';
import type { FileKind } from '../../protocol/files/kinds.ts';
import { badgeNames } from '../../protocol/readability.ts';
import type { Badge } from '../../protocol/readability.ts';
import { differenceWords } from '../../protocol/settings.ts';
import type { Configured } from '../../protocol/settings.ts';
import { ago } from './statusText.ts';

/** Kinds that are named after their experiment, the one that stands for the run first. */
const kindsInOrder = [
  'result',
  'scores',
  'validation',
  'comparison',
  'evaluation',
  'experts',
  'allocation',
] as const satisfies readonly FileKind[];
export type RunFileKind = (typeof kindsInOrder)[number];

export const kindTitles: Readonly<Record<RunFileKind, string>> = {
  result: 'Influence',
  scores: 'Layer scores',
  validation: 'Validation',
  comparison: 'Pruning comparison',
  evaluation: 'Evaluation',
  experts: 'Trained experts',
  allocation: 'Allocation',
};

/** All files that the view Runs shows. */
export const RUN_FILE_GLOB = `**/*{${kindsInOrder.map((kind) => fileKinds[kind].suffix).join(',')}}`;

export const kindOf = (path: string): RunFileKind | null =>
  kindsInOrder.find((kind) => path.endsWith(fileKinds[kind].suffix)) ?? null;

export interface RunFile {
  kind: RunFileKind;
  path: string;
  /** Milliseconds: the modification time. */
  mtime: number;
}

/** The file that stands for a run, and the others that lie beside it under the same name. */
export interface RunFiles {
  main: RunFile;
  beside: RunFile[];
}

/** Newest first. Files of other kinds are left out. */
export function runsOf(files: readonly { path: string; mtime: number }[]): RunFiles[] {
  const byStem = new Map<string, RunFile[]>();
  for (const { path, mtime } of files) {
    const kind = kindOf(path);
    if (kind === null) continue;
    const stem = path.slice(0, -fileKinds[kind].suffix.length);
    byStem.set(stem, [...(byStem.get(stem) ?? []), { kind, path, mtime }]);
  }
  const order = (file: RunFile) => kindsInOrder.indexOf(file.kind);
  return [...byStem.values()]
    .flatMap((found) => {
      const [main, ...beside] = [...found].sort((a, b) => order(a) - order(b));
      return main ? [{ main, beside }] : [];
    })
    .sort((a, b) => b.main.mtime - a.main.mtime);
}

/** What is known of a run without its result's numbers. */
export interface RunFacts {
  path: string;
  kind: RunFileKind;
  /** Milliseconds. */
  time: number;
  /** Null for files other than results, and for those that cannot be read. */
  summary: {
    configured: Configured;
    status: 'partial' | 'complete';
    tasks: { task: string; finished: number; badge: Badge | null }[];
  } | null;
  label: string;
  pinned: boolean;
}

export interface ExperimentGroup<Run extends RunFacts> {
  /** Of the experiment. */
  name: string;
  /** Where its runs lie, to tell experiments of the same name apart. */
  folder: string;
  /** Pinned first, then newest first. */
  runs: { run: Run; title: string }[];
}

/** Runs by experiment, the experiment with the newest run first. */
export function groupRuns<Run extends RunFacts>(runs: readonly Run[]): ExperimentGroup<Run>[] {
  const groups = new Map<string, { name: string; folder: string; runs: Run[] }>();
  for (const run of [...runs].sort((a, b) => b.time - a.time)) {
    const name = nameOf(run);
    const parts = run.path.split('/');
    // NAME/<run>/NAME.layerif-result.json, or a copy elsewhere.
    const folder = parts.slice(0, parts.at(-3) === name ? -3 : -1).join('/');
    const key = `${folder}\n${name}`;
    const group = groups.get(key) ?? { name, folder, runs: [] };
    group.runs.push(run);
    groups.set(key, group);
  }
  return [...groups.values()].map(({ name, folder, runs: all }) => ({
    name,
    folder,
    runs: all
      .map((run, i) => ({ run, title: titleOf(run, before(all, i)) }))
      .sort((a, b) => Number(b.run.pinned) - Number(a.run.pinned)),
  }));
}

/** The run whose settings this one is told from. */
const before = <Run extends RunFacts>(newestFirst: readonly Run[], i: number): Run | undefined =>
  newestFirst.slice(i + 1).find(({ summary }) => summary);

/** The user's label, else what differs from the run before, else the tasks or what the file is. */
function titleOf({ label, kind, summary }: RunFacts, previous: RunFacts | undefined): string {
  if (label !== '') return label;
  if (!summary) return kindTitles[kind];
  const differs = previous?.summary ? differenceWords(previous.summary.configured, summary.configured) : '';
  return differs || summary.tasks.map(({ task }) => task).join(', ') || kindTitles[kind];
}

/** NAME of `NAME.layerif-result.json`. */
export function nameOf({ path, kind }: Pick<RunFacts, 'path' | 'kind'>): string {
  return path.slice(path.lastIndexOf('/') + 1, -fileKinds[kind].suffix.length);
}

/** How far the order of layers can be read: one word for all tasks, or one for each in their order; '' when unknown. */
export function badgeTitle(tasks: readonly { badge: Badge | null }[]): string {
  const words = tasks.map(({ badge }) => (badge === null ? 'no intervals' : badgeNames[badge]));
  if (tasks.every(({ badge }) => badge === null)) return '';
  return new Set(words).size === 1 ? (words[0] ?? '') : words.join(', ');
}

/** "rough · 3 min ago · partial, 12 layers" */
export function runDescription({ time, summary }: RunFacts, now: number): string {
  const partial = summary?.status === 'partial';
  const finished = Math.max(0, ...(summary?.tasks ?? []).map((task) => task.finished));
  return [
    badgeTitle(summary?.tasks ?? []),
    ago(time, now),
    partial
      ? `partial, ${finished === 0 ? 'no layer finished' : `${finished} ${finished === 1 ? 'layer' : 'layers'}`}`
      : '',
  ]
    .filter(Boolean)
    .join(' \u00b7 ');
}

/** The newest run that shows something: a run that was cancelled before its first layer replaces no other. */
export function newestShown<Run extends RunFacts>(newestFirst: readonly Run[]): Run | null {
  const readable = newestFirst.filter(({ kind, summary }) => kind === 'result' && summary);
  return readable.find(({ summary }) => summary?.tasks.some(({ finished }) => finished > 0)) ?? readable[0] ?? null;
}
