/** A short, seeded run of the fuzzer (fuzz.ts): every damaged file is read or refused by one error that names it. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { Random } from '../../server/src/random/random.ts';
import { damaged } from './damage.ts';
import { fuzz } from './fuzz.ts';
import { targets } from './targets.ts';

const EACH = 150;

for (const target of targets) {
  test(`${target.name}: ${EACH} damaged files are read or refused`, () => {
    const { read, refused, defects } = fuzz(
      target,
      20_26,
      Array.from({ length: EACH }, (_, i) => i),
    );
    assert.deepEqual(defects, []);
    assert.equal(read + refused, EACH);
    assert.ok(refused > 0, 'no damage was seen');
  });
}

test('the fuzzer sees errors that are no answer, long messages and memory', () => {
  const [sound] = targets;
  const outcome = (read: () => void) => {
    let calls = 0;
    return (
      fuzz({ ...sound, name: 'broken reader', read: () => (calls++ > 0 ? read() : undefined) }, 1, [0]).defects[0]
        ?.what ?? 'nothing'
    );
  };
  const fail = (error: Error) => () => {
    throw error;
  };
  assert.match(outcome(fail(new TypeError('x is undefined'))), /TypeError: x is undefined/);
  assert.match(outcome(fail(new Error('A'.repeat(5000)))), /a message of 5000 characters/);
  if (process.platform === 'linux')
    assert.match(
      outcome(() => void new Uint8Array(300 << 20).fill(1)),
      /took \d+ bytes for a file of/,
    );
  assert.equal(
    outcome(() => undefined),
    'nothing',
  );
});

test('the same seed damages alike', () => {
  const bytes = Buffer.from('{"a": 1, "b": [2, 3]}'.repeat(10));
  const once = (seed: number) => damaged(bytes, true, new Random(seed)).bytes.toString('hex');
  assert.equal(once(3), once(3));
  assert.notEqual(once(3), once(4));
});
