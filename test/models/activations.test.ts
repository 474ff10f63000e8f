/**
 * Every activation that transformers names: its values and derivatives (test/reference/conform/activations.py), or a
 * refusal.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { backward } from '../../server/src/autodiff/backward.ts';
import { activationOf, activations } from '../../server/src/models/activations.ts';
import { Graph } from '../../server/src/onnx/graph.ts';
import { open } from '../onnx/session.ts';

type Reference = { x: number[] } & Record<string, { y: number[]; dy: number[] } | null>;
const file = path.join(import.meta.dirname, '../reference/conform/activations.json');
const { x, ...rows } = JSON.parse(fs.readFileSync(file, 'utf8')) as Reference;
const known = rows as Record<string, { y: number[]; dy: number[] } | null>;

test('the table has every name without weights, and no other', () => {
  const without = Object.keys(known).filter((name) => known[name] !== null);
  assert.deepEqual(Object.keys(activations).sort(), without.sort());
});

for (const [name, row] of Object.entries(known)) {
  test(`${name} ${row ? 'agrees with PyTorch, derivative included' : 'has weights of its own and is refused'}`, async () => {
    if (!row) {
      assert.throws(() => activationOf({ hidden_act: name }, 'hidden_act', 'silu'), /weights? of (its|their) own/);
      return;
    }
    const g = new Graph(name);
    const input = g.input('x', 'float32', ['N']);
    const dy = g.input('dy', 'float32', ['N']);
    const y = activationOf({ hidden_act: name }, 'hidden_act', 'silu')(g, input);
    g.output(g.identity(y), 'y');
    g.output(g.identity(backward(g, [{ of: y, cotangent: dy }], [input])[0]!), 'dx');
    const run = await open(g);
    const feed = (data: number[]) => ({ type: 'float32' as const, shape: [data.length], data });
    const out = await run({ x: feed(x), dy: feed(x.map(() => 1)) });
    for (const [key, right] of [
      ['y', row.y],
      ['dx', row.dy],
    ] as const) {
      out[key].data.forEach((value, i) =>
        assert.ok(Math.abs(value - right[i]) <= 2e-6 * Math.max(1, Math.abs(right[i])), `${key}(${x[i]}) is ${value}`),
      );
    }
  });
}
