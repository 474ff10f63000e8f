/**
 * Every estimator against numpy, which inverts the d x d matrices as the papers write them
 * (test/reference/datainf/make.py).
 */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { estimators } from '../../server/src/estimators/estimators.ts';
import { scoreLayer } from '../../server/src/estimators/layerScores.ts';
import { gramsOf, relativeError } from './primal.ts';

interface Case {
  name: string;
  matrices: {
    d: number;
    damping: number;
    G: number[][];
    V: number[][];
    K: number[][];
    C: number[][];
    diagV: number[];
    B: Record<string, number[][]>;
  }[];
  layer: Record<string, { influence: number[]; positive: number; top25: number; sum: number }>;
}

const file = new URL('../reference/datainf/reference.json', import.meta.url);
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: Case[] };
/** The dense inverse of the reference loses about log10(|g|² / λ) digits. */
const tolerance = 1e-10;

for (const { name, matrices, layer } of cases) {
  // The first case fixes λ; the others follow the default rule.
  const damping =
    name === 'worked example'
      ? ({ rule: 'absolute', factor: matrices[0].damping } as const)
      : ({ rule: 'mean_square', factor: 0.1 } as const);
  const modules = matrices.map(({ d, K, C, diagV }, index) => ({
    module: `matrix${index}`,
    grams: {
      n: K.length,
      m: diagV.length,
      parameters: d,
      K: Float64Array.from(K.flat()),
      C: Float64Array.from(C.flat()),
      diagV: Float64Array.from(diagV),
    },
  }));

  // EK-FAC is no function of the Grams: test/engine/ekfac.test.ts. TracIn needs checkpoints: tracin.test.ts.
  const fromGrams = estimators.filter(({ needs }) => !needs.includes('ekfac') && !needs.includes('checkpoints'));
  const cases = fromGrams.flatMap((estimator) => [
    { key: estimator.id, estimator, form: 'l' as const },
    ...(estimator.id === 'relatif' ? [{ key: 'relatif_theta', estimator, form: 'theta' as const }] : []),
  ]);
  for (const { key, estimator, form } of cases) {
    // An iteration stops at a relative residual of 1e-6; what that means for B depends on the condition number.
    const allowed = estimator.id === 'lissa' ? 1e-4 : tolerance;
    test(`${key} agrees with numpy: ${name}`, () => {
      for (const [index, matrix] of matrices.entries()) {
        const own = estimator.influence(modules[index].grams, { damping, relatif: form });
        const error = relativeError(own.B, matrix.B[key].flat());
        assert.ok(error <= allowed, `matrix ${index}: relative error ${error}`);
        if (own.damping !== null) assert.ok(Math.abs(own.damping - matrix.damping) <= 1e-12 * matrix.damping);
        assert.ok(relativeError(gramsOf({ train: matrix.G, validation: matrix.V }).K, matrix.K.flat()) < 1e-12);
      }
      const scores = scoreLayer(modules, {
        estimator,
        damping,
        aggregation: 'positive',
        relatif: form,
        layerName: name,
      });
      const expected = layer[key];
      assert.ok(relativeError(scores.influence, expected.influence) <= allowed);
      for (const id of ['positive', 'top25', 'sum'] as const) {
        assert.ok(relativeError([scores[id]], [expected[id]]) <= allowed * 10, `${id}: ${scores[id]}, ${expected[id]}`);
      }
    });
  }
}
