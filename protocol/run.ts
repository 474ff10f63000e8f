/** What a run tells the faces that show it (command line, language server, and through it the editor). */
import type { DeviceId } from './devices.ts';
import type { Result } from './result.ts';
import type { ErrorCode, Place } from './errors.ts';

/** Machine choices; they never stand in the experiment file. */
export interface Machine {
  device: DeviceId;
  /** Default: all physical cores. */
  threads?: number | undefined;
  /** Default: 75 % of what is available. */
  memoryBytes?: number | undefined;
  /** Path of the `node` that runs the engine; default: `layerif.server.runtime` rules. */
  runtime?: string | undefined;
  /** Minutes until an idle engine drops its model and ends. */
  idleMinutes?: number | undefined;
}

export interface Estimate {
  model: {
    name: string;
    family: string;
    layers: number;
    parameters: number;
    scoredParameters: number;
    coverage: number;
  };
  tasks: { task: string; train: number; validation: number; tokens: number; truncated: number; seconds: number }[];
  plan: {
    weights: 'resident' | 'streamed';
    segmentLength: number;
    /** Where activations between segments live. */
    boundaries: 'memory' | 'files';
    /** Rank of the projection; null for exact gradients. */
    projection: number | null;
    /** Influence from sums of gradients; absent: from Grams of all samples. So many have Grams all the same. */
    sums?: { train: number; validation: number };
    tokensPerBatch: number;
    gradientTile: number;
    why: string;
  };
  device: string;
  threads: number;
  flopsPerSecond: number;
  seconds: number;
  memoryBytes: number;
  memoryLimitBytes: number;
  memoryParts: Record<string, number>;
  diskBytes: number;
  diskFreeBytes: number;
  /** Null when the run fits; else one sentence with the numbers and what to change. */
  refusal: string | null;
  warnings: string[];
}

/** Events of a run, in order. `result` objects are complete snapshots, never deltas. */
export type RunEvent =
  | { type: 'started'; runId: string; experimentFile: string; resultFile: string; resumed: boolean; estimate: Estimate }
  | {
      type: 'progress';
      runId: string;
      task: string;
      /** `download` comes before `started`, with `runId` and `task` empty; `done` and `total` are bytes then. */
      phase: 'download' | 'load' | 'forward' | 'backward' | 'intervals';
      done: number;
      total: number;
      /** Whole words for people; a face adds only how long it will still take. */
      message: string;
    }
  | { type: 'layers'; runId: string; result: Result }
  | { type: 'log'; runId: string; text: string }
  | { type: 'finished'; runId: string; resultFile: string; result: Result }
  | { type: 'failed'; runId: string; code: ErrorCode; message: string; place?: Place | undefined };
