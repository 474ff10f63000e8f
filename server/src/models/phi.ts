/**
 * Phi-1, 1.5 and 2 (arXiv 2306.11644, 2309.05463): attention and MLP side by side behind one layer norm, rotary
 * positions on part of every head, biases everywhere, the head's included; optionally layer norms of queries and keys.
 * Gradients: test/reference/phi.
 */
import type { Value } from '../onnx/graph.ts';
import { flag, positiveNumber } from './config.ts';
import { decoderOf, frameOf, logits, projections } from './decoder.ts';
import { rotaryDim } from './rotary.ts';
import { activationOf } from './activations.ts';
import type { Architecture, Config, Family, LinearModule, Weights } from './types.ts';

export const phi: Family = {
  id: 'phi',
  title: 'Phi-1, Phi-1.5, Phi-2',
  modelTypes: ['phi'],
  source: 'arXiv 2306.11644, 2309.05463',
  architecture,
};

function architecture(config: Config, weights: Weights): Architecture {
  const d = decoderOf(config, weights);
  const epsilon = positiveNumber(config, 'layer_norm_eps', 1e-5);
  const activation = activationOf(config, 'hidden_act', 'gelu_new');
  const headNorms = flag(config, 'qk_layernorm', false);
  const rotated = rotaryDim(config, d.size, 0.5);
  const windows = Array.from({ length: d.layers }, () => null);
  const frame = frameOf('phi', config, d, windows, rotated);
  const bias = { bias: true };
  const modules: LinearModule[] = [
    ...frame.modules().slice(0, 3),
    { name: 'self_attn.dense', rows: d.hidden, columns: d.heads * d.size },
    { name: 'mlp.fc1', rows: d.inner, columns: d.hidden },
    { name: 'mlp.fc2', rows: d.hidden, columns: d.inner },
  ];

  return {
    ...frame,
    modules: () => modules,

    block(b, x) {
      const g = b.graph;
      const normed = b.layerNorm('input_layernorm', x, epsilon);
      const placed = (name: string, y: Value) =>
        b.rotatePart(headNorms ? b.layerNorm(`self_attn.${name}_layernorm`, y, epsilon) : y, rotated);
      const [q, k, v] = projections(b, normed, d, true);
      const mixed = b.attention(placed('q', q), placed('k', k), v, { scale: d.size ** -0.5, mask: 'mask' });
      const attended = b.linear('self_attn.dense', mixed, d.hidden, bias);
      const up = activation(g, b.linear('mlp.fc1', normed, d.inner, bias));
      return g.add(x, g.add(attended, b.linear('mlp.fc2', up, d.hidden, bias)));
    },

    head(b, x) {
      const scores = logits(b, b.layerNorm('model.final_layernorm', x, epsilon), d);
      return d.head.classes ? scores : b.graph.add(scores, b.weight('lm_head.bias', [d.vocabulary]));
    },
  };
}
