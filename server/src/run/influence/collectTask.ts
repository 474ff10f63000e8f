/**
 * One task's Grams at one checkpoint: asked of the engine, or taken from disk where an interrupted run had finished
 * them.
 */
import path from 'node:path';
import type { CollectPlan, KnownGrams } from '../../../../protocol/engine.ts';
import type { Result, ResultTask } from '../../../../protocol/result.ts';
import type { Machine, RunEvent } from '../../../../protocol/run.ts';
import { ekfacRequest } from './ekfac.ts';
import type { Alongside } from '../scores/alongside.ts';
import type { EnginePool } from '../machine/enginePool.ts';
import { peakMemory } from '../machine/memory.ts';
import { encodedSample, graphOptions } from '../inputs/openModel.ts';
import type { TaskPlan } from './plan.ts';
import type { CheckedSamples } from './projectionError.ts';
import { replacedText, type FinishedParts } from '../files/finished.ts';
import type { Prepared, PreparedTask } from '../inputs/prepared.ts';
import { taskProgress } from './runProgress.ts';
import type { TaskPlace } from './runProgress.ts';
import { setLosses } from './taskResult.ts';
import { nth } from '../../lists/nth.ts';

const CHECKPOINT_SECONDS = 10;

/** What all tasks of a run share. */
export interface Collecting {
  prepared: Prepared;
  plans: TaskPlan[];
  runId: string;
  /** What is finished of this run. */
  finished: FinishedParts;
  pool: EnginePool;
  options: { machine: Machine; signal?: AbortSignal | undefined; checkpointSeconds?: number | undefined };
  emit: (event: RunEvent) => void;
  /** What is observed of the gradients of one task on the way. */
  observing?: Alongside | null;
  /** Words of a look at more rows. */
  look?: string | undefined;
}

export interface TaskCollection {
  task: PreparedTask;
  index: number;
  target: ResultTask;
  onLayer: (layer: number, file: string) => void;
  /** In place of the experiment's model. */
  model?: { path: string; adapter?: string | undefined; sha256: string };
  /** Which of the task's checkpoints this is. */
  part?: number;
  parts?: number;
  /** Of the task's first samples. */
  known?: KnownGrams | undefined;
}

/** Collects one task, or takes it from disk when an interrupted run had finished it. */
export async function collectTask(
  { prepared, plans, runId, finished, pool, options, emit, observing, look }: Collecting,
  { task, index, target, onLayer, model, part = 0, parts = 1, known }: TaskCollection,
  result: Result,
): Promise<Collected> {
  const { layers, modules } = prepared.scope;
  const { check, batches } = nth(plans, index).plan;
  // Another memory limit may have changed between exact and projected gradients, or the batches.
  const plan = { ...numbersOf(nth(plans, index).plan, prepared.graph !== null), model };
  const kept = finished.part({ grams: index, checkpoint: part }, known ? { ...plan, known } : plan);
  const workDir = kept.folder;
  if (kept.replaced) emit({ type: 'log', runId, text: replacedText(`task ${task.task.task}`) });
  const done = kept.read<Done>();
  if (done) {
    setLosses(target, done.train, done.validation);
    for (const layer of layers) onLayer(layer, path.join(workDir, `layer-${layer}.safetensors`));
    return { workDir, checked: done.checked };
  }
  const encoded = (samples: PreparedTask['train']) => samples.map(encodedSample);
  const place = placeOf({ prepared, plans, runId, look }, { task, index, part, parts });
  const summary = await pool.work(
    'collect',
    {
      modelPath: model?.path ?? prepared.checkpoint.path,
      adapter: model ? model.adapter : prepared.checkpoint.adapter?.path,
      graph: graphOptions(prepared.experiment.model),
      layers,
      modules,
      blocks: prepared.blocks,
      train: encoded(task.train),
      validation: encoded(task.validation),
      plan: { ...nth(plans, index).plan, checkpointSeconds: options.checkpointSeconds ?? CHECKPOINT_SECONDS },
      ekfac: ekfacRequest(prepared.estimator, prepared.experiment),
      known,
      ...(observing?.task === index ? { observations: observing.observations } : {}),
      workDir,
    },
    options.machine,
    (event) => {
      if (event.type === 'progress') {
        emit(taskProgress(place, event));
      } else if (event.type === 'losses') {
        setLosses(target, [...event.train], [...event.validation]);
      } else if (event.type === 'segment') {
        for (const layer of event.segment.layers) onLayer(layer, event.segment.file);
      } else if (event.type === 'log') {
        emit({ type: 'log', runId, text: event.text });
      }
    },
    options.signal,
  );
  if (observing?.task === index) observing.keep(summary.observations);
  const samplesOf = (split: 'train' | 'validation') => check![split].flatMap((batch) => nth(batches[split], batch));
  const checked = check && { train: samplesOf('train'), validation: samplesOf('validation') };
  const losses = { train: target.train.loss, validation: target.validation.loss };
  kept.write({ ...losses, checked } satisfies Done);
  const { seconds, peakMemoryBytes } = result.provenance;
  for (const [phase, value] of Object.entries(summary.seconds)) seconds[phase] = (seconds[phase] ?? 0) + value;
  const { pid } = await pool.start(options.machine);
  const [own, engine] = [peakMemory('self'), peakMemory(pid)];
  const peak = own !== null && engine !== null ? own + engine : summary.peakMemoryBytes;
  result.provenance.peakMemoryBytes = Math.max(peakMemoryBytes, peak);
  return { workDir, checked };
}

/** For the words of its progress. */
export function placeOf(
  { prepared, plans, runId, look }: Pick<Collecting, 'prepared' | 'plans' | 'runId' | 'look'>,
  { task, index, part = 0, parts = 1 }: Pick<TaskCollection, 'task' | 'index' | 'part' | 'parts'>,
): TaskPlace {
  return {
    runId,
    task: task.task.task,
    index,
    tasks: prepared.tasks.length,
    part,
    parts,
    look,
    layers: prepared.scope.layers.length,
    layersPerSegment: nth(plans, index).plan.segmentLength,
    graph: prepared.graph !== null,
  };
}

export interface Collected {
  /** The engine's folder. */
  workDir: string;
  checked: CheckedSamples | null;
}

/**
 * The part of a plan that decides numbers, to the last bit: not where weights and activations lie. A user's graph has
 * no segments; there the length says how many layers one pass captures.
 */
export function numbersOf(plan: Omit<CollectPlan, 'checkpointSeconds'>, isGraph: boolean): object {
  const { batches, projection, check, sums, gradientTile, headRows, segmentLength } = plan;
  return {
    batches,
    projection,
    check,
    ...(sums ? { sums } : {}),
    gradientTile,
    headRows,
    ...(isGraph ? {} : { segmentLength }),
  };
}

/** What is kept of a finished task beside its Grams. */
interface Done {
  train: number[];
  validation: number[];
  /** Samples whose Grams were computed both ways. */
  checked: CheckedSamples | null;
}
