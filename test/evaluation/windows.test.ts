import { test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { blockWindows, rollingWindows } from '../../server/src/evaluation/windows.ts';

const texts = fc.array(fc.nat(99), { minLength: 1, maxLength: 60 }).map((ids) => Int32Array.from(ids));

test('rolling windows predict every token once, in order, from as much context as fits', () => {
  fc.assert(
    fc.property(texts, fc.integer({ min: 1, max: 20 }), (tokens, maxLength) => {
      const predicted: number[] = [];
      rollingWindows(tokens, 500, maxLength).forEach(({ tokens: window, countedFrom }, i) => {
        assert.ok(window.length <= maxLength + 1 && countedFrom >= 1);
        if (i === 0) assert.equal(window[0], 500);
        else
          assert.deepEqual(
            [...window],
            [...tokens.subarray(predicted.length - countedFrom, predicted.length - countedFrom + window.length)],
          );
        predicted.push(...window.subarray(countedFrom));
      });
      assert.deepEqual(predicted, [...tokens]);
    }),
  );
});

test('rolling windows of lm-evaluation-harness: ten tokens, four at a time', () => {
  const found = rollingWindows(
    Int32Array.from({ length: 10 }, (_, i) => i),
    99,
    4,
  );
  assert.deepEqual(
    found.map(({ tokens, countedFrom }) => [[...tokens.subarray(0, -1)], [...tokens.subarray(countedFrom)]]),
    [
      [
        [99, 0, 1, 2],
        [0, 1, 2, 3],
      ],
      [
        [3, 4, 5, 6],
        [4, 5, 6, 7],
      ],
      [
        [5, 6, 7, 8],
        [8, 9],
      ],
    ],
  );
});

test('block windows: consecutive, of one length, the rest dropped; a short text is its own window', () => {
  fc.assert(
    fc.property(texts, fc.integer({ min: 2, max: 20 }), (tokens, length) => {
      const windows = blockWindows(tokens, length);
      const joined = windows.flatMap((w) => [...w.tokens]);
      assert.deepEqual(joined, [...tokens.subarray(0, joined.length)]);
      if (tokens.length >= length) assert.equal(joined.length, tokens.length - (tokens.length % length));
      else assert.equal(joined.length, tokens.length < 2 ? 0 : tokens.length);
    }),
  );
});
