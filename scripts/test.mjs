/**
 * `npm test`: everything, on a fresh machine, with nothing run before it. Prints each step, a summary, and as the last
 * line `N passed, N failed`; the exit code is 0 only when nothing failed.
 *
 *   node scripts/test.mjs [--only unit,host] [-- words]      words: only test files whose path contains one of them
 *
 * To add a step, add a row to `steps`. A step that fails does not stop the others, unless they need what it makes. Rows
 * that follow each other with the same word `together` run at once: a check keeps one core busy.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildBundles } from './bundles.mjs';
import { installPackages, packagesAreInstalled } from './packages.mjs';
import { countsOf, reportersTo, runUnitTests } from './unitTests.mjs';
import { ensureTestEnvironment, ensureTestNode, testNode } from './testEnvironment.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = (name) => join(root, 'node_modules', ...name.split('/'));

/** Step -> what it does, what it needs before it. `run` throws when the step fails, or returns counts of tests. */
const steps = {
  install: { run: install },
  workbench: { run: () => ensureTestEnvironment(), needs: ['install'] },
  model: { run: fetchModel, needs: ['install'] },
  build: { run: () => buildBundles(root), needs: ['install'] },
  typecheck: {
    run: async () => {
      await command(bin('typescript/bin/tsc'), '-b');
      await command(join(root, 'scripts', 'checkedIndex.mjs'));
    },
    needs: ['install'],
    together: 'checks',
  },
  lint: {
    run: () => command(bin('eslint/bin/eslint.js'), '--max-warnings=0', '.'),
    needs: ['install'],
    together: 'checks',
  },
  format: {
    run: () => command(bin('prettier/bin/prettier.cjs'), '--check', '--log-level=warn', '.'),
    needs: ['install'],
    together: 'checks',
  },
  unit: {
    run: () => {
      const files = testFiles((file) => !file.startsWith(`e2e${sep}`));
      return runUnitTests(root, testNode, files, { ...process.env, ORT_DISABLE_TELEMETRY: '1', ...unitEnvironment });
    },
    needs: ['install', 'model', 'build'],
  },
  host: { run: hostTests, needs: ['workbench', 'build'] },
  package: { run: packVsix, needs: ['install'] },
  e2e: {
    run: () => workbenchTests(testFiles((file) => file.startsWith(`e2e${sep}`))),
    needs: ['workbench', 'model', 'package'],
  },
};

const words = process.argv.includes('--') ? process.argv.slice(process.argv.indexOf('--') + 1) : [];
const only = process.argv.includes('--only')
  ? process.argv[process.argv.indexOf('--only') + 1].split(',')
  : Object.keys(steps);
for (const name of only) {
  if (!steps[name]) throw new Error(`--only ${name}: no such step; there are ${Object.keys(steps).join(', ')}.`);
}

/** Runs a script with Node; what it says is printed when it has ended, so that scripts that run at once do not mix. */
function command(...words) {
  const child = spawn(process.execPath, words, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      process.stdout.write(output);
      if (code === 0) resolve();
      else reject(new Error(`exit code ${code ?? signal}`));
    });
  });
}

function install() {
  if (!packagesAreInstalled(root)) installPackages(root);
  ensureTestNode();
}

async function fetchModel() {
  const { ensureDemoModel } = await import('./demoModel.mjs');
  await ensureDemoModel({ hub: false });
}

/**
 * Of unit tests: processes that they start run from the bundles, and Node keeps what it made of the sources: both start
 * several times quicker. What they remember is not the user's. The workbench runs what is installed in it, and gets none
 * of this.
 */
const unitEnvironment = {
  NODE_COMPILE_CACHE: join(root, '.cache', 'compiled'),
  XDG_CACHE_HOME: join(root, '.cache', 'user'),
  LAYERIF_CLI: join(root, 'dist', 'cli.cjs'),
  LAYERIF_SERVER: join(root, 'dist', 'server.cjs'),
  LAYERIF_ENGINE: join(root, 'dist', 'engine.cjs'),
};

/** Test files below the root whose path below `test/` is wanted and contains one of the words. */
function testFiles(wanted) {
  const files = readdirSync(join(root, 'test'), { recursive: true })
    .filter((file) => file.endsWith('.test.ts') && !file.startsWith(`host${sep}`) && wanted(file))
    .filter((file) => !words.length || words.some((word) => file.includes(word)))
    .map((file) => join('test', file))
    .sort();
  if (!files.length) throw new Error(`no test file${words.length ? ` with ${words.join(' or ')} in its path` : ''}`);
  return files;
}

/** A workbench waits for its browser, its server and its engine in turn, so that two keep two cores busy. */
const workbenchesAtOnce = 2;

/** Runs test files with Node 24's own runner, each with a workbench of its own, and reads its counts back. */
function workbenchTests(files) {
  const tap = join(root, '.cache', 'e2e.tap');
  mkdirSync(join(root, '.cache'), { recursive: true });
  rmSync(tap, { force: true });
  const result = spawnSync(
    testNode,
    ['--test', `--test-concurrency=${workbenchesAtOnce}`, ...reportersTo(tap), ...files],
    {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, ORT_DISABLE_TELEMETRY: '1' },
    },
  );
  const counts = countsOf(tap);
  if (!counts.passed && !counts.failed) throw new Error('no test ran');
  if (result.status !== 0 && !counts.failed) throw new Error(`exit code ${result.status ?? result.signal}`);
  return counts;
}

/** The mocha suite inside VS Code's extension host; its runner prints `N passed, N failed`. */
function hostTests() {
  const result = spawnSync(testNode, [join('test', 'host', 'runInCodeServer.ts')], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  });
  process.stdout.write(result.stdout);
  const counts = result.stdout.match(/(\d+) passed, (\d+) failed/);
  if (!counts || (result.status !== 0 && counts[2] === '0'))
    throw new Error(`exit code ${result.status ?? result.signal}`);
  return { passed: Number(counts[1]), failed: Number(counts[2]), skipped: 0 };
}

async function packVsix() {
  const { packageVsix } = await import('./package.mjs');
  packageVsix('linux-x64');
}

// What a wanted step needs runs too, in the order of the table.
const wanted = new Set();
const want = (name) => {
  if (wanted.has(name)) return;
  for (const need of steps[name].needs ?? []) want(need);
  wanted.add(name);
};
only.forEach(want);

const broken = new Set();

/** Runs a step. @returns its line of the summary, and counts of tests; a step without tests fails as one */
async function outcomeOf(name) {
  const step = steps[name];
  const absent = (step.needs ?? []).filter((need) => broken.has(need));
  const started = performance.now();
  const told = (outcome, { passed = 0, failed = 0 } = {}) => {
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    return { row: `${name.padEnd(10)} ${seconds.padStart(7)} s  ${outcome}`, passed, failed };
  };
  if (absent.length) {
    broken.add(name);
    return told(`not run: ${absent.join(', ')} failed`, { failed: 1 });
  }
  console.log(`\n== ${name}`);
  try {
    const counts = await step.run();
    if (!counts) return told('ok');
    const skipped = counts.skipped ? `, ${counts.skipped} skipped` : '';
    return told(`${counts.passed} passed, ${counts.failed} failed${skipped}`, counts);
  } catch (error) {
    console.error(`${name}: ${error.message}`);
    broken.add(name);
    return told(`FAILED: ${error.message.split('\n')[0]}`, { failed: 1 });
  }
}

/** Steps that run at once, in the order of the table. */
const groups = [];
for (const [name, { together }] of Object.entries(steps)) {
  if (!wanted.has(name)) continue;
  const last = groups.at(-1);
  if (together && last?.together === together) last.names.push(name);
  else groups.push({ together, names: [name] });
}
const outcomes = [];
for (const { names } of groups) outcomes.push(...(await Promise.all(names.map(outcomeOf))));
const sum = (word) => outcomes.reduce((total, outcome) => total + outcome[word], 0);
const [passed, failed] = [sum('passed'), sum('failed')];
console.log(`\n${outcomes.map(({ row }) => row).join('\n')}\n\n${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
