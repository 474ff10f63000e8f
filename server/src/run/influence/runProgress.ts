/** How far a run is, in users' words and as a share of the whole run. Pure. */
import type { RunEvent } from '../../../../protocol/run.ts';

type ProgressEvent = Extract<RunEvent, { type: 'progress' }>;
export type TaskPhase = Exclude<ProgressEvent['phase'], 'download'>;

/** Where in the run it happens; counts from 0. */
export interface TaskPlace {
  runId: string;
  task: string;
  index: number;
  tasks: number;
  /** A task is scored once for each of its training checkpoints. */
  part: number;
  parts: number;
  /** Words of a look at more rows, such as "look 2 of at most 5". */
  look?: string | undefined;
  layers: number;
  layersPerSegment: number;
  /** A graph of the user's goes sample by sample, not layer by layer. */
  graph: boolean;
}

/** Where each phase begins and ends within a task; intervals take a few hundredths of it. */
const shares: Readonly<Record<TaskPhase, readonly [begin: number, end: number]>> = {
  load: [0, 0],
  forward: [0, 0.25],
  backward: [0.25, 0.96],
  intervals: [0.96, 1],
};

/** `done` of `total` are thousandths of the run. */
export function taskProgress(
  place: TaskPlace,
  { phase, done, total }: { phase: TaskPhase; done: number; total: number },
): ProgressEvent {
  const { runId, task, index, tasks, part, parts, look } = place;
  const within = done / Math.max(1, total);
  const [begin, end] = shares[phase];
  // Intervals belong to the last checkpoint's part.
  const finished = (index * parts + part + begin + (end - begin) * within) / (tasks * parts);
  const where = [
    task,
    ...(tasks > 1 ? [`${index + 1} of ${tasks}`] : []),
    ...(look ? [look] : []),
    ...(parts > 1 ? [`checkpoint ${part + 1} of ${parts}`] : []),
  ];
  return {
    type: 'progress',
    runId,
    task,
    phase,
    done: Math.round(1000 * finished),
    total: 1000,
    message: `${where.join(', ')}: ${words(place, phase, done, total)}`,
  };
}

function words(place: TaskPlace, phase: TaskPhase, done: number, total: number): string {
  switch (phase) {
    case 'load':
      return 'reading weights';
    case 'forward':
      return place.graph
        ? `forward pass, sample ${done} of ${total}`
        : `forward pass, ${Math.floor((100 * done) / Math.max(1, total))} %`;
    case 'backward':
      return place.graph
        ? `sample ${done} of ${total}`
        : `layer ${Math.min(place.layers, done * place.layersPerSegment)} of ${place.layers}`;
    case 'intervals':
      return 'intervals';
  }
}
