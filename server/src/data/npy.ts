/** NumPy's .npy files (versions 1 to 3): a header with type, order and shape, then the numbers. */
import { lookup } from '../text/lookup.ts';
import { nth } from '../lists/nth.ts';

interface NpyType {
  bytes: number;
  read(view: DataView, at: number): number;
}

const types: Readonly<Record<string, NpyType>> = {
  '<f4': { bytes: 4, read: (view, at) => view.getFloat32(at, true) },
  '<f8': { bytes: 8, read: (view, at) => view.getFloat64(at, true) },
  '<i8': { bytes: 8, read: (view, at) => Number(view.getBigInt64(at, true)) },
  '<i4': { bytes: 4, read: (view, at) => view.getInt32(at, true) },
  '<i2': { bytes: 2, read: (view, at) => view.getInt16(at, true) },
  '<u2': { bytes: 2, read: (view, at) => view.getUint16(at, true) },
  '|u1': { bytes: 1, read: (view, at) => view.getUint8(at) },
  '|i1': { bytes: 1, read: (view, at) => view.getInt8(at) },
  '|b1': { bytes: 1, read: (view, at) => view.getUint8(at) },
};

export interface NpyHeader {
  type: NpyType;
  shape: number[];
  /** Byte of the first number. */
  start: number;
}

/** @throws Error naming what is not as it should be */
export function npyHeader(bytes: Uint8Array): NpyHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || String.fromCharCode(...bytes.subarray(1, 6)) !== 'NUMPY')
    throw new Error('the file is no .npy array');
  const wide = nth(bytes, 6) > 1;
  const length = wide ? view.getUint32(8, true) : view.getUint16(8, true);
  const from = wide ? 12 : 10;
  const text = new TextDecoder('latin1').decode(bytes.subarray(from, from + length));
  const descr = /'descr':\s*'([^']*)'/.exec(text)?.[1];
  const order = /'fortran_order':\s*(True|False)/.exec(text)?.[1];
  const sizes = /'shape':\s*\(([\d,\s]*)\)/.exec(text)?.[1];
  if (descr === undefined || order === undefined || sizes === undefined)
    throw new Error(`the .npy header cannot be read: ${JSON.stringify(text.slice(0, 80))}`);
  if (!Object.hasOwn(types, descr))
    throw new Error(`the .npy array is of type ${descr}; supported are ${Object.keys(types).join(', ')}`);
  if (order === 'True') throw new Error('the .npy array is in Fortran order; save it with numpy.ascontiguousarray');
  const shape = sizes
    .split(',')
    .map((size) => size.trim())
    .filter(Boolean)
    .map(Number);
  return { type: lookup(types, descr)!, shape, start: from + length };
}

/** Elements `first` to `last` - 1 of the first axis, or the whole array. */
export function parseNpy(bytes: Uint8Array, first?: number, last?: number): { shape: number[]; data: Float32Array } {
  const { type, shape, start } = npyHeader(bytes);
  const size = shape.reduce((a, b) => a * b, 1);
  if (start + size * type.bytes > bytes.length)
    throw new Error(
      `the .npy array [${shape.join(', ')}] takes ${size * type.bytes} bytes; ${bytes.length - start} are there`,
    );
  const inner = shape.slice(1).reduce((a, b) => a * b, 1);
  const [from, to] = first === undefined ? [0, size] : [first * inner, (last ?? first + 1) * inner];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const data = Float32Array.from({ length: to - from }, (_, i) => type.read(view, start + (from + i) * type.bytes));
  return { shape: first === undefined ? shape : shape.slice(1), data };
}
