/** Opens what `model.path` names: a checkpoint of a known family, or a user's ONNX graph. */
import type { Experiment } from '../../../../protocol/experiment.ts';
import type { EncodedSample } from '../../../../protocol/samples.ts';
import { openCheckpoint } from '../../checkpoints/openCheckpoint.ts';
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
    return { checkpoint, model: architecture(checkpoint), graph: null };
  } catch (error) {
    checkpoint.close();
    throw error;
  }
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
