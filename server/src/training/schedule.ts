/**
 * Learning rates by step, named as in Hugging Face transformers: `constant` (constant_with_warmup), `linear` and
 * `cosine` (half a wave). All rise linearly
 * over the warm-up; step w of w warm-up steps is the first with the full rate.
 */
import type { OptimizerSettings, ScheduleId } from '../../../protocol/optimizer.ts';

/**
 * Factor after the warm-up.
 * @param after steps since its end
 * @param left steps from there to the end of training, at least 1
 */
const shapes: Record<ScheduleId, (after: number, left: number) => number> = {
  constant: () => 1,
  linear: (after, left) => Math.max(0, 1 - after / left),
  cosine: (after, left) => 0.5 * (1 + Math.cos(Math.PI * Math.min(1, after / left))),
};

/** Learning rate of step `step` (from 0) of `steps`. */
export function learningRateAt(
  { learningRate, schedule, warmupSteps }: Pick<OptimizerSettings, 'learningRate' | 'schedule' | 'warmupSteps'>,
  step: number,
  steps: number,
): number {
  if (step < warmupSteps) return (learningRate * step) / warmupSteps;
  return learningRate * shapes[schedule](step - warmupSteps, Math.max(1, steps - warmupSteps));
}
