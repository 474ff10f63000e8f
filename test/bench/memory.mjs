/**
 * The planner's estimate of peak memory against what is then measured, over plans of every kind.
 *
 *   node test/bench/memory.mjs --model FOLDER_OR_GGUF [--only NAME] [--source] [--json FILE]
 *
 * Each row is one `layerif score` of texts of the wanted length. "estimated" is the plan's `memoryBytes`, "measured" the result's
 * `provenance.peakMemoryBytes` (anonymous memory of engine and command at their highest, server/src/run/machine/memory.ts), "seen" the
 * highest sum of RssAnon that was seen from outside every 50 ms, "resident" the sum of the peaks of RSS, mapped files included. `--source` runs the sources
 * with this Node (24 or newer) instead of dist/.
 */
import fs from 'node:fs';
import { parseArgs } from 'node:util';
import { scoreTexts } from './textRun.mjs';

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

const mib = (bytes) => (bytes / 2 ** 20).toFixed(0);
const rows = [];
for (const c of configurations.filter(({ name }) => !values.only || name === values.only)) {
  const { estimate, result, peak, cpuSeconds } = await scoreTexts(c, values);
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
  const cells = [row.estimated, row.measured, row.seen, row.resident].map(mib);
  console.log(
    `| ${[row.name, row.samples, row.plan, ...cells, (row.estimated / row.measured).toFixed(2)].join(' | ')} |`,
  );
}
if (values.json) fs.writeFileSync(values.json, `${JSON.stringify(rows, null, 2)}\n`);
