/**
 * Words of the Trust tab for self-checks and validation; those about the order of layers are in
 * `protocol/readability.ts`. Pure: no DOM.
 */
import type { GradientCheckRow } from '../../../protocol/check.ts';
import type { ProtocolResult } from '../../../protocol/validation.ts';

/** The state of one self-check in a word: passed, failed, or that it is no pass or fail. */
export function checkWord({ passed, value }: GradientCheckRow): string {
  if (passed === null) return value === null ? 'does not apply' : 'for information';
  return passed ? 'passed' : 'failed';
}

/** Sentences that say an estimator is no better than a simple one: they are shown first and marked. */
export const isCaution = (sentence: string) =>
  /does not beat|worse than|down to chance|nothing can be said/i.test(sentence);

export function verdicts(protocols: readonly ProtocolResult[]): { caution: string[]; other: string[] } {
  const all = protocols.flatMap(({ verdict }) => verdict);
  return { caution: all.filter(isCaution), other: all.filter((sentence) => !isCaution(sentence)) };
}
