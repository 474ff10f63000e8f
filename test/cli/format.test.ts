import { test } from 'node:test';
import assert from 'node:assert/strict';
import { bytesText } from '../../server/src/text/bytes.ts';
import { count, counted, duration, percent, score, table } from '../../server/src/cli/format.ts';

test('format: numbers as people read them', () => {
  assert.deepEqual([0, 1023, 1536, 200 * 2 ** 20, 2.2 * 2 ** 30, 3 * 2 ** 50].map(bytesText), [
    '0 bytes',
    '1023 bytes',
    '1.5 KiB',
    '200 MiB',
    '2.2 GiB',
    '3072 TiB',
  ]);
  assert.deepEqual([0.04, 9.94, 59.4, 59.6, 75.2, 3600, 7322].map(duration), [
    '0.0 s',
    '9.9 s',
    '59 s',
    '1 min 0 s',
    '1 min 15 s',
    '1 h 0 min',
    '2 h 2 min',
  ]);
  assert.deepEqual([0, 0.0312, 845, 9999, 1e4, -8.46e11, 1e-5].map(score), [
    '0',
    '0.0312',
    '845',
    '1.00e4',
    '1.00e4',
    '-8.46e11',
    '1.00e-5',
  ]);
  assert.equal(count(134515008), '134,515,008');
  assert.deepEqual([counted(1, 'sample'), counted(3000, 'sample')], ['1 sample', '3,000 samples']);
  assert.equal(percent(0.98765), '98.8 %');
});

test('format: table columns line up', () => {
  assert.deepEqual(
    table(
      [
        ['task', 'train'],
        ['a', '1,200'],
        ['longer', '3'],
      ],
      [1],
    ),
    ['task    train', 'a       1,200', 'longer      3'],
  );
});
