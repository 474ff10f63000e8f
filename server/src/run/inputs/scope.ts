/** What of a model is scored: its layers, its modules below a layer, and how much of all matrix weights that covers. */
import picomatch from 'picomatch';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { Score } from '../../../../protocol/experiment.ts';
import { sameTail } from '../../checkpoints/tensorNames.ts';
import type { Checkpoint, TensorInfo } from '../../checkpoints/types.ts';
import { adapted } from '../../models/adapter.ts';
import { architectureOf } from '../../models/families.ts';
import { isWellKnownBuffer, tensorsRead } from '../../models/tensorsRead.ts';
import type { Architecture, LinearModule } from '../../models/types.ts';

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
    return adapted(architectureOf(checkpoint.config, checkpoint.tensors), checkpoint.adapter);
  } catch (error) {
    throw new LayerifError('badModel', `${checkpoint.path}: ${(error as Error).message}`, { cause: error });
  }
}

/** @throws LayerifError `badExperiment` for layers or modules that the model does not have; `badModel` for missing tensors. */
export function scopeOf(
  checkpoint: Checkpoint,
  model: Architecture,
  score: Pick<Score, 'layers' | 'modules'> & Partial<Pick<Score, 'params'>>,
): Scope {
  const all = Array.from({ length: model.layers }, (_, i) => i);
  const asked = score.layers === 'all' ? all : score.layers;
  const outside = asked.filter((layer) => layer >= model.layers);
  if (outside.length > 0) {
    throw new LayerifError(
      'badExperiment',
      `score.layers: layer ${outside.join(', ')} does not exist; the model has layers 0 to ${model.layers - 1}`,
    );
  }
  const lora = score.params === 'lora';
  if (lora && !checkpoint.adapter) {
    throw new LayerifError(
      'badExperiment',
      'score.params: "lora" scores the factors of an adapter, and model.adapter names none; add it or use "base"',
    );
  }
  const candidates = (layer: number) => model.modules(layer).filter((m) => (m.factor ?? false) === lora);
  const names = [...new Set(all.flatMap((layer) => candidates(layer).map((m) => m.name)))];
  const matches = picomatch(score.modules, { contains: false });
  const asPath = (name: string) => name.replaceAll('.', '/');
  const matchesPath = picomatch(score.modules.map(asPath));
  // A factor also goes by the name of the module that it adapts.
  const chosen = (name: string) => matches(name) || matchesPath(asPath(name));
  const modules = names.filter(
    (name) => chosen(name) || (lora && chosen(name.replace(/\.lora_[AB]$/, ''))) || score.modules.includes('*'),
  );
  if (modules.length === 0) {
    throw new LayerifError(
      'badExperiment',
      `score.modules: ${JSON.stringify(score.modules)} matches no module; the model has ${names.join(', ')}`,
    );
  }
  const scored = (layer: number) => candidates(layer).filter((m) => modules.includes(m.name));
  const empty = asked.filter((layer) => scored(layer).length === 0);
  if (empty.length > 0 && score.layers !== 'all') {
    throw new LayerifError(
      'badExperiment',
      `score.layers: layer ${empty.join(', ')} has none of the scored modules ${modules.join(', ')}; leave it out`,
    );
  }
  const layers = asked.filter((layer) => !empty.includes(layer));
  for (const layer of all) requireTensors(checkpoint, model, layer);

  const count = (shape: readonly number[]) => shape.reduce((product, size) => product * size, 1);
  const scoredParameters = layers.flatMap(scored).reduce((sum, m) => sum + m.rows * m.columns, 0);
  let parameters = 0;
  let matrixParameters = 0;
  const prefixes = all.map((layer) => `${model.layerName(layer)}.`);
  const unread = new Set(unreadTensors(checkpoint, model));
  for (const { name, shape } of checkpoint.tensors.values()) {
    if (unread.has(name)) continue;
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

/** Names of stored tensors that no part of the model reads; none of a user's ONNX graph, which is run as it is. */
export function unreadTensors(checkpoint: Checkpoint, model: Architecture): string[] {
  if (checkpoint.format === 'onnx') return [];
  const read = tensorsRead(model);
  return [...checkpoint.tensors.keys()].filter((name) => !read.has(name));
}

/** Of these, what a user should know of: all but constants that many files carry along. */
export function namedUnread(checkpoint: Checkpoint, model: Architecture): TensorInfo[] {
  return unreadTensors(checkpoint, model)
    .filter((name) => !isWellKnownBuffer(name))
    .map((name) => checkpoint.tensors.get(name)!);
}

function requireTensors(checkpoint: Checkpoint, model: Architecture, layer: number): void {
  for (const module of model.modules(layer)) {
    const { name, rows, columns } = module;
    const shape = module.transposed ? [columns, rows] : [rows, columns];
    const tensor = `${model.layerName(layer)}.${name}.weight`;
    const info = checkpoint.tensors.get(tensor);
    if (!info) {
      const alike = sameTail(tensor, checkpoint.tensors.keys());
      const hint = alike === null ? '' : `, among them ${alike}, whose prefix is not known`;
      throw new LayerifError(
        'badModel',
        `${checkpoint.path}: tensor ${tensor} is missing; config.json asks for ${model.layers} layers, the weight files hold ${checkpoint.tensors.size} tensors${hint}`,
      );
    }
    if (info.shape.join() !== shape.join()) {
      throw new LayerifError(
        'badModel',
        `${place(checkpoint, module)}: tensor ${tensor} has shape [${info.shape.join(', ')}], ${module.factor ? `the model ${checkpoint.path}` : 'config.json'} asks for [${shape.join(', ')}]`,
      );
    }
  }
}

function place(checkpoint: Checkpoint, module: LinearModule): string {
  return (module.factor ? checkpoint.adapter?.path : null) ?? checkpoint.path;
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
