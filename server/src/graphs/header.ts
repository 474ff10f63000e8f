/**
 * The header of an .onnx file: names, types and shapes of its constants, the nodes that read them, and what the file
 * says of itself. A protobuf message is walked field by field; weights, attributes and everything else are passed over
 * unread, so a file of many gigabytes costs what its names cost.
 */
import { LayerifError } from '../../../protocol/errors.ts';
import { FileCursor } from '../checkpoints/fileCursor.ts';
import { printable } from '../checkpoints/printable.ts';
import type { ByteSource } from '../files/byteSource.ts';

export interface OnnxConstant {
  name: string;
  /** Number in `TensorProto.DataType`. */
  type: number;
  shape: number[];
  /** Whether its content lies in another file. */
  external: boolean;
}

/** What names a node: enough to tell which module it belongs to. */
export interface OnnxNode {
  name: string;
  op: string;
  inputs: string[];
  outputs: string[];
  metadata: Record<string, string>;
}

export interface OnnxHeader {
  irVersion: number;
  opsets: Record<string, number>;
  metadata: [key: string, value: string][];
  inputs: string[];
  outputs: string[];
  constants: OnnxConstant[];
  nodes: OnnxNode[];
}

/** Texts beyond this are none that a model is told by. */
const LONGEST_TEXT = 1 << 20;
const LONGEST_SHAPE = 1024;
/** Fields that are looked at; the largest known graphs have half a million. */
const MOST_FIELDS = 20_000_000;

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** What is done with a field: a number, or the cursor at the first of so many bytes. */
interface Field {
  number?: (value: number) => void;
  bytes?: (length: number) => void;
}
type Fields = Readonly<Record<number, Field>>;

/** @throws LayerifError `badModel` that names the file and what is wrong with it */
export function readOnnxHeader(source: ByteSource): OnnxHeader {
  const fail = (what: string): never => {
    throw new LayerifError(
      'badModel',
      `${source.name} is not a usable ONNX file: ${printable(what)}; download or export it again`,
      { place: { file: source.name } },
    );
  };
  const cursor = new FileCursor(source, fail);
  let seen = 0;
  const message = (length: number, fields: Fields, what: string): void => {
    const end = cursor.at + length;
    if (end > cursor.size) fail(`${what} ends at byte ${end}, the file at ${cursor.size} (truncated or damaged)`);
    while (cursor.at < end) {
      if ((seen += 1) > MOST_FIELDS) fail(`it has more than ${MOST_FIELDS} fields, more than any model's (damaged)`);
      const key = cursor.varint(what);
      const kind = key % 8;
      const field = Object.hasOwn(fields, Math.floor(key / 8)) ? fields[Math.floor(key / 8)] : undefined;
      if (kind === VARINT) {
        const value = cursor.varint(what);
        field?.number?.(value);
      } else if (kind === BYTES) {
        const bytes = cursor.varint(what);
        const after = cursor.at + bytes;
        if (after > end) fail(`a field of ${what} ends at byte ${after}, ${what} at ${end} (damaged)`);
        field?.bytes?.(bytes);
        cursor.at = after;
      } else if (kind === FIXED64 || kind === FIXED32) cursor.skip(kind === FIXED64 ? 8 : 4, what);
      else fail(`byte ${cursor.at} of ${what} is no field (another format, or damaged)`);
    }
  };
  const text = (into: (value: string) => void, what: string): Field => ({
    bytes: (length) => {
      if (length > LONGEST_TEXT) fail(`${what} takes ${length} bytes, more than any model's (damaged)`);
      into(cursor.bytes(length, what).toString('utf8'));
    },
  });
  /** Key 1, value 2: metadata. */
  const pair = (add: (key: string, value: string) => void): Field => ({
    bytes: (length) => {
      let [key, value] = ['', ''];
      message(length, { 1: text((t) => (key = t), 'a key'), 2: text((t) => (value = t), 'a value') }, 'metadata');
      add(key, value);
    },
  });
  const named = (list: string[], what: string): Field => ({
    bytes: (length) => message(length, { 1: text((name) => list.push(name), `the name of ${what}`) }, what),
  });

  const header: OnnxHeader = {
    irVersion: 0,
    opsets: {},
    metadata: [],
    inputs: [],
    outputs: [],
    constants: [],
    nodes: [],
  };
  let graphs = 0;

  const constant: Field = {
    bytes: (length) => {
      const made: OnnxConstant = { name: '', type: 0, shape: [], external: false };
      const packed = (bytes: number): void => {
        if (bytes > LONGEST_SHAPE) fail(`a shape takes ${bytes} bytes, more than any model's (damaged)`);
        for (const end = cursor.at + bytes; cursor.at < end;) made.shape.push(cursor.varint('a shape'));
      };
      const fields: Fields = {
        1: { number: (size) => made.shape.push(size), bytes: packed },
        2: { number: (type) => (made.type = type) },
        8: text((name) => (made.name = name), 'the name of a constant'),
        14: { number: (place) => (made.external = place === 1) },
      };
      message(length, fields, 'a constant');
      header.constants.push(made);
    },
  };
  const node: Field = {
    bytes: (length) => {
      const made: OnnxNode = { name: '', op: '', inputs: [], outputs: [], metadata: {} };
      const fields: Fields = {
        1: text((name) => made.inputs.push(name), 'an input of a node'),
        2: text((name) => made.outputs.push(name), 'an output of a node'),
        3: text((name) => (made.name = name), 'the name of a node'),
        4: text((op) => (made.op = op), 'the operator of a node'),
        9: pair((key, value) => (made.metadata[key] = value)),
      };
      message(length, fields, 'a node');
      header.nodes.push(made);
    },
  };
  const graph: Fields = {
    1: node,
    5: constant,
    11: named(header.inputs, 'an input'),
    12: named(header.outputs, 'an output'),
  };
  const opset: Field = {
    bytes: (length) => {
      let [domain, version] = ['', 0];
      message(length, { 1: text((t) => (domain = t), 'a domain'), 2: { number: (n) => (version = n) } }, 'an opset');
      header.opsets[domain === '' ? 'ai.onnx' : domain] = version;
    },
  };
  const note = (key: string): Field => text((value) => header.metadata.push([key, value]), key);
  const model: Fields = {
    1: { number: (version) => (header.irVersion = version) },
    2: note('producer_name'),
    3: note('producer_version'),
    4: note('domain'),
    5: { number: (version) => header.metadata.push(['model_version', String(version)]) },
    6: note('doc_string'),
    7: {
      bytes: (length) => {
        graphs += 1;
        message(length, graph, 'the graph');
      },
    },
    8: opset,
    14: pair((key, value) => header.metadata.push([key, value])),
  };
  message(cursor.size, model, 'the file');
  if (graphs === 0) fail('it holds no graph (another format, or damaged)');
  return header;
}
