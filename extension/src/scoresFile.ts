/** Names of files of scores. No `vscode` here. */
import { RESULT_SUFFIX } from '../../protocol/result.ts';
import { SCORES_SUFFIX } from '../../protocol/scores.ts';

export const isScoresFile = (file: string) => file.endsWith(SCORES_SUFFIX);

/** Path of the result that tables may stand beside. */
export const resultBeside = (scores: string) => `${scores.slice(0, -SCORES_SUFFIX.length)}${RESULT_SUFFIX}`;

/** Path or name of the tables beside a result. */
export const scoresBeside = (result: string) =>
  result.endsWith(RESULT_SUFFIX)
    ? `${result.slice(0, -RESULT_SUFFIX.length)}${SCORES_SUFFIX}`
    : result.replace(/(\.json)?$/, SCORES_SUFFIX);
