import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { blockTypes } from '../../server/src/checkpoints/dequantize.ts';
import { openGgufFile } from '../../server/src/checkpoints/gguf.ts';
import { readTensor } from '../../server/src/checkpoints/ggufTensor.ts';
import { readSafetensors } from '../../server/src/checkpoints/safetensors.ts';
import { folder } from '../data/files.ts';
import { bytesOf, complaint, counting, file, ggufBytes } from './files.ts';

const reference = join(import.meta.dirname, '../reference/gguf');

test('other versions of the format are called what they are', (t) => {
  const root = folder(t, {});
  const said = (version: number) => complaint(() => openGgufFile(file(root, 'a.gguf', ggufBytes({ version }))), root);
  assert.equal(
    said(1),
    'a.gguf has GGUF version 1; versions 2 and 3 can be read: take a file that a newer llama.cpp made',
  );
  assert.match(said(4), /^a\.gguf has GGUF version 4; versions 2 and 3 can be read: take a file that a known/);
});

test('every number type gives the float32 of gguf-py, bit for bit', () => {
  const bits = (values: Float32Array) => new Uint32Array(values.buffer, values.byteOffset, values.length);
  const compared: string[] = [];
  for (const name of ['blocks', 'more-blocks']) {
    const { file: path, tensors } = openGgufFile(join(reference, `${name}.gguf`));
    const expected = readSafetensors(join(reference, `${name}.safetensors`));
    for (const tensor of tensors) {
      assert.deepEqual(tensor.shape, [3, 512]);
      assert.deepEqual(bits(readTensor(path, tensor)), bits(expected.tensor(tensor.name) as Float32Array), tensor.name);
      compared.push(tensor.type.name);
    }
  }
  // F64 is plain float64; gguf-py has no dequantisation for it.
  assert.deepEqual(
    compared.sort(),
    blockTypes
      .map((t) => t.name)
      .filter((name) => name !== 'F64')
      .sort(),
  );
});

test('F64 is rounded to float32', (t) => {
  const data = bytesOf(Float64Array.of(0.1, 16777217));
  const path = file(folder(t, {}), 'a.gguf', ggufBytes({ tensors: [{ name: 'a', type: 28, shape: [2], data }] }));
  assert.deepEqual(readTensor(path, openGgufFile(path).tensors[0]), Float32Array.of(0.1, 16777217));
});

test('metadata keep their types, tensors their places, in versions 2 and 3', (t) => {
  const root = folder(t, {});
  for (const version of [2, 3]) {
    const path = file(
      root,
      'a.gguf',
      ggufBytes({
        version,
        metadata: {
          text: 'é▁',
          yes: true,
          no: false,
          count: { u32: 7 },
          eps: { f32: 0.5 },
          texts: { texts: ['a', ''] },
          kinds: { i32s: [-1, 2] },
          scores: { f32s: [-0.5] },
        },
        tensors: [counting('x', 2, 3), counting('y', 4)],
      }),
    );
    const read = openGgufFile(path);
    assert.equal(read.version, version);
    assert.deepEqual(Object.fromEntries(read.metadata), {
      text: 'é▁',
      yes: true,
      no: false,
      count: 7,
      eps: 0.5,
      texts: ['a', ''],
      kinds: Int32Array.of(-1, 2),
      scores: Float32Array.of(-0.5),
    });
    assert.deepEqual(
      read.tensors.map(({ name, shape }) => [name, shape]),
      [
        ['x', [2, 3]],
        ['y', [4]],
      ],
    );
    assert.deepEqual(readTensor(path, read.tensors[0]), Float32Array.of(0, 1, 2, 3, 4, 5));
    assert.deepEqual(readTensor(path, read.tensors[1]), Float32Array.of(0, 1, 2, 3));
  }
});

const good = ggufBytes({
  metadata: { 'general.name': 'x', list: { texts: ['a', 'b'] } },
  tensors: [counting('a', 2, 8)],
});
const with64 = (bytes: Buffer, at: number, value: bigint): Buffer => {
  const copy = Buffer.from(bytes);
  copy.writeBigUInt64LE(value, at);
  return copy;
};
const tensor = { name: 'a', type: 0, shape: [8], data: new Uint8Array(32) };

/** What is wrong -> the file and what is said. */
const damaged: Record<string, [Uint8Array, RegExp]> = {
  'an empty file': [new Uint8Array(0), /it is empty; download it again/],
  'another format': [Buffer.from('PK\x03\x04'), /it begins with "PK\\u0003\\u0004" instead of "GGUF"/],
  'more tensors than bytes': [
    ggufBytes({ tensorCount: 2n ** 60n }),
    /the number of tensors at byte 8 is 1152921504606846976, the file has \d+ bytes/,
  ],
  'more entries than there are': [
    ggufBytes({ entryCount: 20n }),
    /the type of .* at byte 32 takes 4 bytes, the file has 0 more/,
  ],
  'a string longer than the file': [
    with64(good, 24, 2n ** 40n),
    /the length of the name of metadata entry 0 at byte 24 is 1099511627776/,
  ],
  'an unknown metadata type': [
    ggufBytes({ metadata: { a: 'x' } }).fill(99, 33, 34),
    /metadata entry a has the unknown type 99/,
  ],
  'a key that stands twice': [
    ggufBytes({
      metadata: [
        ['a', true],
        ['a', false],
      ],
    }),
    /metadata entry a stands in it twice/,
  ],
  'a tensor that stands twice': [ggufBytes({ tensors: [tensor, tensor] }), /tensor a stands in it twice/],
  'five dimensions': [
    ggufBytes({ tensors: [{ ...tensor, shape: [1, 1, 1, 1, 8] }] }),
    /tensor a has 5 dimensions, at most 4/,
  ],
  'rows that are no whole blocks': [
    ggufBytes({ tensors: [{ ...tensor, type: 2, shape: [33] }] }),
    /tensor a has rows of 33 numbers, no multiple of Q4_0's 32/,
  ],
  'a shape beyond all numbers': [
    ggufBytes({ tensors: [{ ...tensor, shape: [2 ** 31, 2 ** 31, 8] }] }),
    /tensor a ends at byte 1475739525896764\d+, the file at/,
  ],
  'a tensor outside': [
    ggufBytes({ tensors: [{ ...tensor, at: 64 }] }),
    /tensor a ends at byte \d+, the file at \d+ \(truncated, or the header points outside\)/,
  ],
  'a tensor off the grid': [
    ggufBytes({ tensors: [{ ...tensor, at: 8 }] }),
    /tensor a begins at byte 8 of the data, no multiple of 32/,
  ],
  'two tensors in one place': [
    ggufBytes({ tensors: [tensor, { ...tensor, name: 'b', at: 0 }] }),
    /tensors a and b overlap/,
  ],
  'a cut-off file': [good.subarray(0, good.length - 1), /tensor a ends at byte \d+, the file at \d+/],
  'an alignment that is none': [
    ggufBytes({ metadata: { 'general.alignment': { u32: 12 } } }),
    /general\.alignment is 12; it must be a power of two from 8 on/,
  ],
};

for (const [what, [bytes, message]] of Object.entries(damaged)) {
  test(`refused: ${what}`, (t) => {
    const root = folder(t, {});
    const said = complaint(() => openGgufFile(file(root, 'bad.gguf', bytes)), root);
    assert.match(said, message);
    assert.match(said, /^bad\.gguf is not a usable GGUF file: .*; download it again$/);
  });
}

test('a number type that cannot be read is named, with those that can', (t) => {
  const root = folder(t, {});
  const said = (type: number) =>
    complaint(() => openGgufFile(file(root, 'a.gguf', ggufBytes({ tensors: [{ ...tensor, type }] }))), root);
  assert.match(
    said(41),
    /^a\.gguf: tensor a has type Q1_0; readable are F32, F16, BF16, F64, Q4_0, .*Q6_K, .*IQ4_NL, .*NVFP4: take the model in one of these$/,
  );
  assert.match(said(77), /has type number 77;/);
});

test('a file cut at any byte of its header is refused in one line, and so is one with any bit flipped, or it is read', (t) => {
  const root = folder(t, {});
  const header = good.length - 64;
  for (let length = 0; length < header; length++) {
    assert.match(
      complaint(() => openGgufFile(file(root, 'cut.gguf', good.subarray(0, length))), root),
      /^cut\.gguf is not a usable/,
    );
  }
  let refused = 0;
  for (let bit = 0; bit < header * 8; bit++) {
    const flipped = Buffer.from(good);
    flipped[bit >> 3] ^= 1 << (bit & 7);
    const path = file(root, 'flipped.gguf', flipped);
    try {
      for (const found of openGgufFile(path).tensors) readTensor(path, found);
    } catch {
      assert.match(
        complaint(() => openGgufFile(path).tensors.map((found) => readTensor(path, found)), root),
        /^flipped\.gguf/,
      );
      refused++;
    }
  }
  assert.ok(refused > header, `${refused} of ${header * 8} flips were seen`);
});

test('a NaN scale is found', (t) => {
  const root = folder(t, {});
  const data = Buffer.alloc(34, 1);
  data.writeUInt16LE(0x7e00, 0);
  const path = file(root, 'nan.gguf', ggufBytes({ tensors: [{ name: 'blk.0.x', type: 8, shape: [32], data }] }));
  assert.match(
    complaint(() => readTensor(path, openGgufFile(path).tensors[0]), root),
    /tensor blk\.0\.x holds NaN at element 0/,
  );
});

test('a file that became shorter', (t) => {
  const root = folder(t, {});
  const path = file(root, 'a.gguf', good);
  const [found] = openGgufFile(path).tensors;
  file(root, 'a.gguf', readFileSync(path).subarray(0, -40));
  assert.match(
    complaint(() => readTensor(path, found), root),
    /^a\.gguf ends inside tensor a .* it was changed since it was opened$/,
  );
});
