/** Where the model of an experiment lies: paths are relative to the experiment's folder, all else is a hub id. */
import fs from 'node:fs';
import path from 'node:path';
import type { Experiment, Score } from '../../../../protocol/experiment.ts';
import type { OpenOptions } from '../../checkpoints/openCheckpoint.ts';

/** What `openCheckpoint` needs to know beside the path. */
export function openOptions(
  { revision, adapter }: { revision?: string | undefined; adapter?: string | undefined },
  baseDir: string,
): OpenOptions {
  return { revision, adapter: adapter === undefined ? undefined : path.resolve(baseDir, adapter) };
}

/** Whether the adapter lies beside the weights of its model. */
export function isOneFolder(modelPath: string, adapter: string, baseDir: string): boolean {
  return path.resolve(baseDir, modelPath) === path.resolve(baseDir, adapter);
}

/** Of a model by itself all layers and modules are there. */
const everything: Pick<Score, 'layers' | 'modules' | 'params'> = { layers: 'all', modules: ['*'], params: 'base' };

/** The same without the model's adapter. */
export function withoutAdapter({
  model,
  score,
}: Pick<Experiment, 'model' | 'score'>): Pick<Experiment, 'model' | 'score'> {
  const { path: name, max_length, revision } = model;
  const base = { path: name, max_length, ...(revision === undefined ? {} : { revision }) };
  return { model: base, score: { ...score, ...everything } };
}

/** A path relative to the experiment's folder when it exists there, else as written (a hub id or a wrong path). */
export function resolveModel(modelPath: string, baseDir: string): string {
  const looksLikeId = /^[\w.-]+\/[\w.-]+$/.test(modelPath) && !modelPath.startsWith('.');
  const absolute = path.resolve(baseDir, modelPath);
  return looksLikeId && !fs.existsSync(absolute) ? modelPath : absolute;
}
