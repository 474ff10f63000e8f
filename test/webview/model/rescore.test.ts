/** The recomputed view: what is asked, and what of the run's own stays. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  asTheRun,
  chosenSettings,
  estimatorChoices,
  exponentOf,
  factorAt,
  rescoreParams,
  settingsWords,
  withRescored,
} from '../../../webview/src/model/rescore.ts';
import { layerValues } from '../../../webview/src/model/layers.ts';
import { rescored, withIntervals } from '../answers.ts';
import { sampleResult } from '../sampleResult.ts';

const result = withIntervals(sampleResult({ layers: 6, tasks: ['a', 'b'], train: 8, validation: 2 }), [2]);
const ask = (choice: Partial<typeof asTheRun>, aggregation: '' | 'sum' | 'positive' = '') =>
  rescoreParams(result, chosenSettings(result, { ...asTheRun, ...choice }, aggregation));

test('the run\u2019s own settings ask for nothing, however they were chosen', () => {
  assert.equal(ask({}), null);
  assert.equal(ask({ estimator: 'datainf', rule: 'mean_square', factor: 0.1, per: 'sample' }, 'positive'), null);
});

test('any other setting asks for all of them', () => {
  assert.deepEqual(ask({ factor: 10 }), {
    estimator: 'datainf',
    aggregation: 'positive',
    per: 'sample',
    damping: { rule: 'mean_square', factor: 10 },
  });
  assert.deepEqual(ask({}, 'sum')?.aggregation, 'sum');
});

test('damping is no matter for an estimator without it', () => {
  assert.deepEqual(ask({ estimator: 'dot', factor: 10 }), { estimator: 'dot', aggregation: 'positive', per: 'sample' });
  const dot = structuredClone(result);
  dot.experiment.score.estimator = 'dot';
  assert.equal(rescoreParams(dot, chosenSettings(dot, { ...asTheRun, factor: 10 }, '')), null);
});

test('estimators that read more than Grams are offered only where the run was made with them', () => {
  const ids = (of: typeof result) => estimatorChoices(of).map(({ id }) => id);
  assert.deepEqual(ids(result), ['datainf', 'fisher', 'dot', 'cosine', 'relatif', 'lissa']);
  const ekfac = structuredClone(result);
  ekfac.score.estimator = 'ekfac';
  assert.ok(ids(ekfac).includes('ekfac') && !ids(ekfac).includes('tracin'));
});

test('recomputed tasks take the place of the run\u2019s; its intervals go', () => {
  const settings = chosenSettings(result, { ...asTheRun, estimator: 'fisher' }, '');
  const { tasks } = rescored(result, { aggregation: 'positive' });
  const shown = withRescored(result, settings, tasks!.slice(0, 1));
  assert.equal(shown.score.estimator, 'fisher');
  assert.equal(shown.tasks[0].layers[0].score, result.tasks[0].layers[5].positive);
  assert.equal(shown.tasks[0].uncertainty, undefined);
  assert.ok(
    layerValues(shown, 'positive')
      .filter(({ task }) => task === 0)
      .every(({ interval }) => interval === null),
  );
  assert.deepEqual(shown.tasks[0].train, result.tasks[0].train);
  assert.deepEqual(shown.tasks[1], result.tasks[1]);
  assert.equal(result.score.estimator, 'datainf', 'the run\u2019s own is not changed');
});

test('the slider runs over powers of ten', () => {
  for (const factor of [0.001, 0.1, 1, 1000]) assert.equal(factorAt(exponentOf(factor)), factor);
  assert.equal(exponentOf(1e-9), -3);
  assert.equal(factorAt(0.3), 2);
  assert.equal(
    settingsWords(chosenSettings(result, { ...asTheRun, factor: 2 }, 'sum')),
    'DataInf, damping 2 (DataInf rule), sum',
  );
});
