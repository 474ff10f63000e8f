/**
 * Estimators on a convex classifier of 200 made-up rows: 40 half subsets retrained exactly, and self-influence against
 * flipped labels.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../server/src/random/random.ts';
import { blindPredictors, gramPredictors, withItself } from '../../server/src/run/validate/validatePredictors.ts';
import { detection, linearDatamodeling } from '../../server/src/validation/agreementMeasures.ts';
import { optimum, sampleProducts, trainFrom } from '../../server/src/validation/leaveOneOut.ts';
import { Perceptron } from '../../server/src/validation/perceptron.ts';
import type { Classified } from '../../server/src/validation/perceptron.ts';

const WEIGHT_DECAY = 0.01;
const random = new Random(5);

function rows(count: number): Classified {
  const columns = 6;
  const features = Float64Array.from({ length: count * columns }, () => random.normal());
  const labels = Array.from({ length: count }, (_, i) => {
    const [a, b] = [features[i * columns], features[i * columns + 1]];
    return a + 0.5 * b + 0.8 * random.normal() > 0 ? 1 : 0;
  });
  return { features, labels, rows: count, columns, classes: 2 };
}

const [train, query] = [rows(200), rows(20)];
const [n, m] = [train.rows, query.rows];

test('LDS: the exact Hessian is nearly right, fisher above 0.6, datainf not far below gradient dot, random at chance', () => {
  const network = new Perceptron(train, [], WEIGHT_DECAY);
  const best = optimum(network, new Float64Array(network.size));
  const { exact, ...grams } = sampleProducts(network, best, query);
  const damping = { rule: 'absolute' as const, factor: WEIGHT_DECAY };
  const { predictors, notes } = gramPredictors([[{ module: 'classifier', grams }]], 'surrogate', damping);
  assert.deepEqual(notes, []);
  const subsets = Array.from({ length: 40 }, () => random.subset(n, n / 2));
  const losses = subsets.map((subset) => {
    const weights = new Float64Array(n);
    for (const i of subset) weights[i] = 1;
    return network.losses(trainFrom(network, best.theta, { weights }).theta, query);
  });
  const score = (B: Float64Array) => linearDatamodeling(n, m, subsets, losses).of(B).value()!;
  const of = (id: string) => score(predictors.find((p) => p.id === id)!.B!);
  assert.ok(score(exact) > 0.9, `exact ${score(exact)}`);
  assert.ok(of('fisher') > 0.6, `fisher ${of('fisher')}`);
  assert.ok(of('datainf') >= of('dot') - 0.05, `datainf ${of('datainf')}, dot ${of('dot')}`);
  assert.ok(Math.abs(score(blindPredictors(n, m, 1)[0].B!)) < 0.25);
});

test('self-influence finds flipped labels', () => {
  const flipped = Array.from({ length: n }, (_, i) => i % 10 === 0);
  const labels = flipped.map((f, i) => (f ? 1 - Number(train.labels[i]) : Number(train.labels[i])));
  const network = new Perceptron({ ...train, labels }, [], WEIGHT_DECAY);
  const best = optimum(network, new Float64Array(network.size));
  const grams = sampleProducts(network, best, query);
  const damping = { rule: 'absolute' as const, factor: WEIGHT_DECAY };
  const { predictors } = gramPredictors([[{ module: 'classifier', grams }]], 'surrogate', damping);
  for (const { id, self } of predictors) {
    assert.equal(self === null, id === 'cosine', `${id}: cosine with itself is 1, the others differ`);
    if (self === null) continue;
    const auc = detection(flipped).of(self).value()!;
    assert.ok(auc > 0.75, `${id}: ${auc}`);
  }
  const itself = withItself(grams);
  assert.deepEqual([itself.m, itself.C, itself.diagV.length], [n, grams.K, n]);
  assert.ok(itself.diagV.every((v, i) => v === grams.K[i * n + i]));
});
