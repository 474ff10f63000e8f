import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Rgb } from '../../../webview/src/model/colour.ts';
import { cellAt, paint, rowHeight, saturation } from '../../../webview/src/model/heatmap.ts';

const red: Rgb = [255, 0, 0];
const black: Rgb = [0, 0, 0];
const blue: Rgb = [0, 0, 255];
const grey: Rgb = [9, 9, 9];
const look = { ramp: [red, black, blue], blank: grey, hatch: false };

function pixel(data: Uint8ClampedArray, width: number, x: number, y: number): number[] {
  return [...data.slice((y * width + x) * 4, (y * width + x) * 4 + 4)];
}

test('each cell fills its pixels: sign gives the side of the ramp, 0 its middle, a missing row is blank', () => {
  const rows = [[2, -2], null, [0, 2]];
  const data = paint(rows, [1, 0], { width: 4, height: 6, rows: 3, columns: 2 }, [2, 2, 2], look);
  assert.deepEqual(pixel(data, 4, 0, 0), [255, 0, 0, 255], 'column 0 is sample 1');
  assert.deepEqual(pixel(data, 4, 3, 1), [0, 0, 255, 255]);
  assert.deepEqual(pixel(data, 4, 2, 2), [9, 9, 9, 255]);
  assert.deepEqual(pixel(data, 4, 0, 5), [0, 0, 255, 255]);
  assert.deepEqual(pixel(data, 4, 2, 4), [0, 0, 0, 255]);
});

test('where samples share a pixel the strongest shows', () => {
  const row = new Array<number>(1000).fill(0.01);
  row[437] = -5;
  const order = row.map((_, i) => i);
  const data = paint([row], order, { width: 10, height: 1, rows: 1, columns: 1000 }, [5], look);
  assert.deepEqual(pixel(data, 10, 4, 0), [255, 0, 0, 255]);
  assert.deepEqual(pixel(data, 10, 5, 0), [0, 0, 0, 255]);
});

test('hatching strikes half of a negative cell through and no positive one', () => {
  const size = { width: 8, height: 8, rows: 1, columns: 1 };
  const count = (value: number) => {
    const data = paint([[value]], [0], size, [1], { ...look, hatch: true });
    let middle = 0;
    for (let i = 0; i < 64; i++) if (data[i * 4] === 0 && data[i * 4 + 2] === 0) middle++;
    return middle;
  };
  assert.equal(count(-1), 32);
  assert.equal(count(1), 0);
});

test('an outlier saturates instead of washing out the rest; nothing at all gives 1', () => {
  const row = Array.from({ length: 1000 }, (_, i) => (i === 0 ? 1e9 : 1));
  assert.equal(saturation([row]), 1);
  assert.equal(saturation([row], 1), 1e9);
  assert.equal(saturation([[0, 0], null]), 1);
});

test('the cell under the pointer is the cell that was painted there', () => {
  const geometry = { width: 100, height: 30, rows: 3, columns: 7 };
  assert.deepEqual(cellAt(0, 0, geometry), { row: 0, column: 0 });
  assert.deepEqual(cellAt(99.9, 29.9, geometry), { row: 2, column: 6 });
  assert.equal(cellAt(100, 10, geometry), null);
  assert.equal(cellAt(-1, 10, geometry), null);
  assert.equal(cellAt(5, 5, { ...geometry, columns: 0 }), null);
});

test('all layers fit without scrolling while rows stay readable', () => {
  assert.deepEqual([1, 12, 30, 80, 200].map(rowHeight), [16, 16, 14, 5, 5]);
});
