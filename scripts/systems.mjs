/**
 * Runs the experiments of examples/systems on the demo model and writes examples/systems/results.json, from which the
 * page docs/systems.md is made (`npm run docs`). What each system claims, what is looked at and how a verdict is reached
 * stands in `systemClaims.mjs`; to add a system, add a row there and its experiment.
 *
 *   npm run systems [-- ID...] [--collect]      --collect only reads the newest runs
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
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

/** What is done other than a command of layerif over the experiment. */
const verbs = {
  /** Puts a trained adapter where the next experiment looks for it. */
  adapter(name) {
    const kept = path.join(folder, 'runs', name, 'adapter');
    rmSync(kept, { recursive: true, force: true });
    cpSync(path.join(newest(name), 'adapter'), kept, { recursive: true });
  },
  /** Puts a trained model where the next experiment looks for it. */
  model(name) {
    const kept = path.join(folder, 'runs', name, 'model');
    rmSync(kept, { recursive: true, force: true });
    cpSync(path.join(newest(name), 'model'), kept, { recursive: true });
  },
  /** The newest run as a table. */
  table(name, ...options) {
    layerif(['table', newest(name), ...options, '--output', madeFile(name, 'csv')]);
  },
  /** That table. */
  analyse(name, ...options) {
    layerif(['analyse', madeFile(name, 'csv'), ...options]);
  },
  /** Every row of NAME.csv, whose columns are options but for `model` and `published`. */
  predict(name) {
    const [head, ...lines] = readFileSync(path.join(folder, `${name}.csv`), 'utf8')
      .trim()
      .split('\n');
    const rows = lines.map((line) => Object.fromEntries(line.split(',').map((cell, i) => [head.split(',')[i], cell])));
    const predictions = rows.map(({ model, published, ...numbers }) => {
      const options = Object.entries(numbers).flatMap(([option, value]) => [`--${option}`, value]);
      return {
        model,
        published: Number(published),
        predicted: JSON.parse(layerif(['predict', ...options, '--json'])).score,
      };
    });
    mkdirSync(path.join(folder, 'runs', name), { recursive: true });
    writeFileSync(madeFile(name, 'layerif-predictions.json'), JSON.stringify(predictions));
  },
};

function run([verb, name, ...options]) {
  if (Object.hasOwn(verbs, verb)) return verbs[verb](name, ...options);
  layerif([verb, path.join(folder, `${name}.layerif.yaml`), ...options]);
}

/** A command line of layerif. @returns what it prints */
function layerif(words) {
  console.log(`layerif ${words.map((word) => path.relative(folder, path.resolve(folder, word)) || word).join(' ')}`);
  const { status, stdout } = spawnSync(process.execPath, [path.join(root, 'dist', 'cli.cjs'), ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`layerif ${words.join(' ')} ended with ${status}`);
  return stdout;
}

/** What is made of the runs of an experiment lies beside them. */
const madeFile = (name, ending) => path.join(folder, 'runs', name, `${name}.${ending}`);

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
  const made = madeFile(name, `layerif-${kind}.json`);
  const file = existsSync(made) ? made : path.join(newest(name), `${name}.layerif-${kind}.json`);
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** Of everything that the newest run of an experiment has written; null for one that was interrupted and went on. */
function secondsOf(name) {
  const phases = (seconds) =>
    typeof seconds === 'number' ? seconds : Object.values(seconds).reduce((sum, own) => sum + (own ?? 0), 0);
  if (name.includes('.')) return 0; // a table, in no time
  const here = readdirSync(newest(name)).filter((entry) =>
    /\.layerif-(result|scores|training|validation)\.json$/.test(entry),
  );
  let sum = 0;
  for (const entry of here)
    sum += phases(JSON.parse(readFileSync(path.join(newest(name), entry), 'utf8')).provenance.seconds);
  try {
    sum += phases(found(name, 'comparison').provenance.seconds);
  } catch {
    // most experiments compare no prunings
  }
  return wasInterrupted(newest(name), here, sum) ? null : sum;
}

/** A run that goes on counts the seconds of its last part alone. */
function wasInterrupted(run, files, seconds) {
  const [, year, month, day, hour, minute, second] = /(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-/.exec(run);
  const begun = Date.UTC(year, month - 1, day, hour, minute, second);
  const ended = Math.max(...files.map((entry) => statSync(path.join(run, entry)).mtimeMs));
  return (ended - begun) / 1000 > 60 + 1.5 * seconds;
}

const results = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { systems: {} };
for (const system of systems.filter(({ id }) => ids.length === 0 || ids.includes(id))) {
  if (!collect) for (const step of system.steps) run(step);
  const claims = system.measure(found);
  const each = system.experiments.map(secondsOf);
  const seconds = each.includes(null) ? null : Math.round(each.reduce((sum, own) => sum + own, 0));
  results.systems[system.id] = { seconds, n: system.n, claims };
  results.machine = `${cpus().length} cores, ${process.platform}, ${process.arch}`;
  results.date = new Date().toISOString().slice(0, 10);
  const style = await resolveConfig(file);
  writeFileSync(file, await format(JSON.stringify(results), { ...style, parser: 'json' }));
  for (const { verdict, because } of claims) console.log(`${system.id}: ${verdict}; ${because}`);
}
