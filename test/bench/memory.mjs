/**
 * The planner's estimate of peak memory against what is then measured, over plans of every kind.
 *
 *   node test/bench/memory.mjs --model FOLDER_OR_GGUF [--only NAME] [--source] [--json FILE]
 *
 * Each row is one `layerif score` of texts of the wanted length. "estimated" is the plan's `memoryBytes`, "measured" the result's
 * `provenance.peakMemoryBytes` (anonymous memory of engine and command at their highest, server/src/run/memory.ts), "seen" the
 * highest sum of RssAnon that was seen from outside every 50 ms, "resident" the sum of the peaks of RSS, mapped files included. `--source` runs the sources
 * with this Node (24 or newer) instead of dist/.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { measured } from './process.mjs';

const root = path.resolve(import.meta.dirname, '../..');

/** memory: GiB given with --memory; absent = as much as the machine has. */
const configurations = [
  { name: 'few short', train: 4, validation: 2, length: 32 },
  { name: 'few long', train: 4, validation: 2, length: 512 },
  { name: 'some', train: 16, validation: 4, length: 128 },
  { name: 'many', train: 80, validation: 20, length: 64 },
  { name: 'workload M', train: 64, validation: 16, length: 128 },
  { name: 'workload M, projected', train: 64, validation: 16, length: 128, projection: 64 },
  { name: 'long, projected', train: 12, validation: 4, length: 512, projection: 64 },
  { name: 'smaller batches', train: 64, validation: 16, length: 128, memory: 1.6 },
  { name: 'streamed', train: 16, validation: 4, length: 128, memory: 0.75 },
  { name: 'streamed, files', train: 64, validation: 16, length: 128, memory: 0.95 },
  { name: 'streamed, projected', train: 64, validation: 16, length: 128, projection: 64, memory: 0.8 },
  { name: 'streamed, files, projected', train: 64, validation: 16, length: 128, projection: 16, memory: 0.6 },
];

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    only: { type: 'string' },
    source: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
});
if (!values.model) throw new Error('--model is missing: a folder with a model or a .gguf file');

const words =
  'river stone early light carries people across quiet fields where nothing else would grow before winter'.split(' ');
const text = (row, length) =>
  Array.from({ length: 2 * length }, (_, i) => words[(row * 7 + i * (1 + (row % 5))) % 16]).join(' ');
const command = values.source ? [path.join(root, 'server/src/cli/cliMain.ts')] : [path.join(root, 'dist/cli.cjs')];
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-memory-'));
const rows = [];
try {
  for (const c of configurations.filter(({ name }) => !values.only || name === values.only)) {
    const data = Array.from({ length: c.train + c.validation }, (_, row) =>
      JSON.stringify({ text: text(row, c.length) }),
    );
    fs.writeFileSync(path.join(folder, 'texts.jsonl'), `${data.join('\n')}\n`);
    const experiment = {
      version: 1,
      model: { path: path.resolve(values.model), max_length: c.length },
      datasets: { texts: { path: 'texts.jsonl' } },
      tasks: [
        {
          task: 'texts',
          training_split: `train[:${c.train}]`,
          validation_split: `train[${c.train}:]`,
          doc_to_text: '{{text}}',
          output_type: 'loglikelihood_rolling',
        },
      ],
      score: { projection: c.projection ?? 'none' },
    };
    const file = path.join(folder, 'memory.layerif.yaml');
    fs.writeFileSync(file, JSON.stringify(experiment));
    fs.rmSync(path.join(folder, 'runs'), { recursive: true, force: true });
    const memory = c.memory ? ['--memory', String(c.memory)] : [];
    const estimate = JSON.parse(
      execFileSync(process.execPath, [...command, 'estimate', file, '--json', ...memory], {
        stdio: ['ignore', 'pipe', 'ignore'],
      }),
    );
    const { stdout, peak, cpuSeconds } = await measured([
      process.execPath,
      ...command,
      'score',
      file,
      '--json',
      ...memory,
    ]);
    const result = JSON.parse(stdout);
    const { plan } = estimate;
    const row = {
      name: c.name,
      samples: `${c.train} x ${c.validation} x ${c.length}`,
      plan: [
        plan.weights,
        `${plan.tokensPerBatch} tokens`,
        `boundaries ${plan.boundaries}`,
        plan.projection ? `rank ${plan.projection}` : 'exact',
      ].join(', '),
      estimated: estimate.memoryBytes,
      measured: result.provenance.peakMemoryBytes,
      seen: peak.anonymous,
      resident: peak.resident,
      parts: estimate.memoryParts,
      cpuSeconds,
    };
    rows.push(row);
    const mib = (bytes) => (bytes / 2 ** 20).toFixed(0);
    console.log(
      `| ${row.name} | ${row.samples} | ${row.plan} | ${mib(row.estimated)} | ${mib(row.measured)} | ${mib(row.seen)} | ${mib(row.resident)} | ${(row.estimated / row.measured).toFixed(2)} |`,
      process.env.PARTS
        ? JSON.stringify(Object.fromEntries(Object.entries(row.parts).map(([k, v]) => [k, Number(mib(v))])))
        : '',
    );
  }
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}
if (values.json) fs.writeFileSync(values.json, `${JSON.stringify(rows, null, 2)}\n`);
