import { test } from 'node:test';
import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import {
  openSafetensors,
  readFloat32,
  readSafetensors,
  writeSafetensors,
} from '../../server/src/checkpoints/safetensors.ts';
import { folder } from '../data/files.ts';
import { bytesOf, complaint, file, safetensorsBytes } from './files.ts';

const reference = join(import.meta.dirname, '../reference');

test('a file of Python safetensors is read: names, shapes, types, numbers', () => {
  const { names, tensor } = readSafetensors(join(reference, 'gguf/llama.safetensors'));
  assert.equal(names().length, 21);
  assert.equal(tensor('model.layers.1.mlp.down_proj.weight').length, 32 * 64);
  const info = openSafetensors(join(reference, 'gguf/llama.safetensors')).tensors.find((t) =>
    t.name.endsWith('0.self_attn.k_proj.weight'),
  );
  assert.deepEqual(
    { dtype: info?.dtype, shape: info?.shape, bytes: info?.byteLength },
    { dtype: 'F32', shape: [16, 32], bytes: 2048 },
  );
});

test('F32, F64, F16 and BF16 become float32', (t) => {
  const root = folder(t, {});
  // Bits of IEEE half and of bfloat16, with the values that they stand for.
  const halves: [number, number][] = [
    [0x3c00, 1],
    [0xc000, -2],
    [0x3555, 0.333251953125],
    [0x0001, 2 ** -24],
    [0x03ff, 1023 * 2 ** -24],
    [0x0400, 2 ** -14],
    [0x7bff, 65504],
    [0x8000, -0],
  ];
  const brains: [number, number][] = [
    [0x3f80, 1],
    [0xc000, -2],
    [0x3eab, 0.333984375],
    [0x0001, 2 ** -133],
    [0x7f7f, 3.3895313892515355e38],
    [0x8000, -0],
  ];
  const f32 = Float32Array.of(1.5, -0, 3.4028234663852886e38, 1e-45);
  const f64 = Float64Array.of(0.1, -1e-300, 16777217);
  const path = join(root, 'a.safetensors');
  writeSafetensors(path, [
    { name: 'f16', dtype: 'F16', shape: [halves.length], data: Uint16Array.from(halves, ([bits]) => bits) },
    { name: 'bf16', dtype: 'BF16', shape: [brains.length], data: Uint16Array.from(brains, ([bits]) => bits) },
    { name: 'f32', dtype: 'F32', shape: [2, 2], data: f32 },
    { name: 'f64', dtype: 'F64', shape: [3, 1], data: f64 },
    { name: 'empty', dtype: 'F32', shape: [0, 4], data: new Float32Array(0) },
  ]);
  const read = Object.fromEntries(openSafetensors(path).tensors.map((info) => [info.name, [...readFloat32(info)]]));
  assert.deepEqual(read, {
    f16: halves.map(([, value]) => value),
    bf16: brains.map(([, value]) => Math.fround(value)),
    f32: [...f32],
    f64: [...f64].map(Math.fround),
    empty: [],
  });
});

test('every float16 is what JavaScript makes of it', (t) => {
  const root = folder(t, {});
  const bits = Uint16Array.from({ length: 65536 }, (_, i) => i).filter((i) => (i & 0x7c00) !== 0x7c00);
  const path = join(root, 'all.safetensors');
  writeSafetensors(path, [{ name: 'all', dtype: 'F16', shape: [bits.length], data: bits }]);
  const got = readFloat32(openSafetensors(path).tensors[0]);
  const view = new DataView(new ArrayBuffer(2)) as DataView & { getFloat16(at: number): number }; // Node 24
  bits.forEach((half, i) => {
    view.setUint16(0, half);
    if (!Object.is(got[i], view.getFloat16(0))) assert.equal(got[i], view.getFloat16(0), `bits ${half}`);
  });
});

test('what is written is read back, with names of any kind', (t) => {
  const root = folder(t, {});
  const path = join(root, 'x.safetensors');
  fc.assert(
    fc.property(
      fc.uniqueArray(
        fc.tuple(
          fc.oneof(fc.string(), fc.constantFrom('__proto__', 'toString', 'constructor', '')),
          fc.float64Array({ maxLength: 5 }),
        ),
        {
          selector: ([name]) => name,
          maxLength: 6,
        },
      ),
      fc.dictionary(fc.constantFrom('layer', 'batches'), fc.string()),
      (tensors, metadata) => {
        fc.pre(!tensors.some(([name]) => name === '__metadata__'));
        writeSafetensors(
          path,
          tensors.map(([name, data]) => ({ name, dtype: 'F64', shape: [data.length], data })),
          metadata,
        );
        const read = readSafetensors(path);
        assert.deepEqual({ ...read.metadata }, { ...metadata });
        assert.deepEqual(new Set(read.names()), new Set(tensors.map(([name]) => name)));
        for (const [name, data] of tensors) assert.deepEqual(read.tensor(name), data);
      },
    ),
    { seed: 1, numRuns: 200 },
  );
});

test('data begin at a multiple of 8, and typed arrays come back as they were stored', (t) => {
  const root = folder(t, {});
  const path = join(root, 'x.safetensors');
  writeSafetensors(path, [
    { name: 'odd', dtype: 'U8', shape: [3], data: Uint8Array.of(1, 2, 3) },
    { name: 'grams', dtype: 'F64', shape: [1, 2], data: Float64Array.of(1 / 3, NaN) },
    { name: 'long', dtype: 'I64', shape: [1], data: BigInt64Array.of(-5n) },
    { name: 'half', dtype: 'F16', shape: [1], data: Uint16Array.of(0x3c00) },
  ]);
  assert.equal(openSafetensors(path).dataStart % 8, 0);
  const { tensor } = readSafetensors(path);
  assert.deepEqual(
    [tensor('odd'), tensor('grams'), tensor('long')],
    [Uint8Array.of(1, 2, 3), Float64Array.of(1 / 3, NaN), BigInt64Array.of(-5n)],
  );
  assert.match(
    complaint(() => tensor('half'), root),
    /tensor half has type F16, expected F32, F64, I32, I64, U8/,
  );
  assert.match(
    complaint(() => tensor('gram'), root),
    /has no tensor gram; nearest of its 4 tensors: grams, /,
  );
});

test('a write that fails leaves the old file and nothing else', (t) => {
  const root = folder(t, {});
  const path = join(root, 'x.safetensors');
  writeSafetensors(path, [{ name: 'a', dtype: 'F32', shape: [1], data: Float32Array.of(1) }]);
  const before = readFileSync(path);
  const broken = new Proxy(Float32Array.of(2), {
    get: (target, key) => {
      if (key === 'buffer') throw new Error('disk full');
      return Reflect.get(target, key) as unknown;
    },
  });
  assert.throws(() => writeSafetensors(path, [{ name: 'a', dtype: 'F32', shape: [1], data: broken }]), /disk full/);
  assert.deepEqual(readFileSync(path), before);
  assert.deepEqual(readdirSync(root), ['x.safetensors']);
  assert.throws(() => writeSafetensors(join(root, 'no/such/folder.safetensors'), []), /ENOENT/);
});

test('the writer refuses data that do not fit their shape, and a name that stands twice', (t) => {
  const path = join(folder(t, {}), 'x.safetensors');
  const one = { name: 'a', dtype: 'F32' as const, shape: [2], data: Float32Array.of(1) };
  assert.throws(
    () => writeSafetensors(path, [one]),
    /tensor a of type F32 and shape \[2\] takes 8 bytes, its data have 4/,
  );
  const right = { ...one, shape: [1] };
  assert.throws(() => writeSafetensors(path, [right, right]), /a second tensor is called a/);
  assert.equal(existsSync(path), false);
});

const one = { dtype: 'F32', shape: [2], data_offsets: [0, 8] };
const eight = new Uint8Array(8);

/** What is wrong -> the file and what is said. */
const damaged: Record<string, [Uint8Array, RegExp]> = {
  'an empty file': [new Uint8Array(0), /it is empty; download it again/],
  'another format': [
    Buffer.from('PK\x03\x04 a zip archive of some kind'),
    /give a header of \d+ bytes \(wrong magic: perhaps another format\)/,
  ],
  'a length without JSON': [safetensorsBytes('xx'), /does not begin with "\{" \(wrong magic/],
  'a header that is cut off': [
    safetensorsBytes({ a: one }, eight).subarray(0, 30),
    /its header ends at byte \d+, the file at 30 \(truncated\)/,
  ],
  'a header of 2^63 bytes': [Buffer.from([0, 0, 0, 0, 0, 0, 0, 0x80, 0x7b]), /a header of 9223372036854776000 bytes/],
  'JSON that is broken': [safetensorsBytes('{"a":'), /its header is not JSON/],
  'data that are cut off': [
    safetensorsBytes({ a: one }, eight.subarray(1)),
    /tensor a ends at byte \d+, the file at \d+ \(truncated, or the header points outside\)/,
  ],
  'an offset far outside': [
    safetensorsBytes({ a: { ...one, data_offsets: [2 ** 40, 2 ** 40 + 8] } }, eight),
    /tensor a ends at byte 10995116278\d\d, the file at \d+ /,
  ],
  'offsets backwards': [
    safetensorsBytes({ a: { ...one, data_offsets: [8, 0] } }, eight),
    /tensor a has the offsets \[8,0\]/,
  ],
  'a negative offset': [
    safetensorsBytes({ a: { ...one, data_offsets: [-8, 0] } }, eight),
    /tensor a has the offsets \[-8,0\]/,
  ],
  'no offsets': [safetensorsBytes({ a: { dtype: 'F32', shape: [2] } }, eight), /tensor a has the offsets missing/],
  'an entry that is no object': [safetensorsBytes({ a: null }, eight), /tensor a has the unknown type missing/],
  'an unknown type': [safetensorsBytes({ a: { ...one, dtype: 'F3' } }, eight), /tensor a has the unknown type "F3"/],
  'a type that every object has': [
    safetensorsBytes({ a: { ...one, dtype: 'toString' } }, eight),
    /unknown type "toString"/,
  ],
  'a shape that is no list': [safetensorsBytes({ a: { ...one, shape: 2 } }, eight), /tensor a has the shape 2/],
  'a shape of fractions': [
    safetensorsBytes({ a: { ...one, shape: [0.5, 4] } }, eight),
    /tensor a has the shape \[0.5,4\]/,
  ],
  'a shape of another size': [
    safetensorsBytes({ a: { ...one, shape: [3] } }, eight),
    /of type F32 and shape \[3\] takes 12 bytes, the header gives it 8/,
  ],
  'a shape beyond all numbers': [
    safetensorsBytes({ a: { ...one, shape: [2 ** 52, 2 ** 52] } }, eight),
    /takes 8\.\d+e\+31 bytes/,
  ],
  'two tensors in one place': [
    safetensorsBytes({ a: one, b: { ...one, data_offsets: [4, 12] } }, new Uint8Array(12)),
    /tensors a and b overlap/,
  ],
  'a gap': [
    safetensorsBytes({ a: one, b: { ...one, data_offsets: [12, 20] } }, new Uint8Array(20)),
    /4 bytes between a and tensor b belong to no tensor/,
  ],
  'bytes behind the last tensor': [
    safetensorsBytes({ a: one }, new Uint8Array(11)),
    /3 bytes after a belong to no tensor/,
  ],
  'a name that stands twice': [
    safetensorsBytes(`{"a":${JSON.stringify(one)},"\\u0061":${JSON.stringify(one)}}`, eight),
    /tensor a stands in the header twice/,
  ],
  'metadata that are no texts': [
    safetensorsBytes({ __metadata__: { a: 1 } }),
    /its __metadata__ is not a map of texts/,
  ],
};

for (const [what, [bytes, message]] of Object.entries(damaged)) {
  test(`refused: ${what}`, (t) => {
    const root = folder(t, {});
    const path = file(root, 'bad.safetensors', bytes);
    const said = complaint(() => openSafetensors(path), root);
    assert.match(said, message);
    assert.match(said, /^bad\.safetensors /);
    assert.doesNotMatch(said, /\n/);
  });
}

test('a header full of braces, quotes and nesting is no duplicate', (t) => {
  const root = folder(t, {});
  const names = ['a"b', 'a\\', '{"a":1}', 'dtype', 'é'];
  const header = {
    __metadata__: { a: '"dtype":', 'x\\"': '{' },
    ...Object.fromEntries(names.map((n) => [n, { ...one, shape: [0], data_offsets: [0, 0] }])),
  };
  const { tensors } = openSafetensors(file(root, 'x', safetensorsBytes(JSON.stringify(header, null, 2))));
  assert.deepEqual(new Set(tensors.map((x) => x.name)), new Set(names));
});

test('NaN, infinity and types that are no numbers are refused with tensor and element', (t) => {
  const root = folder(t, {});
  const read = (dtype: string, data: NodeJS.ArrayBufferView, shape: number[]) => {
    const header = { 'layers.3.w': { dtype, shape, data_offsets: [0, data.byteLength] } };
    return complaint(
      () => readFloat32(openSafetensors(file(root, 'w', safetensorsBytes(header, bytesOf(data)))).tensors[0]),
      root,
    );
  };
  assert.match(
    read('F32', Float32Array.of(1, 2, NaN), [3]),
    /^w: tensor layers\.3\.w holds NaN at element 2; the weights are damaged/,
  );
  assert.match(read('F32', Float32Array.of(-Infinity, NaN), [2]), /holds -Infinity at element 0/);
  assert.match(read('F16', Uint16Array.of(0, 0x7c00), [2]), /holds Infinity at element 1/);
  assert.match(read('BF16', Uint16Array.of(0x7fc0), [1]), /holds NaN at element 0/);
  assert.match(read('F64', Float64Array.of(1, 1e300), [2]), /holds Infinity at element 1/);
  assert.match(read('I32', Int32Array.of(1), [1]), /has type I32; weights must be F32, F64, F16, BF16/);
});

test('a file that is not there, not readable or became shorter', (t) => {
  const root = folder(t, {});
  assert.match(
    complaint(() => openSafetensors(join(root, 'none')), root),
    /^none does not exist; copy or download it again$/,
  );
  assert.match(
    complaint(() => openSafetensors(root), root),
    /^<root> cannot be read: it is a folder, a file is needed; copy or download it again$/,
  );
  const path = file(root, 'w', safetensorsBytes({ a: one }, eight));
  const [info] = openSafetensors(path).tensors;
  file(root, 'w', readFileSync(path).subarray(0, -3));
  assert.match(
    complaint(() => readFloat32(info), root),
    /^w ends inside tensor a \(at byte \d+\); it was changed since it was opened$/,
  );
  if (process.getuid?.() !== 0) {
    chmodSync(path, 0);
    assert.match(
      complaint(() => openSafetensors(path), root),
      /cannot be read: EACCES/,
    );
  }
});
