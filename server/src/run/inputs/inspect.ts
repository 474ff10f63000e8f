/** What a model is made of, without running it. */
import path from 'node:path';
import type { Score } from '../../../../protocol/experiment.ts';
import { isAdapterFolder, openAdapter } from '../../checkpoints/peftAdapter.ts';
import type { GraphOptions } from '../../graphs/open.ts';
import type { LinearModule } from '../../models/types.ts';
import { modelNotes, tokenWarnings } from './modelNotes.ts';
import { openModel } from './openModel.ts';
import { namedUnread, scopeOf, unreadTensors } from './scope.ts';

export interface InspectedModule {
  name: string;
  shape: [number, number];
  parameters: number;
}

export interface Inspection {
  name: string;
  path: string;
  family: string;
  format: string;
  layers: number;
  hidden: number;
  vocabulary: number;
  /** Names of the classes of a sequence classifier; null for other models. */
  classes: string[] | null;
  parameters: number;
  scoredParameters: number;
  /** 0..1 */
  coverage: number;
  /** Of all layers, each name once. */
  modules: InspectedModule[];
  /** Layers with the same modules, by the first of them. */
  kinds: { layers: number[]; modules: InspectedModule[] }[];
  layerNames: string[];
  /** Where its files disagree with each other, and what of them is left out. */
  notes: string[];
  /** Tensors outside the layers and those in them that no module owns: norms, biases, embeddings, head. */
  unscored: { name: string; shape: number[] }[];
  /** Tensors that no part of the model reads and that are none of the constants which many files carry along. */
  notRead: { name: string; shape: number[]; dtype: string }[];
  /** Stored types of the weights that are read, with the number of tensors. */
  dtypes: Record<string, number>;
  /** What the files leave open about tokens. */
  warnings: string[];
}

/** An adapter on the model, and whose weights are meant. */
export interface Adapted {
  adapter?: string | undefined;
  params?: Score['params'] | undefined;
  /** Of a user's ONNX graph. */
  graph?: GraphOptions | undefined;
}

/** @throws LayerifError `badModel` */
export function inspectModel(
  modelPath: string,
  baseDir = '.',
  { adapter, params = 'base', graph }: Adapted = {},
): Inspection {
  const named = { path: modelPath, adapter, layers_pattern: graph?.pattern, output: graph?.output };
  const { checkpoint, model } = openModel(named, baseDir);
  try {
    const scope = scopeOf(checkpoint, model, { layers: 'all', modules: ['*'], params });
    const layerNames = Array.from({ length: model.layers }, (_, i) => model.layerName(i));
    const scored = (layer: number) => model.modules(layer).filter((m) => scope.modules.includes(m.name));
    const owned = new Set(layerNames.flatMap((name, i) => scored(i).map((m) => `${name}.${m.name}.weight`)));
    const kinds = kindsOf(scope.layers, scored);
    const dtypes: Record<string, number> = {};
    const unread = new Set(unreadTensors(checkpoint, model));
    const read = [...checkpoint.tensors.values()].filter(({ name }) => !unread.has(name));
    for (const { dtype } of read) dtypes[dtype] = (dtypes[dtype] ?? 0) + 1;
    return {
      name: checkpoint.name,
      path: checkpoint.path,
      family: model.family,
      format: checkpoint.format,
      layers: model.layers,
      hidden: model.hidden,
      vocabulary: model.vocabulary,
      classes: model.outputs?.classes ? [...model.outputs.classes.names] : null,
      parameters: scope.parameters,
      scoredParameters: scope.scoredParameters,
      coverage: scope.coverage,
      modules: [...new Map(kinds.flatMap(({ modules }) => modules.map((m) => [m.name, m]))).values()],
      kinds,
      layerNames,
      notes: modelNotes(checkpoint, model),
      unscored: read.filter(({ name }) => !owned.has(name)).map(({ name, shape }) => ({ name, shape: [...shape] })),
      notRead: namedUnread(checkpoint, model).map(({ name, shape, dtype }) => ({ name, shape: [...shape], dtype })),
      dtypes,
      warnings: tokenWarnings(checkpoint),
    };
  } finally {
    checkpoint.close();
  }
}

/** What a folder with a PEFT LoRA adapter holds. */
export interface AdapterInspection {
  name: string;
  path: string;
  /** As its configuration names it, or null. */
  baseModel: string | null;
  /** As its configuration says it. */
  targetModules: string | readonly string[] | null;
  modules: number;
  parameters: number;
  /** Rank r and factor s of s (x Aᵀ) Bᵀ, with the number of modules that have them. */
  factors: { rank: number; scale: number; modules: number }[];
  dtypes: Record<string, number>;
}

/** Null for what is no adapter. @throws LayerifError `badModel`: an adapter that cannot be applied */
export function inspectAdapter(target: string, baseDir = '.'): AdapterInspection | null {
  const folder = path.resolve(baseDir, target);
  if (!isAdapterFolder(folder)) return null;
  const { config, factors } = openAdapter(folder);
  const groups = new Map<string, AdapterInspection['factors'][number]>();
  const dtypes: Record<string, number> = {};
  let parameters = 0;
  for (const [module, { A, B, bias }] of factors) {
    const { rank, scale } = config.factorOf(module);
    const group = groups.get(`${rank} ${scale}`) ?? { rank, scale, modules: 0 };
    groups.set(`${rank} ${scale}`, { ...group, modules: group.modules + 1 });
    for (const { dtype, shape } of bias ? [A, B, bias] : [A, B]) {
      dtypes[dtype] = (dtypes[dtype] ?? 0) + 1;
      parameters += shape.reduce((product, size) => product * size, 1);
    }
  }
  return {
    name: path.basename(folder),
    path: folder,
    baseModel: config.baseModel,
    targetModules: config.targetModules,
    modules: factors.size,
    parameters,
    factors: [...groups.values()],
    dtypes,
  };
}

function kindsOf(layers: number[], scored: (layer: number) => LinearModule[]): Inspection['kinds'] {
  const kinds = new Map<string, Inspection['kinds'][0]>();
  for (const layer of layers) {
    const modules = scored(layer).map(({ name, rows, columns }): InspectedModule => {
      return { name, shape: [rows, columns], parameters: rows * columns };
    });
    const key = JSON.stringify(modules);
    const known = kinds.get(key);
    if (known) known.layers.push(layer);
    else kinds.set(key, { layers: [layer], modules });
  }
  return [...kinds.values()];
}
