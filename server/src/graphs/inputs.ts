/**
 * What a graph's inputs are fed with. Inputs of language models go by the names that every exporter gives them; all
 * others come from the data by their own name. Axes that the file leaves open are bound by what the sample brings.
 */
import type { DecodedModel, DecodedValue } from '../onnx/decode.ts';
import type { DataType, Dim, TypedArray } from '../onnx/types.ts';
import { dataTypes } from '../onnx/types.ts';
import { nth } from '../lists/nth.ts';

/** A tensor to feed. */
export interface Fed {
  type: DataType;
  shape: number[];
  data: TypedArray;
}

/** What a sample brings: token ids, and arrays by the name of the graph's input. */
export interface GraphSample {
  tokens: Int32Array;
  arrays?: Readonly<Record<string, { shape: number[]; data: Float32Array }>> | undefined;
}

/** How an input is filled from tokens. */
type Role = 'tokens' | 'mask' | 'positions' | 'zeros' | 'past' | 'off';

/** Names that exporters of language models give. To support another name, add it. */
const roles: readonly { pattern: RegExp; role: Role }[] = [
  { pattern: /^(input_ids|tokens|token_ids|input)$/, role: 'tokens' },
  { pattern: /^(attention_mask|mask|input_mask)$/, role: 'mask' },
  { pattern: /^(position_ids|cache_position|positions)$/, role: 'positions' },
  { pattern: /^(token_type_ids|segment_ids)$/, role: 'zeros' },
  { pattern: /^past_key_values?\b|^past_\d|^past_key_\d|^past_value_\d/, role: 'past' },
  { pattern: /^use_cache_branch$/, role: 'off' },
];

/** `tokens` only where the input takes whole numbers: an image may be called `input` too. */
export function roleOf({ name, type }: DecodedValue): Role | null {
  const role = roles.find(({ pattern }) => pattern.test(name))?.role ?? null;
  return role === 'tokens' && type !== 'int64' && type !== 'int32' ? null : role;
}

/** Inputs that the data must bring as arrays. */
export function arrayInputs(model: DecodedModel): DecodedValue[] {
  return model.inputs.filter((input) => roleOf(input) === null);
}

export function takesTokens(model: DecodedModel): boolean {
  return model.inputs.some((input) => roleOf(input) === 'tokens');
}

/** The length that the graph fixes for its tokens, or null. */
export function fixedLength(model: DecodedModel): number | null {
  const length = model.inputs.find((input) => roleOf(input) === 'tokens')?.shape?.[1];
  return typeof length === 'number' ? length : null;
}

/**
 * Tensors for one sample, padded to `length` on the right. Padding is masked.
 * @throws Error for an input that the sample does not bring, or an axis that nothing binds
 */
export function bindInputs(model: DecodedModel, sample: GraphSample, length: number): Map<string, Fed> {
  const bound = new Map<string, number>();
  const fed = new Map<string, Fed>();
  for (const input of model.inputs) requireOne(input);
  for (const input of model.inputs) {
    const role = roleOf(input);
    const known = role === 'past' || role === 'off' ? null : contentOf(input, role, sample, length);
    if (!known) continue;
    bindAxes(input, known.shape, bound);
    fed.set(input.name, known);
  }
  for (const input of model.inputs) {
    if (!fed.has(input.name)) fed.set(input.name, absent(input, roleOf(input)!, bound));
  }
  return fed;
}

function requireOne({ name, type, shape }: DecodedValue): void {
  if (!type || !shape) throw new Error(`input "${name}" is not a tensor of known type and rank`);
  const [batch] = shape;
  if (typeof batch === 'number' && batch !== 1 && shape.length > 1) {
    throw new Error(
      `input "${name}" fixes its batch at ${batch}; samples run one by one, so export it with a dynamic batch axis or with 1`,
    );
  }
}

function contentOf(input: DecodedValue, role: Role | null, sample: GraphSample, length: number): Fed {
  const type = input.type!;
  const tokens = sample.tokens.length;
  const list = (value: (t: number) => number): Fed => typed(type, [1, length].slice(2 - input.shape!.length), value);
  switch (role) {
    case 'tokens':
      return list((t) => sample.tokens[t] ?? 0);
    case 'mask':
      return list((t) => (t < tokens ? 1 : 0));
    case 'positions':
      return list((t) => t);
    case 'zeros':
      return list(() => 0);
    case 'past':
    case 'off':
    case null: {
      const array = sample.arrays?.[input.name];
      if (!array) {
        const brought = Object.keys(sample.arrays ?? {});
        throw new Error(
          `input "${input.name}" is not filled: the data bring ${brought.length > 0 ? brought.join(', ') : 'tokens only'}; name a column for it under the task's inputs`,
        );
      }
      const shape = array.shape.length === input.shape!.length - 1 ? [1, ...array.shape] : array.shape;
      return { ...typed(type, shape, (i) => nth(array.data, i)), shape };
    }
  }
}

function typed(type: DataType, shape: number[], value: (i: number) => number): Fed {
  const size = shape.reduce((a, b) => a * b, 1);
  const numbers = Array.from({ length: size }, (_, i) => value(i));
  const data = type === 'int64' ? BigInt64Array.from(numbers, BigInt) : dataTypes[type].array.from(numbers as never[]);
  return { type, shape, data };
}

function bindAxes({ name, shape }: DecodedValue, given: readonly number[], bound: Map<string, number>): void {
  if (given.length !== shape!.length)
    throw new Error(
      `input "${name}" has ${shape!.length} axes [${shape!.join(', ')}], the data bring [${given.join(', ')}]`,
    );
  shape!.forEach((dim, axis) => {
    const size = nth(given, axis);
    const known = typeof dim === 'number' ? dim : dim === '?' ? size : (bound.get(dim) ?? size);
    // A symbol that is a sum (`past_sequence_length + 1`) is bound by what it is a sum of.
    if (known !== size)
      throw new Error(
        `input "${name}" [${shape!.join(', ')}] takes ${known} along axis ${axis}, the data bring ${size}`,
      );
    if (typeof dim === 'string' && dim !== '?') bound.set(dim, size);
  });
}

/** An empty cache: the axis that nothing else binds has no entries. */
function absent({ name, type, shape }: DecodedValue, role: Role, bound: ReadonlyMap<string, number>): Fed {
  if (role === 'off')
    return typed(
      type!,
      shape!.map(() => 1),
      () => 0,
    );
  const open = shape!.filter((dim): dim is string => typeof dim === 'string' && !bound.has(dim));
  const past = open.filter((dim) => /past|cache|length|seq/i.test(dim));
  const size = (dim: Dim, axis: number): number => {
    if (typeof dim === 'number') return dim;
    if (bound.has(dim)) return bound.get(dim)!;
    if (axis === 0) return 1;
    if (past.includes(dim) || (open.length === 1 && axis > 0)) return 0;
    throw new Error(
      `axis ${axis} ("${dim}") of input "${name}" [${shape!.join(', ')}] is bound by nothing; export the graph without a cache (use_cache=False)`,
    );
  };
  return typed(type!, shape!.map(size), () => 0);
}
