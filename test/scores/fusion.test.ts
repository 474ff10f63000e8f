/** Fusion against scikit-learn on the same vectors, and what must hold of planted labels. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { Random } from '../../server/src/random/random.ts';
import { fusion } from '../../server/src/scores/fusion.ts';
import { optionValues } from '../../server/src/scores/options.ts';
import type { ScoreNumbers } from '../../server/src/scores/types.ts';

interface Case {
  a: number[];
  b: number[];
  y: number[];
  accuracy: Record<string, number>;
  macroF1: Record<string, number>;
  weighted: number[];
  disagreement: number;
  oracle: number;
}
const reference = JSON.parse(
  fs.readFileSync(path.join(import.meta.dirname, '../reference/scores/fusion.json'), 'utf8'),
) as Record<'two' | 'three', Case>;
const names = ['first model', 'second model', 'concat', 'mean', 'weighted'];

/** @param states of each model one array for each layer, [texts, width] */
function fused(
  first: readonly number[][],
  second: readonly number[][],
  of: readonly number[],
  { heldOut = 0, ...options }: Record<string, number | string> = {},
): Promise<ScoreNumbers> {
  const states = (layers: readonly number[][]) => {
    const width = layers[0].length / of.length;
    const data = Float64Array.from([...layers[0].map(() => 0), ...layers.flat()]);
    return { states: { shape: [layers.length + 1, of.length, width], data } };
  };
  const classes = Math.max(...of) + 1;
  const labels = {
    of: Int32Array.from(of),
    names: Array.from({ length: classes }, (_, k) => `class ${k}`),
    heldOut: Number(heldOut),
  };
  const model = { layers: first.length, texts: of.length, hidden: 1 };
  return fusion.fitted!(
    { states: states(first), others: states(second) },
    optionValues(fusion, { second: 'x', ...options }),
    { model: model as never, random: new Random(0, 'test'), labels },
  );
}

for (const name of ['two', 'three'] as const) {
  test(`${name} classes: what scikit-learn tells of both models, their concatenation, mean and weighted probabilities`, async () => {
    const { a, b, y, accuracy, macroF1, weighted, disagreement, oracle } = reference[name];
    const made = await fused([a], [b], y, { heldOut: 20, metric: 'accuracy' });
    assert.deepEqual(made.axes![0].labels, names);
    for (const [i, key] of names.slice(0, 4).entries()) {
      assert.ok(Math.abs(made.values[i]! - accuracy[key]) < 1e-12, key);
      assert.ok(Math.abs(made.parts!['macro-F1'][i]! - macroF1[key]) < 1e-12, key);
    }
    const weight = Number(/probabilities: (\d\.\d\d)\./.exec(made.notes.join('\n'))![1]);
    assert.ok(Math.abs(made.values[4]! - weighted[Math.round(20 * weight)]) < 1e-12);
    const said = `differ on ${(100 * disagreement).toFixed(1)} % of the texts; either is right on ${(100 * oracle).toFixed(1)} % (oracle)`;
    assert.ok(made.notes.join('\n').includes(said), `${said}: ${made.notes.join(' ')}`);
    assert.deepEqual(made.parts!['numbers a text'], [6, 4, 10, 4, 10]);
    assert.deepEqual(
      made.parts!['bytes of vectors'],
      [6, 4, 10, 4, 10].map((width) => width * 60 * 4),
    );
    const heads = name === 'two' ? 1 : 3;
    assert.deepEqual(made.parts!['parameters of the head'], [
      7 * heads,
      5 * heads,
      11 * heads,
      5 * heads,
      12 * heads + 1,
    ]);
  });
}

test('a model beside itself changes nothing; two halves of a sum are told together alone; each model at its own layer', async () => {
  const random = new Random(1, 'fusion');
  const n = 80;
  const draw = (count: number): number[] => Array.from({ length: count }, () => random.normal());
  const noise = draw(2 * n);
  const [one, two] = [draw(n), draw(n)];
  const y = one.map((value, i) => Number(value + two[i] > 0));
  const beside = (value: number[]): number[] => value.flatMap((own, i) => [own, noise[i]]);
  const same = await fused([beside(one)], [beside(one)], y);
  const [alone, , concat] = same.values;
  assert.ok(Math.abs(concat! - alone!) <= same.parts!['standard error'][0]!);
  assert.match(same.notes.join('\n'), /differ on 0\.0 % of the texts/);

  const halves = await fused([noise, beside(one)], [beside(two), noise, noise], y);
  assert.match(halves.notes.join('\n'), /First model: layer 1 of 2; second model: layer 0 of 3/);
  assert.ok(halves.values[0]! < 0.85 && halves.values[1]! < 0.85 && halves.values[2]! > 0.9, String(halves.values));
  assert.ok(halves.values[4]! > Math.max(halves.values[0]!, halves.values[1]!));

  // XOR: each alone and both side by side are chance for a linear head; a perceptron finds it.
  const bits = (from: number[]): number[] => from.map((value) => Math.sign(value));
  const xor = one.map((value, i) => Number(value > 0 !== two[i] > 0));
  const linear = await fused([bits(one)], [bits(two)], xor);
  assert.ok(
    linear.values.slice(0, 3).every((value) => value! < 0.75),
    String(linear.values),
  );
  const perceptron = await fused([bits(one)], [bits(two)], xor, { head: 'mlp' });
  assert.equal(perceptron.values[2], 1);
});
