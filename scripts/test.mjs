/**
 * `npm test`: everything, on a fresh machine, with nothing run before it. Prints each step, a summary, and as the last
 * line `N passed, N failed`; the exit code is 0 only when nothing failed.
 *
 *   node scripts/test.mjs [--only unit,host] [-- words]      words: only test files whose path contains one of them
 *
 * To add a step, add a row to `steps`. A step that fails does not stop the others, unless they need what it makes.
 */
import { spawnSync } from 'node:child_process';
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
    run: () => {
      command(process.execPath, [bin('typescript/bin/tsc'), '-b']);
      command(process.execPath, [join(root, 'scripts', 'checkedIndex.mjs')]);
    },
    needs: ['install'],
  },
  lint: {
    run: () => command(process.execPath, [bin('eslint/bin/eslint.js'), '--max-warnings=0', '.']),
    needs: ['install'],
  },
  format: {
    run: () => command(process.execPath, [bin('prettier/bin/prettier.cjs'), '--check', '--log-level=warn', '.']),
    needs: ['install'],
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

function command(program, args, environment = {}) {
  const result = spawnSync(program, args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...environment },
  });
  if (result.status !== 0) throw new Error(`exit code ${result.status ?? result.signal}`);
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

/** Runs test files one after the other with Node 24's own runner and reads its counts back. */
function workbenchTests(files) {
  const tap = join(root, '.cache', 'e2e.tap');
  mkdirSync(join(root, '.cache'), { recursive: true });
  rmSync(tap, { force: true });
  const result = spawnSync(testNode, ['--test', '--test-concurrency=1', ...reportersTo(tap), ...files], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ORT_DISABLE_TELEMETRY: '1' },
  });
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

const rows = [];
const broken = new Set();
let passed = 0;
let failed = 0;
for (const [name, step] of Object.entries(steps)) {
  if (!wanted.has(name)) continue;
  const absent = (step.needs ?? []).filter((need) => broken.has(need));
  const started = performance.now();
  let outcome;
  if (absent.length) {
    outcome = `not run: ${absent.join(', ')} failed`;
    broken.add(name);
    failed += 1;
  } else {
    console.log(`\n== ${name}`);
    try {
      const counts = await step.run();
      passed += counts?.passed ?? 0;
      failed += counts?.failed ?? 0;
      outcome = counts
        ? `${counts.passed} passed, ${counts.failed} failed${counts.skipped ? `, ${counts.skipped} skipped` : ''}`
        : 'ok';
    } catch (error) {
      console.error(error.message);
      broken.add(name);
      failed += 1;
      outcome = `FAILED: ${error.message.split('\n')[0]}`;
    }
  }
  rows.push(`${name.padEnd(10)} ${((performance.now() - started) / 1000).toFixed(1).padStart(7)} s  ${outcome}`);
}
console.log(`\n${rows.join('\n')}\n\n${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
