/**
 * Runs the experiments of examples/systems on the demo model and writes examples/systems/results.json, from which the
 * page docs/systems.md is made (`npm run docs`). What each system claims, what is looked at and how a verdict is reached
 * stands in `systemClaims.mjs`; to add a system, add a row there and its experiment.
 *
 *   npm run systems [-- ID...] [--collect]      --collect only reads the newest runs
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { systems } from './systemClaims.mjs';

const root = fileURLToPath(new URL('../', import.meta.url));
const folder = path.join(root, 'examples', 'systems');
const file = path.join(folder, 'results.json');
const words = process.argv.slice(2);
const collect = words.includes('--collect');
const ids = words.filter((word) => !word.startsWith('--'));
const unknown = ids.find((id) => !systems.some((system) => system.id === id));
if (unknown) throw new Error(`there is no system "${unknown}": use one of ${systems.map(({ id }) => id).join(', ')}`);

const results = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { systems: {} };
for (const system of systems.filter(({ id }) => ids.length === 0 || ids.includes(id))) {
  if (!collect) for (const step of system.steps) run(step);
  const claims = system.measure(found);
  const seconds = system.experiments.reduce((sum, name) => sum + secondsOf(name), 0);
  results.systems[system.id] = { seconds: Math.round(seconds), n: system.n, claims };
  results.machine = `${cpus().length} cores, ${process.platform}, ${process.arch}`;
  results.date = new Date().toISOString().slice(0, 10);
  const style = await resolveConfig(file);
  writeFileSync(file, await format(JSON.stringify(results), { ...style, parser: 'json' }));
  for (const { verdict, because } of claims) console.log(`${system.id}: ${verdict}; ${because}`);
}

/** Words of a command line of layerif; `adapter NAME` puts a trained adapter where the next experiment looks for it. */
function run(step) {
  const [verb, name, ...options] = step;
  if (verb === 'adapter') {
    const kept = path.join(folder, 'runs', name, 'adapter');
    rmSync(kept, { recursive: true, force: true });
    cpSync(path.join(newest(name), 'adapter'), kept, { recursive: true });
    return;
  }
  console.log(`layerif ${verb} ${name}`);
  const words = [path.join(root, 'dist', 'cli.cjs'), verb, path.join(folder, `${name}.layerif.yaml`), ...options];
  const { status } = spawnSync(process.execPath, words, { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`layerif ${verb} ${name} ended with ${status}`);
}

/** The newest run folder of an experiment. */
function newest(name) {
  const runs = path.join(folder, 'runs', name);
  const found = existsSync(runs) ? readdirSync(runs).filter((entry) => /^\d{8}T\d{6}Z-/.test(entry)) : [];
  if (found.length === 0) throw new Error(`${runs} holds no run: run npm run systems without --collect`);
  return path.join(runs, found.sort().at(-1));
}

/** Tables by score, or a file of another kind, of the newest run. */
function found(name, kind = 'scores') {
  if (kind === 'comparison') {
    const runs = path.join(folder, 'runs', name);
    const made = readdirSync(runs)
      .filter((entry) => entry.startsWith('pruning-comparison-'))
      .map((entry) => path.join(runs, entry, `${name}.layerif-pruning-comparison.json`))
      .filter((one) => existsSync(one) && JSON.parse(readFileSync(one, 'utf8')).status === 'complete');
    if (made.length === 0) throw new Error(`${runs} holds no complete comparison`);
    return JSON.parse(readFileSync(made.at(-1), 'utf8'));
  }
  return JSON.parse(readFileSync(path.join(newest(name), `${name}.layerif-${kind}.json`), 'utf8'));
}

/** Of everything that the newest run of an experiment has written. */
function secondsOf(name) {
  const phases = (seconds) =>
    typeof seconds === 'number' ? seconds : Object.values(seconds).reduce((sum, own) => sum + (own ?? 0), 0);
  const here = readdirSync(newest(name)).filter((entry) => /\.layerif-(result|scores|training)\.json$/.test(entry));
  let sum = 0;
  for (const entry of here)
    sum += phases(JSON.parse(readFileSync(path.join(newest(name), entry), 'utf8')).provenance.seconds);
  try {
    sum += phases(found(name, 'comparison').provenance.seconds);
  } catch {
    // most experiments compare no prunings
  }
  return sum;
}
