/**
 * A recipe of llm-compressor (WandaPruningModifier; SparseGPTModifier takes the same keys): `sparsity` is a list with
 * one entry per decoder block in model order. N:M is `mask_structure`, which holds for all layers alike; there N counts
 * the zeros.
 */
import { LayerifError } from '../../../protocol/errors.ts';
import type { ExportTarget } from './types.ts';

export const llmCompressor: ExportTarget = {
  id: 'llm-compressor',
  title: 'pruning recipe with a sparsity per block',
  source: 'vllm-project/llm-compressor',
  kinds: ['sparsity'],
  ending: '.recipe.yaml',

  make({ allocation }) {
    const { settings, layers } = allocation!;
    const structure = settings.structure ?? 'unstructured';
    if (settings.unit === 'matrix')
      throw new LayerifError('badRequest', 'llm-compressor takes one sparsity per block: use --unit block');
    if (structure !== 'unstructured' && new Set(layers.map(({ value }) => value)).size > 1)
      throw new LayerifError(
        'badRequest',
        `llm-compressor has one mask structure for all layers, but this map varies under ${structure}: use --rule uniform, or --structure unstructured`,
      );
    const group = layers[0]?.group;
    return [
      '# SparseGPTModifier takes the same keys.',
      'pruning_stage:',
      '  pruning_modifiers:',
      '    WandaPruningModifier:',
      `      sparsity: [${layers.map(({ value }) => Number(value.toFixed(6))).join(', ')}]`,
      `      mask_structure: "${group ? `${group.zeros}:${group.of}` : '0:0'}"`,
      '      targets: ["Linear"]',
      '      ignore: ["re:.*lm_head"]',
      '',
    ].join('\n');
  },
};
