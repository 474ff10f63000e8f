/**
 * What a page remembers when it is hidden (choices, never data), and what it draws from the newest message. Pure: no
 * DOM.
 */
import type { AggregationId } from '../../../protocol/experiment.ts';
import type { Result } from '../../../protocol/result.ts';
import type { Estimate } from '../../../protocol/run.ts';
import type { ScoresSeen, ToWebview, Trust } from '../../../protocol/webview.ts';
import { countForm, sparsityForm } from './allocation.ts';
import type { AllocationForm } from './allocation.ts';
import type { SampleOrder } from './ranking.ts';
import { asTheRun } from './rescore.ts';
import type { Recompute } from './rescore.ts';

/** Of the tab Samples. */
export interface SampleChoices {
  allLayers: boolean;
  side: 'train' | 'validation';
}

/** Of the tab Data. */
export interface DataChoices {
  /** Label of the score; '' = the first. */
  score: string;
  /** Rows above the threshold; null = half of them. */
  keep: number | null;
  lowest: boolean;
  dedup: boolean;
  /** Column; '' = none. */
  balance: string;
}

export interface Choices {
  tab: string;
  /** What was run and how to read the sign, below the title. */
  details: boolean;
  /** Name of the selected task; '' = the first. */
  task: string;
  /** Index of the selected layer; null = the page chooses. */
  layer: number | null;
  /** '' = as the run aggregated. */
  aggregation: AggregationId | '';
  normalised: boolean;
  /** `heat`: cells of layers and tasks; `auto`: that from four tasks on, else bars or lines as they fit. */
  marks: 'auto' | 'bars' | 'lines' | 'heat';
  /** Layers along the axis as in the model, or the selected task's highest score first. */
  along: 'depth' | 'score';
  /** The tables instead of the charts. */
  table: boolean;
  order: SampleOrder;
  /** Each layer of the heat map on its own colour scale. */
  perLayer: boolean;
  /** Which table of scores, as `tableKey` says, or a score whose newest is meant; '' = the first. */
  scoreTable: string;
  /** Of the scores beside each other: which orders the layers, as `tableKey` says; '' = their place in the model. */
  scoreSort: string;
  recompute: Recompute;
  data: DataChoices;
  samples: SampleChoices;
  allocation: AllocationForm;
  sparsity: AllocationForm;
}

export const defaultChoices: Choices = {
  tab: 'layers',
  details: true,
  task: '',
  layer: null,
  aggregation: '',
  normalised: true,
  marks: 'auto',
  along: 'depth',
  table: false,
  order: 'total',
  perLayer: false,
  scoreTable: '',
  scoreSort: '',
  recompute: asTheRun,
  samples: { allLayers: false, side: 'train' },
  data: { score: '', keep: null, lowest: false, dedup: false, balance: '' },
  allocation: countForm,
  sparsity: sparsityForm,
};

/** A stored state may come from another version: unknown keys are dropped, missing ones take the default. */
export function restoreChoices(stored: unknown): Choices {
  return Object.assign({ ...defaultChoices }, isRecord(stored) ? restored(defaultChoices, stored) : {});
}

/** Every key of the standard, with what is stored where that is of the same kind. A null stands for no number. */
function restored(standard: object, stored: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(standard as Record<string, unknown>).map(([key, value]) => {
      const own = stored[key];
      if (isRecord(value)) return [key, isRecord(own) ? restored(value, own) : value];
      const fits = Array.isArray(value)
        ? Array.isArray(own) && own.every((entry) => typeof entry === 'string')
        : value === null
          ? own === null || Number.isFinite(own)
          : typeof own === typeof value;
      return [key, fits ? own : value];
    }),
  );
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What is known of the run that the page shows. */
export interface View {
  phase: 'loading' | 'idle' | 'running' | 'done' | 'failed';
  result: Result | null;
  run: { runId: string; message: string; done: number; total: number; startedAt: number; estimate: Estimate } | null;
  message: string;
  /** Null until the extension has said what there is. */
  trust: Trust | null;
  /** Null until the extension has said what there is; `alone`: there is no result to wait for. */
  scores: (ScoresSeen & { alone: boolean }) | null;
}

export const emptyView: View = { phase: 'loading', result: null, run: null, message: '', trust: null, scores: null };

/** Messages are complete snapshots, except that a run may not have a result yet. */
export function reduceView(view: View, message: ToWebview): View {
  switch (message.type) {
    case 'result':
      return { ...view, phase: 'done', result: message.result, run: null, message: '' };
    case 'running': {
      const { runId, startedAt, estimate, done, total } = message;
      return {
        ...view,
        phase: 'running',
        // The first snapshot of a resumed run has no numbers yet; what the page already shows of the same run stays.
        result: message.result ?? (view.run?.runId === runId ? view.result : null),
        run: { runId, message: message.message, done, total, startedAt, estimate },
        message: '',
      };
    }
    case 'idle':
      return { ...emptyView, phase: 'idle' };
    case 'failed':
      return { ...emptyView, phase: 'failed', message: message.message };
    case 'trust':
      return { ...view, trust: message.trust };
    case 'scores': {
      const { alone, scores, fault } = message;
      const seen = { ...view, scores: { alone, scores, fault } };
      return alone ? { ...seen, phase: 'done', message: '' } : seen;
    }
    case 'samples':
    case 'answer':
    case 'showTab':
    case 'listExports':
    case 'makeExport':
    case 'pruningComparison':
    case 'runComparison':
    case 'inspecting':
    case 'predicting':
    case 'analysing':
      return view;
  }
}

/** The selected task's place, or 0 when it is not there. */
export const taskIndex = (result: Result, choices: Choices) =>
  Math.max(
    0,
    result.tasks.findIndex((task) => task.task === choices.task),
  );
