/**
 * How long completion takes on an experiment file of 500 lines, idle and while a run is under way.
 *
 *   node test/bench/completion.ts [--requests 60] [--bundle] [--idle]
 *
 * Every request follows a keystroke: a character is typed, and what may stand there is asked for at once, at places of
 * all kinds in turn. The run scores the demo model on the machine's cores; --idle leaves it out. Prints milliseconds,
 * middle, ninetieth percentile and most. With --bundle the server is dist/server.cjs, else the sources. Node 24 or
 * newer.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { requests } from '../../protocol/requests.ts';

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '60' },
    bundle: { type: 'boolean', default: false },
    idle: { type: 'boolean', default: false },
  },
});
const root = path.resolve(import.meta.dirname, '../..');
if (values.bundle) process.env.LAYERIF_SERVER = path.join(root, 'dist/server.cjs');
const { Client } = await import('../lsp/client.ts');

const ROWS = 2000;
const model = path.join(root, 'examples/models/SmolLM2-135M-Instruct.Q4_1.gguf');
if (!fs.existsSync(model)) throw new Error(`${model} is not there; npm start fetches it`);

/** 40 tasks on 20 datasets, 500 lines. */
function experiment(): string {
  const datasets = Array.from({ length: 20 }, (_, i) => `  data${i}:\n    path: data${i}.jsonl`);
  const tasks = Array.from({ length: 45 }, (_, i) => [
    `  - task: task${i}`,
    `    dataset: data${i % 20}`,
    '    training_split: train[:100]',
    '    validation_split: train[100:120]',
    '    doc_to_text: "Review: {{text}}\\nSentiment:"',
    '    doc_to_target: label',
    '    doc_to_choice: [negative, positive]',
    '    target_delimiter: " "',
    '    output_type: multiple_choice',
    '    num_fewshot: 0',
  ]).flat();
  return [
    'version: 1',
    `model: { path: ${JSON.stringify(model)}, max_length: 64 }`,
    'datasets:',
    ...datasets,
    'tasks:',
    ...tasks,
    'score:',
    '  estimator: datainf',
    '',
  ].join('\n');
}

/** What is typed, in which lines, and where completion is asked. */
const places: readonly { line: RegExp; typed: string }[] = [
  { line: /^ {4}dataset:/, typed: 'd' },
  { line: /^ {4}training_split:/, typed: 't' },
  { line: /^ {4}doc_to_target:/, typed: 'l' },
  { line: /^ {4}output_type:/, typed: 'm' },
  { line: /^ {4}doc_to_text:/, typed: '{{' },
  { line: /^ {2}estimator:/, typed: 'd' },
];

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-completion-'));
const rows = Array.from({ length: ROWS }, (_, i) =>
  JSON.stringify({ text: `row ${i} was long but I liked it very much and would see it again`, label: i % 2 }),
).join('\n');
for (let i = 0; i < 20; i++) fs.writeFileSync(path.join(folder, `data${i}.jsonl`), rows);
const text = experiment();
const file = path.join(folder, 'large.layerif.yaml');
fs.writeFileSync(file, text);
const small = path.join(folder, 'run.layerif.yaml');
fs.writeFileSync(
  small,
  `version: 1
model: { path: ${JSON.stringify(model)}, max_length: 64 }
datasets: { rows: { path: data0.jsonl } }
tasks:
  - { task: run, training_split: "train[:300]", validation_split: "train[300:350]", output_type: loglikelihood_rolling, doc_to_text: text }
`,
);
const uri = pathToFileURL(file).href;
const client = await Client.start(folder, { env: { XDG_CACHE_HOME: path.join(folder, 'cache') } });
const pause = (milliseconds: number) => new Promise((done) => setTimeout(done, milliseconds));
let version = 1;

/** Types into a line, asks, and takes the typed away again. */
async function once(at: number): Promise<number> {
  const lines = text.split('\n');
  const { line: pattern, typed } = places[at % places.length];
  const fitting = lines.flatMap((line, number) => (pattern.test(line) ? [number] : []));
  const line = fitting[(at * 7) % fitting.length];
  const start = lines[line].indexOf(':') + 2;
  const change = async (from: number, to: number, words: string) =>
    client.connection.sendNotification('textDocument/didChange', {
      textDocument: { uri, version: ++version },
      contentChanges: [{ range: { start: { line, character: from }, end: { line, character: to } }, text: words }],
    });
  const rest = lines[line].length;
  await change(start, rest, typed);
  const began = performance.now();
  const found = await client.connection.sendRequest<unknown[] | { items: unknown[] }>('textDocument/completion', {
    textDocument: { uri },
    position: { line, character: start + typed.length },
  });
  const took = performance.now() - began;
  if ((Array.isArray(found) ? found : found.items).length === 0)
    throw new Error(`nothing is offered in line ${line + 1}`);
  await change(start, start + typed.length, lines[line].slice(start));
  return took;
}

async function measure(what: string): Promise<void> {
  await once(0);
  const times: number[] = [];
  for (let i = 0; i < Number(values.requests); i++) {
    await pause(150); // as fast as a quick typist
    times.push(await once(i));
  }
  times.sort((a, b) => a - b);
  const at = (share: number) => Math.round(times[Math.min(times.length - 1, Math.floor(share * times.length))]);
  const [load] = os.loadavg();
  process.stdout.write(`${JSON.stringify({ what, median: at(0.5), p90: at(0.9), most: at(1), load })}\n`);
}

try {
  await client.connection.sendNotification('textDocument/didOpen', {
    textDocument: { uri, languageId: 'yaml', version, text },
  });
  await pause(3000);
  process.stderr.write(`${text.split('\n').length} lines\n`);
  await measure('idle');
  if (!values.idle) {
    const run = client.ask(requests.score, { uri: pathToFileURL(small).href });
    await client.connection.sendRequest('textDocument/hover', {
      textDocument: { uri },
      position: { line: 0, character: 0 },
    });
    while (!client.events.some(({ type }) => type === 'started')) await pause(100);
    await pause(2000);
    await measure('during a run');
    await client.ask(requests.cancelRun, {});
    await run;
  }
} finally {
  await client.stop();
  fs.rmSync(folder, { recursive: true, force: true });
}
