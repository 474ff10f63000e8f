/**
 * TracInCP: what the steps of a training run on sample k did to the loss of validation sample j, to first order, summed
 * over saved checkpoints t with their learning rates η_t.
 *
 *     B = Σ_t η_t C_t
 *
 * The run collects C at every checkpoint of `score.checkpoints`; K and diagV are those of the last one.
 */
import { LayerifError } from '../../../protocol/errors.ts';
import { checkGrams } from './grams.ts';
import type { Estimator } from './types.ts';

export const tracin: Estimator = {
  id: 'tracin',
  title: 'TracInCP',
  source: 'Pruthi et al., NeurIPS 2020, arXiv 2002.08484',
  formula: 'B = sum_t learning_rate_t C_t over checkpoints t',
  needs: ['checkpoints'],
  minimumTrain: 1,
  curvature: 'none',

  influence(grams, { where = 'this weight matrix' }) {
    checkGrams(grams, where);
    const { n, m, checkpoints } = grams;
    if (!checkpoints) {
      throw new LayerifError(
        'badRequest',
        `${where} was scored at one checkpoint, tracin needs several: score again with estimator tracin and score.checkpoints`,
      );
    }
    const { learningRates, C } = checkpoints;
    const size = n * m;
    if (learningRates.length === 0 || C.length !== learningRates.length * size) {
      throw new LayerifError(
        'failed',
        `${where} has ${C.length} products for ${learningRates.length} checkpoints of ${n} x ${m} samples, expected ${learningRates.length * size}; delete the run folder and score again`,
      );
    }
    const B = new Float64Array(size);
    learningRates.forEach((rate, t) => {
      for (let i = 0; i < size; i++) {
        const value = C[t * size + i];
        if (!Number.isFinite(value)) {
          throw new LayerifError(
            'failed',
            `the product of ${where} at checkpoint ${t} is ${value} for training sample ${Math.floor(i / m)} and validation sample ${i % m} (all from 0): a gradient overflowed or is not a number`,
          );
        }
        B[i] += rate * value;
      }
    });
    return { B, damping: null, zeroGradient: C.every((value) => value === 0) };
  },
};
