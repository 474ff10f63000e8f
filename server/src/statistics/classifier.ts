/**
 * Classifiers of vectors that are fitted by L-BFGS: logistic regression, and a perceptron with one hidden layer. Both
 * minimise
 *
 *   mean over rows of the cross-entropy + ‖W‖² / (2 C n),   biases are not penalised
 *
 * which for logistic regression is scikit-learn's objective: with two classes one vector and the logistic function,
 * with more a softmax over one vector for each.
 */
import type { Random } from '../random/random.ts';
import { minimise } from './lbfgs.ts';

export interface Rows {
  /** count x width, row-major. */
  data: Float64Array;
  count: number;
  width: number;
}

export interface FitOptions {
  classes: number;
  /** Inverse strength of the penalty. */
  C?: number;
  /** Units of a hidden layer of tanh; 0 = logistic regression. */
  hidden?: number;
  random?: Random;
}

export interface Classifier {
  /** [outputs, inputs] and [outputs]; of logistic regression with two classes one output. */
  weights: Float64Array;
  biases: Float64Array;
  classify: (rows: Rows) => Int32Array;
  /** [rows, classes] */
  probabilities: (rows: Rows) => Float64Array;
}

/** @param labels class of each row, 0 .. classes - 1 */
export function fitClassifier(rows: Rows, labels: ArrayLike<number>, options: FitOptions): Classifier {
  const { classes, C = 1, hidden = 0, random } = options;
  const outputs = classes === 2 ? 1 : classes;
  const layout = layoutOf(rows.width, hidden, outputs);
  const start = new Float64Array(layout.size);
  if (hidden > 0 && random) {
    const spread = 1 / Math.sqrt(rows.width);
    for (let i = 0; i < hidden * rows.width; i++) start[i] = spread * random.normal();
    for (let i = layout.output; i < layout.output + outputs * hidden; i++)
      start[i] = random.normal() / Math.sqrt(hidden);
  }
  const strength = 1 / (C * rows.count);
  const { at } = minimise((parameters, gradient) => {
    gradient.fill(0);
    return lossOf(rows, labels, parameters, gradient, layout, strength);
  }, start);
  return {
    weights: at.slice(layout.output, layout.outputBias),
    biases: at.slice(layout.outputBias),
    classify: (given) => {
      const logits = new Float64Array(outputs);
      const units = new Float64Array(hidden);
      return Int32Array.from({ length: given.count }, (_, row) => {
        forward(given, row, at, layout, units, logits);
        if (outputs === 1) return Number(logits[0] > 0);
        return logits.indexOf(Math.max(...logits));
      });
    },
    probabilities: (given) => {
      const logits = new Float64Array(outputs);
      const units = new Float64Array(hidden);
      const found = new Float64Array(given.count * classes);
      for (let row = 0; row < given.count; row++) {
        forward(given, row, at, layout, units, logits);
        // One logit is that of class 1 against 0.
        const all = outputs === 1 ? [0, logits[0]] : [...logits];
        const largest = Math.max(...all);
        const parts = all.map((logit) => Math.exp(logit - largest));
        const sum = parts.reduce((a, b) => a + b, 0);
        parts.forEach((part, k) => (found[row * classes + k] = part / sum));
      }
      return found;
    },
  };
}

interface Layout {
  width: number;
  hidden: number;
  outputs: number;
  /** Where biases of the hidden layer, weights and biases of the output begin. */
  hiddenBias: number;
  output: number;
  outputBias: number;
  size: number;
}

function layoutOf(width: number, hidden: number, outputs: number): Layout {
  const hiddenBias = hidden * width;
  const output = hiddenBias + hidden;
  const outputBias = output + outputs * (hidden || width);
  return { width, hidden, outputs, hiddenBias, output, outputBias, size: outputBias + outputs };
}

function forward(
  { data, width }: Rows,
  row: number,
  p: Float64Array,
  { hidden, outputs, hiddenBias, output, outputBias }: Layout,
  units: Float64Array,
  logits: Float64Array,
): void {
  const start = row * width;
  for (let u = 0; u < hidden; u++) {
    let sum = p[hiddenBias + u];
    for (let j = 0, w = u * width; j < width; j++) sum += p[w++] * data[start + j];
    units[u] = Math.tanh(sum);
  }
  const inputs = hidden || width;
  for (let k = 0; k < outputs; k++) {
    let sum = p[outputBias + k];
    const w = output + k * inputs;
    for (let j = 0; j < inputs; j++) sum += p[w + j] * (hidden > 0 ? units[j] : data[start + j]);
    logits[k] = sum;
  }
}

function lossOf(
  rows: Rows,
  labels: ArrayLike<number>,
  p: Float64Array,
  gradient: Float64Array,
  layout: Layout,
  strength: number,
): number {
  const { data, count, width } = rows;
  const { hidden, outputs, hiddenBias, output, outputBias } = layout;
  const units = new Float64Array(hidden);
  const logits = new Float64Array(outputs);
  const inputs = hidden || width;
  let loss = 0;
  for (let row = 0; row < count; row++) {
    forward(rows, row, p, layout, units, logits);
    loss += crossEntropy(logits, labels[row]) / count;
    const start = row * width;
    for (let k = 0; k < outputs; k++) {
      // `crossEntropy` leaves its gradient in place of the logits.
      const error = logits[k] / count;
      const w = output + k * inputs;
      for (let j = 0; j < inputs; j++) gradient[w + j] += error * (hidden > 0 ? units[j] : data[start + j]);
      gradient[outputBias + k] += error;
    }
    for (let u = 0; u < hidden; u++) {
      let back = 0;
      for (let k = 0; k < outputs; k++) back += (logits[k] / count) * p[output + k * inputs + u];
      back *= 1 - units[u] * units[u];
      for (let j = 0, w = u * width; j < width; j++) gradient[w++] += back * data[start + j];
      gradient[hiddenBias + u] += back;
    }
  }
  const penalise = (from: number, to: number): void => {
    for (let i = from; i < to; i++) {
      loss += (strength / 2) * p[i] * p[i];
      gradient[i] += strength * p[i];
    }
  };
  penalise(0, hiddenBias);
  penalise(output, outputBias);
  return loss;
}

/** Of one row in nats; its gradient by the logits takes their place. One logit: the logistic function, two classes. */
function crossEntropy(logits: Float64Array, label: number): number {
  if (logits.length === 1) {
    const z = logits[0];
    logits[0] = 1 / (1 + Math.exp(-z)) - label;
    const signed = label === 1 ? -z : z;
    return Math.max(0, signed) + Math.log1p(Math.exp(-Math.abs(signed)));
  }
  const largest = Math.max(...logits);
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - largest);
  const loss = Math.log(sum) - (logits[label] - largest);
  for (let k = 0; k < logits.length; k++) logits[k] = Math.exp(logits[k] - largest) / sum - Number(k === label);
  return loss;
}
