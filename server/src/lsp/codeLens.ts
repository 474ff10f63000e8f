/**
 * Code lenses. Places come at once from the parsed text, without commands; rows on disk and the time of the last score
 * are looked up when the editor shows a lens and asks to resolve it.
 */
import path from 'node:path';
import type { CodeLens } from 'vscode-languageserver/node';
import type { LensArgument } from '../../../protocol/lsp.ts';
import type { Positions } from '../config/experiment.ts';
import { countTaskRows, describeDataset } from '../run/inputs/describe.ts';
import { experimentName } from '../run/files/results.ts';
import { lastScored } from '../run/files/scoredIndex.ts';
import { counted } from './choices.ts';
import type { Documents, OpenExperiment } from './documents.ts';
import { outlineOf } from './locate.ts';
import { lspRange } from './ranges.ts';
import { lookup } from '../text/lookup.ts';

type LensData = LensArgument & { kind: 'file' | 'task' | 'dataset' };

export function lensesOf(open: OpenExperiment): CodeLens[] {
  const { uri, positions } = open;
  const { tasks, datasets } = outlineOf(open);
  const lens = (place: Parameters<Positions['key']>[0], data: LensData): CodeLens => ({
    range: lspRange(positions.key(place)),
    data,
  });
  const here = (place: Parameters<Positions['key']>[0]) => positions.key(place).file === open.file;
  return [
    {
      range: { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } },
      data: { kind: 'file', uri } satisfies LensData,
    },
    ...datasets.map(({ dataset }) => lens(['datasets', dataset], { kind: 'dataset', uri, dataset })),
    ...tasks.map(({ task, path: place }) =>
      lens(here(place) ? place : [...place, 'include'], { kind: 'task', uri, task }),
    ),
  ];
}

export async function resolveLens(lens: CodeLens, documents: Documents, now = new Date()): Promise<CodeLens> {
  const { kind, ...argument } = lens.data as LensData;
  const command = { file: 'layerif.scoreLayers', task: 'layerif.scoreTask', dataset: 'layerif.scoreDataset' }[kind];
  let title = { file: 'Score Layers', task: 'Score This Task', dataset: 'Score Layers with This Dataset' }[kind];
  try {
    title = [title, ...(await facts(argument, documents.get(argument.uri), now))].join(' · ');
  } catch {
    // What is wrong with the data stands in the diagnostics; the lens still says what it does.
  }
  return { ...lens, command: { title, command, arguments: [argument] } };
}

async function facts(
  { task, dataset }: LensArgument,
  { experiment, baseDir, file }: OpenExperiment,
  now: Date,
): Promise<string[]> {
  if (!experiment) return [];
  if (dataset !== undefined) {
    const own = lookup(experiment.datasets, dataset);
    if (!own) return [];
    const { rows } = await describeDataset(dataset, own, baseDir);
    return [counted(rows, 'row')];
  }
  const found = experiment.tasks.find((other) => other.task === task);
  const own = found && lookup(experiment.datasets, found.dataset);
  if (!own) return [];
  const { train, validation } = await countTaskRows(found, own, baseDir);
  const last = lastScored(path.resolve(baseDir, experiment.output_dir), experimentName(file)).get(found.task);
  const size = `${train.toLocaleString('en-US')} train × ${validation.toLocaleString('en-US')} validation`;
  return last ? [size, `last score ${ago(new Date(last.date), now)}`] : [size];
}

/** `3 min ago` */
export function ago(date: Date, now: Date): string {
  const minutes = Math.floor((now.getTime() - date.getTime()) / 60_000);
  if (minutes < 1) return 'just now';
  if (minutes < 60) return `${minutes} min ago`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ago`;
  const days = Math.floor(hours / 24);
  return days < 31 ? `${days} day${days === 1 ? '' : 's'} ago` : `on ${date.toISOString().slice(0, 10)}`;
}
