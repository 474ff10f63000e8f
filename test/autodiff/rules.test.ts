import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rules } from '../../server/src/autodiff/rules.ts';
import { shapes } from '../../server/src/onnx/shapes.ts';
import { cases } from './cases.ts';
import { largestError } from './differences.ts';

/** Fourth-order differences in float64 are good to 1e-10; the float32 rows are limited by rounding over the step. */
const tolerances = { float64: 1e-8, float32: 1e-3 };

test('every rule has a case and every case a rule', () => {
  assert.deepEqual([...new Set(cases.map(({ op }) => op))].sort(), Object.keys(rules).sort());
});

test('the tables are in alphabetical order, and shapes are known for every operator with a rule', () => {
  for (const table of [rules, shapes]) assert.deepEqual(Object.keys(table), Object.keys(table).sort());
  assert.deepEqual(
    Object.keys(rules).filter((op) => !shapes[op]),
    [],
  );
});

cases.forEach((row, i) => {
  const shapes = row.shapes.map((shape) => `[${shape.join(', ')}]`).join(' ');
  test(`${row.op} ${shapes}${row.why ? `: ${row.why}` : ''}`, async () => {
    const error = await largestError(row, 1000 + i);
    const tolerance = tolerances[row.type === 'float32' ? 'float32' : 'float64'];
    assert.ok(error < tolerance, `relative error ${error}; allowed ${tolerance}`);
  });
});
