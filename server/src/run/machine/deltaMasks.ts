/**
 * Masks on the changes of fine-tuning, one training for each seed, each kept when it is finished. In memory: the parts
 * of a backward sweep of one step's texts; with a second checkpoint the masked weights of the model beside two copies
 * of the largest matrix.
 */
import fs from 'node:fs';
import path from 'node:path';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { DeltaMaskRequest } from '../../../../protocol/deltaMasks.ts';
import type { EncodedSample } from '../../../../protocol/samples.ts';
import type { Json, ObserveSummary, Tensors } from '../../../../protocol/scores.ts';
import { readSafetensors, writeSafetensors } from '../../checkpoints/safetensors.ts';
import { makeFolder } from '../../files/writing.ts';
import { observationOf } from '../../scores/observations.ts';
import { firstThatFits } from './fitting.ts';
import { planGradientPass } from './gradientPass.ts';
import { observedShape } from './observing.ts';
import type { AskedObservation, ObservedModel, ObserveTools } from './observing.ts';
import { nth } from '../../lists/nth.ts';
import { lookup } from '../../text/lookup.ts';

export interface DeltaMaskPlan {
  request: Omit<DeltaMaskRequest, 'seed'>;
  seeds: number;
  memoryBytes: number;
}

/** @param tuned absolute path of a second checkpoint, or null for the adapter's factors */
export function planDeltaMasks(
  target: ObservedModel,
  texts: EncodedSample[],
  { options }: Pick<AskedObservation, 'options'>,
  tuned: string | null,
  limit: number,
): DeltaMaskPlan {
  const size = (name: string) => Number(options[name]);
  const longest = [...texts].sort((a, b) => b.tokens.length - a.tokens.length).slice(0, size('batch'));
  const modules = observedShape(target.model, 1).modules(0);
  const largest = Math.max(...modules.map(({ rows, columns }) => rows * columns));
  const plan = firstThatFits(
    [limit, 0],
    (room) => planGradientPass(target, longest, [], room),
    ({ memoryBytes }) => memoryBytes <= limit,
  );
  const { weights, headRows } = plan.request.plan;
  return {
    request: {
      modelPath: target.checkpoint.path,
      adapter: target.adapter ?? undefined,
      tuned: tuned ?? undefined,
      texts,
      weights,
      headRows,
      tokensPerRun: 1024,
      steps: size('steps'),
      batch: size('batch'),
      learningRate: size('learning_rate'),
      penalty: size('penalty'),
      start: size('start'),
    },
    seeds: size('seeds'),
    memoryBytes: plan.memoryBytes + 16 * largest,
  };
}

/** @throws LayerifError as `EnginePool.work`; `badRequest` where no module is changed */
export async function runDeltaMasks(
  { request, seeds }: DeltaMaskPlan,
  { model }: Pick<ObservedModel, 'model'>,
  { name, options }: { name: string; options: Record<string, Json> },
  { pool, machine, onProgress, signal }: ObserveTools,
  { workDir }: { workDir: string },
): Promise<ObserveSummary> {
  const shapes = observationOf('delta_masks').tensors(observedShape(model, request.texts.length), options);
  const own: Tensors = Object.fromEntries(
    Object.entries(shapes).map(([tensor, shape]) => {
      return [tensor, { shape, data: new Float64Array(shape.reduce((a, b) => a * b, 1)) }];
    }),
  );
  const ours = (tensor: string): Tensors[string] => {
    const found = lookup(own, tensor);
    if (!found) throw new Error(`delta_masks has no tensor "${tensor}"`);
    return found;
  };
  makeFolder(workDir);
  let [seconds, peakMemoryBytes, resumed] = [0, 0, 0];
  for (let seed = 0; seed < seeds; seed++) {
    const file = path.join(workDir, `seed-${seed}.safetensors`);
    if (fs.existsSync(file)) resumed++;
    else {
      const summary = await pool.work(
        'mask',
        { ...request, seed },
        machine,
        (event) => {
          if (event.type === 'training')
            onProgress?.({ done: seed * event.total + event.done, total: seeds * event.total });
        },
        signal,
      );
      seconds += summary.seconds;
      peakMemoryBytes = Math.max(peakMemoryBytes, summary.peakMemoryBytes);
      const found = summary.modules.map(({ layer, module, s }) => {
        return {
          name: `${layer}.${module}`,
          dtype: 'F64' as const,
          shape: [2],
          data: Float64Array.of(s ?? 0, s === null ? 0 : 1),
        };
      });
      const ends = Float64Array.of(summary.ends.none, summary.ends.all);
      writeSafetensors(file, [
        ...found,
        { name: 'loss', dtype: 'F64', shape: [summary.loss.length], data: summary.loss },
        { name: 'ends', dtype: 'F64', shape: [2], data: ends },
      ]);
    }
    const { names, tensor } = readSafetensors(file);
    ours('loss').data.set(tensor('loss') as Float64Array, seed * request.steps);
    ours('ends').data.set(tensor('ends') as Float64Array);
    for (const module of names().filter((one) => /^\d+\./.test(one))) {
      const numbers = tensor(module) as Float64Array;
      ours(`s/${module}`).data[seed] = nth(numbers, 0);
      ours(`changed/${module}`).data[0] = nth(numbers, 1);
    }
  }
  if (!Object.entries(own).some(([tensor, { data }]) => tensor.startsWith('changed/') && data[0] === 1)) {
    const what = request.tuned ?? request.adapter;
    throw new LayerifError(
      'badModel',
      `score ila: ${what} changes no linear module of the model, so there is nothing to mask; give one that was trained`,
    );
  }
  return { observations: { [name]: own }, sessionRuns: 0, seconds, peakMemoryBytes, resumedLayers: resumed };
}
