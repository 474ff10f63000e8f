/**
 * Damaged files against every reader. An answer is: the file is read to the end, or one error of ours that names it.
 * Anything else is a defect: another error, more memory than the file is large plus a constant, more than a few
 * seconds, or the death of the process.
 *
 *   node test/anomaly/fuzz.ts [--count 10000] [--seed 1] [--target safetensors]
 *
 * Each target runs in a child with a small heap, so that a crash is seen and costs one target. `--count` is per target.
 */
import { fork } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { LayerifError } from '../../protocol/errors.ts';
import { Random } from '../../server/src/random/random.ts';
import { damaged } from './damage.ts';
import { targets } from './targets.ts';
import type { Target } from './targets.ts';

export interface Outcome {
  target: string;
  read: number;
  refused: number;
  defects: { number: number; how: string; what: string }[];
}

const MOST_GROWTH = 96 << 20;
const MOST_MILLISECONDS = 5000;
const LONGEST_MESSAGE = 4000;

/** @param numbers which mutations of the seed */
export function fuzz(target: Target, seed: number, numbers: Iterable<number>): Outcome {
  const outcome: Outcome = { target: target.name, read: 0, refused: 0, defects: [] };
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-fuzz-'));
  try {
    const file = target.place(folder);
    const original = fs.readFileSync(file);
    target.read(folder, file); // undamaged it is read
    for (const number of numbers) {
      const { bytes, how } = damaged(original, target.json ?? false, new Random(seed, `${target.name} ${number}`));
      fs.writeFileSync(file, bytes);
      const before = peakMemory();
      const start = performance.now();
      let what: string | null = null;
      try {
        target.read(folder, file);
        outcome.read++;
      } catch (error) {
        what = complaint(error, target, folder);
        if (what === null) outcome.refused++;
      }
      const grown = peakMemory() - before;
      const took = performance.now() - start;
      if (what === null && grown > bytes.length + MOST_GROWTH)
        what = `took ${grown} bytes for a file of ${bytes.length}`;
      if (what === null && took > MOST_MILLISECONDS) what = `took ${Math.round(took)} ms`;
      if (what !== null) outcome.defects.push({ number, how, what });
    }
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
  return outcome;
}

/** Null for an error that is an answer. */
function complaint(error: unknown, target: Target, folder: string): string | null {
  if (!(error instanceof Error)) return `threw ${String(error)}`;
  if (error.message.length > LONGEST_MESSAGE) return `a message of ${error.message.length} characters`;
  const named = error.message.includes(folder) || (error instanceof LayerifError && error.place?.file.includes(folder));
  const isAnswer = target.isAnswer ? target.isAnswer(error) : error instanceof LayerifError && named === true;
  return isAnswer ? null : (error.stack ?? error.message).split('\n').slice(0, 4).join(' | ');
}

/** Highest memory since the last call, where the system tells; 0 elsewhere. */
function peakMemory(): number {
  try {
    const peak = Number(/VmHWM:\s+(\d+)/.exec(fs.readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0);
    fs.writeFileSync('/proc/self/clear_refs', '5');
    return 1024 * peak;
  } catch {
    return 0;
  }
}

const CHUNK = 2000;

async function inChild(target: string, seed: number, first: number, count: number): Promise<Outcome> {
  const child = fork(import.meta.filename, ['--child'], {
    execArgv: ['--max-old-space-size=384', '--disable-warning=ExperimentalWarning'],
  });
  child.send({ target, seed, first, count });
  return new Promise((resolve) => {
    let answered = false;
    child.on('message', (outcome: Outcome) => {
      answered = true;
      resolve(outcome);
    });
    child.on('exit', (code, signal) => {
      if (answered) return;
      const what = `the process died (${signal ?? `exit code ${code}`}) in ${first} .. ${first + count - 1}`;
      resolve({ target, read: 0, refused: 0, defects: [{ number: first, how: '', what }] });
    });
  });
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { count: { type: 'string' }, seed: { type: 'string' }, target: { type: 'string' } },
  });
  const count = Number(values.count ?? 10_000);
  const seed = Number(values.seed ?? 1);
  let defects = 0;
  for (const { name } of targets.filter((t) => values.target === undefined || t.name === values.target)) {
    const sum: Outcome = { target: name, read: 0, refused: 0, defects: [] };
    for (let first = 0; first < count; first += CHUNK) {
      const part = await inChild(name, seed, first, Math.min(CHUNK, count - first));
      sum.read += part.read;
      sum.refused += part.refused;
      sum.defects.push(...part.defects);
    }
    console.log(`${name}: ${sum.read} read, ${sum.refused} refused, ${sum.defects.length} defects`);
    for (const { number, how, what } of sum.defects.slice(0, 5)) console.log(`  ${number} (${how}): ${what}`);
    defects += sum.defects.length;
  }
  process.exitCode = defects > 0 ? 1 : 0;
}

if (process.argv[2] === '--child') {
  process.once(
    'message',
    ({ target, seed, first, count }: { target: string; seed: number; first: number; count: number }) => {
      const numbers = Array.from({ length: count }, (_, i) => first + i);
      process.send!(
        fuzz(
          targets.find((t) => t.name === target)!,
          seed,
          numbers,
        ),
        () => process.exit(0),
      );
    },
  );
} else if (process.argv[1] === import.meta.filename) await main();
