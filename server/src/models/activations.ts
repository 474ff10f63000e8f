/**
 * Activation functions by the names that configurations give them (`ACT2FN` of transformers 5). Those with weights of
 * their own, and names that no table has, are refused. To add one: a row here; every row is compared with PyTorch in
 * test/models.
 */
import type { Graph, Value } from '../onnx/graph.ts';
import { lookup } from '../text/lookup.ts';
import { nearest } from '../text/nearest.ts';
import type { Config } from './types.ts';

export type Activation = (g: Graph, x: Value) => Value;

const silu: Activation = (g, x) => g.silu(x);
/** x times the normal distribution function (Hendrycks & Gimpel 2016, arXiv 1606.08415), by the error function. */
const gelu: Activation = (g, x) => g.gelu(x, 'none');
/** The same paper's approximation by tanh. */
const geluTanh: Activation = (g, x) => g.gelu(x, 'tanh');
const softplus: Activation = (g, x) => g.node('Softplus', [x])[0];

export const activations: Readonly<Record<string, Activation>> = {
  silu,
  swish: silu,
  gelu,
  gelu_python: gelu,
  gelu_new: geluTanh,
  gelu_fast: geluTanh,
  gelu_pytorch_tanh: geluTanh,
  gelu_python_tanh: geluTanh,
  gelu_accurate: geluTanh,
  gelu_10: (g, x) => g.clip(gelu(g, x), -10, 10),
  quick_gelu: (g, x) => g.mul(x, g.sigmoid(g.mul(x, 1.702))),
  relu: (g, x) => g.relu(x),
  relu2: (g, x) => g.mul(g.relu(x), g.relu(x)),
  relu6: (g, x) => g.clip(x, 0, 6),
  leaky_relu: (g, x) => g.node('LeakyRelu', [x], { alpha: 0.01 })[0],
  sigmoid: (g, x) => g.sigmoid(x),
  tanh: (g, x) => g.tanh(x),
  linear: (_, x) => x,
  hardswish: (g, x) => g.node('HardSwish', [x])[0],
  mish: (g, x) => g.mul(x, g.tanh(softplus(g, x))),
  sqrtsoftplus: (g, x) => g.sqrt(softplus(g, x)),
  // The normal distribution function with mean sqrt(1/2) and deviation sqrt(1/(4 pi)), rounded as published (arXiv
  // 2209.10655).
  laplace: (g, x) => g.mul(g.add(g.erf(g.div(g.sub(x, 0.707107), 0.282095 * Math.SQRT2)), 1), 0.5),
};

/** Names that transformers knows too, and why they are not here. */
const refused: Readonly<Record<string, string>> = {
  prelu: 'its slope is a weight of its own',
  xielu: 'its two parameters are weights of their own',
};

/** The activation that `key` of the configuration names. @throws Error with what is supported */
export function activationOf(config: Config, key: string, fallback: string): Activation {
  return lookup(activations, activationName(config, key, fallback))!;
}

/** The same as a name of `activations`. */
export function activationName(config: Config, key: string, fallback: string): string {
  const name = config[key] ?? fallback;
  if (lookup(activations, name)) return name as string;
  const known = Object.keys(activations);
  const near = typeof name === 'string' ? nearest(name, known) : null;
  const why = lookup(refused, name);
  throw new Error(
    `config.json: ${key} is ${JSON.stringify(name)}${why ? `, which is not supported because ${why}` : near ? ` (did you mean "${near}"?)` : ''}; supported: ${known.join(', ')}`,
  );
}
