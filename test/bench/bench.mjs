/**
 * npm run bench: LayerIF against PyTorch and the libraries of the field on the same model and tokens, in one session, taking turns.
 *
 *   node test/bench/bench.mjs [--workloads XS,S,M] [--runs 2] [--only torch,layerif] [--threads 2] [--fresh]
 *                             [--python PATH] [--cli FILE] [--out FILE]
 *
 * results.json is written after every run: what was interrupted goes on where it stopped, --fresh starts over. At the end the table goes
 * into docs/benchmarks.md, and a sentence into README.md; with --out only FILE is written, which is for trying things. A contestant that fails stands in the table with its error.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { contestants, workloads } from './contestants.mjs';
import { machine, otherMklPath, packageVersions, pythonWithPeers } from './environment.mjs';
import { lastJson, measured } from './process.mjs';
import { table } from './table.mjs';

const here = import.meta.dirname;
const root = path.join(here, '../..');
const cache = path.join(root, '.cache/bench');

const { values: options } = parseArgs({
  options: {
    workloads: { type: 'string', default: 'XS,S,M' },
    runs: { type: 'string', default: '2' },
    only: { type: 'string' },
    threads: { type: 'string', default: '2' },
    fresh: { type: 'boolean', default: false },
    python: { type: 'string' },
    cli: { type: 'string', default: path.join(root, 'dist/cli.cjs') },
    out: { type: 'string' },
  },
});
const say = (text) => process.stderr.write(`${text}\n`);

const names = options.workloads.split(',');
const unknown = names.filter((name) => !workloads[name]);
if (unknown.length > 0)
  throw new Error(`no workload ${unknown.join(', ')}; there are ${Object.keys(workloads).join(', ')}`);
const wanted = options.only?.split(',');

fs.mkdirSync(cache, { recursive: true });
const python = pythonWithPeers(cache, options.python);
const other = otherMklPath(cache);
const threadEnv = { OMP_NUM_THREADS: options.threads, MKL_NUM_THREADS: options.threads };

async function peer(script, folder, env = {}) {
  const run = await measured([python, path.join(here, script), folder, options.threads], {
    cwd: folder, // some leave files where they are started
    env: { ...threadEnv, ...env },
  });
  const { seconds, ...details } = lastJson(run.stdout);
  const { processSeconds, cpuSeconds, peak } = run;
  return { seconds, processSeconds, cpuSeconds, peak, details };
}

/** The whole command, from a cold result and hash cache; its result and Grams are kept for agreement.py. */
async function layerif(experiment, folder) {
  const runs = path.join(folder, path.basename(experiment, '.layerif.yaml'));
  fs.rmSync(runs, { recursive: true, force: true });
  const hashes = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-bench-'));
  const command = [process.execPath, path.resolve(options.cli), 'score', experiment, '--json', '--output', runs];
  const machineChoice = ['--device', 'cpu', '--threads', options.threads];
  try {
    const run = await measured([...command, ...machineChoice], { cwd: folder, env: { XDG_CACHE_HOME: hashes } });
    const { status, provenance, score } = JSON.parse(run.stdout);
    if (status !== 'complete') throw new Error(`layerif's result is ${status}`);
    const { layerif, onnxruntime, seconds: phases, peakMemoryBytes } = provenance;
    const projection = score.projection && { rank: score.projection.rank, error: score.projection.error };
    const details = { layerif, onnxruntime, phases, enginePeakBytes: peakMemoryBytes, projection };
    const { processSeconds, cpuSeconds, peak } = run;
    return { seconds: processSeconds, processSeconds, cpuSeconds, peak, details };
  } finally {
    fs.rmSync(hashes, { recursive: true, force: true });
  }
}

/** Rows of `contestants` that take part in a workload, with PyTorch's other MKL path as rows of their own. */
function entriesOf(workload) {
  return Object.entries(contestants)
    .filter(([id, { on }]) => on.includes(workload) && (wanted?.includes(id) ?? true))
    .flatMap(([id, row]) => {
      const run = (folder) => (row.script ? peer(row.script, folder) : layerif(row.experiment, folder));
      const own = { id, name: row.name, run };
      if (!row.other || !other || workload === 'XS') return [own];
      const name = `${row.name}, ${other.label}`;
      return [own, { id: `${id}Other`, name, run: (folder) => peer(row.script, folder, other.env) }];
    });
}

async function matMulRate(env = {}) {
  const { stdout } = await measured([python, path.join(here, 'matmul_rate.py'), options.threads], {
    env: { ...threadEnv, ...env },
  });
  return Math.round(lastJson(stdout).gflops);
}

/** The state to go on from: that of an interrupted run with the same settings, else a new one. */
async function begin(file) {
  const versions = { node: process.versions.node, ...packageVersions(python) };
  const settings = { threads: Number(options.threads), machine: machine(), versions, names, only: wanted ?? null };
  const old = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : null;
  if (!options.fresh && old?.open && JSON.stringify(old.open) === JSON.stringify(settings)) {
    say(`going on with the run of ${old.date}`);
    return old;
  }
  return {
    date: new Date().toISOString(),
    open: settings,
    threads: settings.threads,
    machine: settings.machine,
    versions: { ...versions },
    torchMatMulGflops: {
      asInstalled: await matMulRate(),
      other: other && { label: other.label, gflops: await matMulRate(other.env) },
    },
    workloads: {},
  };
}

async function compete(name, found, save) {
  const { runs: cap } = workloads[name];
  const folder = path.join(cache, 'work', name);
  for (let round = 0; round < Math.min(cap, Number(options.runs)); round++) {
    for (const { id, name: title, run } of entriesOf(name)) {
      const entry = (found.contestants[id] ??= { name: title, runs: [] });
      if (entry.error || entry.runs.length > round) continue;
      const load = os.loadavg()[0];
      try {
        const { details, ...figures } = await run(folder);
        entry.runs.push({ ...figures, loadBefore: load });
        entry.details = details;
        const memory = figures.peak ? `, ${(figures.peak.resident / 2 ** 30).toFixed(2)} GiB` : '';
        const cpu = figures.cpuSeconds === null ? '' : `, CPU ${figures.cpuSeconds.toFixed(2)} s`;
        say(
          `${name} ${round + 1} ${id}: ${figures.seconds.toFixed(2)} s (process ${figures.processSeconds.toFixed(2)} s${cpu})${memory}`,
        );
      } catch (error) {
        const lines = error.message.trim().split('\n');
        entry.error = lines.at(-1).slice(0, 200);
        say(`${name} ${round + 1} ${id} failed: ${lines.slice(-5).join('\n')}`);
      }
      save();
    }
  }
  try {
    found.agreement = lastJson((await measured([python, path.join(here, 'agreement.py'), folder])).stdout);
  } catch (error) {
    say(`${name}: the numbers could not be compared: ${error.message}`);
  }
  save();
}

const shapes = names.map((name) =>
  [name, workloads[name].train, workloads[name].validation, workloads[name].tokens].join(':'),
);
await measured([python, path.join(here, 'workload.py'), path.join(cache, 'work'), ...shapes]);

const file = options.out ?? path.join(here, 'results.json');
const results = await begin(file);
const save = () => {
  fs.writeFileSync(`${file}.new`, `${JSON.stringify(results, null, 2)}\n`);
  fs.renameSync(`${file}.new`, file);
};
for (const name of names) {
  const { train, validation, tokens } = workloads[name];
  await compete(name, (results.workloads[name] ??= { train, validation, tokens, contestants: {} }), save);
}
const ours = Object.values(results.workloads).find(({ contestants: c }) => c.layerif?.details);
const { layerif: version, onnxruntime } = ours?.contestants.layerif.details ?? {};
Object.assign(results.versions, { layerif: version, onnxruntime });
delete results.open;
save();
process.stdout.write(`${table(results)}\n`);
if (!options.out) spawnSync(process.execPath, [path.join(root, 'scripts/generate-docs.mjs')], { stdio: 'inherit' });
