/** The result as the choices want it seen: the run's own, or computed again from its Grams. */
import { useMemo } from 'preact/hooks';
import type { Result } from '../../protocol/result.ts';
import { useAnswer } from './ask.ts';
import type { Choices } from './model/pageState.ts';
import { chosenSettings, rescoreParams, withRescored } from './model/rescore.ts';
import type { Settings } from './model/rescore.ts';

export interface RescoredView {
  /** What to draw. */
  result: Result;
  settings: Settings;
  /** The view asked for is not the run's own. */
  changed: boolean;
  pending: boolean;
  /** Why it cannot be computed; the run's own is in sight then. */
  failure: string | null;
}

export function useRescored(own: Result | null, choices: Choices): RescoredView | null {
  const settings = own && chosenSettings(own, choices.recompute, choices.aggregation);
  const params = own && settings && own.status === 'complete' ? rescoreParams(own, settings) : null;
  const asked = useAnswer(own ? resultKey(own) : '', 'rescore', params);
  const tasks = params ? (asked.answer?.tasks ?? null) : null;
  const result = useMemo(
    () => (own && settings && tasks ? withRescored(own, settings, tasks) : own),
    [own, tasks, JSON.stringify(settings)],
  );
  if (!own || !settings || !result) return null;
  return {
    result,
    settings,
    changed: params !== null,
    pending: asked.pending,
    failure: asked.pending ? null : (asked.failure ?? asked.answer?.error?.message ?? null),
  };
}

/** Changes when a result is computed again. */
export const resultKey = ({ experimentFile, provenance, status, model }: Result) =>
  [experimentFile, provenance.date, status, model.sha256].join('\n');
