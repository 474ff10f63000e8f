/** What holds for all estimators, their dense formulas, and Grams that cannot work: never a silent NaN. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CholeskyDecomposition, EigenvalueDecomposition, Matrix, solve } from 'ml-matrix';
import { choleskyInPlace, choleskyInverse, choleskySolve } from '../../server/src/linear/cholesky.ts';
import { cosine } from '../../server/src/estimators/cosine.ts';
import { estimators } from '../../server/src/estimators/estimators.ts';
import { fisher } from '../../server/src/estimators/fisher.ts';
import { largestEigenvalue, lissa } from '../../server/src/estimators/lissa.ts';
import { relatif } from '../../server/src/estimators/relatif.ts';
import type { Estimator } from '../../server/src/estimators/types.ts';
import { datainfPrimal, fisherPrimal, gramsOf, inner, randomGradients, relativeError } from './primal.ts';
import type { Gradients } from './primal.ts';
import { datainf } from '../../server/src/estimators/datainf.ts';

const absolute = (factor: number) => ({ damping: { rule: 'absolute', factor } as const });
const ofGrams = estimators.filter(({ needs }) => !needs.includes('ekfac') && !needs.includes('checkpoints'));

/** B over √(g H⁻¹ g) or |H⁻¹ g| with the d x d inverse. */
function relatifPrimal({ train, validation }: Gradients, lambda: number, form: 'l' | 'theta'): number[] {
  const G = new Matrix(train);
  const F = G.transpose().mmul(G).div(train.length).add(Matrix.eye(G.columns).mul(lambda));
  return train.flatMap((g) => {
    const h = solve(F, Matrix.columnVector(g)).to1DArray();
    const change = form === 'l' ? Math.sqrt(inner(g, h)) : Math.sqrt(inner(h, h));
    return validation.map((v) => inner(v, h) / change);
  });
}

test('kernel form = primal form, to 1e-12 on well-conditioned random gradients', () => {
  for (let seed = 0; seed < 20; seed++) {
    const gradients = randomGradients(8, 4, 15, seed);
    const grams = gramsOf(gradients);
    const near = (estimator: Estimator, expected: ArrayLike<number>, options: object = {}, limit = 1e-12) => {
      const error = relativeError(estimator.influence(grams, { ...absolute(0.5), ...options }).B, expected);
      assert.ok(error < limit, `${estimator.id}: ${error}`);
    };
    near(datainf, datainfPrimal(gradients, 0.5));
    near(fisher, fisherPrimal(gradients, 0.5));
    near(lissa, fisherPrimal(gradients, 0.5), {}, 1e-5);
    for (const form of ['l', 'theta'] as const) near(relatif, relatifPrimal(gradients, 0.5, form), { relatif: form });
    near(
      cosine,
      gradients.train.flatMap((g) =>
        gradients.validation.map((v) => inner(g, v) / Math.sqrt(inner(g, g) * inner(v, v))),
      ),
    );
  }
});

test('one training sample: DataInf and the exact Fisher are the same', () => {
  const grams = gramsOf(randomGradients(1, 3, 9, 2));
  const [a, b] = [datainf, fisher].map((estimator) => estimator.influence(grams, absolute(0.7)).B);
  assert.ok(relativeError(a, b) < 1e-12);
  assert.ok(
    relativeError(
      a,
      grams.C.map((c) => c / (0.7 + grams.K[0])),
    ) < 1e-12,
  );
});

test('large damping: DataInf, exact and LiSSA become C / λ', () => {
  const grams = gramsOf(randomGradients(6, 3, 9, 2));
  for (const estimator of [datainf, fisher, lissa]) {
    const { B } = estimator.influence(grams, absolute(1e9));
    assert.ok(
      relativeError(
        B.map((b) => b * 1e9),
        grams.C,
      ) < 1e-6,
      estimator.id,
    );
  }
});

test('LiSSA on the worked example: its limit, its steps; small damping takes more steps; the residual is real', () => {
  const grams = gramsOf({
    train: [
      [1, 0, 2],
      [0, 1, 1],
    ],
    validation: [[1, 1, 0]],
  });
  const { B, convergence } = lissa.influence(grams, absolute(0.5));
  assert.ok(relativeError(B, [1 / 7, 4 / 7]) < 1e-5);
  assert.ok(convergence!.converged && convergence!.residual <= 1e-6 && convergence!.iterations < 100);

  const many = gramsOf(randomGradients(12, 3, 40, 6));
  const [few, more] = [1, 1e-3].map((lambda) => lissa.influence(many, absolute(lambda)));
  assert.ok(more.convergence!.iterations >= few.convergence!.iterations);
  const product = Matrix.from1DArray(12, 12, many.K)
    .div(12)
    .add(Matrix.eye(12).mul(1e-3))
    .mmul(Matrix.from1DArray(12, 3, more.B));
  assert.ok(Math.abs(relativeError(product.to1DArray(), many.C) - more.convergence!.residual) < 1e-9);
});

test('LiSSA that cannot converge says so and stays finite', () => {
  const gradients = randomGradients(6, 2, 30, 3);
  const grams = gramsOf({ ...gradients, train: [...gradients.train, gradients.train[0]] });
  grams.C[0] += 1; // outside the range of K, so that only λ could undo it
  const { B, convergence } = lissa.influence(grams, absolute(1e-14));
  assert.equal(convergence!.converged, false);
  assert.ok(convergence!.residual > 1e-6);
  assert.ok(B.every(Number.isFinite));
});

test('the power iteration finds the largest eigenvalue', () => {
  for (let seed = 0; seed < 10; seed++) {
    const { K, n } = gramsOf(randomGradients(10, 1, 25, seed));
    const expected = Math.max(...new EigenvalueDecomposition(Matrix.from1DArray(n, n, K)).realEigenvalues);
    const found = largestEigenvalue(K, n);
    assert.ok(found <= expected * (1 + 1e-12) && found > 0.99 * expected, `${found}, ${expected}`);
  }
});

test('the blocked Cholesky factor agrees with ml-matrix at every size around its blocks', () => {
  for (const n of [1, 2, 5, 23, 24, 25, 47, 64, 99, 128]) {
    const { K } = gramsOf(randomGradients(n, 1, n + 10, n));
    const own = K.slice();
    assert.ok(choleskyInPlace(own, n));
    const reference = new CholeskyDecomposition(Matrix.from1DArray(n, n, K)).lowerTriangularMatrix;
    for (let i = 0; i < n; i++) {
      const row = Array.from({ length: i + 1 }, (_, j) => reference.get(i, j));
      assert.ok(relativeError(own.subarray(i * n, i * n + i + 1), row) < 1e-10, `n ${n}, row ${i}`);
    }
    const right = Float64Array.from({ length: n * 3 }, (_, i) => Math.sin(i));
    const X = choleskySolve(own, n, right.slice(), 3);
    const back = Matrix.from1DArray(n, n, K)
      .mmul(Matrix.from1DArray(n, 3, X))
      .to1DArray();
    assert.ok(relativeError(back, right) < 1e-9);
    const identity = Matrix.from1DArray(n, n, K).mmul(Matrix.from1DArray(n, n, choleskyInverse(own, n)));
    assert.ok(relativeError(identity.to1DArray(), Matrix.eye(n).to1DArray()) < 1e-8);
  }
  assert.equal(choleskyInPlace(Float64Array.of(1, 2, 2, 1), 2), false, 'not positive definite');
});

for (const estimator of ofGrams) {
  test(`${estimator.id}: zero gradients, duplicates and single samples give finite numbers`, () => {
    fc.assert(
      fc.property(
        fc.integer({ min: estimator.minimumTrain, max: 6 }),
        fc.integer({ min: 1, max: 3 }),
        fc.nat(1000),
        fc.constantFrom('plain', 'zero row', 'duplicate', 'all zero', 'zero validation'),
        (n, m, seed, kind) => {
          const { train, validation } = randomGradients(n, m, 10, seed);
          if (kind === 'zero row') train[0] = train[0].map(() => 0);
          if (kind === 'duplicate') train.push(train[0]);
          if (kind === 'all zero') for (const row of train) row.fill(0);
          if (kind === 'zero validation') validation[0].fill(0);
          const grams = gramsOf({ train, validation });
          const found = estimator.influence(grams, { damping: { rule: 'mean_square', factor: 0.1 } });
          assert.ok(found.B.every(Number.isFinite));
          assert.equal(found.B.length, grams.n * grams.m);
          const isZero = train.every((row) => row.every((x) => x === 0));
          assert.equal(found.zeroGradient, isZero);
          if (kind === 'zero row') assert.ok(found.B.subarray(0, m).every((b) => Math.abs(b) === 0));
          if (kind === 'zero validation') assert.ok(train.every((_, k) => Math.abs(found.B[k * m]) === 0));
        },
      ),
      { numRuns: 60 },
    );
  });

  test(`${estimator.id}: a number that is not finite is named with its place`, () => {
    const grams = gramsOf(randomGradients(4, 2, 10, 1));
    const options = { damping: { rule: 'mean_square', factor: 0.1 }, where: 'model.layers.3 mlp.up_proj' } as const;
    grams.K[6] = NaN;
    assert.throws(
      () => estimator.influence(grams, options),
      /Gram K of model\.layers\.3 mlp\.up_proj is NaN at training sample 1, training sample 2/,
    );
    grams.K[6] = 1;
    grams.C[3] = Infinity;
    assert.throws(
      () => estimator.influence(grams, options),
      /Gram C of .* is Infinity at training sample 1, validation sample 1/,
    );
  });
}
