/**
 * Arguments of the training scripts of MoLA and AlphaLoRA: one number per layer, comma-separated. Their evaluation
 * scripts take the first two.
 */
import { targetModules } from './types.ts';
import type { ExportInput, ExportTarget } from './types.ts';

const shared = { kinds: ['experts'], ending: '.args.txt', make: expertsArguments } as const;

export const mola: ExportTarget = {
  id: 'mola',
  title: 'arguments --number_experts, --top_k ...',
  source: 'GCYZSL/MoLA',
  ...shared,
};

export const alphalora: ExportTarget = {
  id: 'alphalora',
  title: 'arguments --number_experts, --top_k ...',
  source: 'peijunallin/alphalora',
  ...shared,
};

function expertsArguments({ allocation, layers, loraRank, loraScale }: ExportInput): string {
  const given = allocation!.layers;
  const list = (values: readonly (number | string)[]) => `"${values.join(',')}"`;
  return `${[
    `--number_experts ${list(given.map(({ value }) => value))}`,
    `--top_k ${list(given.map(({ topK }) => topK!))}`,
    `--lora_r ${list(given.map(() => loraRank))}`,
    `--lora_alpha ${loraRank * loraScale}`,
    '--lora_dropout 0.05',
    `--lora_target_modules ${list(targetModules(layers))}`,
  ].join(' ')}\n`;
}
