/** Simulated runs: influence of a pair = the layer's own size + noise of standard deviation 1. Seeded. */
import type { ResultTask } from '../../protocol/result.ts';
import { findEstimator } from '../../server/src/estimators/estimators.ts';
import { Random } from '../../server/src/random/random.ts';
import { uncertaintyOf } from '../../server/src/run/influence/uncertainty.ts';

const options = {
  estimator: findEstimator('dot'),
  damping: { rule: 'mean_square', factor: 0.1 },
  aggregation: 'positive',
  replicates: 60,
} as const;

/** @param size of a layer: what its influence is on average */
export async function simulatedTask(
  seed: number,
  layers: number,
  size: (layer: number) => number,
): Promise<ResultTask> {
  const [n, m] = [24, 8];
  const random = new Random(seed, 'badge');
  const all = Array.from({ length: layers }, (_, layer) => {
    const C = Float64Array.from({ length: n * m }, () => size(layer) + random.normal());
    const K = Float64Array.from({ length: n * n }, (_, at) => (at % (n + 1) === 0 ? 1 : 0));
    return [{ module: 'q', grams: { n, m, parameters: 4, K, C, diagV: new Float64Array(m).fill(1) } }];
  });
  // The layer's score: the sum of the positive sums over validation samples.
  const score = (layer: number) => {
    const { C } = all[layer][0].grams;
    let sum = 0;
    for (let i = 0; i < n; i++)
      sum += Math.max(
        0,
        C.subarray(i * m, (i + 1) * m).reduce((a, b) => a + b, 0),
      );
    return sum;
  };
  const task = {
    task: 't',
    layers: all.map((_, index) => ({ index, name: `l${index}`, score: score(index), modules: { q: { score: 0 } } })),
    train: { samples: n },
    validation: { samples: m },
  } as unknown as ResultTask;
  const found = (await uncertaintyOf(task, (layer) => all[layer], { ...options, seed }))!;
  return {
    ...task,
    layers: task.layers.map((layer, at) => ({ ...layer, ...found.layers[at] })),
    uncertainty: found.uncertainty,
  };
}
