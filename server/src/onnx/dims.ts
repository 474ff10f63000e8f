/**
 * Arithmetic on dimensions that may be symbols: products and quotients for Reshape, sums for Concat and Pad, and
 * NumPy broadcasting.
 *
 * A product of symbols is written in one canonical form (`2*B*T`, symbols sorted), so that equal products are equal
 * strings; a sum (`T+1`) counts as one symbol inside a product.
 */
import type { Dim } from './types.ts';
import { shapeText } from './types.ts';

interface Product {
  factor: number;
  symbols: string[];
}

function parse(dim: Dim): Product {
  if (typeof dim === 'number') return { factor: dim, symbols: [] };
  let factor = 1;
  const symbols: string[] = [];
  for (const part of dim.split(/\*(?![^(]*\))/)) {
    if (/^\d+$/.test(part)) factor *= Number(part);
    else symbols.push(part);
  }
  return { factor, symbols };
}

function format({ factor, symbols }: Product): Dim {
  if (factor === 0 || symbols.length === 0) return factor;
  const sorted = [...symbols].sort();
  return (factor === 1 ? sorted : [String(factor), ...sorted]).join('*');
}

export function product(dims: readonly Dim[]): Dim {
  const parts = dims.map((dim) =>
    parse(typeof dim === 'string' && /[+-]/.test(dim) && dim[0] !== '(' ? `(${dim})` : dim),
  );
  const all = format({
    factor: parts.reduce((total, part) => total * part.factor, 1),
    symbols: parts.flatMap((part) => part.symbols),
  });
  return typeof all === 'string' && /^\([^()]*\)$/.test(all) ? all.slice(1, -1) : all;
}

/** a / b where it is certain to be whole, else null. */
export function quotient(a: Dim, b: Dim): Dim | null {
  const top = parse(product([a]));
  const bottom = parse(product([b]));
  const left = [...top.symbols];
  for (const symbol of bottom.symbols) {
    const at = left.indexOf(symbol);
    if (at < 0) return null;
    left.splice(at, 1);
  }
  if (bottom.factor === 0 || top.factor % bottom.factor !== 0) return null;
  return product([format({ factor: top.factor / bottom.factor, symbols: left })]);
}

/** Whether two products are equal; null when that depends on symbols. */
export function sameCount(a: Dim, b: Dim): boolean | null {
  const [x, y] = [parse(product([a])), parse(product([b]))];
  if (x.symbols.sort().join('*') !== y.symbols.sort().join('*')) return null;
  return x.factor === y.factor;
}

export function sum(dims: readonly Dim[]): Dim {
  let constant = 0;
  const symbols: string[] = [];
  for (const dim of dims) {
    if (typeof dim === 'number') constant += dim;
    else {
      const tail = /^(.*?)([+-]\d+)$/.exec(dim);
      symbols.push(tail ? tail[1] : dim);
      constant += tail ? Number(tail[2]) : 0;
    }
  }
  if (symbols.length === 0) return constant;
  const text = symbols.sort().join('+');
  return constant === 0 ? text : `${text}${constant > 0 ? '+' : ''}${constant}`;
}

/** NumPy broadcasting; equal symbols match and 1 stretches. @throws Error naming both shapes. */
export function broadcast(a: readonly Dim[], b: readonly Dim[]): Dim[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[i - rank + a.length] ?? 1;
    const y = b[i - rank + b.length] ?? 1;
    if (x === y || y === 1) return x;
    if (x === 1) return y;
    throw new Error(`shapes ${shapeText(a)} and ${shapeText(b)} do not broadcast (axis ${i}: ${x} against ${y})`);
  });
}

/** The axis as a non-negative index. @throws Error when it lies outside the rank. */
export function axisOf(axis: number, rank: number): number {
  const positive = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || positive < 0 || positive >= rank) {
    throw new Error(`axis ${axis} is outside a tensor of ${rank} ${rank === 1 ? 'axis' : 'axes'}`);
  }
  return positive;
}

export function sameShape(a: readonly Dim[], b: readonly Dim[]): boolean {
  return a.length === b.length && a.every((dim, i) => dim === b[i]);
}
