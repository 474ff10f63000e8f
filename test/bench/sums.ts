/**
 * Sums of gradients beside Grams and beside forward and backward alone, on blocks of SmolLM2-135M's shape with random
 * weights and a small vocabulary: the engine's own sweep in this process, ways in turn, the least of the rounds. CPU
 * seconds, and peak memory, which one way a process tells best. No planner, no intervals.
 *
 *     node test/bench/sums.ts LAYERS TRAIN VALIDATION TOKENS [ROUNDS] [WAY,...]
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { CollectPlan, CollectRequest } from '../../protocol/engine.ts';
import { collect } from '../../server/src/engine/grams/collect.ts';
import { Runtime } from '../../server/src/engine/runtime/runtime.ts';
import { Model } from '../../server/src/engine/sweep/model.ts';
import { Random } from '../../server/src/random/random.ts';
import { peakMemory, resetPeakMemory } from '../../server/src/run/machine/memory.ts';
import { writeTinyLlama } from '../tinyLlama.ts';

const [layers = 1, n = 300, m = 50, length = 128, rounds = 1] = process.argv.slice(2, 7).map(Number);
const small = process.env.SMALL === '1'; // an eighth of the widths, for memory at many samples
const shape = small
  ? { hidden: 64, heads: 2, keyValueHeads: 1, intermediate: 192 }
  : { hidden: 576, heads: 9, keyValueHeads: 3, intermediate: 1536 };
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-bench-'));
writeTinyLlama(folder, { layers, ...shape, tied: true });
const model = Model.open(new Runtime('cpu', 2), folder);
const random = new Random(1, 'samples');
const samples = (count: number) =>
  Array.from({ length: count }, () => ({
    tokens: Int32Array.from({ length }, () => Math.floor(random.uniform() * model.architecture.vocabulary)),
    countedFrom: 1,
  }));
const [train, validation] = [samples(n), samples(m)];
const size = Math.max(1, Math.floor(1024 / length));
const grouped = (from: number, to: number) =>
  Array.from({ length: Math.ceil((to - from) / size) }, (_, b) =>
    Array.from({ length: Math.min(size, to - from - b * size) }, (__, i) => from + b * size + i),
  );
const p = Math.min(200, n);
const [q] = [Math.min(200, m)];
const first = grouped(0, p);
const batches = { train: [...first, ...grouped(p, n)], validation: [...grouped(0, q), ...grouped(q, m)] };
const all = (count: number) => Array.from({ length: count }, (_, i) => i);
const sums = (held: number, subsample = { train: all(p), validation: all(q) }): Partial<CollectPlan> => ({
  sums: { estimator: 'datainf', damping: { rule: 'mean_square', factor: 0.1 }, subsample, held },
});
const few = { train: all(size), validation: all(Math.min(size, m)) };
/** `bare`: Grams of one batch alone, so that the sums themselves are seen. */
const ways: Record<string, Partial<Omit<CollectRequest, 'plan'>> & { plan?: Partial<CollectPlan> }> = {
  sweeps: { grams: false },
  grams: {},
  held: { plan: sums(batches.train.length) },
  twice: { plan: sums(first.length) },
  bare: { plan: sums(batches.train.length, few) },
  bareTwice: { plan: sums(1, few) },
};
const chosen = process.argv[7]?.split(',') ?? Object.keys(ways);
const best: Record<string, { cpu: number; wall: number; peakMiB: number }> = {};
for (let round = 0; round < rounds; round++) {
  for (const way of chosen) {
    const workDir = path.join(folder, way);
    fs.rmSync(workDir, { recursive: true, force: true });
    resetPeakMemory('self');
    const [cpu, wall] = [process.cpuUsage(), performance.now()];
    await collect(
      model,
      {
        modelPath: folder,
        layers: all(layers),
        modules: model.architecture.modules(0).map(({ name }) => name),
        train,
        validation,
        ...ways[way],
        plan: {
          segmentLength: 1,
          weights: 'resident',
          boundaries: process.env.FILES === '1' ? 'files' : 'memory',
          batches,
          gradientTile: 1 << 24,
          projection: null,
          check: null,
          headRows: 256,
          checkpointSeconds: 1e6,
          ...ways[way].plan,
        },
        workDir,
      },
      () => undefined,
    );
    const used = process.cpuUsage(cpu);
    const found = {
      cpu: (used.user + used.system) / 1e6,
      wall: (performance.now() - wall) / 1000,
      peakMiB: (peakMemory('self') ?? 0) / 2 ** 20,
    };
    console.error(round, way, found, `load ${os.loadavg()[0].toFixed(1)}`);
    if (!best[way] || found.cpu < best[way].cpu) best[way] = found;
  }
}
const reference = best.sweeps?.cpu ?? NaN;
for (const [way, { cpu, wall, peakMiB }] of Object.entries(best))
  console.log(
    `${way.padEnd(10)} ${cpu.toFixed(1)} CPU s, ${wall.toFixed(1)} s, peak ${peakMiB.toFixed(0)} MiB; of Grams ${(cpu / (best.grams?.cpu ?? NaN)).toFixed(2)}, of the sweeps ${(cpu / reference).toFixed(2)}`,
  );
await model.release();
fs.rmSync(folder, { recursive: true, force: true });
