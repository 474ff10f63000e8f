/**
 * What scores of tokens cost beside the forward sweep that they need, and whether memory grows with the rows.
 *
 *   node test/bench/tokenScores.ts --model FOLDER_OR_GGUF [--rows 32,96] [--length 128] [--chunk 32] [--threads 2] [--keep]
 *
 * For each number of rows, each in a process of its own: the bare sweep (embedding, layers, head on the second half of
 * every row) in the engine's own code, and the whole of `data_scores: [loss, token_mask]`, where rows are read and
 * encoded a chunk at a time and swept, observations written, tables made. CPU seconds of all processes, for a busy
 * machine disturbs them less; a row's cost is the difference between the two numbers of rows, which leaves out start
 * and loading.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { observe } from '../../server/src/engine/observe/observe.ts';
import { Runtime } from '../../server/src/engine/runtime/runtime.ts';
import { Model } from '../../server/src/engine/sweep/model.ts';
import { Random } from '../../server/src/random/random.ts';
import { runExperiment } from '../../server/src/run/influence/runExperiment.ts';
import { headRowsOf } from '../../server/src/run/machine/batching.ts';
import { keep } from './kept.ts';
import { measured } from './process.mjs';

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    rows: { type: 'string', default: '32,96' },
    length: { type: 'string', default: '128' },
    chunk: { type: 'string', default: '32' },
    threads: { type: 'string', default: '2' },
    keep: { type: 'boolean', default: false },
    child: { type: 'string' },
  },
});
if (!values.model) throw new Error('--model is missing: a folder with a model or a .gguf file');
const model = path.resolve(values.model);
const [length, chunk, threads] = [values.length, values.chunk, values.threads].map(Number);
const counts = values.rows.split(',').map(Number);
const self = fileURLToPath(import.meta.url);

const words =
  'river stone early light carries people across quiet fields where nothing else would grow before winter'.split(' ');
const text = (row: number, count: number) =>
  Array.from({ length: count }, (_, i) => words[(row * 7 + i * (1 + (row % 5))) % words.length]).join(' ');

/** The sweep alone, on as many tokens. */
async function bare(count: number): Promise<void> {
  const opened = Model.open(new Runtime('cpu', threads), model);
  const { architecture } = opened;
  const random = new Random(0, 'tokens');
  const each = Math.max(1, Math.floor(1024 / length));
  for (let from = 0; from < count; from += chunk) {
    const size = Math.min(chunk, count - from);
    const texts = Array.from({ length: size }, () => ({
      tokens: Int32Array.from({ length }, () => random.integer(architecture.vocabulary)),
      countedFrom: length / 2,
    }));
    const batches = Array.from({ length: Math.ceil(size / each) }, (_, b) =>
      Array.from({ length: Math.min(each, size - b * each) }, (_, i) => b * each + i),
    );
    await observe(
      opened,
      {
        ...{ modelPath: model, texts, groups: [batches], ablated: [], weights: 'resident', keepChanges: false },
        ...{ boundaries: 'memory', headRows: headRowsOf(architecture), workDir: null, key: '', checkpointSeconds: 0 },
        observations: [{ name: 'losses', of: 'token_log_probabilities', options: {} }],
      },
      () => undefined,
    );
  }
  await opened.release();
}

/** The scores, from the experiment file to the tables. */
async function scores(count: number): Promise<void> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-tokens-'));
  try {
    const rows = Array.from({ length: count }, (_, row) => ({
      prompt: text(row, length),
      answer: text(row + 1, length / 2),
    }));
    fs.writeFileSync(path.join(folder, 'rows.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const file = path.join(folder, 'rows.layerif.yaml');
    const experiment = {
      version: 1,
      model: { path: model, max_length: length },
      datasets: { rows: { path: 'rows.jsonl' } },
      tasks: [
        {
          task: 'rows',
          training_split: 'train',
          doc_to_text: '{{prompt}}',
          doc_to_target: '{{answer}}',
          output_type: 'generate_until',
        },
      ],
      data_scores: ['loss', 'token_mask'],
    };
    fs.writeFileSync(file, JSON.stringify(experiment));
    await runExperiment({ file, machine: { device: 'cpu', threads }, rowsPerChunk: chunk });
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

if (values.child !== undefined) {
  const [what, count] = values.child.split(' ');
  await (what === 'bare' ? bare : scores)(Number(count));
} else {
  const rest = ['--model', model, '--length', String(length), '--chunk', String(chunk), '--threads', String(threads)];
  const found: Record<string, { cpu: number[]; peak: number[] }> = {};
  for (const what of ['bare', 'scores']) {
    const own: (typeof found)[string] = { cpu: [], peak: [] };
    found[what] = own;
    for (const count of counts) {
      const name = `${what} ${count}`;
      const { cpuSeconds, peak } = await measured([process.execPath, self, ...rest, '--child', name]);
      if (cpuSeconds === null || peak === null)
        throw new Error('CPU time and memory are read from /proc: run it on Linux');
      own.cpu.push(cpuSeconds);
      own.peak.push(peak.resident);
      const gib = (bytes: number) => (bytes / 2 ** 30).toFixed(2);
      console.log(
        `${name.padEnd(12)} ${cpuSeconds.toFixed(1)} CPU s, peak ${gib(peak.resident)} GiB, of which ${gib(peak.anonymous)} not of files`,
      );
    }
  }
  const slope = (what: string) => found[what].cpu[1] - found[what].cpu[0];
  if (values.keep) keep('tokens', { rows: counts, length, chunk, threads, ...found });
  console.log(`rows ${counts.join(' to ')}: scores / bare sweep ${(slope('scores') / slope('bare')).toFixed(3)}`);
}
