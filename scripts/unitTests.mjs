/**
 * Runs unit test files with Node's own runner, several processes at once. Files share a process where they can: Node's
 * start, the sources and an engine are then paid for once and not per file.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, sep } from 'node:path';

/**
 * What a file says that has a process of its own: it changes what belongs to the whole process, adds a row to a table of
 * the program, or has hooks, which would be those of all files.
 */
const apart =
  /process\.(chdir|exitCode)|process\.env(\.\w+|\[[^\]]*\]) \??\??=[^=]|delete process\.env|^(before|beforeEach|afterEach)\(|\(\w+ as \w+\[\]\)\.push\(|withFault\.ts/m;
/** The longest begin first, so that none is left alone at the end. */
const first = ['run/kill', 'run/trainKill', 'simulation/validation', 'webview/results', 'webview/decisions'];
const filesPerProcess = 12;
/** Many tests wait for a browser, a disk or an ending process, so that one process more than cores keeps these busy. */
const processesAtOnce = availableParallelism() + 1;

/** Options of the runner: for eyes on standard output, for counting into a file. */
export const reportersTo = (tap) => [
  '--test-reporter=spec',
  '--test-reporter-destination=stdout',
  '--test-reporter=tap',
  `--test-reporter-destination=${tap}`,
];

/** @returns {{passed: number, failed: number, skipped: number}} from what the runner wrote in TAP */
export function countsOf(tap) {
  const text = readFileSync(tap, 'utf8');
  const count = (word) => Number(text.match(new RegExp(`^# ${word} (\\d+)$`, 'm'))?.[1] ?? 0);
  return {
    passed: count('pass'),
    failed: count('fail') + count('cancelled'),
    skipped: count('skipped') + count('todo'),
  };
}

/** Lists of files, one per process, in the order in which they begin. @param files paths below `root` */
export function processesOf(root, files) {
  const alone = files.filter((file) => apart.test(readFileSync(join(root, file), 'utf8')));
  const together = files.filter((file) => !alone.includes(file));
  const place = (file) => {
    const at = first.findIndex((name) => file.split(sep).join('/').startsWith(`test/${name}.`));
    return at < 0 ? first.length : at;
  };
  const long = [...files].filter((file) => place(file) < first.length).sort((a, b) => place(a) - place(b));
  const shared = together.filter((file) => !long.includes(file));
  const groups = Array.from({ length: Math.ceil(shared.length / filesPerProcess) }, (_, i) =>
    shared.slice(i * filesPerProcess, (i + 1) * filesPerProcess),
  );
  const others = alone.filter((file) => !long.includes(file));
  return [...long.map((file) => [file]), ...groups, ...others.map((file) => [file])];
}

/**
 * @param node the program
 * @param environment of all of them
 * @returns counts of tests, added up
 */
export async function runUnitTests(root, node, files, environment) {
  const folder = join(root, '.cache', 'unit-tap');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const waiting = processesOf(root, files).map((group, i) => ({ group, tap: join(folder, `${i}.tap`) }));
  const total = { passed: 0, failed: 0, skipped: 0 };
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const { status, output } = await run(root, node, next.group, next.tap, environment);
      process.stdout.write(output);
      const counts = countsOf(next.tap);
      for (const word of Object.keys(total)) total[word] += counts[word];
      if ((status !== 0 && !counts.failed) || (!counts.passed && !counts.failed)) {
        console.error(`${next.group.join(' ')}: ${status === 0 ? 'no test ran' : `exit code ${status}`}`);
        total.failed += 1;
      }
    }
  };
  await Promise.all(Array.from({ length: processesAtOnce }, worker));
  return total;
}

function run(root, node, files, tap, env) {
  const child = spawn(node, ['--test', '--test-isolation=none', ...reportersTo(tap), ...files], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    env,
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ status: code ?? signal, output }));
  });
}
