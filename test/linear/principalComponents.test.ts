/** Principal components of standardised features: what makes them so. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../server/src/random/random.ts';
import { principalComponents } from '../../server/src/linear/principalComponents.ts';

const random = new Random(1);
const [n, columns] = [12, 30];
const train = Float64Array.from({ length: n * columns }, (_, i) => random.normal() * (1 + (i % columns)) + 5);

test('components are centred, uncorrelated, of unit variance; the same rows as test rows give the same numbers', () => {
  const found = principalComponents(train, train.slice(0, 3 * columns), columns, 4);
  assert.equal(found.components, 4);
  for (let a = 0; a < 4; a++) {
    for (let b = 0; b < 4; b++) {
      let [product, sum] = [0, 0];
      for (let i = 0; i < n; i++) {
        product += found.train[i * 4 + a] * found.train[i * 4 + b];
        sum += found.train[i * 4 + a];
      }
      assert.ok(Math.abs(product / n - (a === b ? 1 : 0)) < 1e-9);
      assert.ok(Math.abs(sum) < 1e-9);
    }
  }
  found.test.forEach((v, i) => assert.ok(Math.abs(v - found.train[i]) < 1e-9));
});

test('there are no more components than rows - 1, and constant columns do no harm', () => {
  const constant = train.map((v, i) => (i % columns === 0 ? 3 : v));
  const found = principalComponents(constant, constant, columns, 100);
  assert.equal(found.components, n - 1);
  assert.ok(found.train.every(Number.isFinite));
});

test('the first component is the direction of the largest variance', () => {
  const line = Float64Array.from(
    { length: 10 * 2 },
    (_, i) => (i % 2 === 0 ? 1 : 2) * Math.floor(i / 2) + (i === 7 ? 0.01 : 0),
  );
  const found = principalComponents(line, line, 2, 1);
  const order = Array.from(found.train, (_, i) => i).sort((a, b) => found.train[a] - found.train[b]);
  assert.ok(order.join() === '0,1,2,3,4,5,6,7,8,9' || order.reverse().join() === '0,1,2,3,4,5,6,7,8,9');
});
