/**
 * PEFT `adapter_config.json` with `rank_pattern` and `alpha_pattern`. A key is a regular expression that must match a
 * module's whole name after its start or a dot (`(.*\.)?KEY$`), the first that matches wins, and one that matches
 * nothing is ignored in silence, so every key is tried on the model's own names here. Experts become rank: `loraRank`
 * times their number, with alpha in proportion, so that weights and scale are those of the mixture. A chosen set of
 * layers becomes `layers_to_transform`.
 */
import type { Allocation } from '../../../protocol/allocation.ts';
import { LayerifError } from '../../../protocol/errors.ts';
import { layersPattern, moduleNames, targetModules } from './types.ts';
import type { ExportInput, ExportTarget } from './types.ts';
import { nth } from '../lists/nth.ts';
import { lookup } from '../text/lookup.ts';

export const peft: ExportTarget = {
  id: 'peft',
  title: 'LoraConfig (adapter_config.json) with a rank per layer',
  source: 'huggingface/peft',
  kinds: ['rank', 'experts', 'tune', 'freeze'],
  ending: '.adapter_config.json',
  fileName: 'adapter_config.json',
  noGraphs: 'PEFT adapts the modules of a PyTorch model',

  make(input) {
    return `${JSON.stringify(loraConfig(input), null, 2)}\n`;
  },
};

export function loraConfig(input: ExportInput): Record<string, unknown> {
  const { layers, loraRank, loraScale } = input;
  const ranks = layerRanks(input);
  const trained = layers.filter((_, l) => nth(ranks, l) > 0);
  if (trained.length === 0)
    throw new LayerifError('badRequest', 'no layer has a rank above 0: there is nothing to adapt');
  const rankPattern: Record<string, number> = {};
  const alphaPattern: Record<string, number> = {};
  layers.forEach(({ name, modules }, l) => {
    const rank = nth(ranks, l);
    if (rank === 0 || rank === loraRank) return;
    for (const module of modules) {
      const key = escaped(`${name}.${module.name}`);
      rankPattern[key] = rank;
      alphaPattern[key] = rank * loraScale;
    }
  });
  requireOneMatch(Object.keys(rankPattern), moduleNames(layers));
  return {
    peft_type: 'LORA',
    task_type: 'CAUSAL_LM',
    base_model_name_or_path: input.model,
    r: loraRank,
    lora_alpha: loraRank * loraScale,
    lora_dropout: 0.05,
    bias: 'none',
    target_modules: targetModules(layers),
    ...(trained.length < layers.length
      ? { layers_to_transform: trained.map(({ index }) => index), layers_pattern: layersPattern(nth(layers, 0)) }
      : {}),
    rank_pattern: rankPattern,
    alpha_pattern: alphaPattern,
  };
}

/** LoRA rank of every layer, 0 for layers that are not trained. */
export function layerRanks({ layers, allocation, loraRank }: ExportInput): number[] {
  const { kind, layers: given } = allocation as Allocation;
  const rank: Record<string, (value: number) => number> = {
    rank: (value) => value,
    experts: (value) => value * loraRank,
    tune: (value) => value * loraRank,
    freeze: (value) => (1 - value) * loraRank,
  };
  const own = lookup(rank, kind);
  if (!own)
    throw new LayerifError(
      'badRequest',
      `an allocation of ${kind} gives no ranks; use one of ${Object.keys(rank).join(', ')}`,
    );
  return layers.map((_, l) => own(nth(given, l).value));
}

const escaped = (name: string): string => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** @throws Error for a key that means another module than its own: a defect, since keys are made from the names */
function requireOneMatch(keys: readonly string[], names: readonly string[]): void {
  for (const key of keys) {
    const pattern = new RegExp(`^(.*\\.)?(${key})$`);
    const found = names.filter((name) => pattern.test(name));
    if (found.length !== 1) throw new Error(`the key ${key} matches ${found.length} modules`);
  }
}
