/** Files that are mutated, with the tests that have to notice: first the quick ones, for the first that fails ends a mutant's run. */

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
  ['statistics/noiseDetection', ['statistics/noiseDetection']],
  ['statistics/topK', statistics],
  ['statistics/student', ['statistics/student']],
  ['statistics/subsampling', ['statistics/subsampling']],
  ['validation/jackknife', ['training/jackknife']],
  ['validation/agreement', ['training/agreement', 'training/agreementRows']],
  ['validation/agreementMeasures', ['training/jackknife', 'training/agreement']],
  ['estimators/aggregation', ['estimators/layerScores', 'estimators/replicates']],
  ['estimators/cosine', ['estimators/family', 'estimators/reference']],
  ['estimators/damping', ['estimators/replicates', 'estimators/datainf', 'estimators/fisher', 'estimators/family']],
  ['estimators/dampedSystem', ['estimators/fisher', 'estimators/replicates', 'estimators/family']],
  ['estimators/datainf', ['estimators/datainf', 'estimators/replicates']],
  ['estimators/fisher', ['estimators/fisher', 'estimators/replicates']],
  ['estimators/relatif', ['estimators/family', 'estimators/replicates', 'estimators/reference']],
  ['estimators/tracin', ['estimators/tracin']],
  ['estimators/layerScores', ['estimators/layerScores']],
  ['estimators/replicates', ['estimators/replicates']],
  ['run/influence/uncertainty', ['run/uncertaintyFaults', 'run/uncertainty']],
  ['run/validate/validateVerdict', ['run/validateVerdict']],
  ['run/validate/validatePredictors', ['run/validateSurrogate', 'run/validatePredictors']],
  ['run/files/results', ['run/results']],
];

export const targets: Target[] = rows.map(([file, tests]) => ({
  file: `server/src/${file}.ts`,
  tests: tests.map((name) => `test/${name}.test.ts`),
}));
