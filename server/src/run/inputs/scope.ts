/** What of a model is scored: its layers, its modules below a layer, and how much of all matrix weights that covers. */
import picomatch from 'picomatch';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { Score } from '../../../../protocol/experiment.ts';
import type { Checkpoint, TensorInfo } from '../../checkpoints/types.ts';
import { adapted } from '../../models/adapter.ts';
import { architectureOf } from '../../models/families.ts';
import { isWellKnownBuffer, tensorsRead } from '../../models/tensorsRead.ts';
import type { Architecture } from '../../models/types.ts';
import { weightFacts, weightRefusals } from './modelRefusals.ts';
import type { WeightFacts } from './modelRefusals.ts';
import { requireNone } from './refusals.ts';

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

/**
 * @throws LayerifError `badModel` naming the checkpoint, for what its configuration or its weights cannot be used for
 */
export function architecture(checkpoint: Checkpoint): Architecture {
  let facts: WeightFacts;
  try {
    const model = adapted(architectureOf(checkpoint.config, checkpoint.tensors), checkpoint.adapter);
    facts = weightFacts(checkpoint, model);
  } catch (error) {
    throw new LayerifError('badModel', `${checkpoint.path}: ${(error as Error).message}`, { cause: error });
  }
  requireNone(weightRefusals, facts, 'score');
  return facts.model;
}

/** @throws LayerifError `badModel` where `work` needs a model of next tokens and the checkpoint is a classifier */
export function requireLanguageModel({ outputs }: Architecture, checkpoint: Checkpoint, work: string): void {
  if (!outputs?.classes) return;
  throw new LayerifError(
    'badModel',
    `${checkpoint.path} is a sequence classifier with ${outputs.classes.count} classes; ${work} needs a causal language model: give one as model.path (score and prune take classifiers)`,
  );
}

/** @throws LayerifError `badExperiment` for layers or modules that the model does not have. */
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

/** Of the head, beside its matrix. */
const HEAD_BIAS = /^(?:lm_head|embed_out|output)\.bias$/;

/** Of these, weights of layers and of the head: config.json, which says what they compute, knows nothing of them. */
export function unreadInLayers(checkpoint: Checkpoint, model: Architecture): string[] {
  const before = model.layerName(0).slice(0, -1);
  return namedUnread(checkpoint, model)
    .map(({ name }) => name)
    .filter((name) => HEAD_BIAS.test(name) || (name.startsWith(before) && /^\d+\./.test(name.slice(before.length))));
}
