/**
 * The run under way as one value, and how events change it. Every surface (status bar, trees, pages) draws from this
 * value, so they never disagree. No `vscode` here.
 */
import type { Result } from '../../protocol/result.ts';
import type { Estimate, RunEvent } from '../../protocol/run.ts';
import { forPage } from './resultFile.ts';
import type { ToWebview } from '../../protocol/webview.ts';

export interface RunState {
  runId: string;
  /** Absolute paths. */
  experimentFile: string;
  resultFile: string;
  /** Milliseconds since the epoch. */
  startedAt: number;
  estimate: Estimate;
  message: string;
  done: number;
  total: number;
  result: Result | null;
  /** `null` while it runs. */
  end: null | { kind: 'finished' } | { kind: 'cancelled' } | { kind: 'failed'; message: string };
}

/** Events of another run than the current one are ignored, except `started`, which replaces it. */
export function reduceRun(state: RunState | null, event: RunEvent, now: number): RunState | null {
  if (event.type === 'started')
    return {
      runId: event.runId,
      experimentFile: event.experimentFile,
      resultFile: event.resultFile,
      startedAt: now,
      estimate: event.estimate,
      message: event.resumed ? 'Resuming…' : 'Starting…',
      done: 0,
      total: 0,
      result: null,
      end: null,
    };
  if (!state || state.runId !== event.runId) return state;
  switch (event.type) {
    case 'progress':
      return { ...state, message: event.message, done: event.done, total: event.total };
    case 'layers':
      return { ...state, result: event.result };
    case 'log':
      return state;
    case 'finished':
      return { ...state, resultFile: event.resultFile, result: event.result, end: { kind: 'finished' } };
    case 'failed':
      return {
        ...state,
        end: event.code === 'cancelled' ? { kind: 'cancelled' } : { kind: 'failed', message: event.message },
      };
  }
}

export type RunningState = RunState & { end: null };

export const isRunning = (state: RunState | null): state is RunningState => state !== null && state.end === null;

/** 0..100, or null before the total is known. */
export function percentage(state: RunState): number | null {
  if (state.total <= 0) return null;
  return Math.max(0, Math.min(100, Math.floor((100 * state.done) / state.total)));
}

/** The snapshot that a page draws while a run is under way. */
export function runningMessage(state: RunState): ToWebview & { type: 'running' } {
  const { runId, startedAt, estimate, message, done, total, result } = state;
  return { type: 'running', runId, startedAt, estimate, message, done, total, result: result && forPage(result) };
}
