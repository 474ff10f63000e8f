/** Names of quantisation methods, from config.json and, where that says nothing, from names and types of tensors. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { quantisationOf } from '../../server/src/checkpoints/quantised.ts';

const layer = 'model.layers.0.self_attn.q_proj';
const of = (config: Record<string, unknown>, tensors: Record<string, string> = {}) =>
  quantisationOf({ config, tensors: new Map(Object.entries(tensors).map(([name, dtype]) => [name, { dtype }])) });

const byConfig: [Record<string, unknown>, string, RegExp][] = [
  [{ quantization_config: { quant_method: 'gptq', bits: 4 } }, 'GPTQ', /quantization_config\.quant_method "gptq"/],
  [{ quantization_config: { quant_method: 'awq' } }, 'AWQ', /"awq"/],
  [{ quantization_config: { quant_method: 'auto-round' } }, 'AutoRound', /"auto-round"/],
  [{ quantization_config: { quant_method: 'compressed-tensors' } }, 'compressed-tensors', /"compressed-tensors"/],
  [{ compression_config: { quant_method: 'compressed-tensors' } }, 'compressed-tensors', /compression_config/],
  [{ quantization_config: { quant_method: 'bitsandbytes', load_in_4bit: true } }, 'bitsandbytes', /"bitsandbytes"/],
  [{ quantization_config: { load_in_8bit: true } }, 'bitsandbytes', /"bitsandbytes"/],
  [{ quantization_config: { quant_method: 'fbgemm_fp8' } }, 'FBGEMM FP8', /"fbgemm_fp8"/],
  [{ quantization_config: { quant_method: 'hqq' } }, 'HQQ', /"hqq"/],
  [{ quantization_config: { quant_method: 'quanto' } }, 'quanto', /"quanto"/],
  [{ quantization_config: { quant_method: 'torchao' } }, 'torchao', /"torchao"/],
  [{ quantization_config: { quant_method: 'eetq' } }, 'EETQ', /"eetq"/],
  [{ quantization_config: { quant_method: 'aqlm' } }, 'AQLM', /"aqlm"/],
  [{ text_config: { quantization_config: { quant_method: 'mxfp4' } } }, 'MXFP4', /text_config\.quantization_config/],
  [{ quantization: { group_size: 64, bits: 4 } }, 'MLX', /has quantization$/],
  [{ quantization_config: { quant_method: 'newest' } }, 'newest', /"newest"/],
];

const byTensors: [string, string, string][] = [
  [`${layer}.g_idx`, 'I32', 'GPTQ'],
  [`${layer}.qweight`, 'I32', 'AWQ'],
  [`${layer}.weight.quant_state.bitsandbytes__nf4`, 'U8', 'bitsandbytes in 4 bits'],
  [`${layer}.SCB`, 'F32', 'bitsandbytes in 8 bits'],
  [`${layer}.weight_packed`, 'I32', 'compressed-tensors'],
  [`${layer}.weight_scale_inv`, 'F32', 'FP8 with block scales'],
  [`${layer}.W_q`, 'U8', 'HQQ'],
  [`${layer}.weight._data`, 'I8', 'quanto'],
  [`${layer}.weight_scales`, 'F16', 'EETQ'],
  [`${layer}.codebooks`, 'F16', 'AQLM'],
  [`${layer}.Qidxs`, 'I64', 'QuIP#'],
  [`${layer}.q_weight`, 'I32', 'ExLlamaV2 (EXL2)'],
  [`${layer}.trellis`, 'I16', 'ExLlamaV3 (EXL3)'],
  [`${layer}.weight`, 'U32', 'MLX'],
  [`${layer}.weight`, 'I8', '8-bit integers'],
];

test('by config.json: the method as people call it, with the key that says so', () => {
  for (const [config, title, evidence] of byConfig) {
    const found = of(config);
    assert.equal(found?.title, title);
    assert.match(found.evidence, evidence);
    assert.match(found.advice, /^take the float checkpoint that it was made from/);
  }
});

test('by tensors, where config.json says nothing', () => {
  for (const [name, dtype, title] of byTensors) {
    const found = of({}, { 'model.norm.weight': 'F32', [name]: dtype });
    assert.equal(found?.title, title, name);
    assert.equal(found.evidence, `it has the tensor ${name} of type ${dtype}`);
  }
});

test('a float checkpoint is none, whatever integers its norms and buffers have', () => {
  const tensors = { [`${layer}.weight`]: 'BF16', 'model.norm.weight': 'I32', 'model.position_ids': 'I64' };
  assert.equal(of({ quantization_config: null }, tensors), null);
});
