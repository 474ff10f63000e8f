/**
 * Qwen2-MoE and Qwen3-MoE (arXiv 2407.10671, 2505.09388): the blocks of Qwen2 and Qwen3 with a mixture of experts in
 * some or all layers; Qwen2-MoE adds an expert that all tokens share, behind a gate. Routers, experts and gate are
 * scored. Checked against PyTorch float64 by test/engine/gradients.test.ts.
 */
import type { Value } from '../onnx/graph.ts';
import { eitherKey, flag, positiveInteger, positiveNumber } from './config.ts';
import { attend, decoderOf, frameOf, gatedMlp, logits, maskOf, projections } from './decoder.ts';
import type { Decoder, Windows } from './decoder.ts';
import { expert, mixture, mixtureModules, requireSeparateExperts } from './experts.ts';
import type { Mixture } from './experts.ts';
import { slidingLayers } from './layerTypes.ts';
import type { SegmentBuilder } from './segment.ts';
import type { Architecture, Config, Family, LinearModule, Weights } from './types.ts';

export const qwen2Moe: Family = {
  id: 'qwen2_moe',
  title: 'Qwen1.5-MoE, Qwen2-MoE',
  modelTypes: ['qwen2_moe'],
  source: 'arXiv 2407.10671',
  architecture(config, weights) {
    const d = decoderOf(config, weights, { kvHeads: 16, maxPositions: 32_768 });
    const full = whole(config, 'max_window_layers', 28);
    // Without layer_types every other layer below max_window_layers has the window (transformers' rule).
    const windows = slidingLayers(config, d.layers, 4096, (layer) => layer % 2 === 0 && layer < full);
    const experts = mixtureOf(config, d, { count: 60, chosen: 4, inner: 1408 });
    const shared = positiveInteger(config, 'shared_expert_intermediate_size', 5632);
    const options = { bias: { qkv: flag(config, 'qkv_bias', true), output: false }, headNorms: false, shared };
    return build('qwen2_moe', config, weights, d, windows, experts, options);
  },
};

export const qwen3Moe: Family = {
  id: 'qwen3_moe',
  title: 'Qwen3-MoE',
  modelTypes: ['qwen3_moe'],
  source: 'arXiv 2505.09388',
  architecture(config, weights) {
    const d = decoderOf(config, weights, { kvHeads: 4, maxPositions: 32_768 });
    // All layers have the window or none has.
    const windows = slidingLayers({ ...config, layer_types: null }, d.layers, 4096, () => true);
    const experts = mixtureOf(config, d, { count: 128, chosen: 8, inner: 768 });
    const bias = flag(config, 'attention_bias', false);
    const options = { bias: { qkv: bias, output: bias }, headNorms: true, shared: null };
    return build('qwen3_moe', config, weights, d, windows, experts, options);
  },
};

interface Options {
  bias: { qkv: boolean; output: boolean };
  /** RMS norms over each head's q and k. */
  headNorms: boolean;
  /** Width of the shared expert. */
  shared: number | null;
}

function build(
  family: string,
  config: Config,
  weights: Weights,
  d: Decoder,
  windows: Windows,
  experts: Mixture,
  { bias, headNorms, shared }: Options,
): Architecture {
  const epsilon = positiveNumber(config, 'rms_norm_eps', 1e-6);
  const sparse = sparseLayers(config, d.layers);
  if (sparse.includes(true)) requireSeparateExperts(experts, weights, `model.layers.${sparse.indexOf(true)}`);
  const frame = frameOf(family, config, d, windows);
  const dense = frame.modules();
  const modules = [...dense.filter((m) => m.name.startsWith('self_attn.')), ...mixtureModules(experts)];
  if (shared !== null) modules.push(...sharedModules(d.hidden, shared));

  const norm = (b: SegmentBuilder, name: string, x: Value) =>
    headNorms ? b.rmsNorm(`self_attn.${name}`, x, epsilon) : x;
  const mlp = (b: SegmentBuilder, x: Value): Value => {
    const routed = mixture(b, x, experts);
    if (shared === null) return routed;
    const out = expert(b, x, SHARED, { ...experts, inner: shared });
    return b.graph.add(routed, b.graph.mul(out, b.graph.sigmoid(b.linear(SHARED_GATE, x, 1))));
  };

  return {
    ...frame,
    modules: (layer) => (sparse[layer] ? modules : dense),
    kind: (layer) => `${sparse[layer] ? 'experts' : 'dense'} ${frame.kind(layer)}`,

    block(b, x, layer) {
      const g = b.graph;
      const [q, k, v] = projections(b, b.rmsNorm('input_layernorm', x, epsilon), d, bias.qkv);
      const placed: [Value, Value, Value] = [b.rotate(norm(b, 'q_norm', q)), b.rotate(norm(b, 'k_norm', k)), v];
      const middle = g.add(x, attend(b, placed, d, maskOf(windows, layer), bias.output));
      const normed = b.rmsNorm('post_attention_layernorm', middle, epsilon);
      return g.add(middle, sparse[layer] ? mlp(b, normed) : gatedMlp(b, normed, d));
    },

    head: (b, x) => logits(b, b.rmsNorm('model.norm', x, epsilon), d),
  };
}

const SHARED = 'mlp.shared_expert';
const SHARED_GATE = 'mlp.shared_expert_gate';

function sharedModules(hidden: number, inner: number): LinearModule[] {
  return [
    { name: `${SHARED}.gate_proj`, rows: inner, columns: hidden },
    { name: `${SHARED}.up_proj`, rows: inner, columns: hidden },
    { name: `${SHARED}.down_proj`, rows: hidden, columns: inner },
    { name: SHARED_GATE, rows: 1, columns: hidden },
  ];
}

function mixtureOf(config: Config, d: Decoder, defaults: { count: number; chosen: number; inner: number }): Mixture {
  return {
    router: 'mlp.gate',
    experts: 'mlp.experts',
    gate: 'gate_proj',
    up: 'up_proj',
    down: 'down_proj',
    count: positiveInteger(eitherKey(config, 'num_experts', 'num_local_experts'), 'num_experts', defaults.count),
    chosen: positiveInteger(config, 'num_experts_per_tok', defaults.chosen),
    hidden: d.hidden,
    inner: positiveInteger(config, 'moe_intermediate_size', defaults.inner),
    normalised: flag(config, 'norm_topk_prob', false),
    activation: d.activation,
  };
}

/** Every `decoder_sparse_step`-th layer has experts, but for those of `mlp_only_layers`. */
function sparseLayers(config: Config, layers: number): boolean[] {
  const step = positiveInteger(config, 'decoder_sparse_step', 1);
  const dense = config.mlp_only_layers ?? [];
  if (!Array.isArray(dense) || dense.some((layer) => !Number.isInteger(layer))) {
    throw new Error(`config.json: mlp_only_layers is ${JSON.stringify(dense)}; a list of layer numbers is needed`);
  }
  return Array.from({ length: layers }, (_, layer) => !dense.includes(layer) && (layer + 1) % step === 0);
}

function whole(config: Config, key: string, fallback: number): number {
  const value = config[key] ?? fallback;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) {
    throw new Error(`config.json: ${key} is ${JSON.stringify(value)}; a whole number from 0 is needed`);
  }
  return value;
}
