/**
 * Stochastic gradient descent with momentum and weight decay as a part of the gradient (L2), as torch.optim.SGD:
 *
 *   g ← g + wd · θ,   b ← μ b + g (b = g in the first step),   θ ← θ − lr · b
 *
 * Its fixed points are those of mean loss + wd/2 ‖θ‖², which is what influence functions linearise.
 */
import { gradientOf } from './parameters.ts';
import type { Parameters } from './parameters.ts';
import type { OptimizerRule } from './types.ts';

export const sgd: OptimizerRule = {
  title: 'SGD',
  source: 'Robbins & Monro 1951; momentum: Polyak 1964',
  create({ weightDecay, momentum }) {
    let buffers: Parameters = new Map();
    let t = 0;
    return {
      step(parameters, gradients, learningRate) {
        t += 1;
        for (const [name, theta] of parameters) {
          const g = gradientOf(gradients, name, theta.length);
          const first = !buffers.has(name);
          const buffer = buffers.get(name) ?? new Float64Array(theta.length);
          buffers.set(name, buffer);
          for (let i = 0; i < theta.length; i++) {
            const full = g[i] + weightDecay * theta[i];
            buffer[i] = first ? full : momentum * buffer[i] + full;
            theta[i] -= learningRate * buffer[i];
          }
        }
      },
      state: () => ({ steps: t, moments: { buffer: buffers } }),
      restore({ steps, moments }) {
        t = steps;
        buffers = moments.buffer;
      },
    };
  },
};
