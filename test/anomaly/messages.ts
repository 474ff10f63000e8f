/**
 * Damaged and misplaced files through the command line: each is read, or refused in one sentence that names the file,
 * holds no text of a library or of the system alone, and says what to do.
 *
 *   node test/anomaly/messages.ts [--count 40] [--seed 1] [--input rows.csv]      count: random damages of each input
 *
 * Beside random damage every input is tried as what people mistake for it: an empty file, a folder, a named pipe, a web
 * page, a pointer of Git LFS, a text in UTF-16, zeros.
 */
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { located } from '../../protocol/errors.ts';
import { Random } from '../../server/src/random/random.ts';
import { runExperiment } from '../../server/src/run/influence/runExperiment.ts';
import { EnginePool } from '../../server/src/run/machine/enginePool.ts';
import { commandLine } from '../cli/commandLine.ts';
import { damages } from '../protocol/damage.ts';
import { damaged } from './damage.ts';
import { inputs } from './inputs.ts';
import type { Input, Words } from './inputs.ts';

/** What no message may hold: texts that libraries and the system make, and values that never were. */
const RAW =
  /ENOENT|EISDIR|ENOTDIR|EINVAL|ENOTFILE|Unexpected (token|end|non-whitespace|string|number)|in JSON at position|not valid JSON|protobuf|wire type|index out of range|out of bounds|Cannot (read propert|convert|destructure|use .in. operator|set propert|mix|access)|is not (iterable|a function|defined)|Invalid (array|typed|string|time|regular|DataView|code)|Maximum call stack|RangeError|TypeError|SyntaxError|ReferenceError|onnxruntime|\bORT_|Node \(|bad_alloc|std::|zlib|incorrect header check|invalid (stored|distance|block|code|bit)|unexpected end of file|Zod|\[object |\bundefined\b|please report/i;
/** How a sentence says what is right or what to do. */
const ADVICE =
  /; |expected|needed|must|should|at most|at least|only |use |give |take |allowed|did you mean|known|is read|are read|write it|perhaps|needs|does not exist/;
const LONGEST = 1200;

export interface Finding {
  input: string;
  how: string;
  command: string;
  what: string;
  said: string;
}

export interface Swept {
  read: number;
  refused: number;
  findings: Finding[];
}

interface Spoilt {
  how: string;
  /** Puts it in the file's place, which is free. */
  put: (file: string) => void;
}

const written = (how: string, content: string | Buffer): Spoilt => ({
  how,
  put: (file) => fs.writeFileSync(file, content),
});

/** What stands under the name by mistake. @param pipe a named pipe that may be moved there */
function mistakes(sound: Buffer, pipe: string | null): Spoilt[] {
  return [
    { how: 'missing', put: () => undefined },
    { how: 'a folder', put: (file) => void fs.mkdirSync(file) },
    ...(pipe === null ? [] : [{ how: 'a pipe', put: (file: string) => fs.linkSync(pipe, file) }]),
    written('empty', ''),
    written('white space', ' \n'),
    written('a web page', '<!DOCTYPE html>\n<html><head><title>404</title></head><body>Not found</body></html>\n'),
    written(
      'a pointer of Git LFS',
      `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 123\n`,
    ),
    written('UTF-16', Buffer.from(`\ufeff${sound.toString('latin1')}`, 'utf16le')),
    written('zeros', Buffer.alloc(sound.length)),
    written('another program', Buffer.from('7f454c4602010100000000000000000003003e0001000000', 'hex')),
    ...[0.1, 0.5, 0.9].map((share) => written(`cut at ${share}`, sound.subarray(0, Math.floor(share * sound.length)))),
    written('cut by one byte', sound.subarray(0, -1)),
    ...['null', '3', '"x"', '[]', '{}', '[[[', '{"a":'].map((text) => written(`the text ${text}`, text)),
  ];
}

function spoiltCopies(input: Input, sound: Buffer, count: number, seed: number, pipe: string | null): Spoilt[] {
  const copies = Array.from({ length: count }, (_, i) => {
    const { bytes, how } = damaged(sound, false, new Random(seed, `${input.name} ${i}`));
    return written(`${how} (${i})`, bytes);
  });
  const words = input.json
    ? damages(sound.toString('utf8'), count, seed).map(({ what, text }) => written(what, text))
    : [];
  return [...mistakes(sound, pipe), ...copies, ...words];
}

const machine = { device: 'cpu', threads: 1 } as const;

/** What is said where a command refuses, by line; null where it does its work. */
async function said(words: Words, folder: string, engine: EnginePool): Promise<string[] | null> {
  if (words[0] === 'score') {
    try {
      await runExperiment({ file: path.join(folder, words[1]), machine, engine, outputDir: path.join(folder, 'runs') });
      return null;
    } catch (error) {
      const known = (error as Error).name === 'LayerifError';
      return [known ? located(error as Error) : `please report: ${(error as Error).stack}`];
    }
  }
  const { code, out, err } = await commandLine(folder, [...words]);
  if (code === 0) return null;
  const text = words[0] === 'check' ? out : err;
  return (text === '' ? err : text).split('\n').filter((line) => line !== '' && !/ (warning|information): /.test(line));
}

/** Null for a good sentence. @param named whether the file stands in what is said */
export function complaint(message: string, named: boolean): string | null {
  const raw = RAW.exec(message);
  if (raw) return `raw text "${raw[0]}"`;
  if (message.length > LONGEST) return `${message.length} characters`;
  if (!named) return 'the file is not named';
  return ADVICE.test(message) ? null : 'no advice';
}

/**
 * Damages one input and runs its commands on each copy, up to the first that refuses.
 * @param skipped a command that is not run
 * @param only the damages that are tried; default: all
 */
export async function sweep(
  input: Input,
  {
    count,
    seed,
    engine,
    skipped,
    only,
  }: { count: number; seed: number; engine: EnginePool; skipped?: string; only?: ReadonlySet<string> },
): Promise<Swept> {
  const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-messages-')));
  const pipe = pipeIn(root);
  const swept: Swept = { read: 0, refused: 0, findings: [] };
  try {
    const folder = path.join(root, 'work');
    fs.mkdirSync(folder);
    const { file, commands } = input.place(folder);
    const names = [path.basename(file), path.basename(path.dirname(file)), ...(input.alsoNamed ?? [])];
    const sound = fs.readFileSync(file);
    const copies = [written('nothing', sound), ...spoiltCopies(input, sound, count, seed, pipe?.file ?? null)];
    for (const { how, put } of copies.filter((copy) => only?.has(copy.how) ?? true)) {
      fs.rmSync(file, { recursive: true, force: true });
      put(file);
      let refused = false;
      for (const words of commands.filter(([name]) => name !== skipped)) {
        const lines = await said(words, folder, engine);
        if (lines === null) continue;
        refused = true;
        const found = lines.some((line) => names.some((name) => line.includes(name)));
        for (const line of lines) {
          const what = how === 'nothing' ? 'the sound file is refused' : complaint(line, found);
          if (what !== null)
            swept.findings.push({
              input: input.name,
              how,
              command: words.join(' '),
              what,
              said: line.replaceAll(root, ''),
            });
        }
        break;
      }
      if (refused) swept.refused++;
      else swept.read++;
      fs.rmSync(path.join(folder, 'runs'), { recursive: true, force: true });
    }
  } finally {
    pipe?.close();
    fs.rmSync(root, { recursive: true, force: true });
  }
  return swept;
}

/** A pipe into which nothing is written again and again: a reader that opens it gets an empty text, and no wait. */
function pipeIn(folder: string): { file: string; close: () => void } | null {
  if (process.platform === 'win32') return null;
  const file = path.join(folder, 'pipe');
  execFileSync('mkfifo', [file]);
  const writer = spawn('sh', ['-c', 'while :; do : > "$0"; done', file], { stdio: 'ignore' });
  return { file, close: () => void writer.kill() };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { count: { type: 'string' }, seed: { type: 'string' }, input: { type: 'string' } },
  });
  const engine = new EnginePool();
  let findings = 0;
  for (const input of inputs.filter(({ name }) => name.includes(values.input ?? ''))) {
    const start = performance.now();
    const swept = await sweep(input, { count: Number(values.count ?? 40), seed: Number(values.seed ?? 1), engine });
    findings += swept.findings.length;
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    console.log(
      `${input.name}: ${swept.read} read, ${swept.refused} refused, ${swept.findings.length} findings, ${seconds} s`,
    );
    for (const { how, command, what, said } of swept.findings) console.log(`  ${how} | ${command} | ${what}: ${said}`);
  }
  engine.dispose();
  process.exitCode = findings > 0 ? 1 : 0;
}

if (process.argv[1] === import.meta.filename) await main();
