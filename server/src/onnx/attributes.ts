/**
 * Attributes of a node: from plain JavaScript values to the stored form, and typed reading with the operator's default.
 */
import type { Attribute, AttributeInput, Attributes, Tensor } from './types.ts';

/**
 * Attributes that the standard defines as float whatever number they are given: JavaScript cannot tell 1 from 1.0.
 * Taken from the operator schemas; add the name here when an operator brings a new one.
 */
const floatNames = new Set(
  'alpha beta bias clip cubic_coeff_a epsilon extrapolation_value gamma high lambd low mean momentum ratio scale softcap spatial_scale value_float'.split(
    ' ',
  ),
);
const floatListNames = new Set(['activation_alpha', 'activation_beta', 'scales', 'value_floats']);

export function attributesOf(plain: Readonly<Record<string, AttributeInput>>): Attributes {
  return Object.fromEntries(Object.entries(plain).map(([name, value]) => [name, attributeOf(name, value)]));
}

function attributeOf(name: string, value: AttributeInput): Attribute {
  if (typeof value === 'number')
    return { kind: floatNames.has(name) || !Number.isInteger(value) ? 'float' : 'int', value };
  if (typeof value === 'bigint') return { kind: 'int', value: Number(value) };
  if (typeof value === 'string') return { kind: 'string', value };
  if ('kind' in value) return value;
  if ('data' in value) return { kind: 'tensor', value };
  const list = value;
  if (list.length > 0 && list.every((item) => typeof item === 'string')) return { kind: 'strings', value: list };
  const numbers = list as readonly number[];
  const floats = floatListNames.has(name) || !numbers.every(Number.isInteger);
  return { kind: floats ? 'floats' : 'ints', value: numbers };
}

/** Reads attributes of one node. A name that holds another kind than asked for counts as a malformed graph. */
export interface AttributeReader {
  has: (name: string) => boolean;
  int: (name: string, fallback: number) => number;
  float: (name: string, fallback: number) => number;
  string: (name: string, fallback: string) => string;
  ints: (name: string) => readonly number[] | null;
  tensor: (name: string) => Tensor | null;
}

export function readerOf(node: { op: string; name: string; attributes: Attributes }): AttributeReader {
  const read = <K extends Attribute['kind']>(kind: K, name: string): Extract<Attribute, { kind: K }> | null => {
    const attribute = node.attributes[name];
    if (attribute === undefined) return null;
    if (attribute.kind !== kind) {
      throw new Error(
        `attribute "${name}" of ${node.op} (node "${node.name}") is of kind ${attribute.kind}; expected ${kind}`,
      );
    }
    return attribute as Extract<Attribute, { kind: K }>;
  };
  return {
    has: (name) => node.attributes[name] !== undefined,
    int: (name, fallback) => read('int', name)?.value ?? fallback,
    float: (name, fallback) => read('float', name)?.value ?? fallback,
    string: (name, fallback) => read('string', name)?.value ?? fallback,
    ints: (name) => read('ints', name)?.value ?? null,
    tensor: (name) => read('tensor', name)?.value ?? null,
  };
}
