/** The noise detection rate by layer against numpy and scikit-learn (test/reference/scores/ndr.py). */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { Random } from '../../server/src/random/random.ts';
import { ndr } from '../../server/src/scores/ndr.ts';
import { optionValues } from '../../server/src/scores/options.ts';

type Rate = [rate: number, recall: number, auc: number];
const reference = JSON.parse(
  fs.readFileSync(path.join(import.meta.dirname, '../reference/scores/ndr.json'), 'utf8'),
) as { share: number; noisy: boolean[]; influence: number[][]; layers: Rate[]; sum: Rate; rank: Rate };

test('rate, recall and AUC of each layer, of their sum and of their mean rank', () => {
  const { share, noisy, influence: values, layers, sum, rank } = reference;
  const influence = { layers: [0, 1, 2], values, noisy, estimator: 'dot' };
  const tools = { model: { layers: 3 }, random: new Random(0, 'test') };
  const found = ndr.ofInfluence!(influence, optionValues(ndr, { share }), tools);
  layers.forEach((expected, layer) => {
    const own = [found.values[layer], found.parts!.recall[layer], found.parts!.AUC[layer]];
    own.forEach((value, i) => assert.ok(Math.abs(value! - expected[i]) < 1e-12, `layer ${layer}: ${own.join(' ')}`));
  });
  const words = ([value, , auc]: Rate) => `${value.toFixed(3)}, AUC ${auc.toFixed(3)}`;
  assert.equal(found.notes[1], `the sum over the layers: ${words(sum)}; the mean rank over the layers: ${words(rank)}`);
  assert.ok(Math.abs((found.reference!.value as number) - 9 / 40) < 1e-12);
  found.intervals!.forEach((interval, layer) => {
    assert.ok(interval![0] <= found.values[layer]! && found.values[layer]! <= interval![1]);
  });
  // Samples in another order are the same samples.
  const order = new Random(2, 'order').permutation(noisy.length);
  const turned = {
    ...influence,
    values: values.map((row) => order.map((i) => row[i] + 1e-9 * i)),
    noisy: order.map((i) => noisy[i]),
  };
  const again = ndr.ofInfluence!(turned, optionValues(ndr, { share }), { ...tools, random: new Random(0, 'test') });
  assert.deepEqual(again.values, found.values);
});
