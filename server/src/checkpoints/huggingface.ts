/**
 * A Hugging Face folder: config.json, one model.safetensors or shards with an index, tokenizer files. Used in place.
 */
import fs from 'node:fs';
import path from 'node:path';
import { LayerifError } from '../../../protocol/errors.ts';
import { ggufModels, shownModel } from './ggufSplit.ts';
import { folderTokenizer } from './folderTokenizer.ts';
import { hashFiles, hashOfHashes } from './hashFiles.ts';
import { nearestNames } from '../text/nearest.ts';
import { cut, quoted } from './printable.ts';
import { openSafetensors } from './safetensors.ts';
import { readWeight, withScales } from './scaledWeights.ts';
import { modelNames } from './tensorNames.ts';
import type { Checkpoint, TensorInfo } from './types.ts';
import { readJsonObject } from './jsonObject.ts';

/** @throws LayerifError `badModel` */
export function openHuggingFace(folder: string): Checkpoint {
  const config = readConfig(folder);
  const { files, promised } = weightFiles(folder);
  const stored = new Map<string, TensorInfo>();
  for (const file of files) {
    for (const info of openSafetensors(file).tensors) {
      const other = stored.get(info.name);
      if (other) throw bad(file, `tensor ${info.name} stands in ${other.file} and in ${file}`);
      stored.set(info.name, info);
    }
  }
  const absent = promised.filter((name) => !stored.has(name));
  if (absent.length > 0) {
    throw bad(
      folder,
      `${folder}: the index promises ${absent.length} tensors that no shard has, the first is ${absent[0]}; download the shards again`,
    );
  }
  const tensors = withScales(underModelNames(folder, stored), config);
  return {
    path: folder,
    name: path.basename(folder),
    format: 'safetensors',
    config,
    tensors,
    files,
    read(name, into) {
      const info = tensors.get(name);
      if (!info) throw bad(folder, `${folder} has no tensor ${name}${nearestNames(name, tensors.keys())}`);
      return readWeight(info, into);
    },
    tokenizer: () => folderTokenizer(folder, config, (file) => readJsonObject(file, 'tokenizer')),
    sha256: async () => hashOfHashes(await hashFiles(files)),
    close: () => undefined,
  };
}

/**
 * The tensors by the names that the families know.
 * @throws LayerifError `badModel`: two of one name, unmerged LoRA factors
 */
function underModelNames(folder: string, stored: ReadonlyMap<string, TensorInfo>): Map<string, TensorInfo> {
  const factor = [...stored.keys()].find((name) => /\.lora_[AB]\./.test(name));
  if (factor !== undefined) {
    throw bad(
      folder,
      `${folder} holds LoRA factors among its weights (${factor}); merge them (peft: merge_and_unload, then save_pretrained), or give the base model as model.path and the adapter as model.adapter`,
    );
  }
  const tensors = new Map<string, TensorInfo>();
  for (const [from, name] of modelNames(stored.keys())) {
    const other = tensors.get(name);
    if (other) throw bad(folder, `${folder}: tensor ${name} stands in it twice, once as ${from}`);
    tensors.set(name, { ...stored.get(from)!, name });
  }
  return tensors;
}

function readConfig(folder: string): Record<string, unknown> {
  const file = path.join(folder, 'config.json');
  if (!fs.existsSync(file)) {
    if (fs.existsSync(path.join(folder, 'adapter_config.json')))
      throw bad(
        folder,
        `${folder} is a PEFT adapter, no model; give it as model.adapter, beside the model.path of its base model`,
      );
    const ggufs = ggufModels(fs.readdirSync(folder)).map(shownModel);
    if (ggufs.length > 0)
      throw bad(folder, `${folder} has no config.json but ${ggufs.join(', ')}; give the path of one of these files`);
    throw bad(
      file,
      `this folder has no config.json; give one with the model's config.json, tokenizer.json and .safetensors`,
    );
  }
  const config = readJsonObject(file, 'tokenizer');
  if (typeof config.model_type !== 'string') {
    throw bad(
      file,
      `${file} names no architecture (model_type is ${quoted(config.model_type)}); take the config.json of the model`,
    );
  }
  return config;
}

/** Real paths in name order, and the names of the tensors that the index promises. */
function weightFiles(folder: string): { files: string[]; promised: string[] } {
  const single = path.join(folder, 'model.safetensors');
  const index = path.join(folder, 'model.safetensors.index.json');
  if (fs.existsSync(single)) return { files: [fs.realpathSync(single)], promised: [] };
  if (!fs.existsSync(index))
    throw bad(
      folder,
      `${folder} has neither model.safetensors nor model.safetensors.index.json${otherWeights(folder)}`,
    );
  const map = readJsonObject(index, 'tokenizer').weight_map;
  if (typeof map !== 'object' || map === null || Array.isArray(map))
    throw bad(index, `${index} has no weight_map; download it again`);
  const shards = [...new Set(Object.values(map).map(String))].sort();
  // Shards lie beside their index: a name that leads elsewhere is not followed.
  const missing = shards.filter((name) => path.basename(name) !== name || !fs.existsSync(path.join(folder, name)));
  if (missing.length > 0) {
    throw bad(
      index,
      `${index} names ${shards.length} shards, of which the folder lacks ${cut(missing.join(', '))}; download them again`,
    );
  }
  return { files: shards.map((name) => fs.realpathSync(path.join(folder, name))), promised: Object.keys(map) };
}

function otherWeights(folder: string): string {
  const names = fs.readdirSync(folder);
  const pickled = names.filter((name) => /\.(bin|pt|pth|ckpt)$/.test(name));
  if (pickled.length > 0) {
    return ` but ${pickled.slice(0, 3).join(', ')}: pickled weights can hold code and are not read; save the model as safetensors (transformers: save_pretrained)`;
  }
  const ggufs = ggufModels(names);
  if (ggufs.length > 0) return ` but ${ggufs.map(shownModel).join(', ')}; give the path of one of these files`;
  const others = names.filter((name) => /\.(safetensors|h5|msgpack|onnx)$/.test(name));
  return others.length > 0
    ? ` but ${others.slice(0, 3).join(', ')}; weights must have one of the two names`
    : '; download the weights of the model';
}

function bad(file: string, message: string): LayerifError {
  return new LayerifError('badModel', message, { place: { file } });
}
