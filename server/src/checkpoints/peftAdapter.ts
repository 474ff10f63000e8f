/**
 * A PEFT LoRA adapter on a checkpoint: the checkpoint's tensors and, beside the weight of each adapted module, its two
 * factors `<module>.lora_A.weight` [r, in] and `<module>.lora_B.weight` [out, r], with `lora_bias`
 * `<module>.lora_B.bias` [out]. Applied in models/adapter.ts. Base weights that the file carries along are none of
 * these; they have to be the base model's (peftCarried.ts).
 */
import { urlAdvice, urlIn } from '../text/url.ts';
import fs from 'node:fs';
import path from 'node:path';
import { LayerifError } from '../../../protocol/errors.ts';
import { hashFiles, hashOfHashes } from './hashFiles.ts';
import { didYouMean, nearestNames } from '../text/nearest.ts';
import { carriedName, requireUnchanged } from './peftCarried.ts';
import { ADAPTER_CONFIG as CONFIG } from './peftBase.ts';
import { peftConfig } from './peftConfig.ts';
import type { PeftConfig } from './peftConfig.ts';
import { openSafetensors, readFloat32 } from './safetensors.ts';
import type { Checkpoint, LoraFactor, TensorInfo } from './types.ts';
import { readJsonObject } from './jsonObject.ts';

const WEIGHTS = 'adapter_model.safetensors';
const FACTOR = /^base_model\.model\.(.+)\.lora_([AB])(?:\.default)?\.(weight|bias)$/;

export interface Factors {
  A: TensorInfo;
  B: TensorInfo;
  /** Of B. */
  bias?: TensorInfo;
}

/** A folder with an adapter, before it is applied to a model. */
export interface AdapterFolder {
  path: string;
  config: PeftConfig;
  /** Tensors of the weight file by the module's path in the PyTorch model. */
  factors: ReadonlyMap<string, Factors>;
  /** Base weights that lie in the file too, by their names in the PyTorch model. */
  carried: ReadonlyMap<string, TensorInfo>;
  /** What decides the numbers. */
  files: readonly string[];
}

export function isAdapterFolder(folder: string): boolean {
  return fs.existsSync(path.join(folder, CONFIG)) && !fs.existsSync(path.join(folder, 'config.json'));
}

/** @throws LayerifError `badModel`: not there, not LoRA, something that cannot be applied */
export function openAdapter(target: string): AdapterFolder {
  const folder = path.resolve(target);
  const configFile = path.join(folder, CONFIG);
  if (!fs.existsSync(configFile)) {
    const url = urlIn(folder);
    if (url !== null && !fs.existsSync(folder)) throw new LayerifError('badModel', `adapter ${url}: ${urlAdvice()}`);
    const absent = fs.existsSync(folder) ? `${folder} has no ${CONFIG}` : `adapter ${folder} does not exist`;
    throw bad(configFile, `${absent}${inside(folder)}; give a folder that peft's save_pretrained wrote`);
  }
  const weightsFile = path.join(folder, WEIGHTS);
  if (!fs.existsSync(weightsFile)) {
    const pickled = fs.existsSync(path.join(folder, 'adapter_model.bin'));
    const why = pickled
      ? ' but adapter_model.bin: pickled weights can hold code and are not read; save the adapter as safetensors (peft: save_pretrained)'
      : '; download the weights of the adapter';
    throw bad(weightsFile, `${folder} has no ${WEIGHTS}${why}`);
  }
  const config = peftConfig(configFile, readJsonObject(configFile, 'config'));
  const found = new Map<string, Partial<Factors>>();
  const carried = new Map<string, TensorInfo>();
  for (const info of openSafetensors(fs.realpathSync(weightsFile)).tensors) {
    const [, module, side, kind] = FACTOR.exec(info.name) ?? [];
    const own = carriedName(info.name);
    if (module !== undefined && side !== undefined && (kind === 'weight' || side === 'B')) {
      found.set(module, { ...found.get(module), [kind === 'bias' ? 'bias' : side]: info });
    } else if (own !== null) {
      carried.set(own, info);
    } else {
      throw bad(
        weightsFile,
        `${weightsFile}: tensor ${info.name} is no LoRA factor of a linear module; only those can be applied: ${/lora_embedding/.test(info.name) ? 'train the adapter without embeddings in target_modules, or ' : ''}merge the adapter into the model (peft: merge_and_unload)`,
      );
    }
  }
  if (found.size === 0) throw bad(weightsFile, `${weightsFile} holds no LoRA factors`);
  const factors = new Map<string, Factors>();
  for (const [module, { A, B, bias }] of found) {
    if (!A || !B)
      throw bad(weightsFile, `${weightsFile}: ${module} has lora_${A ? 'A' : 'B'} but no lora_${A ? 'B' : 'A'}`);
    if (config.targets(module) === false) {
      throw bad(
        weightsFile,
        `${weightsFile} holds factors of ${module}, which target_modules of ${CONFIG} leaves out; the two files do not belong together`,
      );
    }
    const { rank, bias: biased = false } = config.factorOf(module);
    if (biased !== (bias !== undefined)) {
      throw bad(
        weightsFile,
        `${weightsFile}: ${module} has ${bias ? 'a' : 'no'} lora_B.bias, ${CONFIG} says lora_bias ${biased}; the two files do not belong together`,
      );
    }
    if (A.shape.length !== 2 || B.shape.length !== 2 || A.shape[0] !== rank || B.shape[1] !== rank) {
      throw bad(
        weightsFile,
        `${weightsFile}: the factors of ${module} have shapes [${A.shape.join(', ')}] and [${B.shape.join(', ')}]; ${CONFIG} gives rank ${rank}, so [${rank}, inputs] and [outputs, ${rank}] are needed`,
      );
    }
    if (bias && bias.shape.join() !== String(B.shape[0]))
      throw bad(
        weightsFile,
        `${weightsFile}: lora_B.bias of ${module} has shape [${bias.shape.join(', ')}]; [${B.shape[0]}] is needed`,
      );
    factors.set(module, { A, B, ...(bias ? { bias } : {}) });
  }
  return { path: folder, config, factors, carried, files: [fs.realpathSync(configFile), fs.realpathSync(weightsFile)] };
}

/**
 * The checkpoint with the adapter's factors as tensors of its own.
 * @throws LayerifError `badModel`: it belongs to another model
 */
export function withAdapter(base: Checkpoint, target: string): Checkpoint {
  const adapter = openAdapter(target);
  const prefix = prefixOf(base, adapter);
  const tensors = new Map(base.tensors);
  const stored = new Map<string, TensorInfo>();
  const factors = new Map<string, LoraFactor>();
  for (const [module, { A, B, bias }] of adapter.factors) {
    const name = fromPytorch(module, prefix);
    if (HEAD.test(module)) throw ofHead(base, adapter, module, `${name}.weight`);
    if (!base.tensors.has(`${name}.weight`)) throw foreign(base, adapter, module);
    const own = { 'lora_A.weight': A, 'lora_B.weight': B, ...(bias ? { 'lora_B.bias': bias } : {}) };
    for (const [ending, info] of Object.entries(own)) {
      tensors.set(`${name}.${ending}`, { ...info, name: `${name}.${ending}` });
      stored.set(`${name}.${ending}`, info);
    }
    factors.set(name, adapter.config.factorOf(module));
  }
  for (const [name, info] of adapter.carried) requireUnchanged(base, adapter.path, fromPytorch(name, prefix), info);
  return {
    ...base,
    tensors,
    files: [...base.files, ...adapter.files],
    adapter: {
      path: adapter.path,
      baseModel: adapter.config.baseModel,
      factors,
      targets: (module) => adapter.config.targets(toPytorch(module, prefix)),
    },
    read(name, into) {
      const info = stored.get(name);
      if (info) return readFloat32(info, into);
      return base.read(name, into);
    },
    sha256: async () => hashOfHashes(await hashFiles([...base.files, ...adapter.files])),
  };
}

/**
 * Checkpoints of an inner model (GPT-2's published files) lack the first word of PyTorch's paths, or have one that
 * these lack. Found on the first adapted module; all others must agree.
 */
interface Prefix {
  more: string;
  less: string;
}

function prefixOf(base: Checkpoint, adapter: AdapterFolder): Prefix {
  const modules = [...adapter.factors.keys()];
  const module = modules.find((name) => !HEAD.test(name)) ?? modules[0] ?? '';
  if (base.tensors.has(`${module}.weight`)) return { more: '', less: '' };
  const [, less, inner] = /^(\w+\.)(.+)$/.exec(module) ?? [];
  if (less !== undefined && base.tensors.has(`${inner}.weight`)) return { more: '', less };
  const whole = [...base.tensors.keys()].find((name) => name.replace(/^\w+\./, '') === `${module}.weight`);
  if (whole) return { more: whole.slice(0, whole.length - `${module}.weight`.length), less: '' };
  if (HEAD.test(module)) return { more: '', less: '' };
  throw foreign(base, adapter, module);
}

function fromPytorch(module: string, { more, less }: Prefix): string {
  return more + (less !== '' && module.startsWith(less) ? module.slice(less.length) : module);
}

function toPytorch(name: string, { more, less }: Prefix): string {
  return less + (more !== '' && name.startsWith(more) ? name.slice(more.length) : name);
}

/** The output head under the names of all families. */
const HEAD = /^(?:lm_head|embed_out)$/;

function ofHead(base: Checkpoint, { path: folder }: AdapterFolder, module: string, tensor: string): LayerifError {
  const shared = base.config.tie_word_embeddings === true || !base.tensors.has(tensor);
  const what = shared
    ? 'the output head, which shares its matrix with the embedding in this model (merging would change the embedding too); train the adapter without it in target_modules'
    : 'which is no linear module of a layer; embeddings, head and experts that share one tensor cannot be adapted: merge the adapter into the model (peft: merge_and_unload)';
  return bad(folder, `adapter ${folder} adapts ${module}, ${what}`);
}

function foreign(base: Checkpoint, { path: folder, config }: AdapterFolder, module: string): LayerifError {
  const made = config.baseModel === null ? '' : `, it was made for ${config.baseModel}`;
  const near = nearestNames(`${module}.weight`, base.tensors.keys());
  return bad(folder, `adapter ${folder} adapts ${module}, which ${base.path} does not have${made}${near}`);
}

function inside(folder: string): string {
  const parent = fs.existsSync(folder) ? folder : path.dirname(folder);
  let names: string[];
  try {
    names = fs.readdirSync(parent).filter((name) => !name.startsWith('.'));
  } catch {
    return '';
  }
  if (parent !== folder) return didYouMean(path.basename(folder), names);
  return names.includes('config.json') ? ': it holds a model, no adapter' : '';
}

function bad(file: string, message: string): LayerifError {
  return new LayerifError('badModel', message, { place: { file } });
}
