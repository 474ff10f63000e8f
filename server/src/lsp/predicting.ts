/** The Performance Law for the page with sliders. */
import { LayerifError } from '../../../protocol/errors.ts';
import type { PredictAnswer, PredictParams } from '../../../protocol/prediction.ts';
import { predict as predictOf, readPredictedModel } from '../run/predict/predict.ts';
import { answered } from './answered.ts';

export async function predict({ path, ...numbers }: PredictParams): Promise<PredictAnswer> {
  return answered<Pick<PredictAnswer, 'prediction'>>({ prediction: null }, async () => {
    if (typeof path !== 'string') throw new LayerifError('badRequest', 'predicting needs a path, or an empty one');
    return { prediction: predictOf(path === '' ? null : await readPredictedModel(path, '/'), numbers) };
  });
}
