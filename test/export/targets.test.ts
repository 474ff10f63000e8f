/**
 * Every export against its golden file, and against what the consumer's own package read from that file
 * (test/reference/export/make.py wrote loaded.json with the packages and versions that it names).
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { exportTarget } from '../../server/src/export/targets.ts';
import { npy } from '../../server/src/export/npy.ts';
import { assertGolden } from '../golden/golden.ts';
import { everyExport, exportInput } from './input.ts';

interface Loaded {
  versions: Record<string, string>;
  npy: Record<string, { dtype: string; values: number[] }>;
  peft: Record<string, { trained: Record<string, { rank: number; scaling: number }> }>;
  llmCompressor: { modifier: string; sparsity: number[]; mask_structure: string }[];
  mergekit: { kept: number[]; merge_method: string };
}
const loaded = JSON.parse(readFileSync(new URL('../reference/export/loaded.json', import.meta.url), 'utf8')) as Loaded;

test('golden files of every target and kind', () => {
  for (const { name, content } of everyExport()) {
    const text = typeof content === 'string' ? content : `${Buffer.from(content).toString('base64')}\n`;
    assertGolden(`export/${name}${typeof content === 'string' ? '' : '.base64'}`, text);
  }
});

test('numpy loads the .npy files: float64, the scores of every matrix', () => {
  const input = exportInput(undefined);
  const expected = (of: 'normalised' | 'smoothed') =>
    input.layers.flatMap((layer) => layer.modules.map(() => layer[of]));
  assert.deepEqual(loaded.npy['layerif-npy'], { dtype: 'float64', values: expected('normalised') });
  assert.deepEqual(loaded.npy.alphapruning, { dtype: 'float64', values: expected('smoothed') });
  for (const length of [0, 1, 7, 224, 10_000])
    assert.equal((npy(Array<number>(length).fill(1)).length - 8 * length) % 64, 0);
});

test('PEFT builds adapters with the rank and the scale of every layer, for all kinds', () => {
  for (const kind of ['rank', 'experts', 'tune', 'freeze'] as const) {
    const input = exportInput(kind);
    const { trained } = loaded.peft[kind];
    const value = input.allocation!.layers.map((layer) => layer.value);
    const rank = {
      rank: value,
      experts: value.map((n) => 8 * n),
      tune: value.map((n) => 8 * n),
      freeze: value.map((n) => 8 - 8 * n),
    }[kind];
    const expected = Object.fromEntries(
      input.layers.flatMap(({ name, modules }, l) =>
        rank[l] === 0 ? [] : modules.map((module) => [`${name}.${module.name}`, { rank: rank[l], scaling: 2 }]),
      ),
    );
    assert.deepEqual(trained, expected, kind);
  }
});

test("llm-compressor's recipe parser reads a sparsity per block, for both modifiers", () => {
  const sparsity = exportInput('sparsity').allocation!.layers.map(({ value }) => Number(value.toFixed(6)));
  assert.deepEqual(
    loaded.llmCompressor.map(({ modifier }) => modifier),
    ['WandaPruningModifier', 'SparseGPTModifier'],
  );
  for (const found of loaded.llmCompressor) assert.deepEqual([found.sparsity, found.mask_structure], [sparsity, '0:0']);
});

test('mergekit reads slices that keep the layers that are not dropped', () => {
  const kept = exportInput('drop')
    .allocation!.layers.filter(({ value }) => value === 0)
    .map(({ index }) => index);
  assert.deepEqual([loaded.mergekit.kept, loaded.mergekit.merge_method], [kept, 'passthrough']);
});

test('arguments, YAML fragments and tables have the documented shape', () => {
  const text = (to: string, kind: Parameters<typeof exportInput>[0]) =>
    exportTarget(to).make(exportInput(kind)) as string;
  assert.match(
    text('mola', 'experts'),
    /^--number_experts "\d+(,\d+){4}" --top_k "[12](,[12]){4}" --lora_r "8,8,8,8,8" --lora_alpha 16 --lora_dropout 0\.05 --lora_target_modules "q_proj,k_proj,v_proj,o_proj,gate_proj,up_proj,down_proj"\n$/,
  );
  assert.equal(text('alphalora', 'experts'), text('mola', 'experts'));
  assert.equal(text('llama.cpp', 'drop'), '--prune-layers 4\n');
  const axolotl = parse(text('axolotl', 'tune')) as Record<string, unknown>;
  assert.deepEqual([axolotl.adapter, axolotl.lora_r, axolotl.peft_layers_pattern], ['lora', 8, ['layers']]);
  const tuned = exportInput('tune')
    .allocation!.layers.filter(({ value }) => value === 1)
    .map(({ index }) => index);
  assert.deepEqual(axolotl.peft_layers_to_transform, tuned);
  const factory = parse(text('llamafactory', 'tune')) as Record<string, unknown>;
  assert.equal(factory.finetuning_type, 'lora');
  assert.deepEqual(
    new Set((factory.lora_target as string).split(',').map((name) => Number(name.split('.')[1]))),
    new Set(tuned),
  );
  const lines = text('csv', 'experts').split('\r\n');
  assert.deepEqual([lines.length, lines[0]], [7, 'layer,name,score,parameters,experts,top_k,why']);
  assert.match(lines[1], /^0,model\.layers\.0,5\.01,\d+,\d+,\d,"Layer 0 gets/);
});

test('what a consumer cannot say is refused', () => {
  assert.throws(() => exportTarget('pefd'), /unknown target "pefd".*peft/);
  const recipe = exportTarget('llm-compressor');
  assert.throws(
    () => recipe.make(exportInput('sparsity', { structure: '4:8', epsilon: 0.9 })),
    /one mask structure for all layers/,
  );
  assert.match(
    recipe.make(exportInput('sparsity', { structure: '2:4', rule: 'uniform' })) as string,
    /mask_structure: "2:4"/,
  );
});
