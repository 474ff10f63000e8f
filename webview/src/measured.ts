/** Scores that a page has measured beside its file: one request at a time, with what to say while it runs. */
import { useState } from 'preact/hooks';
import type { AskedScore } from '../../protocol/experiment.ts';
import { ask } from './ask.ts';

export interface Measuring {
  busy: boolean;
  failure: string | null;
  measure: (scores: AskedScore[]) => void;
}

/** @param source key of what the page shows: answers to an older one are dropped */
export function useMeasuring(source: string): Measuring {
  const [state, setState] = useState<Pick<Measuring, 'busy' | 'failure'>>({ busy: false, failure: null });
  const measure = (scores: AskedScore[]) => {
    setState({ busy: true, failure: null });
    ask(source, 'measureScores', { scores }).then(
      ({ error }) => setState({ busy: false, failure: error?.message ?? null }),
      (error: Error) => setState({ busy: false, failure: error.message }),
    );
  };
  return { ...state, measure };
}
