/**
 * The graph: inputs, constants, nodes in topological order, outputs, and the builder that infers every shape.
 *
 * Models and gradient rules write into it with the words of `words.ts`; `model.ts` turns it into an ONNX file. Names of
 * nodes carry the scopes they were added in (`layers.3/self_attn/q_proj/MatMul`), so that messages and profiles name
 * the layer.
 */
import { attributesOf, readerOf } from './attributes.ts';
import { contentsOf } from './contents.ts';
import { shapes } from './shapes.ts';
import type { Typed } from './shapes.ts';
import type {
  AttributeInput,
  Attributes,
  DataType,
  Dim,
  ExternalData,
  Initializer,
  Node,
  Outputs,
  TypedArray,
  Value,
} from './types.ts';
import { dataTypes, int64, shapeText, typeText } from './types.ts';
import { Words } from './words.ts';
import { lookup } from '../text/lookup.ts';

export type { DataType, Dim, Node, TypedArray, Value } from './types.ts';

/** A place in the growing graph, for `prune`. */
export interface Mark {
  nodes: number;
  initializers: number;
}

export class Graph extends Words {
  readonly name: string;
  readonly #nodes: Node[] = [];
  readonly #inputs: Value[] = [];
  readonly #outputs: Value[] = [];
  readonly #initializers = new Map<Value, Initializer>();
  readonly #producers = new Map<Value, Node>();
  readonly #constants = new Map<string, Value>();
  readonly #holders = new Map<string, { value: Value; axis: number }>();
  readonly #names = new Map<string, number>();
  #scope: readonly string[] = [];
  #unknowns = 0;

  constructor(name: string) {
    super();
    this.name = name;
  }

  get nodes(): readonly Node[] {
    return this.#nodes;
  }
  get inputs(): readonly Value[] {
    return this.#inputs;
  }
  get outputs(): readonly Value[] {
    return this.#outputs;
  }
  get initializers(): readonly Initializer[] {
    return [...this.#initializers.values()];
  }

  input(name: string, type: DataType, shape: readonly Dim[]): Value {
    const value = this.#value(this.#claim(name), type, shape);
    this.#inputs.push(value);
    return value;
  }

  /** Names `value` as an output. A value has one name, so this adds an Identity where it has another or is an input. */
  output(value: Value, name: string): void {
    if (value.name === name && this.#producers.has(value) && !this.#outputs.includes(value)) {
      this.#outputs.push(value);
      return;
    }
    this.#outputs.push(...this.append('Identity', [value], {}, [{ ...value, name }]));
  }

  /** A constant with its content. @throws Error when the content does not fill the shape. */
  initializer(name: string, type: DataType, shape: readonly number[], data: TypedArray): Value {
    const size = shape.reduce((total, dim) => total * dim, 1);
    if (data.length !== size || !(data instanceof dataTypes[type].array)) {
      const expected = `${size} elements in a ${dataTypes[type].array.name}`;
      throw new Error(
        `initializer "${name}" ${type}${shapeText(shape)} takes ${expected}; got ${data.length} in a ${data.constructor.name}`,
      );
    }
    return this.#initializer(name, type, shape, data, null);
  }

  /** A constant whose content lies in a file. @throws Error when the length in bytes does not fit the shape. */
  external(name: string, type: DataType, shape: readonly number[], place: ExternalData): Value {
    const bytes = shape.reduce((total, dim) => total * dim, dataTypes[type].bytes);
    if (place.length !== bytes) {
      throw new Error(
        `initializer "${name}" ${type}${shapeText(shape)} takes ${bytes} bytes; ${place.location} gives ${place.length}`,
      );
    }
    return this.#initializer(name, type, shape, null, place);
  }

  /** A constant scalar; equal ones are one. The 16-bit float types are cast from float32. */
  override scalar(x: number, type: DataType = 'float32'): Value {
    if (type === 'float16' || type === 'bfloat16') return this.cast(this.scalar(x), type);
    const text = Object.is(x, -0) ? '-0' : String(x);
    return this.#constant(type === 'float32' ? text : `${text}:${type}`, type, [], [x]);
  }

  /** A constant int64 list; equal ones are one. Values beyond int64 (`Infinity`) become its last value. */
  override ints(values: readonly number[]): Value {
    return this.#constant(shapeText(values), 'int64', [values.length], values);
  }

  /** Runs `body` with `name` (which may hold slashes) in front of the names of the nodes it adds. */
  scope<T>(name: string, body: () => T): T {
    const outer = this.#scope;
    this.#scope = name === '' ? outer : [...outer, name];
    try {
      return body();
    } finally {
      this.#scope = outer;
    }
  }

  /**
   * Adds a node; types and shapes of its outputs come from `shapes.ts`. `null` stands for an input left out.
   * @throws Error naming node, operator and input shapes when the operator is unknown or the inputs do not fit.
   */
  override node(
    op: string,
    inputs: readonly (Value | null)[],
    attributes: Readonly<Record<string, AttributeInput>> = {},
    outputCount = 1,
  ): Outputs {
    const stored = attributesOf(attributes);
    return this.append(op, inputs, stored, this.infer(op, inputs, stored, outputCount));
  }

  /** Adds a node whose output types are given: for operators and graphs that inference does not know. */
  append(
    op: string,
    inputs: readonly (Value | null)[],
    attributes: Attributes,
    outputs: readonly (Typed & { name?: string })[],
    name?: string,
  ): Outputs {
    const scope = this.#scope.join('/');
    const own = name ?? this.#unique([...this.#scope, op].join('/'));
    const [first, ...others] = outputs;
    if (!first) throw new Error(`${op} (node "${own}") has no outputs`);
    const made = ({ name: given, type, shape }: Typed & { name?: string }, unnamed: () => string): Value =>
      this.#value(given === undefined ? unnamed() : this.#claim(given), type, shape);
    const values: Outputs = [
      made(first, () => own),
      ...others.map((output, i) => made(output, () => this.#unique(`${own}:${i + 1}`))),
    ];
    const node: Node = { name: own, op, inputs, outputs: values, attributes, scope };
    this.#nodes.push(node);
    for (const value of values) this.#producers.set(value, node);
    return values;
  }

  producer(value: Value): Node | undefined {
    return this.#producers.get(value);
  }

  /** The content of a constant held in memory, else null. */
  constant(value: Value): TypedArray | null {
    return this.#initializers.get(value)?.data ?? null;
  }

  /** The same as plain numbers. */
  numbers(value: Value): number[] | null {
    const data = this.constant(value);
    return data && Array.from(data as Iterable<number | bigint>, Number);
  }

  override holderOf(symbol: string): { value: Value; axis: number } | null {
    return this.#holders.get(symbol) ?? null;
  }

  /** Replaces the shape that inference gave the newest node's only output. */
  override withShape(value: Value, shape: readonly Dim[]): Value {
    if (value.shape.length !== shape.length) {
      throw new Error(
        `"${value.name}" has shape ${shapeText(value.shape)}, which cannot be read as ${shapeText(shape)}`,
      );
    }
    if (value.shape.every((dim, i) => dim === shape[i])) return value;
    const node = this.#nodes.at(-1);
    if (node?.outputs[0] !== value) throw new Error(`"${value.name}" is not the newest value of graph "${this.name}"`);
    this.#nodes.pop();
    this.#producers.delete(value);
    this.#names.delete(value.name);
    for (const [symbol, holder] of this.#holders) if (holder.value === value) this.#holders.delete(symbol);
    return this.append(
      node.op,
      node.inputs,
      node.attributes,
      [{ name: value.name, type: value.type, shape }],
      node.name,
    )[0];
  }

  mark(): Mark {
    return { nodes: this.#nodes.length, initializers: this.#initializers.size };
  }

  /** Drops the nodes and constants added since `mark` that no value of `keep` depends on. */
  prune(mark: Mark, keep: Iterable<Value>): void {
    const needed = new Set<Value>(keep);
    const added = this.#nodes.splice(mark.nodes);
    const kept = added.reverse().filter((node) => {
      const used = node.outputs.some((output) => needed.has(output));
      if (used) for (const input of node.inputs) if (input) needed.add(input);
      if (!used) for (const output of node.outputs) this.#producers.delete(output);
      return used;
    });
    this.#nodes.push(...kept.reverse());
    for (const value of [...this.#initializers.keys()].slice(mark.initializers)) {
      if (needed.has(value)) continue;
      this.#initializers.delete(value);
      this.#constants.delete(value.name);
      this.#names.delete(value.name);
    }
    for (const [symbol, { value }] of this.#holders) {
      if (!this.#producers.has(value) && !this.#inputs.includes(value)) this.#holders.delete(symbol);
    }
  }

  /** Types and shapes of a node's outputs. @throws as `node`. */
  infer(op: string, inputs: readonly (Value | null)[], attributes: Attributes, outputCount: number): Typed[] {
    const name = [...this.#scope, op].join('/');
    try {
      const row = lookup(shapes, op);
      if (!row) throw new Error('the operator has no row in onnx/shapes.ts');
      const x = (i: number): Value => {
        const value = inputs[i];
        if (!value) throw new Error(`input ${i} is missing`);
        return value;
      };
      const contents = (i: number): ReturnType<typeof contentsOf> => (inputs[i] ? contentsOf(this, inputs[i]) : null);
      const constants = (i: number): readonly number[] => {
        const known = contents(i);
        if (known?.every((item) => typeof item === 'number')) return known;
        throw new Error(`input ${i} ("${x(i).name}") must be constant`);
      };
      const floats = (i: number): number[] | null => (inputs[i] ? this.numbers(inputs[i]) : null);
      const unknown = (): Dim => `?${(this.#unknowns += 1)}`;
      const reader = readerOf({ op, name, attributes });
      const outputs = row({ ...reader, inputs, outputCount, x, contents, constants, floats, unknown });
      if (outputs.length < outputCount)
        throw new Error(`gives ${outputs.length} outputs; ${outputCount} were asked for`);
      return outputs.slice(0, outputCount).map(({ type, shape }) => ({ type, shape }));
    } catch (error) {
      const given = inputs.map((input) => (input ? typeText(input) : 'none')).join(', ');
      throw new Error(`cannot build ${op} (node "${name}") on (${given}): ${(error as Error).message}`, {
        cause: error,
      });
    }
  }

  #initializer(
    name: string,
    type: DataType,
    shape: readonly number[],
    data: TypedArray | null,
    external: ExternalData | null,
  ): Value {
    const value: Value = { name: this.#claim(name), type, shape };
    this.#initializers.set(value, { value, data, external });
    return value;
  }

  #constant(name: string, type: DataType, shape: readonly number[], values: readonly number[]): Value {
    const known = this.#constants.get(name);
    if (known) return known;
    const data =
      type === 'int64' ? BigInt64Array.from(values, int64) : dataTypes[type].array.from(values as readonly never[]);
    const value = this.initializer(name, type, shape, data);
    this.#constants.set(name, value);
    return value;
  }

  /** A value, remembered as a place to read its symbols from. */
  #value(name: string, type: DataType, shape: readonly Dim[]): Value {
    const value: Value = { name, type, shape };
    shape.forEach((dim, axis) => {
      if (typeof dim === 'string' && !this.#holders.has(dim)) this.#holders.set(dim, { value, axis });
    });
    return value;
  }

  #claim(name: string): string {
    if (name === '' || this.#names.has(name)) {
      throw new Error(`graph "${this.name}" already has a value named "${name}"; names must be unique and not empty`);
    }
    this.#names.set(name, 1);
    return name;
  }

  #unique(base: string): string {
    const count = this.#names.get(base) ?? 0;
    this.#names.set(base, count + 1);
    return count === 0 ? base : this.#unique(`${base}_${count}`);
  }
}
