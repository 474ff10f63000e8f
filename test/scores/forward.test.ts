/**
 * Scores of the forward sweep on the states of tiny models against float64 PyTorch (test/reference/scores), and what
 * must not change them.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../server/src/random/random.ts';
import { optionValues } from '../../server/src/scores/options.ts';
import { findScore } from '../../server/src/scores/scores.ts';
import { scoresReference } from '../engine/observations.ts';
import type { Family } from '../engine/observations.ts';

const reference = scoresReference();
const near = (found: readonly (number | null)[], expected: readonly (number | null)[], limit = 1e-10) =>
  found.forEach((value, i) => {
    if (expected[i] === null || value === null) assert.equal(value, expected[i], `place ${i}`);
    else assert.ok(Math.abs(value - expected[i]) < limit, `place ${i}: ${value}, not ${expected[i]}`);
  });

/** @param states [depths][places][hidden] */
function numbersOf(id: string, states: number[][][], texts: number) {
  const [depths, places, hidden] = [states.length, states[0].length, states[0][0].length];
  const tensor = { shape: [depths, places, hidden], data: Float64Array.from(states.flat(2)) };
  const whole = { shape: [places], data: new Float64Array(places).fill(1) };
  const score = findScore(id);
  const observed = {
    last: { states: tensor },
    tokens: { states: tensor, used: whole, text: { shape: [places], data: new Float64Array(places) } },
  };
  const model = { layers: depths - 1, hidden, texts, modules: () => [] };
  return score.score(observed, optionValues(score, {}), { model, random: new Random(0, 'test') });
}

for (const family of ['llama/biases', 'gpt2/by_layer'] as Family[]) {
  test(`${family}: angular distances and CKA`, () => {
    const { angular_distance, cka, tokens, input_last, pooled_last } = reference[family];
    const angular = numbersOf('angular_distance', [input_last, ...pooled_last], input_last.length);
    near(angular.values, angular_distance.flat());
    near(angular.layers!.values, angular_distance[0]);
    const found = numbersOf('cka', tokens, 3);
    near(found.values, cka.flat());
    near(
      found.layers!.values,
      cka.slice(1).map((row, l) => 1 - row[l]),
    );
  });
}

const random = new Random(5, 'gauss');
const gauss = (rows: number, columns: number) =>
  Array.from({ length: rows }, () => Array.from({ length: columns }, () => random.normal()));

test('CKA: of independent states near 0, of rotated, scaled and shifted ones 1, of other linear maps neither', () => {
  const [n, d] = [128, 64];
  const [x, y] = [gauss(n, d), gauss(n, d)];
  // A product of Householder reflections is a rotation.
  let rotated = x;
  for (let i = 0; i < 5; i++) {
    const v = gauss(1, d)[0];
    const size = v.reduce((sum, value) => sum + value * value, 0);
    rotated = rotated.map((row) => {
      const along = (2 * row.reduce((sum, value, h) => sum + value * v[h], 0)) / size;
      return row.map((value, h) => value - along * v[h]);
    });
  }
  const mapped = (m: number[][]) =>
    x.map((row) => m[0].map((_, j) => row.reduce((sum, value, h) => sum + value * m[h][j], 0)));
  const states = [x, rotated.map((row) => row.map((value) => 3 * value + 7)), y, mapped(gauss(d, d))];
  const { values } = numbersOf('cka', states, 1);
  assert.ok(Math.abs(values[1]! - 1) < 1e-9);
  // The biased estimator gives 0.325 here (measured with numpy).
  assert.ok(Math.abs(values[2]!) < 0.05, `independent: ${values[2]}`);
  assert.ok(values[3]! > 0.4 && values[3]! < 0.9, `linear map: ${values[3]}`);
});

test('angular distance: does not depend on factors; 0 over nothing, 1 to the opposite', () => {
  const x = gauss(6, 8);
  const y = gauss(6, 8);
  const scaled = (states: number[][], by: number) => states.map((row) => row.map((value) => by * value));
  const plain = numbersOf('angular_distance', [x, y, scaled(x, -1)], 6).values;
  near(numbersOf('angular_distance', [scaled(x, 2), scaled(y, 50), scaled(x, -0.1)], 6).values, plain, 1e-7);
  near([plain[2], plain[0]! + plain[1]!], [1, 1], 1e-7);
  near(numbersOf('angular_distance', [x, scaled(x, 4)], 6).values, [0], 1e-7);
});
