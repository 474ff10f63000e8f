/** How parameters are stepped: optimisers, schedules and their settings. */

export const optimizerIds = ['adamw', 'sgd'] as const;

export type OptimizerId = (typeof optimizerIds)[number];

export const scheduleIds = ['constant', 'linear', 'cosine'] as const;

export type ScheduleId = (typeof scheduleIds)[number];

export interface OptimizerSettings {
  id: OptimizerId;
  learningRate: number;
  /** Decoupled (adamw) or a part of the gradient (sgd). */
  weightDecay: number;
  /** Of adamw. */
  betas: [number, number];
  epsilon: number;
  /** Of sgd. */
  momentum: number;
  schedule: ScheduleId;
  warmupSteps: number;
  /** Largest global norm of the gradient; null clips nothing. */
  clipNorm: number | null;
}
