/**
 * Weights that are stored in 8 or 4 bits with scales beside them, as one float tensor:
 *
 *   W = q s      q in F8 or F4, one s for the matrix, for each row or for each block (DeepSeek and transformers' fine-grained FP8:
 *                `<weight>_scale_inv`; compressed-tensors, ModelOpt, FBGEMM: `<weight>_scale`; Mistral:
 *                `qscale_weight`)
 *   W = q 2^e    MXFP4 of gpt-oss: `<tensor>_blocks` with two E2M1 numbers a byte, `<tensor>_scales` with the biased e of 32 numbers
 *
 * Products are those of float32 arithmetic, as in transformers (`Fp8Dequantize`, `convert_moe_packed_tensors`). Where
 * scales cannot be told apart, the tensor keeps a type that says so and that nothing can read.
 */
import { readTensorBytes } from './fileBytes.ts';
import { requireFinite } from './finite.ts';
import { readFloat32 } from './safetensors.ts';
import { multiplyBlocks, unpackMxfp4 } from './scaleNumbers.ts';
import { smallFloats } from './smallFloats.ts';
import type { TensorInfo } from './types.ts';
import { take } from '../lists/take.ts';

/** What is behind a weight's name, or behind its module's. */
const scaleNames = (weight: string): string[] => {
  const module = weight.replace(/\.weight$/, '');
  return [`${weight}_scale_inv`, `${weight}_scale`, ...(module === weight ? [] : [`${module}.qscale_weight`])];
};
/** Further tensors of a module that other methods need; a weight that has one of them is not W = q s. */
const further = ['_zero_point', '_scale_2', '_global_scale', '_scale_and_zero'];
/** Scales of inputs and outputs, for kernels that round activations too; float activations need none. */
const activationScales = ['activation_scale', 'input_scale', 'output_scale', 'qscale_act'];

const MXFP4_GROUP = 32;

type Tensors = ReadonlyMap<string, TensorInfo>;

/** The tensors with their scales taken in. @param config with the size of blocks, where one is named */
export function withScales(stored: Tensors, config: Readonly<Record<string, unknown>>): Map<string, TensorInfo> {
  const tensors = new Map(stored);
  const block = blockOf(config);
  for (const [name, info] of stored) {
    if (name.endsWith('_blocks')) takePacked(tensors, info);
    else if (Object.hasOwn(smallFloats, info.dtype)) takeScales(tensors, info, block);
  }
  return tensors;
}

/** Whether a file of these needs no `quantization_config` any more once the weights are written as floats. */
export function isScaled({ scales, dtype }: TensorInfo): boolean {
  return scales !== undefined || Object.hasOwn(smallFloats, dtype);
}

function takeScales(tensors: Map<string, TensorInfo>, info: TensorInfo, block: readonly [number, number]): void {
  const { name, dtype, shape } = info;
  const own = scaleNames(name).find((other) => tensors.has(other));
  if (own === undefined) return;
  const other = further.find((ending) => tensors.has(name + ending));
  const scale = tensors.get(own)!;
  const by = other === undefined ? layoutOf(shape, scale, block) : null;
  if (by === null) {
    const beside = other === undefined ? `${own} [${scale.shape.join(', ')}]` : name + other;
    tensors.set(name, { ...info, dtype: `${dtype} with ${beside}` });
    return;
  }
  tensors.set(name, { ...info, scales: { kind: 'grid', info: scale, block: by } });
  tensors.delete(own);
  for (const ending of activationScales) tensors.delete(name.replace(/weight$/, ending));
}

/**
 * Rows and columns that one scale is for; null where the shapes do not say. Blocks of the size that the configuration
 * names may be cut at the edges; without such a size they have to divide the matrix.
 */
function layoutOf(
  shape: readonly number[],
  { shape: scale, dtype }: TensorInfo,
  [high, wide]: readonly [number, number],
): [number, number] | null {
  const known = dtype === 'U8' || ['F32', 'F16', 'BF16', 'F64'].includes(dtype) || dtype.startsWith('F8_');
  if (!known || shape.length < 2) return null;
  const [rows, columns] = take(shape.slice(-2), 2);
  const matrices = product(shape.slice(0, -2));
  const count = product(scale);
  if (count === 1 || (count === matrices && scale.length < 2))
    return count === matrices || matrices === 1 ? [rows, columns] : null;
  if (scale.length === 1) return count === rows && matrices === 1 ? [1, columns] : null;
  const [down, across] = take(scale.slice(-2), 2);
  if (count !== matrices * down * across) return null;
  if (down === Math.ceil(rows / high) && across === Math.ceil(columns / wide)) return [high, wide];
  return rows % down === 0 && columns % across === 0 ? [rows / down, columns / across] : null;
}

/** `weight_block_size` of transformers, `block_structure` of compressed-tensors; 128 x 128 where none is named. */
function blockOf(config: Readonly<Record<string, unknown>>): [number, number] {
  const section = (config.quantization_config ?? config.compression_config ?? {}) as Record<string, unknown>;
  const groups = Object.values((section.config_groups ?? {}) as Record<string, { weights?: Record<string, unknown> }>);
  const given = section.weight_block_size ?? groups.map((group) => group?.weights?.block_structure).find(Array.isArray);
  const isSize = (value: unknown): value is number => typeof value === 'number' && Number.isInteger(value) && value > 0;
  return Array.isArray(given) && given.length === 2 && given.every(isSize) ? take(given, 2) : [128, 128];
}

/** `X_blocks` [experts, rows, groups, 16] and `X_scales` [experts, rows, groups] -> X [experts, columns, rows] */
function takePacked(tensors: Map<string, TensorInfo>, blocks: TensorInfo): void {
  const name = blocks.name.replace(/_blocks$/, '');
  const scales = tensors.get(`${name}_scales`);
  if (!scales || tensors.has(name) || blocks.dtype !== 'U8' || scales.dtype !== 'U8' || blocks.shape.length !== 4)
    return;
  const [experts, rows, groups, width] = take(blocks.shape, 4);
  if (width !== MXFP4_GROUP / 2 || scales.shape.join() !== [experts, rows, groups].join()) return;
  const shape = [experts, groups * MXFP4_GROUP, rows];
  tensors.set(name, { ...blocks, name, dtype: 'MXFP4', shape, scales: { kind: 'mxfp4', info: scales } });
  tensors.delete(blocks.name);
  tensors.delete(scales.name);
}

/**
 * One tensor as float32, its scales applied.
 * @param into filled and returned; its length is the tensor's
 * @throws LayerifError `badModel` as `readFloat32`
 */
export function readWeight(info: TensorInfo, into?: Float32Array): Float32Array {
  const { scales } = info;
  if (!scales) return readFloat32(info, into);
  if (scales.kind === 'mxfp4') return readPacked(info, scales.info, into);
  const values = readFloat32(info, into);
  multiplyBlocks(values, info.shape, scales.block, scaleValues(scales.info));
  requireFinite(values, info);
  return values;
}

/** Bytes are biased exponents where their type is that of plain bytes. */
function scaleValues(info: TensorInfo): Float32Array {
  return readFloat32(info.dtype === 'U8' ? { ...info, dtype: 'F8_E8M0' } : info);
}

function readPacked(info: TensorInfo, scaleInfo: TensorInfo, into?: Float32Array): Float32Array {
  const values = into ?? new Float32Array(product(info.shape));
  unpackMxfp4(values, info.shape, readTensorBytes(info), readTensorBytes(scaleInfo));
  requireFinite(values, info);
  return values;
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((all, size) => all * size, 1);
}
