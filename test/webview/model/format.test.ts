import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatNumber,
  formatShare,
  formatSigned,
  formatTick,
  plural,
} from '../../../webview/src/model/format.ts';

test('numbers keep three digits and turn scientific outside 0.001 .. 99,999', () => {
  const rows: [number | null | undefined, string][] = [
    [0, '0'],
    [-0, '0'],
    [1, '1.00'],
    [12.34, '12.3'],
    [999.6, '1,000'],
    [12345.6, '12,346'],
    [99_999, '1.00e5'],
    [123456, '1.23e5'],
    [-4.56789e7, '\u22124.57e7'],
    [0.00123, '0.00123'],
    [0.000999, '9.99e\u22124'],
    [2.1e-8, '2.10e\u22128'],
    [NaN, '\u2013'],
    [Infinity, '\u2013'],
    [null, '\u2013'],
    [undefined, '\u2013'],
  ];
  for (const [value, text] of rows) assert.equal(formatNumber(value), text, String(value));
});

test('every finite number reads back to within half a unit of its third digit', () => {
  for (let exponent = -30; exponent <= 30; exponent++)
    for (const mantissa of [1, 1.004, 2.345, 9.994, 9.996, -7.77]) {
      const value = mantissa * 10 ** exponent;
      const back = Number(formatNumber(value).replaceAll('\u2212', '-').replaceAll(',', ''));
      assert.ok(Math.abs(back - value) <= 0.0051 * Math.abs(value), `${value} -> ${back}`);
    }
});

test('axis ticks carry no idle zeros', () => {
  assert.deepEqual([0, 0.5, 20, 1e7, -5e6, 2.5e6, 100].map(formatTick), [
    '0',
    '0.5',
    '20',
    '1e7',
    '\u22125e6',
    '2.5e6',
    '100',
  ]);
});

test('influence always shows its sign', () => {
  assert.deepEqual([3, -3, 0].map(formatSigned), ['+3.00', '\u22123.00', '0']);
});

test('shares, counts, bytes and durations', () => {
  assert.deepEqual([1, 0.123, 0.0512, 0.0001, 0, -0.4, 0.0996].map(formatShare), [
    '100\u00a0%',
    '12\u00a0%',
    '5.1\u00a0%',
    '<0.1\u00a0%',
    '0\u00a0%',
    '\u221240\u00a0%',
    '10\u00a0%',
  ]);
  assert.deepEqual([999, 12_000, 134_515_008, 7e9].map(formatCount), ['999', '12,000', '134.5\u00a0M', '7.0\u00a0B']);
  assert.deepEqual([0, 1000, 300 * 2 ** 20, 1.5 * 2 ** 30].map(formatBytes), [
    '\u2013',
    '1\u00a0KiB',
    '300\u00a0MiB',
    '1.50\u00a0GiB',
  ]);
  assert.deepEqual([0.44, 9.96, 59.4, 192, 3725, -1].map(formatDuration), [
    '0.4\u00a0s',
    '10\u00a0s',
    '59\u00a0s',
    '3\u00a0min 12\u00a0s',
    '1\u00a0h 02\u00a0min',
    '\u2013',
  ]);
  assert.equal(plural(1, 'layer'), '1 layer');
  assert.equal(plural(2000, 'layer'), '2,000 layers');
});
