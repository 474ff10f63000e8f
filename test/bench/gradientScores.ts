/**
 * What scores of gradients add to an influence run on the same texts: `taylor`, `snip`, `fisher_trace` and `spider`,
 * read from the run's own backward sweep.
 *
 *   node test/bench/gradientScores.ts --model FOLDER_OR_GGUF [--train 32] [--validation 8] [--length 128]
 *     [--rounds 2] [--threads 2] [--scores taylor,snip,fisher_trace,spider] [--only with,without] [--keep]
 *
 * Whole runs with an engine of their own, in turns, each into a new folder. CPU seconds of both processes stand beside
 * wall seconds, for a busy machine disturbs them less (Linux). The first round is shown, and not counted where there
 * are more. `--keep` keeps the figures for docs/benchmarks.md.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { runExperiment } from '../../server/src/run/influence/runExperiment.ts';
import { EnginePool } from '../../server/src/run/machine/enginePool.ts';
import { keep } from './kept.ts';

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    train: { type: 'string', default: '32' },
    validation: { type: 'string', default: '8' },
    length: { type: 'string', default: '128' },
    rounds: { type: 'string', default: '2' },
    threads: { type: 'string', default: '2' },
    scores: { type: 'string', default: 'taylor,snip,fisher_trace,spider' },
    only: { type: 'string', default: 'without,with' },
    keep: { type: 'boolean', default: false },
  },
});
if (!values.model) throw new Error('--model is missing: a folder with a model or a .gguf file');
const root = path.resolve(import.meta.dirname, '../..');
const [train, validation, length, rounds] = [values.train, values.validation, values.length, values.rounds].map(Number);
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-bench-gradients-'));

/** Each text is longer than `length` tokens, so that all are cut to the same length. */
const sentences = fs
  .readFileSync(path.join(root, 'examples/data/sentiment.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => Object.values(JSON.parse(line) as object).join(' '));
const long = Array.from({ length: train + validation }, (_, i) =>
  Array.from({ length: Math.ceil(length / 4) }, (_, k) => sentences[(7 * i + k) % sentences.length]).join(' '),
);
fs.writeFileSync(path.join(folder, 'texts.jsonl'), long.map((text) => `${JSON.stringify({ text })}\n`).join(''));

const ways: Record<string, string> = { without: '', with: `scores: [${values.scores}]\n` };
for (const [way, scores] of Object.entries(ways)) {
  fs.writeFileSync(
    path.join(folder, `${way}.layerif.yaml`),
    `version: 1
model: { path: ${JSON.stringify(path.resolve(values.model))}, max_length: ${length} }
datasets: { texts: { path: texts.jsonl } }
tasks:
  - task: texts
    output_type: loglikelihood_rolling
    doc_to_text: text
    training_split: train[:${train}]
    validation_split: train[${train}:${train + validation}]
score: { estimator: datainf }
${scores}`,
  );
}

interface Spent {
  wall: number;
  cpu: number;
}

/** CPU seconds of the processes that this one has forked and that live. */
function childrenCpu(): number {
  const children = fs
    .readdirSync('/proc/self/task')
    .flatMap((task) => fs.readFileSync(`/proc/self/task/${task}/children`, 'utf8').split(' ').filter(Boolean));
  // utime and stime, in hundredths of a second.
  const ticks = (pid: string) =>
    fs
      .readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
  return children.reduce((sum, pid) => sum + (Number(ticks(pid)[11]) + Number(ticks(pid)[12])) / 100, 0);
}

async function run(way: string, round: number): Promise<Spent> {
  const output = path.join(folder, `${way}-${round}`);
  const [start, used] = [performance.now(), process.cpuUsage()];
  const engine = new EnginePool();
  try {
    const file = path.join(folder, `${way}.layerif.yaml`);
    await runExperiment({
      file,
      outputDir: output,
      engine,
      machine: { device: 'cpu', threads: Number(values.threads) },
    });
    const { user, system } = process.cpuUsage(used);
    return { wall: (performance.now() - start) / 1000, cpu: (user + system) / 1e6 + childrenCpu() };
  } finally {
    engine.dispose();
    fs.rmSync(output, { recursive: true, force: true });
  }
}

const chosen = values.only.split(',');
const spent: Record<string, Spent[]> = {};
try {
  for (let round = 0; round < rounds; round++) {
    for (const way of chosen) {
      const one = await run(way, round);
      (spent[way] ??= []).push(one);
      console.log(`${way.padEnd(8)} round ${round + 1}: ${one.wall.toFixed(1)} s, ${one.cpu.toFixed(1)} CPU s`);
    }
  }
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}
const least = (way: string, what: keyof Spent) => {
  const counted = spent[way].slice(rounds > 1 ? 1 : 0).map((one) => one[what]);
  return Math.min(...counted);
};
if (chosen.length === 2) {
  const best = (way: string) => ({ wall: least(way, 'wall'), cpu: least(way, 'cpu') });
  if (values.keep) {
    keep('gradients', {
      ...{ train, validation, length, threads: Number(values.threads), counted: Math.max(1, rounds - 1) },
      ...{ scores: values.scores.split(','), without: best('without'), with: best('with') },
    });
  }
  const ratio = (what: keyof Spent) => (least('with', what) / least('without', what)).toFixed(2);
  console.log(
    `${train} training and ${validation} validation texts of ${length} tokens, ${values.scores}: with / without ${ratio('wall')} (wall), ${ratio('cpu')} (CPU)`,
  );
}
