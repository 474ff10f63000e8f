/**
 * The last words of `score`: which layers are highest, and how far their order can be relied on. Pure. The Trust tab
 * says the same.
 */
import { sweepSentences } from '../../../protocol/dampingSentences.ts';
import {
  agreementSentences,
  badgeOf,
  badgeSentence,
  highestLayersSentence,
  uncertaintySentences,
} from '../../../protocol/readability.ts';
import { untilSentence } from '../../../protocol/until.ts';
import { verdictOf } from '../../../protocol/verdict.ts';
import type { Result, ResultTask } from '../../../protocol/result.ts';
import type { Agreements } from '../run/influence/agreement.ts';

/** @param agreements undefined where the Grams are not asked */
export function trustLines(result: Result, task: ResultTask, agreements?: Agreements): string[] {
  const badge = badgeSentence(task);
  const highest = highestLayersSentence(task.layers);
  const { estimator } = result.score;
  const until = untilSentence(task);
  return [
    ...(highest ? [highest] : []),
    ...(badge === null || badgeOf(task) === 'unreadable' ? [] : [verdictOf(task).words]),
    badge === null
      ? 'How far the order of layers can be relied on is not known: there are no intervals (they need four training samples).'
      : `${badgeOf(task) === 'unreadable' ? 'Warning: ' : ''}${badge}`,
    ...uncertaintySentences(task),
    ...(until === null ? [] : [until]),
    ...(agreements ? agreementSentences(estimator, agreements.others, agreements.left) : []),
    ...(agreements?.sweep ? sweepSentences(agreements.sweep) : []),
  ].map((line) => `  ${line}`);
}
