/**
 * What scores cost beside the forward sweep that they are read from, and what leaving layers out costs beside as many
 * forward passes.
 *
 *   node test/bench/forwardScores.ts --model FOLDER_OR_GGUF [--texts 128] [--length 128] [--drop 8] [--threads 2]
 *     [--python PATH] [--keep]
 *
 * In one process, one after the other, on random token ids: the bare sweep (embedding and layers, nothing looked at, no
 * head); the same with the observations of every forward-only score but `logit_lens`, and what the scores make of them;
 * a sweep with the head on `--drop` texts; the losses without each layer on the same. CPU seconds stand beside wall
 * seconds, for a busy machine disturbs them less. `--python` names a Python with torch, transformers and gguf: the same
 * reductions of the same tokens by hooks in PyTorch (`forward_hooks.py`), behind the sweep. `--keep` keeps the figures
 * for docs/benchmarks.md.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { ObserveRequest } from '../../protocol/scores.ts';
import { observe } from '../../server/src/engine/observe/observe.ts';
import { throughLayers } from '../../server/src/engine/observe/layerSweep.ts';
import { Runtime } from '../../server/src/engine/runtime/runtime.ts';
import { ActivationStore } from '../../server/src/engine/sweep/activations.ts';
import { makeBatches } from '../../server/src/engine/sweep/batch.ts';
import { Model } from '../../server/src/engine/sweep/model.ts';
import { Random } from '../../server/src/random/random.ts';
import { optionValues } from '../../server/src/scores/options.ts';
import { observationOf } from '../../server/src/scores/observations.ts';
import { scores } from '../../server/src/scores/scores.ts';
import { keep } from './kept.ts';

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    texts: { type: 'string', default: '128' },
    length: { type: 'string', default: '128' },
    drop: { type: 'string', default: '8' },
    threads: { type: 'string', default: '2' },
    python: { type: 'string' },
    keep: { type: 'boolean', default: false },
  },
});
if (!values.model) throw new Error('--model is missing: a folder with a model or a .gguf file');
const [count, length, drop] = [values.texts, values.length, values.drop].map(Number);

const model = Model.open(new Runtime('cpu', Number(values.threads)), values.model);
const { layers, hidden, vocabulary } = model.architecture;
const random = new Random(0, 'tokens');
const texts = Array.from({ length: count }, () => ({
  tokens: Int32Array.from({ length }, () => random.integer(vocabulary)),
  countedFrom: 1,
}));
const batchesOf = (size: number): number[][] => {
  const each = Math.max(1, Math.floor(1024 / length));
  return Array.from({ length: Math.ceil(size / each) }, (_, b) =>
    Array.from({ length: Math.min(each, size - b * each) }, (_, i) => b * each + i),
  );
};
const shape = { layers, hidden, texts: count, modules: (layer: number) => model.architecture.modules(layer) };
const request = (observations: ObserveRequest['observations'], size: number): ObserveRequest => ({
  modelPath: values.model!,
  texts: texts.slice(0, size),
  groups: [batchesOf(size)],
  ablated: [batchesOf(size)],
  weights: 'resident',
  keepChanges: false,
  boundaries: 'memory',
  headRows: 170,
  observations,
  workDir: null,
  key: '',
  checkpointSeconds: 0,
});

async function timed<T>(work: () => T | Promise<T>): Promise<{ wall: number; cpu: number; value: T }> {
  const [start, used] = [performance.now(), process.cpuUsage()];
  const value = await work();
  const { user, system } = process.cpuUsage(used);
  return { wall: (performance.now() - start) / 1000, cpu: (user + system) / 1e6, value };
}

async function bare(size: number): Promise<void> {
  const batches = makeBatches(model.architecture, 'train', texts, batchesOf(size));
  const store = new ActivationStore(null);
  const last = await throughLayers(model, batches, { store, toTheEnd: true });
  if (last) store.release(last);
}

interface Hooks {
  bare: Spent;
  observed: Spent;
  tables: Spent;
  /** Highest resident bytes of the process. */
  memory: number;
  versions: Record<string, string>;
}

interface Spent {
  wall: number;
  cpu: number;
}

/** The same by hooks in PyTorch. */
function byHooks(python: string): Hooks {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-bench-hooks-'));
  try {
    const file = path.join(folder, 'tokens.json');
    fs.writeFileSync(file, JSON.stringify(texts.map(({ tokens }) => Array.from(tokens))));
    const script = path.join(import.meta.dirname, 'forward_hooks.py');
    const given = [script, values.model!, file, String(batchesOf(count)[0].length), values.threads];
    const out = execFileSync(python, given, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return JSON.parse(out.trim().split('\n').at(-1)!) as Hooks;
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

const forward = scores
  .filter((score) => !('among' in score || 'fitted' in score) && score.id !== 'logit_lens')
  .map((score) => ({ score, needs: Object.entries(score.needs(optionValues(score, {}) as never, shape)) }))
  .filter(
    ({ needs }) =>
      needs.length > 0 && needs.every(([, { of }]) => ['hidden', 'inputs'].includes(observationOf(of).reads)),
  );
const asked = new Map(
  forward.flatMap(({ needs }) =>
    needs.map(([, { of, options }]) => [JSON.stringify([of, options]), { of, options }] as const),
  ),
);
const observations = [...asked].map(([name, need]) => ({ name, ...need }));

await bare(Math.min(8, count)); // weights are read, sessions are made
await observe(model, request(observations, Math.min(8, count)), () => undefined);
const sweep = await timed(() => bare(count));
const observed = await timed(() => observe(model, request(observations, count), () => undefined));
const memory = process.resourceUsage().maxRSS * 1024;
const hooks = values.python === undefined ? null : byHooks(values.python);
const tables = await timed(() => {
  for (const { score, needs } of forward) {
    const given = Object.fromEntries(
      needs.map(([name, { of, options }]) => [name, observed.value.observations[JSON.stringify([of, options])]]),
    );
    score.score(given, optionValues(score, {}), { model: shape, random: new Random(0, 'score') });
  }
});
const head = [{ name: 'head', of: 'log_probabilities', options: {} }];
await observe(model, request(head, drop), () => undefined);
const one = await timed(() => observe(model, request(head, drop), () => undefined));
const losses = [{ name: 'drop', of: 'ablated_losses', options: { samples: 0, parts: false } }];
const dropped = await timed(() => observe(model, request(losses, drop), () => undefined));

const line = (what: string, { wall, cpu }: { wall: number; cpu: number }) =>
  console.log(`${what.padEnd(58)} ${wall.toFixed(1).padStart(8)} s ${cpu.toFixed(1).padStart(8)} CPU s`);
console.log(
  `${count} texts of ${length} tokens, ${layers} layers; scores: ${forward.map(({ score }) => score.id).join(', ')}`,
);
line('bare sweep', sweep);
line('the same with all observations', observed);
line('tables with their intervals', tables);
const ratio = (a: number, b: number) => (a / b).toFixed(2);
console.log(
  `observing / bare: ${ratio(observed.wall, sweep.wall)} (wall), ${ratio(observed.cpu, sweep.cpu)} (CPU); with tables ${ratio(observed.wall + tables.wall, sweep.wall)}, ${ratio(observed.cpu + tables.cpu, sweep.cpu)}`,
);
line(`forward with head, ${drop} texts`, one);
line(`losses without each of ${layers} layers, ${drop} texts`, dropped);
console.log(
  `layer drop / ${layers} forward passes: ${ratio(dropped.wall, layers * one.wall)} (wall), ${ratio(dropped.cpu, layers * one.cpu)} (CPU)`,
);
if (hooks) {
  line('PyTorch: bare sweep', hooks.bare);
  line('PyTorch: with hooks', hooks.observed);
  const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
  console.log(
    `observing / hooks: ${ratio(observed.wall, hooks.observed.wall)} (wall), ${ratio(observed.cpu, hooks.observed.cpu)} (CPU); memory ${mib(memory)} and ${mib(hooks.memory)}`,
  );
}
if (values.keep) {
  const spent = ({ wall, cpu }: Spent): Spent => ({ wall, cpu });
  keep('forward', {
    ...{ texts: count, length, layers, drop, threads: Number(values.threads) },
    scores: forward.map(({ score }) => score.id),
    ...{ bare: spent(sweep), observed: spent(observed), tables: spent(tables) },
    ...{ one: spent(one), dropped: spent(dropped), memory, hooks },
  });
}
await model.release();
