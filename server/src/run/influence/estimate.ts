/** What a run will take, before it starts; and whether it fits. */
import path from 'node:path';
import type { SumsPlan } from '../../../../protocol/engine.ts';
import type { Score } from '../../../../protocol/experiment.ts';
import type { Estimate, Machine } from '../../../../protocol/run.ts';
import { untilEnd } from '../files/ending.ts';
import { engineFor } from '../machine/enginePool.ts';
import type { EnginePool } from '../machine/enginePool.ts';
import type { FetchOptions } from '../inputs/hubInputs.ts';
import { limitsOf } from '../machine/machine.ts';
import { weightBytes } from '../machine/memory.ts';
import { AUTO_RANK, planTasks, secondsFor } from './plan.ts';
import type { TaskPlan } from './plan.ts';
import { planGraph } from './planGraph.ts';
import { prepare } from '../inputs/prepare.ts';
import type { Prepared, Selection } from '../inputs/prepared.ts';
import { requireWritable } from '../../files/writing.ts';
import { bytesText } from '../../text/bytes.ts';
import { lookup } from '../../text/lookup.ts';
import { nth } from '../../lists/nth.ts';

export interface Planned {
  estimate: Estimate;
  /** In the order of the tasks. */
  plans: TaskPlan[];
}

/** Asks the engine for the machine's speed. @throws LayerifError */
export function estimateExperiment(
  options: {
    file: string;
    machine: Machine;
    outputDir?: string | undefined;
    signal?: AbortSignal | undefined;
    onProgress?: FetchOptions['onProgress'];
  } & Selection,
): Promise<Estimate> {
  return untilEnd(options.signal, async (onEnd) => {
    const pool = engineFor(undefined, onEnd);
    const prepared = await prepare(options.file, options, undefined, options);
    onEnd(() => prepared.checkpoint.close());
    return (await planRun(prepared, options.machine, pool, options.outputDir)).estimate;
  });
}

export async function planRun(
  prepared: Prepared,
  machine: Machine,
  pool: EnginePool,
  outputDir?: string,
): Promise<Planned> {
  const { checkpoint, model, scope, experiment } = prepared;
  const engine = await pool.start(machine);
  const flopsPerSecond = await pool.measure();
  const output = path.resolve(prepared.baseDir, outputDir ?? experiment.output_dir);
  const passes = prepared.checkpoints?.length ?? 1;
  requireWritable(output);
  const limits = limitsOf(machine, output);
  const { memoryBytes: limit, diskBytes: diskFreeBytes } = limits;
  const plans = prepared.graph ? await planGraph(prepared, limits, pool, machine) : planTasks(prepared, limits);
  const largest = plans.reduce((a, b) => (a.memoryBytes >= b.memoryBytes ? a : b));
  const read = weightBytes(checkpoint, model).total;

  const tasks = prepared.tasks.map(({ task, train, validation }, i) => {
    const samples = [...train, ...validation];
    return {
      task: task.task,
      train: train.length,
      validation: validation.length,
      tokens: samples.reduce((sum, s) => sum + s.tokens.length, 0),
      truncated: samples.filter((s) => s.truncated).length,
      seconds: passes * secondsFor(nth(plans, i), flopsPerSecond, read),
    };
  });
  const diskBytes = plans.reduce((sum, p) => sum + passes * p.diskBytes, 0);
  const estimate: Estimate = {
    model: {
      name: checkpoint.name,
      family: model.family,
      layers: model.layers,
      parameters: scope.parameters,
      scoredParameters: scope.scoredParameters,
      coverage: scope.coverage,
    },
    tasks,
    plan: {
      weights: largest.plan.weights,
      segmentLength: largest.plan.segmentLength,
      boundaries: largest.plan.boundaries,
      projection: largest.plan.projection?.rank ?? null,
      ...(largest.plan.sums && { sums: sizesOf(largest.plan.sums.subsample) }),
      tokensPerBatch: largest.tokensPerBatch,
      gradientTile: largest.plan.gradientTile,
      why: largest.why,
    },
    device: engine.device,
    threads: engine.threads,
    flopsPerSecond,
    seconds: tasks.reduce((sum, t) => sum + t.seconds, 0),
    memoryBytes: largest.memoryBytes,
    memoryLimitBytes: limit,
    memoryParts: largest.memoryParts,
    diskBytes,
    diskFreeBytes,
    refusal: null,
    warnings: [...prepared.warnings, ...(engine.deviceNote ? [engine.deviceNote] : [])],
  };
  estimate.refusal = refusal(estimate, experiment.score.projection);
  return { estimate, plans };
}

const sizesOf = ({ train, validation }: SumsPlan['subsample']) => ({
  train: train.length,
  validation: validation.length,
});

/** The plan in one sentence. */
export function planText(plan: Estimate['plan']): string {
  const sums = plan.sums
    ? `, influence of all validation samples together from their sums, Grams of ${plan.sums.train} × ${plan.sums.validation} samples`
    : '';
  const gradients = plan.projection === null ? `exact${sums}` : `projected to rank ${plan.projection}`;
  const segment = plan.segmentLength === 1 ? '1 block' : `${plan.segmentLength} blocks`;
  return `weights ${plan.weights}, ${segment} per segment, ${plan.tokensPerBatch.toLocaleString('en-US')} tokens per batch, activations between segments in ${plan.boundaries}, gradients ${gradients}: ${plan.why}`;
}

const advice: Record<string, string> = {
  captures: 'take fewer or shorter samples (training_split, max_length) or fewer modules (score.modules)',
  boundaries: 'take fewer or shorter samples (training_split, max_length)',
  weights: 'the model itself is too large for this limit',
  products: 'take fewer samples (training_split)',
  work: 'take shorter samples (max_length)',
  programs: 'the limit is below what the programs alone need',
};

/**
 * Why the run does not fit the machine as it is; null where it does, and for a user's graph, whose plan needs a run of
 * it.
 */
export function foreseenFit(prepared: Prepared, machine: Machine): string | null {
  if (prepared.graph) return null;
  const { output_dir, score } = prepared.experiment;
  const limits = limitsOf(machine, path.resolve(prepared.baseDir, output_dir));
  const plans = planTasks(prepared, limits);
  const largest = plans.reduce((a, b) => (a.memoryBytes >= b.memoryBytes ? a : b));
  const passes = prepared.checkpoints?.length ?? 1;
  return refusal(
    {
      ...largest,
      memoryLimitBytes: limits.memoryBytes,
      diskBytes: plans.reduce((sum, { diskBytes }) => sum + passes * diskBytes, 0),
      diskFreeBytes: limits.diskBytes,
    },
    score.projection,
  );
}

type Needed = Pick<Estimate, 'memoryBytes' | 'memoryLimitBytes' | 'memoryParts' | 'diskBytes' | 'diskFreeBytes'> & {
  plan: Pick<Estimate['plan'], 'boundaries'>;
};

function refusal(e: Needed, asked: Score['projection']): string | null {
  if (e.memoryBytes > e.memoryLimitBytes) {
    const [part, bytes] = Object.entries(e.memoryParts).reduce((a, b) => (a[1] >= b[1] ? a : b));
    const sketch =
      asked === 'none' && part === 'captures' ? `project the gradients (score.projection: auto or ${AUTO_RANK}), ` : '';
    return `not enough memory: the run needs about ${bytesText(e.memoryBytes)}, the limit is ${bytesText(e.memoryLimitBytes)}; the largest part is ${part} with ${bytesText(bytes)}: ${sketch}${lookup(advice, part)}, or raise --memory`;
  }
  if (e.diskBytes > e.diskFreeBytes) {
    const spilled = e.plan.boundaries === 'files' ? ', or raise --memory so that activations need no files' : '';
    return `not enough disk: the run writes about ${bytesText(e.diskBytes)}, ${bytesText(e.diskFreeBytes)} are free; take fewer training samples or another output_dir${spilled}`;
  }
  return null;
}
