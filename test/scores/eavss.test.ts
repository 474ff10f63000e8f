/**
 * EAVSS against PyTorch hooks, numpy and scipy (test/reference/scores/eavss.py), and what must hold of it: nothing
 * between equal sets, uniform p-values between random ones, the planted layer first, both kinds exchangeable.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { EncodedSample } from '../../protocol/samples.ts';
import { observe } from '../../server/src/engine/observe/observe.ts';
import { Runtime } from '../../server/src/engine/runtime/runtime.ts';
import { Model } from '../../server/src/engine/sweep/model.ts';
import { Random } from '../../server/src/random/random.ts';
import { eavss } from '../../server/src/scores/eavss.ts';
import { equalTokens } from '../../server/src/scores/equalTokens.ts';
import { optionValues } from '../../server/src/scores/options.ts';
import type { Labels } from '../../server/src/scores/types.ts';
import { benjaminiHochberg } from '../../server/src/statistics/falseDiscovery.ts';
import { holdsAnswer } from '../../server/src/evaluation/truthfulness.ts';
import { casesFolder } from '../engine/reference.ts';

interface Reference {
  epsilon: number;
  samples: { tokens: number[]; countedFrom: number; counted: number[]; label: number; question: number }[];
  variance: number[][];
  below: number[][];
  HSAV: number[];
  HSS: number[];
  EAVSS: number[];
  p: [variance: number[], sparsity: number[], eavss: number[]];
  mean: number[];
  adjusted: { of: number[]; to: number[] };
}
const reference = JSON.parse(fs.readFileSync(path.join(casesFolder, 'scores/eavss.json'), 'utf8')) as Reference;
const labels: Labels = {
  of: Int32Array.from(reference.samples, ({ label }) => label),
  groups: Int32Array.from(reference.samples, ({ question }) => question),
  names: ['truthful', 'hallucinated'],
  heldOut: 0,
};

/** @param tensors [layers][texts] */
function fitted(
  tensors: { variance: number[][]; below: number[][]; entries: number[][] },
  own: Labels,
  options: Record<string, number | string> = {},
) {
  const layers = tensors.variance.length;
  const moments = Object.fromEntries(
    Object.entries(tensors).map(([name, rows]) => [
      name,
      { shape: [layers, own.of.length], data: Float64Array.from(rows.flat()) },
    ]),
  );
  const model = { layers, hidden: 4, texts: own.of.length, modules: () => [] };
  const tools = { model, random: new Random(0, 'test'), labels: own };
  return eavss.fitted!({ moments }, optionValues(eavss, options), tools);
}

test('states, sums and shares of a model equal PyTorch; p-values those of all swaps', async () => {
  const model = Model.open(new Runtime('cpu', 1), path.join(casesFolder, 'llama/biases'));
  const texts = reference.samples.map(({ tokens, countedFrom, counted }): EncodedSample => {
    return { tokens: Int32Array.from(tokens), countedFrom, counted: Uint8Array.from(counted) };
  });
  const options = eavss.needs(optionValues(eavss, { epsilon: reference.epsilon }), {} as never).moments.options;
  const { observations } = await observe(
    model,
    {
      modelPath: path.join(casesFolder, 'llama/biases'),
      texts,
      groups: [[texts.map((_, i) => i)]],
      ablated: [],
      weights: 'resident',
      keepChanges: false,
      boundaries: 'memory',
      headRows: 5,
      observations: [{ name: 'moments', of: 'hidden_moments', options }],
      workDir: null,
      key: 'test',
      checkpointSeconds: 0,
    },
    () => undefined,
  );
  await model.release();
  const { moments } = observations;
  reference.variance.flat().forEach((value, i) => assert.ok(Math.abs(moments.variance.data[i] - value) < 2e-5 * value));
  assert.deepEqual(Array.from(moments.below.data), reference.below.flat());
  const tools = {
    model: { layers: 2, hidden: 32, texts: texts.length, modules: () => [] },
    random: new Random(0, 'test'),
    labels,
  };
  const permutations = 4000;
  const found = await eavss.fitted!({ moments }, optionValues(eavss, { permutations }), tools);
  const near = (values: readonly (number | null)[], expected: number[], limit: number) =>
    expected.forEach((value, i) => assert.ok(Math.abs(values[i]! - value) < limit, `${values[i]}, not ${value}`));
  near(found.values, reference.EAVSS, 1e-4);
  near(found.parts!['AV, hallucinated - truthful'], reference.HSAV, 1e-5);
  near(found.parts!['AS, hallucinated - truthful'], reference.HSS, 1e-12);
  // Four standard errors of a drawn p-value.
  [found.parts!['p of HSAV'], found.parts!['p of HSS'], found.p!].forEach((own, k) =>
    own.forEach((value, layer) => {
      const exact = reference.p[k][layer];
      assert.ok(Math.abs(value! - exact) < 4 * Math.sqrt((exact * (1 - exact)) / permutations) + 1e-3);
    }),
  );
  near(found.reference!.value as number[], reference.mean, 0.05);
});

test('adjusted p-values of scipy; undefined ones are not counted', () => {
  const { of, to } = reference.adjusted;
  benjaminiHochberg([...of.slice(0, 2), null, ...of.slice(2)]).forEach((value, i) => {
    const expected = [...to.slice(0, 2), null, ...to.slice(2)][i];
    assert.ok(expected === null ? value === null : Math.abs(value! - expected) < 1e-12);
  });
});

const random = new Random(11, 'eavss test');
/** Variances and sparsities of `texts` answers in three layers, by text and layer. */
const drawn = (texts: number, change = (_text: number, _layer: number) => 1) => {
  const each = (make: (text: number, layer: number) => number) =>
    [0, 1, 2].map((layer) => Array.from({ length: texts }, (_, text) => make(text, layer)));
  return {
    variance: each((text, layer) => Math.exp(random.normal()) * change(text, layer) ** 2),
    below: each((text, layer) => Math.round(50 + 10 * random.normal() - 20 * (change(text, layer) - 1))),
    entries: each(() => 100),
  };
};
const alternating = (texts: number): Labels => ({
  of: Int32Array.from({ length: texts }, (_, i) => i % 2),
  names: ['truthful', 'hallucinated'],
  heldOut: 0,
});

test('equal sets: all zero, p 1; the kinds exchanged: the same values with the signs turned', async () => {
  const half = drawn(10);
  const twice = Object.fromEntries(
    Object.entries(half).map(([name, rows]) => [name, rows.map((own) => own.flatMap((value) => [value, value]))]),
  ) as typeof half;
  const same = await fitted(twice, alternating(20), { permutations: 99 });
  assert.deepEqual(
    [same.values, same.p],
    [
      [0, 0, 0],
      [1, 1, 1],
    ],
  );
  const own = alternating(20);
  const [a, b] = [drawn(20), { ...own, of: own.of.map((kind) => 1 - kind) }];
  const [first, second] = [await fitted(a, own, { permutations: 99 }), await fitted(a, b, { permutations: 99 })];
  assert.deepEqual(first.values, second.values);
  assert.deepEqual(
    first.parts!['AV, hallucinated - truthful'],
    second.parts!['AV, hallucinated - truthful'].map((value) => -value!),
  );
});

test('p-values between random halves of one set are uniform (Kolmogorov-Smirnov)', async () => {
  const p: number[] = [];
  for (let run = 0; run < 120; run++) {
    const found = await fitted(drawn(16), alternating(16), { permutations: 199, seed: run });
    p.push(found.parts!['p of HSAV'][0]!);
    assert.ok(found.p!.every((value) => value! >= 1 / 200));
  }
  p.sort((a, b) => a - b);
  const distance = Math.max(...p.map((value, i) => Math.max((i + 1) / p.length - value, value - i / p.length)));
  assert.ok(distance < 1.63 / Math.sqrt(p.length), `distance ${distance}`); // 1 % level
});

test('activations of one layer doubled where answers are hallucinated: that layer is prone, and it alone', async () => {
  const planted = drawn(120, (text, layer) => (layer === 1 && text % 2 === 1 ? 2 : 1));
  const { values, marks, p, parts } = await fitted(planted, alternating(120));
  assert.equal(values.indexOf(Math.max(...(values as number[]))), 1);
  assert.deepEqual(
    marks!.map(({ at }) => at),
    [[1]],
  );
  assert.ok(p![1]! >= 1 / 1001 && parts!['p, Benjamini-Hochberg'][1]! < 0.05);
});

test('nothing below epsilon in a layer: undefined and named; the others share 2 between them', async () => {
  const own = drawn(20);
  own.below[2] = own.below[2].map(() => 0);
  const { values, notes, p } = await fitted(own, alternating(20), { permutations: 99 });
  assert.deepEqual([values[2], p![2]], [null, null]);
  assert.ok(Math.abs(values[0]! + values[1]! - 2) < 1e-12);
  assert.match(notes.at(-1)!, /^layer 2: no activation is below epsilon/);
});

test('equally many tokens: within a question, and by rank of length between the others', () => {
  const of = Int32Array.of(0, 1, 0, 1, 1, 0);
  const groups = Int32Array.of(0, 0, 1, 2, 3, 0);
  // Question 0 has both kinds; answers 2, 3 and 4 are alone.
  assert.deepEqual(equalTokens([5, 3, 9, 4, 20, 7], { of, groups }), [3, 3, 9, 4, 9, 3]);
  const lengths = Array.from({ length: 60 }, (_, i) => 1 + ((i * 7) % 23));
  const kinds = Int32Array.from(lengths, (_, i) => Number(i % 3 === 0));
  const equal = equalTokens(lengths, { of: kinds });
  equal.forEach((count, i) => assert.ok(count >= 1 && count <= lengths[i]));
  const mean = (kind: number) => {
    const own = equal.filter((_, i) => kinds[i] === kind);
    return own.reduce((a, b) => a + b, 0) / own.length;
  };
  assert.ok(Math.abs(mean(0) - mean(1)) < 1, `${mean(0)} and ${mean(1)}`);
  // One kind alone stays as it is.
  assert.deepEqual(equalTokens([5, 3], { of: Int32Array.of(1, 1) }), [5, 3]);
});

test('an answer is right where it is or holds a right one, after normalisation', () => {
  for (const [answer, right, expected] of [
    ['The Eiffel Tower.', ['eiffel tower'], true],
    ['It is in Paris, France', ['Paris'], true],
    ['Parisian', ['Paris'], false],
    ['U.S.A.', ['USA'], true],
    ['forty two', ['42', 'forty-two'], false],
    ['forty two', ['forty two'], true],
    ['anything', ['', '...'], false],
    ['', ['x'], false],
  ] as [string, string[], boolean][])
    assert.equal(holdsAnswer(answer, right), expected, answer);
});
