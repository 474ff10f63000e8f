/**
 * How long until the first layer stands: 2 training and 1 validation samples of 32 tokens on the demo model.
 *
 *   node test/bench/startup.mjs [--runs 5] [--cli dist/cli.cjs] [--model FILE]
 *
 * Starts `layerif score` and waits for the first layer's Grams on disk, which is when the editor and the result file show the layer;
 * then for the end of the command. One run comes first that is not counted: it fills the file cache and the cache of the model's hash.
 */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

const root = path.join(import.meta.dirname, '../..');
const { values: options } = parseArgs({
  options: {
    runs: { type: 'string', default: '5' },
    cli: { type: 'string', default: path.join(root, 'dist/cli.cjs') },
    model: { type: 'string', default: path.join(root, 'examples/models/SmolLM2-135M-Instruct.Q4_1.gguf') },
  },
});

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-startup-'));
const output = path.join(folder, 'runs');
const words = 'the film was long but I liked it very much and '.repeat(6);
fs.writeFileSync(path.join(folder, 'rows.jsonl'), `${JSON.stringify({ text: words })}\n`.repeat(3));
fs.writeFileSync(
  path.join(folder, 'startup.layerif.yaml'),
  `version: 1
model: { path: ${JSON.stringify(path.resolve(options.model))}, max_length: 32 }
datasets: { rows: { path: rows.jsonl } }
tasks:
  - { task: startup, dataset: rows, training_split: "train[:2]", validation_split: "train[2:3]", output_type: loglikelihood_rolling, doc_to_text: text }
`,
);

const hasLayer = () =>
  fs.existsSync(output) &&
  fs.readdirSync(output, { recursive: true }).some((file) => /layer-\d+\.safetensors$/.test(file));

/** Milliseconds to the first layer and to the end. */
async function once() {
  fs.rmSync(output, { recursive: true, force: true });
  const began = performance.now();
  const command = [path.resolve(options.cli), 'score', 'startup.layerif.yaml', '--json', '--output', output];
  const child = spawn(process.execPath, command, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk) => (said += chunk));
  let first = null;
  const timer = setInterval(() => {
    if (first === null && hasLayer()) first = performance.now() - began;
  }, 5);
  const code = await new Promise((resolve) => child.on('close', resolve));
  clearInterval(timer);
  if (code !== 0 || first === null) throw new Error(`layerif score ended with ${code}:\n${said}`);
  return { first, all: performance.now() - began };
}

try {
  await once();
  const runs = [];
  for (let i = 0; i < Number(options.runs); i++) {
    runs.push(await once());
    process.stderr.write(`first layer ${runs[i].first.toFixed(0)} ms, end ${runs[i].all.toFixed(0)} ms\n`);
  }
  const middle = (key) => runs.map((run) => run[key]).sort((a, b) => a - b)[runs.length >> 1];
  const load = os.loadavg()[0];
  process.stdout.write(`${JSON.stringify({ firstLayerMs: middle('first'), endMs: middle('all'), runs, load })}\n`);
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}
