/**
 * AdamW (Loshchilov & Hutter, ICLR 2019, arXiv 1711.05101), with the defaults and the order of operations of
 * torch.optim.AdamW:
 *
 *   θ ← θ − lr · wd · θ                                            decoupled weight decay
 *   m ← β₁ m + (1 − β₁) g,   v ← β₂ v + (1 − β₂) g²
 *   θ ← θ − lr / (1 − β₁ᵗ) · m / ( √v / √(1 − β₂ᵗ) + ε )            t = 1, 2, ...
 */
import { gradientOf } from './parameters.ts';
import type { Parameters } from './parameters.ts';
import type { OptimizerRule } from './types.ts';

export const adamw: OptimizerRule = {
  title: 'AdamW',
  source: 'Loshchilov & Hutter, ICLR 2019, arXiv 1711.05101',
  create({ weightDecay, betas, epsilon }) {
    const [beta1, beta2] = betas;
    let first: Parameters = new Map();
    let second: Parameters = new Map();
    let t = 0;
    return {
      step(parameters, gradients, learningRate) {
        t += 1;
        const size = learningRate / (1 - beta1 ** t);
        const correction = Math.sqrt(1 - beta2 ** t);
        for (const [name, theta] of parameters) {
          const g = gradientOf(gradients, name, theta.length);
          const [m, v] = [first, second].map((moments) => {
            const known = moments.get(name) ?? new Float64Array(theta.length);
            moments.set(name, known);
            return known;
          });
          for (let i = 0; i < theta.length; i++) {
            m[i] = beta1 * m[i] + (1 - beta1) * g[i];
            v[i] = beta2 * v[i] + (1 - beta2) * g[i] * g[i];
            theta[i] -= learningRate * weightDecay * theta[i];
            theta[i] -= (size * m[i]) / (Math.sqrt(v[i]) / correction + epsilon);
          }
        }
      },
      state: () => ({ steps: t, moments: { m: first, v: second } }),
      restore({ steps, moments }) {
        t = steps;
        [first, second] = [moments.m, moments.v];
      },
    };
  },
};
