/**
 * Files that are mutated, with the tests that have to notice: first the quick ones, for the first that fails ends a
 * mutant's run.
 */

export interface Target {
  file: string;
  tests: readonly string[];
}

const statistics = ['statistics/reference', 'statistics/resampling', 'statistics/faults'];

const rows: [string, string[]][] = [
  ['statistics/auc', statistics],
  ['statistics/bootstrap', statistics],
  ['statistics/intervals', statistics],
  ['statistics/kendall', statistics],
  ['statistics/paired', ['statistics/paired', ...statistics]],
  ['statistics/permutation', statistics],
  ['statistics/rankCorrelation', statistics],
  ['statistics/noiseDetection', ['statistics/noiseDetection', 'statistics/faults']],
  ['statistics/topK', statistics],
  ['statistics/student', ['statistics/student', 'statistics/faults']],
  ['statistics/subsampling', ['statistics/subsampling', 'statistics/faults']],
  ['statistics/withoutEach', ['statistics/withoutEach']],
  ['statistics/moments', ['statistics/moments']],
  ['statistics/wilson', ['statistics/wilson']],
  ['statistics/jackknife', ['statistics/jackknife']],
  ['validation/jackknife', ['training/jackknife']],
  ['validation/resampling', ['training/jackknife']],
  ['validation/agreement', ['training/agreement', 'training/agreementRows']],
  ['validation/agreementMeasures', ['training/jackknife', 'training/agreement']],
  ['validation/comparison', ['training/comparison']],
  ['estimators/aggregation', ['estimators/faults', 'estimators/layerScores', 'estimators/replicates']],
  ['estimators/cosine', ['estimators/faults', 'estimators/family', 'estimators/reference']],
  [
    'estimators/damping',
    ['estimators/faults', 'estimators/replicates', 'estimators/datainf', 'estimators/fisher', 'estimators/family'],
  ],
  ['estimators/dampedSystem', ['estimators/faults', 'estimators/fisher', 'estimators/replicates', 'estimators/family']],
  ['estimators/datainf', ['estimators/faults', 'estimators/datainf', 'estimators/replicates']],
  ['estimators/fisher', ['estimators/faults', 'estimators/fisher', 'estimators/replicates']],
  ['estimators/relatif', ['estimators/faults', 'estimators/family', 'estimators/replicates', 'estimators/reference']],
  ['estimators/tracin', ['estimators/faults', 'estimators/tracin']],
  ['estimators/layerScores', ['estimators/faults', 'estimators/layerScores']],
  ['estimators/replicates', ['estimators/faults', 'estimators/replicates']],
  ['run/influence/uncertainty', ['run/uncertaintyFaults', 'run/uncertainty']],
  ['run/validate/validateVerdict', ['run/validateVerdict']],
  ['run/validate/validatePredictors', ['run/validateSurrogate', 'run/validatePredictors']],
  ['run/files/results', ['run/results']],
  ['run/files/finished', ['run/finished']],
  ['run/decide/spread', ['run/spread', 'run/allocate']],
];

export const targets: Target[] = rows.map(([file, tests]) => ({
  file: `server/src/${file}.ts`,
  tests: tests.map((name) => `test/${name}.test.ts`),
}));
