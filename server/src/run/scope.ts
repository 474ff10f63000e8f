/** What of a model is scored: its layers, its modules below a layer, and how much of all matrix weights that covers. */
import picomatch from 'picomatch';
import { LayerifError } from '../../../protocol/errors.ts';
import type { Score } from '../../../protocol/experiment.ts';
import type { Checkpoint } from '../checkpoints/types.ts';
import { architectureOf } from '../models/families.ts';
import type { Architecture } from '../models/types.ts';

export interface Scope {
  /** Ascending. */
  layers: number[];
  /** Names below a layer, in forward order. */
  modules: string[];
  scoredParameters: number;
  /** All weights of rank two or more in the layers. */
  matrixParameters: number;
  parameters: number;
  coverage: number;
}

/** @throws LayerifError `badModel` naming the checkpoint */
export function architecture(checkpoint: Checkpoint): Architecture {
  try {
    return architectureOf(checkpoint.config, checkpoint.tensors);
  } catch (error) {
    throw new LayerifError('badModel', `${checkpoint.path}: ${(error as Error).message}`, { cause: error });
  }
}

/** @throws LayerifError `badExperiment` for layers or modules that the model does not have; `badModel` for missing tensors. */
export function scopeOf(checkpoint: Checkpoint, model: Architecture, score: Pick<Score, 'layers' | 'modules'>): Scope {
  const all = Array.from({ length: model.layers }, (_, i) => i);
  const layers = score.layers === 'all' ? all : score.layers;
  const outside = layers.filter((layer) => layer >= model.layers);
  if (outside.length > 0) {
    throw new LayerifError(
      'badExperiment',
      `score.layers: layer ${outside.join(', ')} does not exist; the model has layers 0 to ${model.layers - 1}`,
    );
  }
  const names = [...new Set(all.flatMap((layer) => model.modules(layer).map((m) => m.name)))];
  const matches = picomatch(score.modules, { contains: false });
  const asPath = (name: string) => name.replaceAll('.', '/');
  const matchesPath = picomatch(score.modules.map(asPath));
  const modules = names.filter((name) => matches(name) || matchesPath(asPath(name)) || score.modules.includes('*'));
  if (modules.length === 0) {
    throw new LayerifError(
      'badExperiment',
      `score.modules: ${JSON.stringify(score.modules)} matches no module; the model has ${names.join(', ')}`,
    );
  }
  for (const layer of all) requireTensors(checkpoint, model, layer);

  const count = (shape: readonly number[]) => shape.reduce((product, size) => product * size, 1);
  const scoredParameters = layers
    .flatMap((layer) => model.modules(layer))
    .filter((m) => modules.includes(m.name))
    .reduce((sum, m) => sum + m.rows * m.columns, 0);
  let parameters = 0;
  let matrixParameters = 0;
  const prefixes = all.map((layer) => `${model.layerName(layer)}.`);
  const buffers = new Set(prefixes.flatMap((prefix) => (model.buffers ?? []).map((name) => prefix + name)));
  for (const { name, shape } of checkpoint.tensors.values()) {
    if (buffers.has(name)) continue;
    parameters += count(shape);
    if (shape.length >= 2 && prefixes.some((prefix) => name.startsWith(prefix))) matrixParameters += count(shape);
  }
  return {
    layers,
    modules,
    scoredParameters,
    matrixParameters,
    parameters,
    coverage: scoredParameters / matrixParameters,
  };
}

function requireTensors(checkpoint: Checkpoint, model: Architecture, layer: number): void {
  for (const { name, rows, columns, transposed } of model.modules(layer)) {
    const shape = transposed ? [columns, rows] : [rows, columns];
    const tensor = `${model.layerName(layer)}.${name}.weight`;
    const info = checkpoint.tensors.get(tensor);
    if (!info) {
      throw new LayerifError(
        'badModel',
        `${checkpoint.path}: tensor ${tensor} is missing; config.json asks for ${model.layers} layers, the weight files hold ${checkpoint.tensors.size} tensors`,
      );
    }
    if (info.shape.join() !== shape.join()) {
      throw new LayerifError(
        'badModel',
        `${checkpoint.path}: tensor ${tensor} has shape [${info.shape.join(', ')}], config.json asks for [${shape.join(', ')}]`,
      );
    }
  }
}

/** @throws LayerifError `badExperiment` when a sample has more tokens than the model has positions for. */
export function requirePositions(
  model: Architecture,
  samples: readonly { tokens: { length: number } }[],
  task: string,
): void {
  const tokens = samples.reduce((most, sample) => Math.max(most, sample.tokens.length), 0);
  if (model.longest !== undefined && tokens > model.longest) {
    throw new LayerifError(
      'badExperiment',
      `model.max_length: a sample of task ${task} has ${tokens} tokens, the model has positions for ${model.longest}; set max_length to ${model.longest} or less`,
    );
  }
}
