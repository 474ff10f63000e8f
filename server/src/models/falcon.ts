/**
 * Falcon (arXiv 2311.16867): one fused projection; the new architecture (40B, 180B, 11B) has grouped key-value heads
 * and one or two layer norms before attention and MLP side by side; the old one (7B, RW) one key-value head or one
 * each, side by side or one after the other, rotary positions or ALiBi. Checked against PyTorch float64 by
 * test/engine/gradients.test.ts.
 */
import type { Value } from '../onnx/graph.ts';
import { flag, positiveInteger, positiveNumber, prefixOf } from './config.ts';
import { headOf, project } from './head.ts';
import { placed } from './positions.ts';
import { rotary, rotaryDim } from './rotary.ts';
import { activationOf } from './activations.ts';
import type { SegmentBuilder } from './segment.ts';
import type { Table } from './tables.ts';
import type { Architecture, Config, Family, LinearModule, Weights } from './types.ts';
import { nth } from '../lists/nth.ts';

export const falcon: Family = {
  id: 'falcon',
  title: 'Falcon',
  modelTypes: ['falcon'],
  source: 'arXiv 2311.16867',
  architecture,
};

function architecture(config: Config, weights: Weights): Architecture {
  const layers = positiveInteger(config, 'num_hidden_layers');
  const hidden = positiveInteger({ hidden_size: config.n_embed ?? config.hidden_size }, 'hidden_size');
  const inner = positiveInteger(config, 'ffn_hidden_size', 4 * hidden);
  const vocabulary = positiveInteger(config, 'vocab_size');
  const heads = positiveInteger(config, 'num_attention_heads');
  const epsilon = positiveNumber(config, 'layer_norm_epsilon', 1e-5);
  const activation = activationOf(config, 'activation', 'gelu');
  const bias = flag(config, 'bias', false);
  const alibi = flag(config, 'alibi', false);
  if (hidden % heads !== 0) {
    throw new Error(`config.json: hidden_size ${hidden} is not a multiple of num_attention_heads ${heads}`);
  }
  const { kvHeads, parallel, norms } = shapeOf(config, heads);
  const size = hidden / heads;
  if (rotaryDim(config, size, 1) !== size) {
    throw new Error(
      'config.json: partial_rotary_factor below 1 is given; Falcon rotates whole heads, so only 1 is supported',
    );
  }
  const fusedRows = (heads + 2 * kvHeads) * size;
  const positions = rotary(config, size);

  const prefix = prefixOf(weights, 'transformer.', 'word_embeddings.weight');
  const outputs = headOf(config, weights, { embedding: `${prefix}word_embeddings.weight`, tied: true, vocabulary });
  const modules: LinearModule[] = [
    { name: 'self_attention.query_key_value', rows: fusedRows, columns: hidden },
    { name: 'self_attention.dense', rows: hidden, columns: hidden },
    { name: 'mlp.dense_h_to_4h', rows: inner, columns: hidden },
    { name: 'mlp.dense_4h_to_h', rows: hidden, columns: inner },
  ];

  const attention = (b: SegmentBuilder, normed: Value): Value => {
    const fused = b.linear('self_attention.query_key_value', normed, fusedRows, { bias });
    const { q, k, v } = b.splitGroups(fused, heads, kvHeads, size);
    const scale = size ** -0.5;
    const attended = alibi
      ? b.attention(q, k, v, {
          scale,
          mask: 'mask',
          bias: b.keyTable('alibi', [kvHeads, heads / kvHeads, 1], nth(q.shape, 2)),
        })
      : b.attention(b.rotate(q), b.rotate(k), v, { scale, mask: 'mask' });
    return b.linear('self_attention.dense', attended, hidden, { bias });
  };
  const mlp = (b: SegmentBuilder, normed: Value): Value => {
    const up = activation(b.graph, b.linear('mlp.dense_h_to_4h', normed, inner, { bias }));
    return b.linear('mlp.dense_4h_to_h', up, hidden, { bias });
  };

  return {
    family: 'falcon',
    layers,
    hidden,
    vocabulary,
    outputs,
    heads,
    layerName: (layer) => `${prefix}h.${layer}`,
    modules: () => modules,
    kind: () => 'block',

    embed: (b, tokens) => b.graph.gather(b.weight(outputs.embedding, [vocabulary, hidden]), tokens, 0),

    block(b, x) {
      const normed = b.layerNorm(norms.attention, x, epsilon);
      const middle = b.graph.add(x, attention(b, normed));
      const mlpInput = norms.mlp === norms.attention ? normed : b.layerNorm(norms.mlp, parallel ? x : middle, epsilon);
      return b.graph.add(middle, mlp(b, mlpInput));
    },

    head: (b, x) => project(b, b.layerNorm(`${prefix}ln_f`, x, epsilon), outputs, hidden),

    ...placed({
      masks: { mask: null },
      ...(alibi
        ? { biases: { alibi: (length) => alibiTable(heads, kvHeads, size ** -0.5, length) } }
        : { rotary: { rotary: positions } }),
    }),
  };
}

/** Key-value heads and where the norms are. @throws Error for settings that transformers does not run either */
function shapeOf(config: Config, heads: number) {
  const kvHeads = positiveInteger(config, 'num_kv_heads', heads);
  const parallel = flag(config, 'parallel_attn', true);
  if (flag(config, 'new_decoder_architecture', false)) {
    const count = positiveInteger(config, 'num_ln_in_parallel_attn', 2);
    if (count > 2) throw new Error(`config.json: num_ln_in_parallel_attn is ${count}; supported: 1, 2`);
    if (!parallel) {
      throw new Error(
        'config.json: parallel_attn is false; with new_decoder_architecture true only parallel_attn true is supported',
      );
    }
    if (heads % kvHeads !== 0) {
      throw new Error(`config.json: num_attention_heads ${heads} is not a multiple of num_kv_heads ${kvHeads}`);
    }
    const two = { attention: 'ln_attn', mlp: 'ln_mlp' };
    return { kvHeads, parallel, norms: count === 2 ? two : { attention: 'input_layernorm', mlp: 'input_layernorm' } };
  }
  if (parallel && config.num_ln_in_parallel_attn === 2) {
    throw new Error(
      'config.json: num_ln_in_parallel_attn is 2; with new_decoder_architecture false only 1 is supported',
    );
  }
  const multiQuery = flag(config, 'multi_query', true);
  if (!multiQuery && kvHeads !== heads) {
    throw new Error(
      `config.json: num_kv_heads is ${kvHeads}; with new_decoder_architecture and multi_query false only num_attention_heads ${heads} is supported`,
    );
  }
  const mlp = parallel ? 'input_layernorm' : 'post_attention_layernorm';
  return { kvHeads: multiQuery ? 1 : heads, parallel, norms: { attention: 'input_layernorm', mlp } };
}

/**
 * Attention with linear biases (Press et al. 2022, arXiv 2108.12409): slope of the head times position of the key,
 * added to the scores before they are scaled. [kvHeads, group, 1, length]; rounded to bfloat16 as in training, slope
 * and product.
 */
function alibiTable(heads: number, kvHeads: number, scale: number, length: number): Table {
  const power = 2 ** Math.floor(Math.log2(heads));
  const data = new Float32Array(heads * length);
  for (let head = 0; head < heads; head++) {
    // Beyond a power of two the slopes of twice as many heads are taken, every other one.
    const exponent = head < power ? (8 * (head + 1)) / power : (4 * (2 * (head - power) + 1)) / power;
    const slope = bfloat16(2 ** -exponent);
    for (let key = 0; key < length; key++) data[head * length + key] = bfloat16(slope * key) * scale;
  }
  return { shape: [kvHeads, heads / kvHeads, 1, length], data };
}

/** Nearest bfloat16, ties to even. */
function bfloat16(x: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, x);
  const bits = view.getUint32(0);
  view.setUint32(0, (bits + 0x7fff + ((bits >>> 16) & 1)) & 0xffff0000);
  return view.getFloat32(0);
}
