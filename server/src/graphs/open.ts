/**
 * A user's graph as runs see it: an architecture with layers and modules, and a checkpoint with tensors under their
 * names.
 */
import fs from 'node:fs';
import path from 'node:path';
import { LayerifError } from '../../../protocol/errors.ts';
import { folderTokenizer } from '../checkpoints/folderTokenizer.ts';
import { readJsonObject } from '../checkpoints/jsonObject.ts';
import { hashFiles, hashOfHashes } from '../checkpoints/hashFiles.ts';
import type { Checkpoint, TensorInfo } from '../checkpoints/types.ts';
import type { Architecture } from '../models/types.ts';
import { isFloat } from '../onnx/types.ts';
import type { DataType } from '../onnx/types.ts';
import { arrayInputs, fixedLength, takesTokens } from './inputs.ts';
import { layersOf } from './layers.ts';
import type { FoundLayers } from './layers.ts';
import { resultOf } from './loss.ts';
import { modulesOf } from './modules.ts';
import { fault, readGraph } from './read.ts';
import type { GraphFile, GraphModule, GraphTask } from './types.ts';
import { nth } from '../lists/nth.ts';

/** What the experiment says of a graph. */
export interface GraphOptions {
  /** `model.layers_pattern` */
  pattern?: string | undefined;
  /** `model.output` */
  output?: string | undefined;
}

export interface OpenedGraph {
  file: GraphFile;
  found: FoundLayers;
  /** Name of the output that holds the logits, or an encoder's last hidden states. */
  logits: string;
  task: GraphTask;
  checkpoint: Checkpoint;
  architecture: Architecture;
  /** Whether samples bring token ids, and which inputs they bring beside. */
  tokens: boolean;
  arrays: { name: string; shape: readonly (number | string)[] }[];
}

export function isGraphPath(target: string): boolean {
  return /\.onnx$/i.test(target);
}

/** @throws LayerifError `badModel` */
export function openGraph(target: string, options: GraphOptions = {}): OpenedGraph {
  const file = readGraph(target);
  try {
    const modules = modulesOf(file.model);
    const found = layersOf(modules, options.pattern);
    const { name, task } = resultOf(file.model, options.output);
    const classes = file.model.outputs.find((output) => output.name === name)!.shape?.at(-1) ?? NaN;
    return {
      file,
      found,
      logits: name,
      task,
      checkpoint: checkpointOf(file, found),
      architecture: architectureOf(file, found, task, Number(classes)),
      tokens: takesTokens(file.model),
      arrays: arrayInputs(file.model).map((input) => ({ name: input.name, shape: input.shape ?? [] })),
    };
  } catch (error) {
    if (error instanceof LayerifError) throw error;
    throw fault(file.path, (error as Error).message, error);
  }
}

const families: Record<GraphTask, string> = {
  causal: 'causal language model',
  classification: 'classifier',
  encoder: 'encoder',
};

function architectureOf(file: GraphFile, { layers }: FoundLayers, task: GraphTask, classes: number): Architecture {
  const none = (): never => {
    throw new Error(`${file.path} is a graph of its own: it is not built from blocks`);
  };
  const length = fixedLength(file.model);
  return {
    readsAll: true,
    family: `onnx (${families[task]})`,
    layers: layers.length,
    hidden: Math.max(...layers.flatMap(({ modules }) => modules.map(({ module }) => module.rows))),
    vocabulary: Number.isFinite(classes) && task !== 'encoder' ? classes : 2 ** 31,
    heads: 1,
    layerName: (layer) => nth(layers, layer).name,
    modules: (layer) =>
      nth(layers, layer).modules.map(({ name, module: { rows, columns } }) => ({ name, rows, columns })),
    kind: (layer) =>
      nth(layers, layer)
        .modules.map(({ name, module: m }) => `${name} ${m.rows}x${m.columns}`)
        .join(),
    embed: none,
    block: none,
    head: none,
    tables: () => ({}),
    lengthMatters: () => task !== 'causal',
    ...(length === null ? {} : { longest: length }),
  };
}

const dtypes: Partial<Record<DataType, string>> = {
  float32: 'F32',
  float64: 'F64',
  float16: 'F16',
  bfloat16: 'BF16',
  int8: 'I8',
  uint8: 'U8',
};

/** Modules under `<layer>.<module>.weight` as rows x columns, all other float constants under their own names. */
function checkpointOf(file: GraphFile, { layers, rest }: FoundLayers): Checkpoint {
  const tensors = new Map<string, TensorInfo>();
  const owned = new Map<string, string>();
  const types = new Map(file.model.initializers.map(({ name, type }) => [name, type]));
  const info = (name: string, initializer: string, shape: readonly number[]): TensorInfo => {
    const { file: own, offset, length } = file.place(initializer);
    return { name, dtype: dtypes[types.get(initializer)!] ?? 'F32', shape, file: own, offset, byteLength: length };
  };
  const add = (prefix: string, { rows, columns, uses }: GraphModule): void => {
    const name = `${prefix}.weight`;
    tensors.set(name, info(name, nth(uses, 0).initializer, [rows, columns]));
    for (const { initializer } of uses) owned.set(initializer, name);
  };
  for (const layer of layers) for (const { name, module } of layer.modules) add(`${layer.name}.${name}`, module);
  rest.forEach((module, i) => add(module.path === '' ? `outside.${i}` : module.path, module));
  for (const { name, type, shape } of file.model.initializers) {
    if (isFloat(type) && !owned.has(name) && shape.length > 0) tensors.set(name, info(name, name, shape));
  }
  const folder = path.dirname(file.path);
  return {
    path: file.path,
    name: path.basename(file.path).replace(/\.onnx$/i, ''),
    format: 'onnx',
    config: {},
    tensors,
    files: file.files,
    read: (name) => {
      const initializer = [...owned].find(([, tensor]) => tensor === name)?.[0] ?? name;
      return Float32Array.from(file.constant(initializer) as ArrayLike<number>);
    },
    tokenizer: () => {
      const read = (name: string): Record<string, unknown> => readJsonObject(name, 'tokenizer');
      if (!fs.existsSync(path.join(folder, 'tokenizer.json'))) {
        throw new LayerifError(
          'badModel',
          `${file.path}: there is no tokenizer.json beside the graph; copy the one of the model into ${folder} (transformers: tokenizer.save_pretrained)`,
        );
      }
      const config = fs.existsSync(path.join(folder, 'config.json')) ? read(path.join(folder, 'config.json')) : {};
      return folderTokenizer(folder, config, read);
    },
    sha256: async () => hashOfHashes(await hashFiles(file.files)),
    close: () => undefined,
  };
}
