/**
 * npm run bench: LayerIF against PyTorch and kronfluence on the same model and tokens, in one session, taking turns.
 *
 *   node test/bench/bench.mjs [--workloads S,M] [--runs 3] [--only torch,layerif] [--threads 2] [--python PATH] [--cli FILE] [--out FILE]
 *
 * Writes results.json and the table in README.md; with --out only FILE, which is for trying things. To add a contestant: a Python file that ends in `report(seconds)` and a row in
 * `contestants`.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { machine, otherMklPath, packageVersions, pythonWithPeers } from './environment.mjs';
import { lastJson, measured } from './process.mjs';
import { table, writeTable } from './table.mjs';

const here = import.meta.dirname;
const root = path.join(here, '../..');
const cache = path.join(root, '.cache/bench');

/** Random token ids; `runs` caps --runs, since one M takes minutes. */
const workloads = {
  XS: { train: 8, validation: 2, tokens: 64, runs: 3 },
  S: { train: 16, validation: 4, tokens: 64, runs: 99 },
  M: { train: 64, validation: 16, tokens: 128, runs: 1 },
};

const { values: options } = parseArgs({
  options: {
    workloads: { type: 'string', default: 'S,M' },
    runs: { type: 'string', default: '3' },
    only: { type: 'string' },
    threads: { type: 'string', default: '2' },
    python: { type: 'string' },
    cli: { type: 'string', default: path.join(root, 'dist/cli.cjs') },
    out: { type: 'string' },
  },
});

fs.mkdirSync(cache, { recursive: true });
const python = pythonWithPeers(cache, options.python);
const other = otherMklPath(cache);
const threadEnv = { OMP_NUM_THREADS: options.threads, MKL_NUM_THREADS: options.threads };

async function peer(script, folder, env = {}) {
  const run = await measured([python, path.join(here, script), folder, options.threads], {
    env: { ...threadEnv, ...env },
  });
  const { seconds, ...details } = lastJson(run.stdout);
  const { processSeconds, cpuSeconds, peak } = run;
  return { seconds, processSeconds, cpuSeconds, peak, details };
}

/** The whole command, from a cold result and hash cache. */
async function layerif(folder) {
  const runs = path.join(folder, 'runs');
  fs.rmSync(runs, { recursive: true, force: true });
  const hashes = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-bench-'));
  const command = [process.execPath, path.resolve(options.cli), 'score', 'bench.layerif.yaml', '--json'];
  const machineChoice = ['--device', 'cpu', '--threads', options.threads];
  try {
    const run = await measured([...command, ...machineChoice], { cwd: folder, env: { XDG_CACHE_HOME: hashes } });
    const { status, provenance } = JSON.parse(run.stdout);
    if (status !== 'complete') throw new Error(`layerif's result is ${status}`);
    const { layerif, onnxruntime, seconds: phases, peakMemoryBytes } = provenance;
    const details = { layerif, onnxruntime, phases, enginePeakBytes: peakMemoryBytes };
    const { processSeconds, cpuSeconds, peak } = run;
    return { seconds: processSeconds, processSeconds, cpuSeconds, peak, details };
  } finally {
    fs.rmSync(hashes, { recursive: true, force: true });
  }
}

const contestants = {
  torch: { name: 'PyTorch, gradients alone', run: (folder) => peer('torch_gradients.py', folder) },
  torchOther: other && {
    name: `PyTorch, gradients alone, ${other.label}`,
    run: (folder) => peer('torch_gradients.py', folder, other.env),
  },
  kronfluence: {
    name: 'kronfluence identity, per-module scores',
    run: (folder) => peer('kronfluence_identity.py', folder),
  },
  kronfluenceOther: other && {
    name: `kronfluence identity, per-module scores, ${other.label}`,
    run: (folder) => peer('kronfluence_identity.py', folder, other.env),
  },
  layerif: { name: 'LayerIF: the whole command `layerif score`', run: layerif },
};

function find(folder, name) {
  const entries = fs.existsSync(folder) ? fs.readdirSync(folder, { recursive: true }) : [];
  return entries.map((entry) => path.join(folder, entry)).find((file) => path.basename(file) === name);
}

/** C of every matrix against kronfluence's scores, or null when one of the two did not run. */
async function agreement(folder) {
  const [theirs, ours] = [
    path.join(folder, 'kronfluence.safetensors'),
    find(path.join(folder, 'runs'), 'grams.safetensors'),
  ];
  if (!ours || !fs.existsSync(theirs)) return null;
  return lastJson((await measured([python, path.join(here, 'agreement.py'), theirs, ours])).stdout);
}

async function matMulRate(env = {}) {
  const { stdout } = await measured([python, path.join(here, 'matmul_rate.py'), options.threads], {
    env: { ...threadEnv, ...env },
  });
  return Math.round(lastJson(stdout).gflops);
}

async function compete(name, chosen) {
  const { runs: cap, ...shape } = workloads[name];
  const folder = path.join(cache, 'work', name);
  fs.rmSync(path.join(folder, 'kronfluence.safetensors'), { force: true });
  const found = { ...shape, contestants: {} };
  for (let round = 0; round < Math.min(cap, Number(options.runs)); round++) {
    for (const id of chosen) {
      const load = os.loadavg()[0];
      const { details, ...run } = await contestants[id].run(folder);
      const entry = (found.contestants[id] ??= { name: contestants[id].name, runs: [] });
      entry.runs.push({ ...run, loadBefore: load });
      entry.details = details;
      const memory = run.peak ? `, ${(run.peak.resident / 2 ** 30).toFixed(2)} GiB` : '';
      process.stderr.write(
        `${name} ${round + 1} ${id}: ${run.seconds.toFixed(2)} s (process ${run.processSeconds.toFixed(2)} s, CPU ${run.cpuSeconds?.toFixed(2)} s)${memory}\n`,
      );
    }
  }
  found.agreement = await agreement(folder);
  return found;
}

const names = options.workloads.split(',');
const unknown = names.filter((name) => !workloads[name]);
if (unknown.length > 0)
  throw new Error(`no workload ${unknown.join(', ')}; there are ${Object.keys(workloads).join(', ')}`);
const chosen = Object.keys(contestants).filter(
  (id) => contestants[id] && (options.only?.split(',').includes(id) ?? true),
);
const shapes = names.map((name) =>
  [name, workloads[name].train, workloads[name].validation, workloads[name].tokens].join(':'),
);
await measured([python, path.join(here, 'workload.py'), path.join(cache, 'work'), ...shapes]);

const results = {
  date: new Date().toISOString(),
  threads: Number(options.threads),
  machine: machine(),
  versions: { node: process.versions.node, ...packageVersions(python) },
  torchMatMulGflops: {
    asInstalled: await matMulRate(),
    other: other && { label: other.label, gflops: await matMulRate(other.env) },
  },
  workloads: {},
};
for (const name of names) results.workloads[name] = await compete(name, chosen);
const { layerif: version, onnxruntime } = Object.values(results.workloads)[0].contestants.layerif?.details ?? {};
Object.assign(results.versions, { layerif: version, onnxruntime });
fs.writeFileSync(options.out ?? path.join(here, 'results.json'), `${JSON.stringify(results, null, 2)}\n`);
process.stdout.write(`${table(results)}\n`);
if (!options.out) await writeTable(table(results), path.join(root, 'README.md'));
