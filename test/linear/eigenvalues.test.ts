/** Spectra against numpy.linalg.svd, tail exponents against the published procedure in numpy. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { squaredSingularValues, symmetricEigenvalues } from '../../server/src/linear/eigenvalues.ts';
import { tailExponents } from '../../server/src/statistics/tailExponent.ts';
import { reference, type Reference } from '../allocation/inputs.ts';

const { spectra, exponents } = reference<Reference>('reference');

test('squared singular values equal those of numpy', () => {
  for (const { rows, columns, squared } of spectra) {
    const weights = Float32Array.from({ length: rows * columns }, (_, at) => {
      const [i, j] = [Math.floor(at / columns), at % columns];
      return Math.sin(1 + 0.7 * i) * Math.cos(2 + 1.3 * j) + ((i * 31 + j * 17) % 23) / 23 - 0.5;
    });
    const found = squaredSingularValues(weights, rows, columns);
    const largest = squared[squared.length - 1];
    squared.forEach((value, i) =>
      assert.ok(Math.abs(found[i] - value) < 1e-13 * largest, `${rows} x ${columns}, ${i}`),
    );
  }
});

test('eigenvalues of any symmetric matrix equal those of ml-matrix', () => {
  const symmetric = fc.integer({ min: 1, max: 12 }).chain((n) =>
    fc.array(
      fc.oneof(
        fc.constant(0),
        fc.integer({ min: -1000, max: 1000 }).map((i) => i / 7),
      ),
      {
        minLength: n * n,
        maxLength: n * n,
      },
    ),
  );
  fc.assert(
    fc.property(symmetric, (values) => {
      const n = Math.sqrt(values.length);
      const a = Float64Array.from(
        values,
        (_, at) => values[Math.max(at % n, Math.floor(at / n)) * n + Math.min(at % n, Math.floor(at / n))],
      );
      const expected = new EigenvalueDecomposition(Matrix.from1DArray(n, n, Array.from(a)), {
        assumeSymmetric: true,
      }).realEigenvalues.sort((x, y) => x - y);
      const scale = Math.max(1e-300, ...expected.map(Math.abs));
      symmetricEigenvalues(a, n).forEach((value, i) => assert.ok(Math.abs(value - expected[i]) <= 1e-12 * scale));
    }),
    { numRuns: 300 },
  );
});

test('tail exponents, mid and peak, equal the published procedure', () => {
  for (const { eigenvalues, mid, peak } of exponents) {
    const found = tailExponents(Float64Array.from(eigenvalues));
    assert.ok(Math.abs(found.mid - mid) < 1e-10, `mid ${found.mid} against ${mid}`);
    assert.ok(Math.abs(found.peak - peak) < 1e-10, `peak ${found.peak} against ${peak}`);
  }
});

test('a Pareto tail of shape a has the exponent 1 + a, whatever the scale', () => {
  for (const a of [1, 2, 3]) {
    const quantiles = (scale: number) =>
      Float64Array.from({ length: 4000 }, (_, i) => scale * (1 - (i + 0.5) / 4000) ** (-1 / a));
    const { mid } = tailExponents(quantiles(1));
    assert.ok(Math.abs(mid - 1 - a) < 0.01 * (1 + a), `${mid}`);
    assert.ok(Math.abs(tailExponents(quantiles(1e-6)).mid - mid) < 1e-9);
  }
});

test('matrices too small or of rank one have no exponent', () => {
  const rankOne = tailExponents(squaredSingularValues(Float32Array.of(1, 2, 3, 2, 4, 6, 3, 6, 9), 3, 3));
  assert.ok(Number.isNaN(rankOne.mid) && Number.isNaN(rankOne.peak));
  assert.throws(() => squaredSingularValues(Float32Array.of(1, NaN, 3, 2), 2, 2), /not finite/);
});
