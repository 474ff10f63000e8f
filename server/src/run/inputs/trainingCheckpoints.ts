/**
 * The checkpoints of a training run that the estimator `tracin` adds up: opened beforehand, so that one that does not
 * fit is found before an hour of work. A checkpoint is a model, or a PEFT adapter of the experiment's model.
 * `collectCheckpoints.ts` collects them.
 */
import fs from 'node:fs';
import path from 'node:path';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { Experiment } from '../../../../protocol/experiment.ts';
import type { Checkpoint } from '../../checkpoints/types.ts';
import type { Architecture } from '../../models/types.ts';
import { resolveModel } from './modelPath.ts';
import { openModel } from './openModel.ts';
import type { OpenedModel } from './openModel.ts';
import { scopeOf } from './scope.ts';
import type { Scope } from './scope.ts';

export interface TracinCheckpoint {
  /** As written in the experiment file. */
  path: string;
  learningRate: number;
  /** What the engine opens. */
  model: { path: string; adapter?: string | undefined };
  sha256: string;
}

interface Reference {
  checkpoint: Checkpoint;
  model: Architecture;
  scope: Scope;
  graph: unknown;
}

/** Undefined for the other estimators. @throws LayerifError `badModel` naming the checkpoint and what differs */
export async function openCheckpoints(
  { model, score }: Experiment,
  baseDir: string,
  reference: Reference,
): Promise<TracinCheckpoint[] | undefined> {
  return openAll({ model, score }, baseDir, reference, true);
}

/** The same errors, without reading the weights. */
export async function tryCheckpoints(
  experiment: Pick<Experiment, 'model' | 'score'>,
  baseDir: string,
  reference: Reference,
): Promise<void> {
  // A graph is refused by a row of `supported.ts`.
  if (!reference.graph) await openAll(experiment, baseDir, reference, false);
}

async function openAll(
  { model, score }: Pick<Experiment, 'model' | 'score'>,
  baseDir: string,
  reference: Reference,
  hash: boolean,
): Promise<TracinCheckpoint[] | undefined> {
  if (score.estimator !== 'tracin' || !score.checkpoints) return undefined;
  const found: TracinCheckpoint[] = [];
  for (const { path: written, learning_rate: learningRate } of score.checkpoints) {
    const target = resolveModel(written, baseDir);
    const isAdapter =
      fs.existsSync(path.join(target, 'adapter_config.json')) && !fs.existsSync(path.join(target, 'config.json'));
    const own = isAdapter ? { ...model, adapter: target } : { ...model, path: written, revision: undefined };
    let opened: OpenedModel | undefined;
    try {
      opened = openModel(own, baseDir, false);
      const different = difference(opened, reference, score);
      if (different !== null) {
        throw new LayerifError(
          'badModel',
          `score.checkpoints: ${written} is another architecture than ${reference.checkpoint.path}: ${different}; tracin adds up checkpoints of one training run`,
        );
      }
      const { checkpoint } = opened;
      found.push({
        path: written,
        learningRate,
        model: { path: checkpoint.path, adapter: checkpoint.adapter?.path },
        sha256: hash ? await checkpoint.sha256() : '',
      });
    } finally {
      opened?.checkpoint.close();
    }
  }
  return found;
}

/** In words; null where both are alike in all that the Grams depend on. */
function difference(
  { checkpoint, model: other }: OpenedModel,
  { model, scope }: Reference,
  score: Experiment['score'],
): string | null {
  for (const key of ['family', 'layers', 'hidden', 'vocabulary'] as const) {
    if (other[key] !== model[key]) return `${key} ${other[key]}, expected ${model[key]}`;
  }
  for (const layer of scope.layers) {
    const theirs = new Map(other.modules(layer).map((m) => [m.name, m]));
    for (const { name, rows, columns } of model.modules(layer)) {
      const module = theirs.get(name);
      if (!scope.modules.includes(name)) continue;
      if (!module) return `layer ${layer} has no ${name}`;
      if (module.rows !== rows || module.columns !== columns) {
        return `${name} of layer ${layer} is ${module.rows} x ${module.columns}, expected ${rows} x ${columns}`;
      }
    }
  }
  scopeOf(checkpoint, other, score); // tensors that are missing or of the wrong shape
  return null;
}
