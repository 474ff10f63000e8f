/** Webview <-> extension. Both sides switch over `type` and end in `assertNever`. Every message to a webview is a complete snapshot. */
import type { Result } from './result.ts';
import type { SampleTextAnswer } from './lsp.ts';
import type { Estimate } from './run.ts';

export type ToWebview =
  | { type: 'result'; result: Result; file: string }
  /** A run under way: `result` is what is known so far (null before the first layer); `startedAt` in milliseconds since the epoch. */
  | {
      type: 'running';
      runId: string;
      startedAt: number;
      estimate: Estimate;
      message: string;
      done: number;
      total: number;
      result: Result | null;
    }
  | { type: 'idle' }
  | { type: 'failed'; message: string }
  | { type: 'samples'; requestId: number; answer: SampleTextAnswer };

export type FromWebview =
  /** Sent once the page listens; the host answers with the current snapshot. */
  | { type: 'ready' }
  | { type: 'cancel' }
  | { type: 'samples'; requestId: number; task: string; split: 'train' | 'validation'; samples: number[] }
  | { type: 'openSample'; file: string; line: number | null }
  | { type: 'revealTask'; task: string }
  | { type: 'revealDataset'; dataset: string }
  | { type: 'openResult' };
