/** The benchmark's table in Markdown, and the README's sentence; `scripts/generate-docs.mjs` puts them into the documents. */
import { contestants, usefulFlops } from './contestants.mjs';

const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};
const best = (contestant, key) => Math.min(...contestant.runs.map((run) => run[key]));
const gib = (bytes) => (bytes / 2 ** 30).toFixed(1);

const NOTES = {
  layers: (x) => `kronfluence's sums over a layer by ${x.toExponential(1)} of the largest`,
  captum: (x) => `captum's inner products by ${x.toExponential(1)} of ‖g‖ ‖v‖`,
  bergson: (x) => `bergson's by ${x.toExponential(1)}`,
  datainf: (x) => `the DataInf formula's influence by ${x.toExponential(1)} of a layer's largest`,
};

function row(id, contestant, workload, rate) {
  const title = contestant.name;
  if (contestant.error) return [title, `failed: ${contestant.error.replaceAll('|', '\\|')}`, '', '', '', '', '', ''];
  const seconds = contestant.runs.map((run) => run.seconds);
  const peaks = contestant.runs.flatMap((run) => (run.peak ? [run.peak.resident] : []));
  const times = (ours) => (ours?.runs.length ? (best(ours, 'seconds') / best(contestant, 'seconds')).toFixed(2) : '');
  const { layerif, layerif64 } = workload.contestants;
  const own = id.startsWith('layerif');
  const share = usefulFlops(workload, id === 'layerif') / best(contestant, 'seconds') / (rate * 1e9);
  return [
    title,
    Math.min(...seconds).toFixed(1),
    median(seconds).toFixed(1),
    best(contestant, 'processSeconds').toFixed(1),
    contestant.runs[0].cpuSeconds ? best(contestant, 'cpuSeconds').toFixed(1) : '',
    peaks.length > 0 ? gib(Math.max(...peaks)) : '',
    own ? '' : `${times(layerif)} / ${times(layerif64)}`,
    own ? `${Math.round(100 * share)} %` : '',
  ];
}

/** What the numbers of a workload agree with, in a sentence; empty where nothing was compared. */
function agreementOf({ entries, projected, ...others } = {}) {
  const parts = Object.entries(NOTES).flatMap(([key, note]) =>
    typeof others[key] === 'number' ? [note(others[key])] : [],
  );
  if (typeof entries === 'number')
    parts.unshift(
      `gradient inner products of all 210 matrices differ from kronfluence's by at most ${entries.toExponential(1)} of ‖g‖ ‖v‖`,
    );
  const sentences = parts.length > 0 ? [`Same numbers: ${parts.join(', ')}.`] : [];
  if (typeof projected === 'number')
    sentences.push(
      `Layer scores with \`projection: 64\` against exact ones: Spearman ${projected.toFixed(2)} (random weights).`,
    );
  return sentences.join(' ');
}

/** @param results what bench.mjs wrote */
export function table(results) {
  const { machine, versions, torchMatMulGflops: rate } = results;
  const lines = [];
  for (const [name, workload] of Object.entries(results.workloads)) {
    const entries = Object.entries(workload.contestants);
    const runs = Math.max(...entries.map(([, contestant]) => contestant.runs.length));
    const shape = `${workload.train} training × ${workload.validation} validation samples of ${workload.tokens} tokens`;
    lines.push(`**Workload ${name}**: ${shape}; ${runs === 1 ? 'one run' : `${runs} runs, taking turns`}.`, '');
    lines.push(
      '| | best s | median s | whole process s | its CPU s | peak GiB | LayerIF takes × of it, exact / projected | share of MatMul rate |',
      '| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
    );
    for (const [id, contestant] of entries)
      lines.push(`| ${row(id, contestant, workload, rate.asInstalled).join(' | ')} |`);
    lines.push('');
    const agreement = agreementOf(workload.agreement);
    if (agreement) lines.push(agreement, '');
    const absent = Object.values(contestants).filter(({ on, why }) => why && !on.includes(name));
    if (absent.length > 0)
      lines.push(`Not in ${name}: ${absent.map((c) => `${c.name}, for ${c.why}`).join('; ')}.`, '');
  }
  const product = `PyTorch's float32 matrix product: ${rate.asInstalled} GFLOP/s as installed${rate.other ? `, ${rate.other.gflops} with ${rate.other.label}` : ''}.`;
  const software = Object.entries(versions)
    .filter(([, version]) => version)
    .map(([name, version]) => `${name} ${version}`);
  lines.push(
    `SmolLM-135M's shape, all 210 block matrices (106 M weights), float32, ${results.threads} threads, random weights and tokens. For the Python ` +
      'libraries “s” leaves out imports and loading (bergson is two programs: it includes them), for LayerIF it is the whole command. Share: ' +
      '6 FLOP per block parameter and token, 4 per head parameter and token and the Gram products of each pair of samples once, in the ' +
      `whole command's time, of PyTorch's best matrix product. ${product}`,
    '',
    `${results.date.slice(0, 10)}, ${machine.cpu} (${machine.vendor}, ${machine.instructions}), ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.system}; ${software.join(', ')}.`,
  );
  return lines.join('\n');
}

/** The README's sentence: the first workload, exact, beside kronfluence as it is installed. */
export function summary({ workloads, machine, date }) {
  const [name, workload] = Object.entries(workloads)[0];
  const { layerif, kronfluence } = workload.contestants;
  const memory = (contestant) => Math.max(...contestant.runs.map(({ peak }) => peak.resident));
  return (
    `All 210 block matrices of a 135M-parameter Llama, ${workload.train} training × ${workload.validation} validation samples of ` +
    `${workload.tokens} tokens, ${machine.cores} CPU cores (workload ${name}, ${date.slice(0, 10)}): the whole command takes ` +
    `${best(layerif, 'seconds').toFixed(0)} s and ${gib(memory(layerif))} GiB; kronfluence's per-module scores, without imports and loading, ` +
    `${best(kronfluence, 'seconds').toFixed(0)} s and ${gib(memory(kronfluence))} GiB.`
  );
}
