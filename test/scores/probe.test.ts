/** The probe: its classifiers against scikit-learn, and what must hold of planted, shuffled and combined labels. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { Random } from '../../server/src/random/random.ts';
import { optionValues } from '../../server/src/scores/options.ts';
import { probe } from '../../server/src/scores/probe.ts';
import { accuracy, macroF1, stratifiedFolds } from '../../server/src/statistics/classification.ts';
import { fitClassifier } from '../../server/src/statistics/classifier.ts';
import { minimise } from '../../server/src/statistics/lbfgs.ts';

interface Case {
  C: number;
  x: number[];
  y: number[];
  coefficients: number[][];
  intercepts: number[];
  predicted: number[];
  accuracy: number;
  macroF1: number;
}
const reference = JSON.parse(
  fs.readFileSync(path.join(import.meta.dirname, '../reference/scores/probe.json'), 'utf8'),
) as Record<'two' | 'three', Case>;

for (const [name, classes] of [
  ['two', 2],
  ['three', 3],
] as const) {
  test(`logistic regression, ${name} classes: coefficients, answers and measures of scikit-learn`, () => {
    const one = reference[name];
    const rows = (from: number, to: number) => ({
      data: Float64Array.from(one.x.slice(6 * from, 6 * to)),
      count: to - from,
      width: 6,
    });
    const fitted = fitClassifier(rows(0, 40), one.y.slice(0, 40), { classes, C: one.C });
    const near = (found: Float64Array, expected: number[]) =>
      expected.forEach((value, i) => assert.ok(Math.abs(found[i] - value) < 1e-4, `${found[i]}, not ${value}`));
    near(fitted.weights, one.coefficients.flat());
    near(fitted.biases, one.intercepts);
    const found = [...fitted.classify(rows(40, 60))];
    assert.deepEqual(found, one.predicted);
    const all = found.map((_, i) => i);
    assert.ok(Math.abs(accuracy(found, one.y.slice(40), all) - one.accuracy) < 1e-12);
    assert.ok(Math.abs(macroF1(found, one.y.slice(40), all, classes) - one.macroF1) < 1e-12);
  });
}

test('L-BFGS finds the minimum of a narrow curved valley (Rosenbrock)', () => {
  const { at, gradient } = minimise(
    ([x, y], g) => {
      g[0] = -2 * (1 - x) - 400 * x * (y - x * x);
      g[1] = 200 * (y - x * x);
      return (1 - x) ** 2 + 100 * (y - x * x) ** 2;
    },
    Float64Array.of(-1.2, 1),
  );
  assert.ok(Math.abs(at[0] - 1) < 1e-5 && Math.abs(at[1] - 1) < 1e-5 && gradient < 1e-6);
});

test('folds hold each class in equal shares', () => {
  const labels = Array.from({ length: 43 }, (_, i) => Number(i % 3 === 0));
  const fold = stratifiedFolds(labels, 2, 5, new Random(0, 'folds'));
  for (const k of [0, 1]) {
    const counts = [0, 1, 2, 3, 4].map((f) => labels.filter((label, i) => label === k && fold[i] === f).length);
    assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, `${k}: ${counts.join(' ')}`);
  }
});

const HIDDEN = 4;
const random = new Random(1, 'probe test');

/** Random states of two layers, in which `plant` writes. */
async function probed(
  texts: number,
  plant: (label: number, layer: number, state: number[], text: number) => void,
  { options = {}, heldOut = 0, share = 0.5 }: { options?: object; heldOut?: number; share?: number } = {},
) {
  const of = Int32Array.from({ length: texts }, () => Number(random.uniform() < share));
  const data = Array.from({ length: 3 }, (_, depth) =>
    Array.from(of, (label, text) => {
      const state = Array.from({ length: HIDDEN }, () => random.normal());
      if (depth > 0) plant(label, depth - 1, state, text);
      return state;
    }),
  ).flat(2);
  const states = { shape: [3, texts, HIDDEN], data: Float32Array.from(data) };
  const model = { layers: 2, hidden: HIDDEN, texts, modules: () => [] };
  return probe.fitted!({ states: { states } }, optionValues(probe, options as never), {
    model,
    random: new Random(0, 'test'),
    labels: { of, names: ['no', 'yes'], heldOut },
  });
}

test('a label planted in one layer is found there alone; held out, or in folds; the best layer is marked', async () => {
  const plant = (label: number, layer: number, state: number[]) => {
    if (layer === 1) state[2] = 3 * (2 * label - 1) + 0.5 * state[2];
  };
  for (const heldOut of [0, 60]) {
    const { values, marks, parts, notes, intervals } = await probed(160, plant, { heldOut });
    const [chance, planted] = values as number[];
    assert.ok(planted > 0.98, `${planted}`);
    assert.ok(Math.abs(chance - 0.5) < 0.16, `${chance}`);
    assert.deepEqual(
      marks!.map(({ at }) => at),
      [[1], [1]],
    );
    assert.ok(intervals![0]![0] < chance && chance < intervals![0]![1]);
    // The binomial standard error of a share.
    const measured = heldOut || 160;
    assert.ok(Math.abs(parts!['standard error'][0]! - Math.sqrt((chance * (1 - chance)) / measured)) < 0.01);
    assert.match(notes[1], heldOut > 0 ? /measured on 60 held-out texts, fitted on 100/ : /5 folds/);
  }
});

test('unequal classes are measured by macro-F1, against who names the largest class', async () => {
  const { notes, reference: chance, values, parts } = await probed(160, () => undefined, { share: 0.1 });
  assert.match(notes[0], /^Macro-F1, for the classes are unequal/);
  assert.deepEqual(values, parts!['macro-F1']);
  assert.ok((chance!.value as number) < 0.55 && (chance!.value as number) > 0.4);
  const forced = await probed(160, () => undefined, { share: 0.1, options: { metric: 'accuracy' } });
  assert.ok((forced.reference!.value as number) > 0.8);
});

test('the XOR of two planted bits: a linear head is at chance, the perceptron finds it', async () => {
  const plant = (label: number, layer: number, state: number[], text: number) => {
    const first = text % 2;
    const second = first ^ label;
    if (layer === 1) [state[0], state[1]] = [2 * first - 1, 2 * second - 1];
  };
  const linear = (await probed(120, plant, { heldOut: 60 })).values[1]!;
  const mlp = (await probed(120, plant, { heldOut: 60, options: { head: 'mlp' } })).values[1]!;
  assert.ok(Math.abs(linear - 0.5) < 0.2, `linear ${linear}`);
  assert.equal(mlp, 1);
});
