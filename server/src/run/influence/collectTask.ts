/** One task's Grams at one checkpoint: asked of the engine, or taken from disk where an interrupted run had finished them. */
import fs from 'node:fs';
import path from 'node:path';
import type { ProjectionPlan } from '../../../../protocol/engine.ts';
import type { Result, ResultTask } from '../../../../protocol/result.ts';
import type { Machine, RunEvent } from '../../../../protocol/run.ts';
import { ekfacRequest } from './ekfac.ts';
import type { EnginePool } from '../machine/enginePool.ts';
import { peakMemory } from '../machine/memory.ts';
import { encodedSample, graphOptions } from '../inputs/openModel.ts';
import type { TaskPlan } from './plan.ts';
import type { CheckedSamples } from './projectionError.ts';
import { writeJson } from '../files/results.ts';
import type { Prepared, PreparedTask } from '../inputs/prepared.ts';
import { setLosses } from './taskResult.ts';

const CHECKPOINT_SECONDS = 10;
/** In a task's folder once all its layers are there. */
const DONE_FILE = 'done.json';

/** What all tasks of a run share. */
export interface Collecting {
  prepared: Prepared;
  plans: TaskPlan[];
  runId: string;
  pool: EnginePool;
  options: { machine: Machine; signal?: AbortSignal | undefined; checkpointSeconds?: number | undefined };
  emit: (event: RunEvent) => void;
}

export interface TaskCollection {
  task: PreparedTask;
  index: number;
  workDir: string;
  target: ResultTask;
  onLayer: (layer: number, file: string) => void;
  /** In place of the experiment's model. */
  model?: { path: string; adapter?: string | undefined };
  /** Which of the task's checkpoints this is. */
  part?: number;
  parts?: number;
}

/** Collects one task, or takes it from disk when an interrupted run had finished it. */
export async function collectTask(
  { prepared, plans, runId, pool, options, emit }: Collecting,
  { task, index, workDir, target, onLayer, model, part = 0, parts = 1 }: TaskCollection,
  result: Result,
): Promise<void> {
  const doneFile = path.join(workDir, DONE_FILE);
  const { layers, modules } = prepared.scope;
  const { projection, check, batches } = plans[index].plan;
  const done = readDone(workDir);
  // Another memory limit may have changed between exact and projected gradients.
  if (done && JSON.stringify(done.projection) === JSON.stringify(projection)) {
    setLosses(target, done.train, done.validation);
    for (const layer of layers) onLayer(layer, path.join(workDir, `layer-${layer}.safetensors`));
    return;
  }
  const encoded = (samples: PreparedTask['train']) => samples.map(encodedSample);
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
      plan: { ...plans[index].plan, checkpointSeconds: options.checkpointSeconds ?? CHECKPOINT_SECONDS },
      ekfac: ekfacRequest(prepared.estimator, prepared.experiment),
      workDir,
    },
    options.machine,
    (event) => {
      if (event.type === 'progress') {
        emit({
          type: 'progress',
          runId,
          task: task.task.task,
          phase: event.phase,
          ...overall(event, index * parts + part, prepared.tasks.length * parts),
          message: `${task.task.task}${parts > 1 ? `, checkpoint ${part + 1} of ${parts}` : ''}: ${prepared.graph ? 'sample' : phrases[event.phase]} ${event.done} of ${event.total}`,
        });
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
  const samplesOf = (split: 'train' | 'validation') => check![split].flatMap((batch) => batches[split][batch]);
  const checked = check && { train: samplesOf('train'), validation: samplesOf('validation') };
  const losses = { train: target.train.loss, validation: target.validation.loss };
  writeJson(doneFile, { ...losses, projection, checked } satisfies Done);
  const { seconds, peakMemoryBytes } = result.provenance;
  for (const [phase, value] of Object.entries(summary.seconds)) seconds[phase] = (seconds[phase] ?? 0) + value;
  const { pid } = await pool.start(options.machine);
  const [own, engine] = [peakMemory('self'), peakMemory(pid)];
  const peak = own !== null && engine !== null ? own + engine : summary.peakMemoryBytes;
  result.provenance.peakMemoryBytes = Math.max(peakMemoryBytes, peak);
}

/** Losses of a finished task, and how its gradients were computed. */
interface Done {
  train: number[];
  validation: number[];
  projection: ProjectionPlan | null;
  /** Samples whose Grams were computed both ways. */
  checked: CheckedSamples | null;
}

export function readDone(workDir: string): Done | null {
  const file = path.join(workDir, DONE_FILE);
  return fs.existsSync(file) ? (JSON.parse(fs.readFileSync(file, 'utf8')) as Done) : null;
}

const phrases = { load: 'reading weights', forward: 'forward sweep', backward: 'segment' } as const;

/** Share of the whole run in thousandths: the forward sweep is about a quarter of a task's work. */
function overall(
  event: { phase: string; done: number; total: number },
  task: number,
  tasks: number,
): { done: number; total: number } {
  const part = event.done / event.total;
  const withinTask = event.phase === 'backward' ? 0.25 + 0.75 * part : 0.25 * part;
  return { done: Math.round((1000 * (task + withinTask)) / tasks), total: 1000 };
}
