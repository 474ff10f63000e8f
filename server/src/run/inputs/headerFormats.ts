/**
 * The headers of the three formats as one list of tensors with metadata. Types that cannot be scored are shown too; of
 * lists such as vocabularies only the first elements are read.
 */
import type { ModelHeader } from '../../../../protocol/modelHeader.ts';
import { anyType, readGgufHeader } from '../../checkpoints/gguf.ts';
import type { MetadataArray, MetadataValue } from '../../checkpoints/gguf.ts';
import { decimal } from '../../checkpoints/ggufMetadata.ts';
import { namesShown } from '../../checkpoints/ggufNames.ts';
import { readSafetensorsHeader } from '../../checkpoints/safetensors.ts';
import type { ByteSource } from '../../files/byteSource.ts';
import { readOnnxHeader } from '../../graphs/header.ts';
import { scopeOf } from '../../graphs/names.ts';

/** A tensor as a header tells it. */
export interface HeaderTensor {
  name: string;
  /** As the file calls it. */
  stored: string;
  type: string;
  shape: readonly number[];
  /** Null for a type whose size is not known. */
  bytes: number | null;
}

type Read = Pick<ModelHeader, 'format' | 'version'> & {
  tensors: HeaderTensor[];
  metadata: [key: string, value: string][];
  notes: string[];
};
export type FileHeader = Read & { name: string; bytes: number };

export interface HeaderFormat {
  ending: string;
  read: (source: ByteSource) => Read;
}

/** Of one metadata value. */
const LONGEST_VALUE = 400;
/** Elements of a list that are shown. */
const SHOWN_ELEMENTS = 8;

export const headerFormats: readonly HeaderFormat[] = [
  { ending: '.gguf', read: readGguf },
  { ending: '.safetensors', read: readSafetensors },
  { ending: '.onnx', read: readOnnx },
];

function readGguf(source: ByteSource): Read {
  const { version, metadata, tensors } = readGgufHeader(source, {
    typeOf: anyType,
    shortened: { elements: SHOWN_ELEMENTS, of: listText },
  });
  const named = namesShown(metadata.get('general.architecture'), new Set(tensors.map(({ name }) => name)));
  const count = Number(metadata.get('split.count') ?? 1);
  return {
    format: 'gguf',
    version: `GGUF version ${version}`,
    tensors: tensors.map(({ name, type, shape, byteLength }) => ({
      name: named(name) ?? name,
      stored: name,
      type: type.name,
      shape,
      bytes: type.bytes === 0 ? null : byteLength,
    })),
    metadata: [...metadata].map(([key, value]) => [key, cut(oneText(value))]),
    notes: count > 1 ? [partNote(count)] : [],
  };
}

function readSafetensors(source: ByteSource): Read {
  const { tensors, metadata } = readSafetensorsHeader(source);
  const [, count] = /-\d{5}-of-(\d{5})\.safetensors$/.exec(source.name) ?? [];
  return {
    format: 'safetensors',
    version: 'safetensors',
    tensors: tensors.map(({ name, dtype, shape, byteLength }) => ({
      name,
      stored: name,
      type: dtype,
      shape,
      bytes: byteLength,
    })),
    metadata: Object.entries(metadata).map(([key, value]) => [key, cut(value)]),
    notes: Number(count) > 1 ? [partNote(Number(count))] : [],
  };
}

const partNote = (count: number) =>
  `This file is one of ${count} parts of a model; only its own tensors are shown. Inspect Model Layers shows them all.`;

/** Names and bytes of a number by `TensorProto.DataType`. */
const onnxTypes: Readonly<Record<number, readonly [name: string, bytes: number | null]>> = {
  1: ['F32', 4],
  2: ['U8', 1],
  3: ['I8', 1],
  4: ['U16', 2],
  5: ['I16', 2],
  6: ['I32', 4],
  7: ['I64', 8],
  8: ['text', null],
  9: ['BOOL', 1],
  10: ['F16', 2],
  11: ['F64', 8],
  12: ['U32', 4],
  13: ['U64', 8],
  14: ['C64', 8],
  15: ['C128', 16],
  16: ['BF16', 2],
  17: ['F8_E4M3', 1],
  18: ['F8_E4M3FNUZ', 1],
  19: ['F8_E5M2', 1],
  20: ['F8_E5M2FNUZ', 1],
  21: ['U4', 0.5],
  22: ['I4', 0.5],
  23: ['F4', 0.5],
  24: ['F8_E8M0', 1],
  25: ['U2', 0.25],
  26: ['I2', 0.25],
  27: ['F6_E2M3', 0.75],
  28: ['F6_E3M2', 0.75],
};

function readOnnx(source: ByteSource): Read {
  const { irVersion, opsets, metadata, inputs, outputs, constants, nodes } = readOnnxHeader(source);
  const readers = new Map<string, (typeof nodes)[0]>();
  for (const node of nodes) for (const input of node.inputs) if (!readers.has(input)) readers.set(input, node);
  const known = new Set(constants.map(({ name }) => name));
  const external = constants.filter((constant) => constant.external).length;
  return {
    format: 'onnx',
    version: `ONNX, IR version ${irVersion}, ${Object.entries(opsets)
      .map(([domain, version]) => `${domain} ${version}`)
      .join(', ')}`,
    tensors: constants.map(({ name, type, shape }) => {
      const [title, bytes] = onnxTypes[type] ?? [`number ${type}`, null];
      const reader = readers.get(name);
      // Names that an exporter makes up say less than the module of the node that reads the constant.
      const isOwn = /^\w+(?:\.\w+)+$/.test(name);
      const scope = !isOwn && reader ? scopeOf({ ...reader, attributes: {} }) : null;
      return {
        name: scope ?? name,
        stored: name,
        type: title,
        shape,
        bytes: bytes === null ? null : product(shape) * bytes,
      };
    }),
    metadata: [
      ['inputs', cut(inputs.filter((name) => !known.has(name)).join(', '))],
      ['outputs', cut(outputs.join(', '))],
      ['nodes', String(nodes.length)],
      ...metadata.map(([key, value]): [string, string] => [key, cut(value)]),
    ],
    notes: external > 0 ? [`${external} of ${constants.length} constants lie in other files.`] : [],
  };
}

/** Numbers in a tensor. */
export const product = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

const oneText = (value: MetadataValue) => (typeof value === 'number' ? String(decimal(value)) : String(value));

function listText(length: number, first: MetadataArray): string {
  const shown = Array.from(first as ArrayLike<MetadataValue>, (one) =>
    typeof one === 'string' ? JSON.stringify(cut(one, 40)) : oneText(one),
  );
  return `${length} values: ${shown.join(', ')}${length > first.length ? ', \u2026' : ''}`;
}

export function cut(text: string, longest = LONGEST_VALUE): string {
  return text.length <= longest ? text : `${text.slice(0, longest)}\u2026`;
}
