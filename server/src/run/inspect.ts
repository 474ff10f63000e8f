/** What a model is made of, without running it. */
import { existsSync as exists } from 'node:fs';
import path from 'node:path';
import type { Experiment } from '../../../protocol/experiment.ts';
import { openCheckpoint } from '../checkpoints/openCheckpoint.ts';
import type { OpenOptions } from '../checkpoints/openCheckpoint.ts';
import { architecture, scopeOf } from './scope.ts';

export interface Inspection {
  name: string;
  path: string;
  family: string;
  format: string;
  layers: number;
  hidden: number;
  vocabulary: number;
  parameters: number;
  scoredParameters: number;
  /** 0..1 */
  coverage: number;
  /** Of the first layer; layers of another kind are listed in `kinds`. */
  modules: { name: string; shape: [number, number]; parameters: number }[];
  layerNames: string[];
  /** Tensors outside the layers and those in them that no module owns: norms, biases, embeddings, head. */
  unscored: { name: string; shape: number[] }[];
  /** Stored types of the weights with the number of tensors. */
  dtypes: Record<string, number>;
}

/** @throws LayerifError `badModel` */
export function inspectModel(modelPath: string, baseDir = '.', adapter?: string): Inspection {
  const checkpoint = openCheckpoint(resolveModel(modelPath, baseDir), openOptions({ adapter }, baseDir));
  try {
    const model = architecture(checkpoint);
    const scope = scopeOf(checkpoint, model, { layers: 'all', modules: ['*'] });
    const layerNames = Array.from({ length: model.layers }, (_, i) => model.layerName(i));
    const owned = new Set(layerNames.flatMap((name, i) => model.modules(i).map((m) => `${name}.${m.name}.weight`)));
    const dtypes: Record<string, number> = {};
    for (const { dtype } of checkpoint.tensors.values()) dtypes[dtype] = (dtypes[dtype] ?? 0) + 1;
    return {
      name: checkpoint.name,
      path: checkpoint.path,
      family: model.family,
      format: checkpoint.format,
      layers: model.layers,
      hidden: model.hidden,
      vocabulary: model.vocabulary,
      parameters: scope.parameters,
      scoredParameters: scope.scoredParameters,
      coverage: scope.coverage,
      modules: model
        .modules(0)
        .map((m) => ({ name: m.name, shape: [m.rows, m.columns], parameters: m.rows * m.columns })),
      layerNames,
      unscored: [...checkpoint.tensors.values()]
        .filter(({ name }) => !owned.has(name))
        .map(({ name, shape }) => ({ name, shape: [...shape] })),
      dtypes,
    };
  } finally {
    checkpoint.close();
  }
}

/** What `openCheckpoint` needs to know beside the path. */
export function openOptions(
  { revision, adapter }: Pick<Experiment['model'], 'revision' | 'adapter'>,
  baseDir: string,
): OpenOptions {
  return { revision, adapter: adapter === undefined ? undefined : path.resolve(baseDir, adapter) };
}

/** A path relative to the experiment's folder when it exists there, else as written (a hub id or a wrong path). */
export function resolveModel(modelPath: string, baseDir: string): string {
  const looksLikeId = /^[\w.-]+\/[\w.-]+$/.test(modelPath) && !modelPath.startsWith('.');
  const absolute = path.resolve(baseDir, modelPath);
  return looksLikeId && !exists(absolute) ? modelPath : absolute;
}
