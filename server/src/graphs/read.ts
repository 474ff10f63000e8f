/**
 * Opening a user's .onnx file: protobuf to plain structure, constants wherever they lie, and everything brought into
 * the form that the rest of this folder expects: float16 and bfloat16 as float32 (ONNX Runtime computes float16 so on
 * the CPU anyway, and hardly any bfloat16), `Constant` nodes as constants. What can never be differentiated is refused
 * here, by its name.
 */
import fs from 'node:fs';
import path from 'node:path';
import { LayerifError } from '../../../protocol/errors.ts';
import type { ErrorCode } from '../../../protocol/errors.ts';
import { decodeModel, NoModel } from '../onnx/decode.ts';
import type { DecodedInitializer, DecodedModel, DecodedNode } from '../onnx/decode.ts';
import { floatOfBfloat, floatOfHalf } from '../onnx/half.ts';
import type { Attribute, TypedArray } from '../onnx/types.ts';
import { dataTypes, int64 } from '../onnx/types.ts';
import { scopeOf } from './names.ts';
import type { GraphFile } from './types.ts';
import { mistakenOr } from '../files/mistaken.ts';
import { unreadableWords } from '../files/reading.ts';
import { requireRegularFile } from '../files/textFile.ts';
import { nth } from '../lists/nth.ts';
import { ourWords } from '../text/languageErrors.ts';

/** Protobuf's limit, and that of what a message may hold. */
const LONGEST = 2 ** 31 - 1;

/** @throws LayerifError `badModel` naming the file and what is wrong in it */
export function readGraph(file: string): GraphFile {
  const absolute = path.resolve(file);
  const bad = (text: string, cause?: unknown): LayerifError => fault(absolute, text, cause);
  let size: number;
  try {
    ({ size } = requireRegularFile(absolute));
  } catch (error) {
    throw bad(`the file cannot be read: ${unreadableWords(error)}; give the path of an .onnx file`, error);
  }
  if (size > LONGEST) {
    throw bad(
      `the file holds ${size} bytes, an ONNX file takes ${LONGEST}: save it with its weights in external data (onnx.save_model with save_as_external_data=True)`,
    );
  }
  const bytes = fs.readFileSync(absolute);
  let decoded: DecodedModel;
  try {
    decoded = decodeModel(bytes);
  } catch (error) {
    const what = ourWords(error as Error);
    throw bad(error instanceof NoModel ? mistakenOr(bytes, what, 'export, copy or download it again') : what, error);
  }
  const model = normalised(decoded);
  refuseForms(model, bad);
  const stored = new Map(decoded.initializers.map(({ name, type }) => [name, type]));
  const constants = new Map(
    model.initializers.map((constant) => [
      constant.name,
      { ...constant, type: stored.get(constant.name) ?? constant.type },
    ]),
  );
  const external = new Map<string, string>();
  for (const { name, external: data } of model.initializers) {
    if (data && !external.has(data.location)) external.set(data.location, externalFile(absolute, name, data.location));
  }
  const placeOf = (name: string): { file: string; offset: number; length: number; constant: DecodedInitializer } => {
    const constant = constants.get(name);
    if (!constant) throw bad(`the graph has no constant "${name}"`);
    if (!constant.external) return { file: absolute, offset: 0, length: constant.data!.byteLength, constant };
    const { location, offset, length } = constant.external;
    return { file: external.get(location)!, offset, length, constant };
  };
  for (const { name, external: data } of model.initializers) if (data) requireBytes(placeOf(name), name);
  return {
    path: absolute,
    model,
    files: [absolute, ...new Set(external.values())],
    constant: (name) => {
      const { constant, ...place } = placeOf(name);
      return constant.data ?? readExternal(place, constant);
    },
    place: (name) => {
      const { file: own, offset, length } = placeOf(name);
      return { file: own, offset, length };
    },
  };
}

export function fault(file: string, text: string, cause?: unknown, code: ErrorCode = 'badModel'): LayerifError {
  return new LayerifError(code, `${file}: ${text}`, { cause });
}

/** `layer` of a message: where the node comes from. */
export function nodeText(node: DecodedNode): string {
  const scope = scopeOf(node);
  return `(node "${node.name}"${scope ? `, layer "${scope}"` : ''})`;
}

/** Operators that no rule can be written for, or whose gradients would mean nothing. */
const refused: readonly { pattern: RegExp; why: string }[] = [
  { pattern: /^(Loop|Scan)$/, why: 'is control flow that depends on the data' },
  { pattern: /^(LSTM|GRU|RNN)$/, why: 'is recurrent' },
  { pattern: /^(Sequence|SplitToSequence|ConcatFromSequence|Optional)/, why: 'works on sequences of tensors' },
  {
    pattern: /(QLinear|Integer$|QAttention|MatMulNBits|MatMulBnb4|QGemm|QMoE|QEmbed|DynamicQuantize|^QuantizeLinear)/,
    why: 'is a quantised form, through which there is no gradient: export the model in float32 or float16',
  },
  { pattern: /^Random|^(Bernoulli|Multinomial)$/, why: 'draws random numbers' },
];

function refuseForms(model: DecodedModel, bad: (text: string) => LayerifError): void {
  if (model.functions.length > 0) {
    throw bad(
      `the graph defines its own operators (${model.functions[0]}, ...): inline them (onnx.inliner.inline_local_functions) and save it again`,
    );
  }
  if (model.sparse.length > 0) throw bad(`constant "${model.sparse[0]}" is sparse; save it as a dense tensor`);
  const made = new Set([
    '',
    ...[...model.inputs, ...model.initializers].map(({ name }) => name),
    ...model.nodes.flatMap(({ outputs }) => outputs),
  ]);
  for (const node of model.nodes) {
    const lost = node.inputs.find((name) => !made.has(name));
    if (lost !== undefined)
      throw bad(
        `operator "${node.op}" ${nodeText(node)} reads ${JSON.stringify(lost)}, which nothing in the graph makes: the file is damaged; export or download it again`,
      );
    const row = refused.find(({ pattern }) => pattern.test(node.op.slice(node.op.lastIndexOf('.') + 1)));
    if (row) throw bad(`operator "${node.op}" ${nodeText(node)} ${row.why}; such graphs are not supported`);
  }
}

/** The external file, which must lie in the graph's folder, links followed. */
function externalFile(graph: string, constant: string, location: string): string {
  const folder = path.dirname(graph);
  const named = `external data "${location}" of constant "${constant}"`;
  const wanted = path.resolve(folder, location);
  const outside = (target: string, from: string): boolean => {
    const relative = path.relative(from, target);
    return relative === '' || relative === '..' || relative.startsWith(`..${path.sep}`) || path.isAbsolute(relative);
  };
  if (location === '' || path.isAbsolute(location) || outside(wanted, folder))
    throw fault(graph, `${named} lies outside of the folder of the graph; put the file beside the .onnx file`);
  let stat: fs.Stats | undefined;
  try {
    stat = fs.statSync(wanted, { throwIfNoEntry: false });
  } catch (error) {
    // A circle of links, a NUL in the name, a name that is too long.
    throw fault(
      graph,
      `${named} cannot be opened (${(error as NodeJS.ErrnoException).code}); put the file beside the .onnx file`,
      error,
    );
  }
  if (!stat) throw fault(graph, `${named} is missing; put the file beside the .onnx file`);
  if (!stat.isFile()) throw fault(graph, `${named} is no file; put that of the weights beside the .onnx file`);
  const real = fs.realpathSync(wanted);
  if (outside(real, fs.realpathSync(folder)))
    throw fault(graph, `${named} is a symbolic link that leads out of the folder, to ${real}; copy the file there`);
  return real;
}

function requireBytes(
  { file, offset, length, constant }: { file: string; offset: number; length: number; constant: DecodedInitializer },
  name: string,
): void {
  const { size } = fs.statSync(file);
  const wanted = constant.shape.reduce((a, b) => a * b, dataTypes[constant.type].bytes);
  if (length !== wanted || !(offset >= 0) || offset + length > size) {
    throw fault(
      file,
      `constant "${name}" takes ${wanted} bytes; the graph places ${length} at ${offset}, the file holds ${size}: it is cut off or belongs to another graph`,
    );
  }
}

function readExternal(
  { file, offset, length }: { file: string; offset: number; length: number },
  { type }: DecodedInitializer,
): TypedArray {
  const bytes = new Uint8Array(length);
  const handle = fs.openSync(file, 'r');
  try {
    let at = 0;
    while (at < length) {
      const count = fs.readSync(handle, bytes, at, Math.min(length - at, 1 << 30), offset + at);
      if (count === 0) throw fault(file, `ends before byte ${offset + length}`);
      at += count;
    }
  } finally {
    fs.closeSync(handle);
  }
  if (isHalf(type)) return floatOf[type](new Uint16Array(bytes.buffer));
  return new dataTypes[type].array(bytes.buffer);
}

const FLOAT32 = dataTypes.float32.code;

/** Types of two bytes that are widened, from their bits. */
const floatOf = { float16: floatOfHalf, bfloat16: floatOfBfloat } as const;

function isHalf(type: string | null): type is keyof typeof floatOf {
  return type !== null && Object.hasOwn(floatOf, type);
}

const halfCodes: readonly number[] = Object.keys(floatOf).map((type) => dataTypes[type as keyof typeof floatOf].code);

/** Halves become float32, `Constant` nodes become constants, and inputs that are constants too are left out. */
function normalised(model: DecodedModel): DecodedModel {
  const initializers: DecodedInitializer[] = model.initializers.map(widened);
  const nodes: DecodedNode[] = [];
  for (const node of model.nodes) {
    const constant = node.op === 'Constant' ? constantOf(node) : null;
    if (constant) initializers.push(constant);
    else nodes.push({ ...node, attributes: withoutHalf(node) });
  }
  const constants = new Set(initializers.map(({ name }) => name));
  const typed = <T extends { type: string | null }>(value: T): T =>
    isHalf(value.type) ? { ...value, type: 'float32' } : value;
  return {
    ...model,
    inputs: model.inputs.filter(({ name }) => !constants.has(name)).map(typed),
    outputs: model.outputs.map(typed),
    values: [],
    initializers,
    nodes,
  };
}

/** External data keep their place; they are converted when they are read. */
function widened(constant: DecodedInitializer): DecodedInitializer {
  if (!isHalf(constant.type)) return constant;
  return { ...constant, type: 'float32', data: constant.data && floatOf[constant.type](constant.data as Uint16Array) };
}

function withoutHalf(node: DecodedNode): DecodedNode['attributes'] {
  return Object.fromEntries(
    Object.entries(node.attributes).map(([name, attribute]): [string, Attribute] => {
      if (attribute.kind === 'int' && halfCodes.includes(attribute.value) && (name === 'to' || name === 'dtype'))
        return [name, { kind: 'int', value: FLOAT32 }];
      if (attribute.kind === 'tensor' && isHalf(attribute.value.type)) {
        const { type, shape, data } = attribute.value;
        const wide = floatOf[type](data as Uint16Array);
        return [name, { kind: 'tensor', value: { type: 'float32', shape, data: wide } }];
      }
      return [name, attribute];
    }),
  );
}

/** A `Constant` node as a constant; null for texts, which nothing that we run reads. */
export function constantOf({ attributes, outputs }: DecodedNode): DecodedInitializer | null {
  const [attribute] = Object.values(attributes);
  const made = (type: DecodedInitializer['type'], shape: readonly number[], data: TypedArray): DecodedInitializer =>
    widened({ name: nth(outputs, 0), type, shape, data, external: null });
  switch (attribute?.kind) {
    case 'tensor':
      return made(attribute.value.type, attribute.value.shape, attribute.value.data);
    case 'int':
      return made('int64', [], BigInt64Array.of(int64(attribute.value)));
    case 'ints':
      return made('int64', [attribute.value.length], BigInt64Array.from(attribute.value, int64));
    case 'float':
      return made('float32', [], Float32Array.of(attribute.value));
    case 'floats':
      return made('float32', [attribute.value.length], Float32Array.from(attribute.value));
    case 'string':
    case 'strings':
    case 'other':
    case undefined:
      return null;
  }
}
