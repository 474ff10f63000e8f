/**
 * Fragments for the files of axolotl and LLaMA-Factory that say which layers are trained. Neither has a rank per layer
 * in its own file, so they take a choice of layers; for ranks and experts, `peft` writes what their library reads.
 */
import { layerRanks } from './peft.ts';
import { layersPattern, targetModules } from './types.ts';
import type { ExportInput, ExportTarget } from './types.ts';
import { quoted } from './yamlText.ts';
import { nth } from '../lists/nth.ts';

export const axolotl: ExportTarget = {
  id: 'axolotl',
  title: 'fragment with peft_layers_to_transform',
  source: 'axolotl-ai-cloud/axolotl',
  kinds: ['tune', 'freeze'],
  ending: '.axolotl.yaml',

  make(input) {
    return [
      'adapter: lora',
      `lora_r: ${input.loraRank}`,
      `lora_alpha: ${input.loraRank * input.loraScale}`,
      'lora_dropout: 0.05',
      'lora_target_modules:',
      ...targetModules(input.layers).map((name) => `  - ${quoted(name)}`),
      `peft_layers_to_transform: [${trained(input)
        .map(({ index }) => index)
        .join(', ')}]`,
      'peft_layers_pattern:',
      `  - ${quoted(layersPattern(nth(input.layers, 0)))}`,
      '',
    ].join('\n');
  },
};

export const llamaFactory: ExportTarget = {
  id: 'llamafactory',
  title: 'fragment with lora_target for the chosen layers',
  source: 'hiyouga/LLaMA-Factory',
  kinds: ['tune', 'freeze'],
  ending: '.llamafactory.yaml',

  make(input) {
    // Handed to PEFT as target modules, which match the end of a module's name after a dot; the list's name keeps 1 and
    // 11 apart.
    const names = trained(input).flatMap(({ name, modules }) =>
      modules.map((module) => `${name.split('.').slice(-2).join('.')}.${module.name}`),
    );
    return [
      'finetuning_type: lora',
      `lora_rank: ${input.loraRank}`,
      `lora_alpha: ${input.loraRank * input.loraScale}`,
      'lora_dropout: 0.05',
      `lora_target: ${names.join(',')}`,
      '',
    ].join('\n');
  },
};

function trained(input: ExportInput): ExportInput['layers'] {
  const ranks = layerRanks(input);
  return input.layers.filter((_, l) => nth(ranks, l) > 0);
}
