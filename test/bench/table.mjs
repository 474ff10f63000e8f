/**
 * The benchmark's table in Markdown. As a program it rewrites the part of README.md between the two markers from results.json:
 *
 *   node test/bench/table.mjs
 */
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { format, resolveConfig } from 'prettier';

const START = '<!-- bench:start -->';
const END = '<!-- bench:end -->';

const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};
const best = (contestant, key) => Math.min(...contestant.runs.map((run) => run[key]));
const gib = (bytes) => (bytes / 2 ** 30).toFixed(1);

function row(contestant, ours) {
  const seconds = contestant.runs.map((run) => run.seconds);
  const peaks = contestant.runs.flatMap((run) => (run.peak ? [run.peak.resident] : []));
  const ratio =
    !ours || ours === contestant
      ? ''
      : `${(best(ours, 'seconds') / best(contestant, 'seconds')).toFixed(2)} (${(median(ours.runs.map((run) => run.seconds)) / median(seconds)).toFixed(2)})`;
  return [
    contestant.name,
    Math.min(...seconds).toFixed(1),
    median(seconds).toFixed(1),
    best(contestant, 'processSeconds').toFixed(1),
    contestant.runs[0].cpuSeconds ? best(contestant, 'cpuSeconds').toFixed(1) : '',
    peaks.length > 0 ? gib(Math.max(...peaks)) : '',
    ratio,
  ];
}

/** @param results what bench.mjs wrote */
export function table(results) {
  const { machine, versions, torchMatMulGflops: rate } = results;
  const lines = [];
  for (const [name, workload] of Object.entries(results.workloads)) {
    const runs = Math.max(...Object.values(workload.contestants).map((contestant) => contestant.runs.length));
    const shape = `${workload.train} training × ${workload.validation} validation samples of ${workload.tokens} tokens`;
    lines.push(`**Workload ${name}**: ${shape}; ${runs === 1 ? 'one run' : `${runs} runs, taking turns`}.`, '');
    lines.push(
      '| | best s | median s | whole process s | its CPU s | peak GiB | LayerIF takes × of it, best (median) |',
      '| --- | ---: | ---: | ---: | ---: | ---: | ---: |',
    );
    const ours = workload.contestants.layerif;
    for (const contestant of Object.values(workload.contestants))
      lines.push(`| ${row(contestant, ours).join(' | ')} |`);
    lines.push('');
    if (workload.agreement) {
      const { entries, layers } = workload.agreement;
      lines.push(
        `Same numbers: gradient inner products of all 210 matrices differ from kronfluence's by at most ${entries.toExponential(1)} of ‖g‖ ‖v‖, ` +
          `sums over a layer by ${layers.toExponential(1)} of the largest.`,
        '',
      );
    }
  }
  const product = `PyTorch's float32 matrix product: ${rate.asInstalled} GFLOP/s as installed${rate.other ? `, ${rate.other.gflops} with ${rate.other.label}` : ''}.`;
  const software = Object.entries(versions)
    .filter(([, version]) => version)
    .map(([name, version]) => `${name} ${version}`);
  lines.push(
    `SmolLM-135M's shape, all 210 block matrices (106 M weights), float32, ${results.threads} threads, random weights and tokens. For PyTorch and ` +
      'kronfluence “s” leaves out imports and loading, for LayerIF it is the whole command. ' +
      product,
    '',
    `${results.date.slice(0, 10)}, ${machine.cpu} (${machine.vendor}, ${machine.instructions}), ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.system}; ${software.join(', ')}.`,
  );
  return lines.join('\n');
}

/** Puts the table between the markers of the README, in the repository's formatting; a file without markers stays as it is. */
export async function writeTable(text, readme) {
  const old = fs.existsSync(readme) ? fs.readFileSync(readme, 'utf8') : '';
  const [start, end] = [old.indexOf(START), old.indexOf(END)];
  if (start < 0 || end < start) return;
  const options = await resolveConfig(readme);
  const next = `${old.slice(0, start)}${START}\n\n${text}\n\n${old.slice(end)}`;
  fs.writeFileSync(readme, await format(next, { ...options, parser: 'markdown' }));
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const results = JSON.parse(fs.readFileSync(path.join(import.meta.dirname, 'results.json'), 'utf8'));
  await writeTable(table(results), path.join(import.meta.dirname, '../../README.md'));
}
