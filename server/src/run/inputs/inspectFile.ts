/**
 * A model file or folder as the editor inspects it: layers and modules, and of a user's graph what its data must bring.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { InspectedGraph, InspectedModel } from '../../../../protocol/inspection.ts';
import { isGraphPath, openGraph } from '../../graphs/open.ts';
import type { GraphOptions } from '../../graphs/open.ts';
import { inspectModel } from './inspect.ts';
import { readText } from '../../files/textFile.ts';

/**
 * Reads headers and structure, never weights.
 * @param target absolute path of a folder, a .gguf or a .onnx file
 * @param options of a graph; without effect for a checkpoint
 * @throws LayerifError `badModel`, also for a graph whose layers are not found or are not named as `options.pattern`
 *   says
 */
export function inspectFile(target: string, options: GraphOptions = {}): InspectedModel {
  if (!existsSync(target)) throw new LayerifError('badModel', `${target}: there is no such file or folder`);
  const graph = isGraphPath(target) ? graphOf(target, options) : null;
  const {
    name,
    path: own,
    family,
    format,
    parameters,
    scoredParameters,
    coverage,
    ...rest
  } = inspectModel(target, '.', { graph: options });
  const { layerNames, kinds, unscored, notRead, dtypes } = rest;
  return {
    name,
    path: own,
    family,
    format,
    parameters,
    scoredParameters,
    coverage,
    layerNames,
    kinds,
    unscored,
    notRead,
    dtypes,
    graph,
  };
}

function graphOf(target: string, options: GraphOptions): InspectedGraph {
  const { task, found, logits, file, tokens, arrays, architecture, checkpoint } = openGraph(target, options);
  checkpoint.close();
  const classes = file.model.outputs.find(({ name }) => name === logits)?.shape?.at(-1);
  return {
    task,
    how: found.how,
    logits,
    outputs: file.model.outputs.map(({ name }) => name),
    classes: typeof classes === 'number' ? classes : null,
    tokens,
    length: architecture.longest ?? null,
    arrays: arrays.map(({ name, shape }) => ({ name, shape: [...shape] })),
    normalisation: normalisationBeside(target),
  };
}

/** Mean and deviation of `preprocessor_config.json`, the file that transformers writes; null for anything else. */
function normalisationBeside(target: string): InspectedGraph['normalisation'] {
  let config: unknown;
  try {
    config = JSON.parse(readText(path.join(path.dirname(target), 'preprocessor_config.json'), 'config'));
  } catch {
    // Nothing of the graph depends on it: the experiment then holds a place to fill in.
    return null;
  }
  const { image_mean: mean, image_std: std } = (config ?? {}) as Record<string, unknown>;
  const numbers = (list: unknown): list is number[] =>
    Array.isArray(list) && list.length > 0 && list.every((value) => Number.isFinite(value));
  return numbers(mean) && numbers(std) && mean.length === std.length ? { mean, std } : null;
}
