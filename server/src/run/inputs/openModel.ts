/** Opens what `model.path` names: a checkpoint of a known family, or a user's ONNX graph. */
import fs from 'node:fs';
import path from 'node:path';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { Experiment } from '../../../../protocol/experiment.ts';
import type { EncodedSample } from '../../../../protocol/samples.ts';
import { openCheckpoint } from '../../checkpoints/openCheckpoint.ts';
import { ADAPTER_CONFIG } from '../../checkpoints/peftBase.ts';
import type { Checkpoint } from '../../checkpoints/types.ts';
import type { GraphInputs } from '../../data/graphSamples.ts';
import type { Sample } from '../../data/types.ts';
import { isGraphPath, openGraph } from '../../graphs/open.ts';
import type { GraphOptions, OpenedGraph } from '../../graphs/open.ts';
import type { Architecture } from '../../models/types.ts';
import { openOptions, resolveModel } from './modelPath.ts';
import { graphRefusals } from './modelRefusals.ts';
import { requireNone } from './refusals.ts';
import { architecture } from './scope.ts';

export interface OpenedModel {
  checkpoint: Checkpoint;
  model: Architecture;
  /** Null for a checkpoint. */
  graph: OpenedGraph | null;
}

/** As the section `model` of an experiment says it. */
export type NamedModel = {
  [K in keyof Omit<Experiment['model'], 'max_length'>]: Experiment['model'][K] | undefined;
} & {
  path: string;
};

/**
 * @param graphs false: an ONNX graph is refused as no checkpoint
 * @throws LayerifError `badModel`
 */
export function openModel(named: NamedModel, baseDir: string, graphs = true): OpenedModel {
  const target = resolveModel(named.path, baseDir);
  const options = openOptions(named, baseDir);
  if (graphs && isGraphPath(target) && options.adapter === undefined) {
    const opened = openGraph(target, graphOptions(named));
    requireNone(graphRefusals, opened, 'score');
    return { checkpoint: opened.checkpoint, model: opened.architecture, graph: opened };
  }
  const checkpoint = openCheckpoint(target, options);
  try {
    requireOneModel(checkpoint);
    return { checkpoint, model: architecture(checkpoint), graph: null };
  } catch (error) {
    checkpoint.close();
    throw error;
  }
}

/**
 * An adapter beside the weights of a model: transformers loads the adapter's base model, not these weights, and applies
 * it. They may be the base's or those of the merged model.
 */
function requireOneModel({ path: folder, format, adapter }: Checkpoint): void {
  if (format !== 'safetensors' || adapter?.path === folder) return;
  const file = path.join(folder, ADAPTER_CONFIG);
  if (!fs.existsSync(file)) return;
  throw new LayerifError(
    'badModel',
    `${folder} holds a whole model and a PEFT adapter (${ADAPTER_CONFIG}), for which transformers loads the adapter's base model in place of these weights; give the folder as model.adapter too if the weights are the base model's, or take ${ADAPTER_CONFIG} away if the adapter is merged into them`,
    { place: { file } },
  );
}

export function graphOptions({ layers_pattern, output }: Pick<NamedModel, 'layers_pattern' | 'output'>): GraphOptions {
  return { pattern: layers_pattern, output };
}

/** What of a sample the data must bring; null for a language model, whose text is all. */
export function graphInputs({ checkpoint, model, graph }: OpenedModel): GraphInputs | null {
  const classes = model.outputs?.classes;
  if (classes) {
    const { count, names } = classes;
    return { path: checkpoint.path, task: 'classification', tokens: true, arrays: [], classes: count, names };
  }
  if (!graph) return null;
  const { task, tokens, arrays } = graph;
  return { path: graph.file.path, task, tokens, arrays, classes: model.vocabulary };
}

/** What the engine gets of a sample. */
export function encodedSample({ tokens, countedFrom, classIndex, arrays }: Sample): EncodedSample {
  return { tokens, countedFrom, label: classIndex, arrays };
}
