/**
 * Models without some layers: slices for mergekit's passthrough merge, and an option for llama.cpp's quantizer. Both
 * renumber what is left.
 */
import type { ExportInput, ExportTarget } from './types.ts';
import { quoted } from './yamlText.ts';

export const mergekit: ExportTarget = {
  id: 'mergekit',
  title: 'passthrough merge of the layers that stay',
  source: 'arcee-ai/mergekit',
  kinds: ['drop'],
  ending: '.mergekit.yaml',

  make(input) {
    // End exclusive.
    const slices = keptRuns(input).flatMap(([start, end]) => [
      '  - sources:',
      `      - model: ${quoted(input.model)}`,
      `        layer_range: [${start}, ${end}]`,
    ]);
    return ['slices:', ...slices, 'merge_method: passthrough', 'dtype: bfloat16', ''].join('\n');
  },
};

export const llamaCpp: ExportTarget = {
  id: 'llama.cpp',
  title: 'option --prune-layers of llama-quantize',
  source: 'ggml-org/llama.cpp, since b5740',
  kinds: ['drop'],
  ending: '.args.txt',
  make: ({ allocation }) =>
    `--prune-layers ${allocation!.layers
      .filter(({ value }) => value === 1)
      .map(({ index }) => index)
      .join(',')}\n`,
};

/** Runs of layers that stay, [first, last + 1]. */
function keptRuns({ allocation }: ExportInput): [number, number][] {
  const runs: [number, number][] = [];
  for (const { index, value } of allocation!.layers) {
    if (value === 1) continue;
    const last = runs.at(-1);
    if (last?.[1] === index) last[1]++;
    else runs.push([index, index + 1]);
  }
  return runs;
}
