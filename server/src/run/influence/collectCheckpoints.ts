/**
 * The Grams of the estimator `tracin`: a task is collected at one checkpoint after the other, each in a folder of its
 * own, so that an interrupted run goes on at the one it was at.
 */
import fs from 'node:fs';
import path from 'node:path';
import type { Result } from '../../../../protocol/result.ts';
import { readSafetensors, writeSafetensors } from '../../checkpoints/safetensors.ts';
import { collectTask } from './collectTask.ts';
import type { Collected, Collecting, TaskCollection } from './collectTask.ts';
import { cannotWrite, makeFolder } from '../../files/writing.ts';
import { nth } from '../../lists/nth.ts';

/**
 * Collects a task at every checkpoint, then hands over layers that hold C of all of them.
 *
 * @returns the last checkpoint's
 */
export async function collectCheckpoints(shared: Collecting, task: TaskCollection, result: Result): Promise<Collected> {
  const checkpoints = shared.prepared.checkpoints!;
  const { target, onLayer } = task;
  let last: Collected | null = null;
  const files: Map<number, string>[] = [];
  target.checkpoints = [];
  for (const [part, { path: written, learningRate, model, sha256 }] of checkpoints.entries()) {
    const own = new Map<number, string>();
    last = await collectTask(
      shared,
      {
        ...task,
        onLayer: (layer, file) => void own.set(layer, file),
        model: { ...model, sha256 },
        part,
        parts: checkpoints.length,
      },
      result,
    );
    files.push(own);
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const { train, validation } = target;
    target.checkpoints.push({
      path: written,
      learningRate,
      sha256,
      trainLoss: mean(train.loss),
      validationLoss: mean(validation.loss),
    });
  }
  const rates = Float64Array.from(checkpoints, ({ learningRate }) => learningRate);
  // Made anew every time: it takes a moment, and so it never joins files of another plan.
  const { folder } = shared.finished.part({ joined: task.index });
  fs.rmSync(folder, { recursive: true, force: true });
  makeFolder(folder);
  for (const layer of shared.prepared.scope.layers) {
    const into = path.join(folder, `layer-${layer}.safetensors`);
    join(
      into,
      files.map((own) => own.get(layer)!),
      rates,
    );
    onLayer(layer, into);
  }
  return last!;
}

/** The last file's Grams, with C of all files. @throws LayerifError `cannotWrite` */
function join(into: string, files: readonly string[], rates: Float64Array): void {
  const all = files.map((file) => readSafetensors(file));
  const last = nth(all, all.length - 1);
  const tensors = last.names().flatMap((name) => {
    const data = last.tensor(name) as Float64Array;
    const own = { name, dtype: 'F64' as const, shape: shapeOf(name, data, last), data };
    if (!name.endsWith('.C')) return [own];
    const products = all.map(({ tensor }) => tensor(name) as Float64Array);
    const stacked = new Float64Array(products.length * data.length);
    products.forEach((product, t) => stacked.set(product, t * data.length));
    const prefix = name.slice(0, -'C'.length);
    return [
      own,
      { ...own, name: `${prefix}tracin.C`, shape: [products.length, ...own.shape], data: stacked },
      { ...own, name: `${prefix}tracin.learning_rate`, shape: [rates.length], data: rates },
    ];
  });
  try {
    writeSafetensors(into, tensors);
  } catch (error) {
    throw cannotWrite(into, error);
  }
}

/** K is n x n, diagV m, C n x m. */
function shapeOf(name: string, data: Float64Array, { tensor }: ReturnType<typeof readSafetensors>): number[] {
  if (name.endsWith('.K')) return [Math.sqrt(data.length), Math.sqrt(data.length)];
  if (!name.endsWith('.C')) return [data.length];
  const m = (tensor(`${name.slice(0, -'C'.length)}diagV`) as Float64Array).length;
  return [data.length / m, m];
}
