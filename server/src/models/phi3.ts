/**
 * Phi-3, Phi-3.5 and Phi-4 (arXiv 2404.14219, 2412.08905, 2503.01743): Llama's block with queries, keys and values from
 * one fused matrix, gate and up from another; rotary positions stretched by LongRoPE, on part of every head in
 * Phi-4-mini; a sliding window in some. Gradients: test/reference/phi3.
 */
import { nullOr, oneOf, onlySupported, positiveInteger, positiveNumber } from './config.ts';
import { attend, decoderOf, frameOf, logits, maskOf } from './decoder.ts';
import { ropeParameters, rotaryDim } from './rotary.ts';
import type { Architecture, Config, Family, LinearModule, Weights } from './types.ts';

export const phi3: Family = {
  id: 'phi3',
  title: 'Phi-3, Phi-3.5, Phi-4, Phi-4-mini',
  modelTypes: ['phi3'],
  source: 'arXiv 2404.14219, 2412.08905, 2503.01743',
  architecture,
};

/**
 * The rotary setting as `rotary` reads it. The first files call LongRoPE "su" or "yarn" (transformers' rule), and the
 * trained length stands outside the setting.
 */
function positionsOf(config: Config): Config {
  const parameters = ropeParameters(config);
  const type = `${parameters === config.rope_scaling ? 'rope_scaling' : 'rope_parameters'}.rope_type`;
  const named = oneOf(
    { [type]: parameters.rope_type ?? parameters.type },
    type,
    ['default', 'longrope', 'su', 'yarn'],
    'default',
  );
  return {
    ...config,
    original_max_position_embeddings: positiveInteger(config, 'original_max_position_embeddings', 4096),
    rope_scaling: null,
    rope_parameters: { ...parameters, rope_type: named === 'default' ? named : 'longrope' },
  };
}

function architecture(config: Config, weights: Weights): Architecture {
  const d = decoderOf(config, weights, { maxPositions: 4096 });
  const epsilon = positiveNumber(config, 'rms_norm_eps', 1e-5);
  const window = nullOr(positiveInteger, config, 'sliding_window', null);
  const windows = Array.from({ length: d.layers }, () => window);
  const positions = positionsOf(config);
  const rotated = rotaryDim(positions, d.size, 1);
  const frame = frameOf('phi3', positions, d, windows, rotated);
  const readAnewBeyond = positions.original_max_position_embeddings as number;
  for (const key of ['attention_bias', 'mlp_bias', 'lm_head_bias']) onlySupported(config, key, [false, null]);

  const fused = [d.heads * d.size, d.kvHeads * d.size, d.kvHeads * d.size] as const;
  const fusedRows = fused[0] + fused[1] + fused[2];
  const modules: LinearModule[] = [
    { name: 'self_attn.qkv_proj', rows: fusedRows, columns: d.hidden },
    { name: 'self_attn.o_proj', rows: d.hidden, columns: d.heads * d.size },
    { name: 'mlp.gate_up_proj', rows: 2 * d.inner, columns: d.hidden },
    { name: 'mlp.down_proj', rows: d.hidden, columns: d.inner },
  ];

  return {
    ...frame,
    positions: { ...frame.positions, readAnewBeyond },
    modules: () => modules,

    block(b, x, layer) {
      const g = b.graph;
      const normed = b.rmsNorm('input_layernorm', x, epsilon);
      const [queries, keys, values] = g.split(b.linear('self_attn.qkv_proj', normed, fusedRows), fused, 2);
      const q = b.rotatePart(b.heads(queries, d.heads, d.size), rotated);
      const k = b.rotatePart(b.heads(keys, d.kvHeads, d.size), rotated);
      const v = b.heads(values, d.kvHeads, d.size);
      const middle = g.add(x, attend(b, [q, k, v], d, maskOf(windows, layer), false));
      const mlpInput = b.rmsNorm('post_attention_layernorm', middle, epsilon);
      const [gate, up] = g.split(b.linear('mlp.gate_up_proj', mlpInput, 2 * d.inner), [d.inner, d.inner], 2);
      return g.add(middle, b.linear('mlp.down_proj', g.mul(d.activation(g, gate), up), d.hidden));
    },

    head: (b, x) => logits(b, b.rmsNorm('model.norm', x, epsilon), d),
  };
}
