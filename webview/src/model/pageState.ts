/** What a page remembers when it is hidden (choices, never data), and what it draws from the newest message. Pure: no DOM. */
import type { AggregationId } from '../../../protocol/experiment.ts';
import type { Result } from '../../../protocol/result.ts';
import type { Estimate } from '../../../protocol/run.ts';
import type { ToWebview } from '../../../protocol/webview.ts';
import type { SampleOrder } from './ranking.ts';

export interface Choices {
  tab: string;
  /** Name of the selected task; '' = the first. */
  task: string;
  /** Index of the selected layer; null = the page chooses. */
  layer: number | null;
  /** '' = as the run aggregated. */
  aggregation: AggregationId | '';
  normalised: boolean;
  marks: 'auto' | 'bars' | 'lines';
  /** The tables instead of the charts. */
  table: boolean;
  order: SampleOrder;
  /** Each layer of the heat map on its own colour scale. */
  perLayer: boolean;
}

export const defaultChoices: Choices = {
  tab: 'layers',
  task: '',
  layer: null,
  aggregation: '',
  normalised: true,
  marks: 'auto',
  table: false,
  order: 'total',
  perLayer: false,
};

/** A stored state may come from another version: unknown keys are dropped, missing ones take the default. */
export function restoreChoices(stored: unknown): Choices {
  const choices: Choices = { ...defaultChoices };
  if (typeof stored !== 'object' || stored === null) return choices;
  for (const key of Object.keys(defaultChoices) as (keyof Choices)[]) {
    const value = (stored as Record<string, unknown>)[key];
    const fits =
      key === 'layer' ? value === null || Number.isInteger(value) : typeof value === typeof defaultChoices[key];
    if (fits) Object.assign(choices, { [key]: value });
  }
  return choices;
}

/** What is known of the run that the page shows. */
export interface View {
  phase: 'loading' | 'idle' | 'running' | 'done' | 'failed';
  result: Result | null;
  run: { runId: string; message: string; done: number; total: number; startedAt: number; estimate: Estimate } | null;
  message: string;
}

export const emptyView: View = { phase: 'loading', result: null, run: null, message: '' };

/** Messages are complete snapshots, except that a run may not have a result yet. */
export function reduceView(view: View, message: ToWebview): View {
  switch (message.type) {
    case 'result':
      return { phase: 'done', result: message.result, run: null, message: '' };
    case 'running': {
      const { runId, startedAt, estimate, done, total } = message;
      return {
        phase: 'running',
        // The first snapshot of a resumed run has no numbers yet; what the page already shows of the same run stays.
        result: message.result ?? (view.run?.runId === runId ? view.result : null),
        run: { runId, message: message.message, done, total, startedAt, estimate },
        message: '',
      };
    }
    case 'idle':
      return { phase: 'idle', result: null, run: null, message: '' };
    case 'failed':
      return { phase: 'failed', result: null, run: null, message: message.message };
    case 'samples':
      return view;
  }
}

/** The selected task's place, or 0 when it is not there. */
export const taskIndex = (result: Result, choices: Choices) =>
  Math.max(
    0,
    result.tasks.findIndex((task) => task.task === choices.task),
  );
