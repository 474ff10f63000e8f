/**
 * Writes a pruned model: the checkpoint's files with some matrices replaced or whole layers left out, in the original
 * names, types and shards, with configuration and tokenizer. Everything is written into a folder beside the output and
 * renamed at the end, so that nothing half-written remains. GGUF becomes safetensors in float32, and so do matrices of
 * 8 or 4 bits with scales.
 */
import fs from 'node:fs';
import path from 'node:path';
import { LayerifError } from '../../../../protocol/errors.ts';
import { readTensorBytes } from '../../checkpoints/fileBytes.ts';
import { isScaled } from '../../checkpoints/scaledWeights.ts';
import { openSafetensors, writeSafetensors } from '../../checkpoints/safetensors.ts';
import type { NewTensor } from '../../checkpoints/safetensors.ts';
import type { Checkpoint, TensorInfo } from '../../checkpoints/types.ts';
import type { Architecture } from '../../models/types.ts';
import { freeDisk } from '../machine/machine.ts';
import { writeJson } from '../files/results.ts';
import { cannotWrite, makeFolders, requireWritable } from '../../files/writing.ts';
import { bytesText } from '../../text/bytes.ts';

/** Size of a shard where the source has none, as transformers writes them. */
const SHARD_BYTES = 5e9;
const WEIGHTS =
  /\.(safetensors|safetensors\.index\.json|gguf|bin|bin\.index\.json|pt|pth|ckpt|h5|msgpack|onnx|onnx_data)$/;
const INDEX = 'model.safetensors.index.json';

/** Bytes that the written weights take. */
export function writtenBytes(checkpoint: Checkpoint): number {
  return [...checkpoint.tensors.values()].reduce((sum, info) => sum + storedBytes(checkpoint, info), 0);
}

/**
 * @throws LayerifError `badRequest`: the output is not empty, is the model, lies in it or holds it; `cannotWrite`;
 * `notEnoughDisk` when weights and the work files do not fit
 */
export function requireOutput(output: string, checkpoint: Checkpoint, workBytes: number): void {
  const model = fs.realpathSync(checkpoint.path);
  const inside = (child: string, parent: string) => `${child}${path.sep}`.startsWith(`${parent}${path.sep}`);
  const real = realPath(output);
  const folder = fs.statSync(model).isDirectory() ? model : null;
  if (real === model || (folder && (inside(real, folder) || inside(folder, real)))) {
    throw new LayerifError(
      'badRequest',
      `the output ${output} is, holds or lies in the model's folder ${model}, which is never written to; choose another folder with prune.output or --output`,
    );
  }
  const stat = fs.statSync(output, { throwIfNoEntry: false });
  if (stat && (!stat.isDirectory() || fs.readdirSync(output).length > 0)) {
    throw new LayerifError(
      'badRequest',
      `the output ${output} exists and is not an empty folder; remove it or choose another with prune.output or --output`,
    );
  }
  requireWritable(output);
  const needed = writtenBytes(checkpoint) + workBytes;
  const free = freeDisk(path.dirname(output));
  if (needed > free) {
    throw new LayerifError(
      'notEnoughDisk',
      `the pruned model and its work files take ${bytesText(needed)}, ${bytesText(free)} are free on the disk of ${output}; choose another output`,
    );
  }
}

export interface PrunedModel {
  checkpoint: Checkpoint;
  model: Architecture;
  /** Safetensors files with the tensors that take the place of the checkpoint's. */
  replaced: string[];
  /** Layers that are left out, ascending. */
  dropped: readonly number[];
  /** Goes into the folder as layerif-pruning.json; null for none. */
  report: unknown;
}

/** @throws LayerifError `cannotWrite`, `badModel` (a configuration that cannot lose layers) */
export function writePrunedModel(output: string, pruned: PrunedModel): void {
  const { checkpoint, model, dropped } = pruned;
  const temporary = `${output}.incomplete`;
  const config = dropped.length > 0 ? shortened(checkpoint, model, dropped) : checkpoint.config;
  try {
    fs.rmSync(temporary, { recursive: true, force: true });
    makeFolders(temporary);
    writeWeights(temporary, pruned);
    copyOthers(temporary, checkpoint, config);
    if (pruned.report !== null) writeJson(path.join(temporary, 'layerif-pruning.json'), pruned.report);
    if (fs.existsSync(output)) fs.rmdirSync(output);
    fs.renameSync(temporary, output);
  } catch (error) {
    fs.rmSync(temporary, { recursive: true, force: true });
    throw error instanceof LayerifError ? error : cannotWrite(output, error);
  }
}

function writeWeights(folder: string, { checkpoint, model, replaced, dropped }: PrunedModel): void {
  const changed = new Map(replaced.flatMap((file) => openSafetensors(file).tensors.map((info) => [info.name, info])));
  const shards = new Map<string, NewTensor[]>();
  let generic = 0;
  let filled = 0;
  for (const info of checkpoint.tensors.values()) {
    const name = renumbered(info.name, model, dropped);
    if (name === null) continue;
    const bytes = storedBytes(checkpoint, info);
    if (filled > 0 && filled + bytes > SHARD_BYTES) [generic, filled] = [generic + 1, 0];
    filled += bytes;
    const shard = checkpoint.format === 'gguf' ? `${generic}` : path.basename(shardOf(checkpoint, info));
    shards.set(shard, [...(shards.get(shard) ?? []), newTensor(checkpoint, changed.get(info.name) ?? info, name)]);
  }
  const total = shards.size;
  const map: Record<string, string> = {};
  [...shards.values()].forEach((tensors, i) => {
    const file = total === 1 ? 'model.safetensors' : `model-${number(i + 1)}-of-${number(total)}.safetensors`;
    writeSafetensors(path.join(folder, file), tensors, { format: 'pt' });
    for (const { name } of tensors) map[name] = file;
  });
  if (total > 1) {
    const bytes = [...checkpoint.tensors.values()]
      .filter(({ name }) => renumbered(name, model, dropped) !== null)
      .reduce((sum, info) => sum + storedBytes(checkpoint, info), 0);
    writeJson(path.join(folder, INDEX), { metadata: { total_size: bytes }, weight_map: map });
  }
}

const number = (n: number): string => String(n).padStart(5, '0');

/** The hub's cache stores files under their hash, so a shard is told by its file and not by its name. */
function shardOf(checkpoint: Checkpoint, info: TensorInfo): string {
  const [first = info.file] = checkpoint.files;
  return checkpoint.files.includes(info.file) ? info.file : first;
}

function storedBytes(checkpoint: Checkpoint, info: TensorInfo): number {
  return becomesFloat(checkpoint, info) ? 4 * info.shape.reduce((a, b) => a * b, 1) : info.byteLength;
}

/** Whether a tensor is written as float32, for its own type needs blocks or scales. */
function becomesFloat({ format }: Checkpoint, info: TensorInfo): boolean {
  return format === 'gguf' || isScaled(info);
}

function newTensor(checkpoint: Checkpoint, info: TensorInfo, name: string): NewTensor {
  const own = checkpoint.tensors.get(info.name) === info;
  return own && becomesFloat(checkpoint, info)
    ? { name, dtype: 'F32', shape: info.shape, data: () => checkpoint.read(info.name) }
    : { name, dtype: info.dtype as NewTensor['dtype'], shape: info.shape, data: () => readTensorBytes(info) };
}

/** Null for a tensor of a dropped layer. */
function renumbered(tensor: string, model: Architecture, dropped: readonly number[]): string | null {
  for (let layer = 0; layer < model.layers; layer++) {
    const prefix = `${model.layerName(layer)}.`;
    if (!tensor.startsWith(prefix)) continue;
    if (dropped.includes(layer)) return null;
    const before = dropped.filter((other) => other < layer).length;
    return `${model.layerName(layer - before)}.${tensor.slice(prefix.length)}`;
  }
  return tensor;
}

/** The names that configurations have for the number of layers. */
const LAYER_COUNTS = ['num_hidden_layers', 'n_layer', 'n_layers', 'num_layers'];

/** Configuration with fewer layers; lists with one entry a layer lose those of the dropped ones. */
/** @throws LayerifError `badModel` where the kind of a layer follows from its number alone */
export function shortened(
  checkpoint: Checkpoint,
  model: Architecture,
  dropped: readonly number[],
): Record<string, unknown> {
  const kept = model.layers - dropped.length;
  let perLayer = false;
  const entries = Object.entries(checkpoint.config).map(([key, value]): [string, unknown] => {
    if (LAYER_COUNTS.includes(key) && value === model.layers) return [key, kept];
    if (!Array.isArray(value) || value.length !== model.layers) return [key, value];
    perLayer = true;
    return [key, value.filter((_, layer) => !dropped.includes(layer))];
  });
  const kinds = new Set(Array.from({ length: model.layers }, (_, layer) => model.kind(layer)));
  if (kinds.size > 1 && !perLayer) {
    throw new LayerifError(
      'badModel',
      `${checkpoint.path}: layers of ${model.family} differ by a rule on their number and config.json has no list of them, so that leaving layers out would change the others; write layer_types into config.json first (transformers 5: save_pretrained)`,
    );
  }
  return Object.fromEntries(entries);
}

function copyOthers(folder: string, checkpoint: Checkpoint, config: Readonly<Record<string, unknown>>): void {
  const plain = plainConfig(checkpoint, config);
  writeText(path.join(folder, 'config.json'), plain);
  if (checkpoint.format === 'gguf') {
    const { tokenizerJson, tokenizerConfig } = checkpoint.tokenizer();
    writeText(path.join(folder, 'tokenizer.json'), tokenizerJson);
    writeText(path.join(folder, 'tokenizer_config.json'), tokenizerConfig);
    return;
  }
  for (const name of fs.readdirSync(checkpoint.path)) {
    const file = path.join(checkpoint.path, name);
    if (name === 'config.json' || name.startsWith('.') || WEIGHTS.test(name) || !fs.statSync(file).isFile()) continue;
    fs.copyFileSync(file, path.join(folder, name));
  }
}

/** Weights that were written as floats are described as floats. */
function plainConfig(checkpoint: Checkpoint, config: Readonly<Record<string, unknown>>): Record<string, unknown> {
  if (checkpoint.format === 'gguf') return { ...config, dtype: 'float32' };
  if (![...checkpoint.tensors.values()].some(isScaled)) return { ...config };
  return Object.fromEntries(
    Object.entries(config).filter(([key]) => key !== 'quantization_config' && key !== 'compression_config'),
  );
}

function writeText(file: string, value: unknown): void {
  fs.writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);
}

/** With the links of the parts that exist resolved. */
function realPath(file: string): string {
  let existing = path.resolve(file);
  const rest: string[] = [];
  while (!fs.existsSync(existing)) {
    rest.unshift(path.basename(existing));
    existing = path.dirname(existing);
  }
  return path.join(fs.realpathSync(existing), ...rest);
}
