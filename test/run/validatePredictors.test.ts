/**
 * What predicts without retraining: the controls by their definitions, and self-influence as the diagonal of influence.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  blindPredictors,
  gramPredictors,
  similarityPredictor,
  textPredictors,
} from '../../server/src/run/validate/validatePredictors.ts';
import { datainf } from '../../server/src/estimators/datainf.ts';
import { gramsOf, randomGradients } from '../estimators/primal.ts';

const near = (found: ArrayLike<number>, expected: readonly number[]) => {
  assert.equal(found.length, expected.length);
  expected.forEach((value, i) => assert.ok(Math.abs(found[i] - value) < 1e-6, `${i}: ${found[i]}, expected ${value}`));
};

test('length and BM25: of a training sample for every validation sample', () => {
  const train = [
    { text: 'a red boat', tokens: [1, 2, 3] },
    { text: 'the sky', tokens: [1] },
  ];
  const [length, bm25] = textPredictors(train, [{ text: 'red' }, { text: 'sky sky' }, { text: 'none' }]);
  assert.deepEqual([length.id, length.point, length.control], ['length', null, true]);
  assert.deepEqual([...length.B!], [3, 3, 3, 1, 1, 1]);
  assert.deepEqual([...length.self!], [3, 1]);
  assert.equal(bm25.B!.length, 6);
  assert.ok(bm25.B![0] > 0 && bm25.B![4] > 0);
  assert.deepEqual([bm25.B![1], bm25.B![2], bm25.B![3], bm25.B![5]], [0, 0, 0, 0]);
});

test('similarity: cosines of hidden states, 0 for a state of zeros', () => {
  const states = Float32Array.of(3, 4, 0, 0, -1, 0, 6, 8, 0, 2);
  const { id, B, self } = similarityPredictor(states, 2, 3, 2);
  assert.deepEqual([id, self], ['similarity', null]);
  near(B!, [1, 0.8, 0, 0, -0.6, 0]);
});

test('random has twenty draws of its own, the same for a seed; uniform says 1 of everything', () => {
  const [random, uniform] = blindPredictors(3, 2, 5);
  assert.equal(random.draws!.length, 20);
  assert.deepEqual([random.B!.length, random.self!.length], [6, 3]);
  assert.equal(new Set(random.draws!.map(({ B }) => B!.join())).size, 20);
  assert.deepEqual(blindPredictors(3, 2, 5)[0].B, random.B);
  assert.notDeepEqual(blindPredictors(3, 2, 6)[0].B, random.B);
  assert.deepEqual([...uniform.B!], [1, 1, 1, 1, 1, 1]);
  assert.deepEqual([...uniform.self!], [1, 1, 1]);
});

test('influence is summed over layers and modules, self-influence is its diagonal; a constant one says nothing', () => {
  const damping = { rule: 'absolute', factor: 0.5 } as const;
  const [a, b] = [1, 2].map((seed) => randomGradients(4, 2, 6, seed));
  const layers = [[{ module: 'w', grams: gramsOf(a) }], [{ module: 'w', grams: gramsOf(b) }]];
  const { predictors, notes } = gramPredictors(layers, 'trained', damping);
  assert.deepEqual(notes, []);
  const found = (id: string) => predictors.find((predictor) => predictor.id === id)!;
  const sum = (of: (gradients: typeof a) => Float64Array) => [...of(a)].map((value, i) => value + of(b)[i]);
  near(
    found('datainf').B!,
    sum((g) => datainf.influence(gramsOf(g), { damping }).B),
  );
  const diagonal = (g: typeof a) =>
    Float64Array.from(
      { length: 4 },
      (_, i) => datainf.influence(gramsOf({ train: g.train, validation: g.train }), { damping }).B[5 * i],
    );
  near(found('datainf').self!, sum(diagonal));
  near(
    found('dot').self!,
    sum((g) => Float64Array.from(g.train, (row) => row.reduce((s, x) => s + x * x, 0))),
  );
  assert.equal(found('cosine').self, null);
  assert.deepEqual([found('dot').control, found('datainf').control, found('datainf').point], [true, false, 'trained']);
  assert.notEqual(found('fisher').self, null);
});
