/** How parameters are stepped: optimisers, schedules and their settings. */

export type OptimizerId = 'adamw' | 'sgd';

export type ScheduleId = 'constant' | 'linear';

export const optimizerIds: readonly OptimizerId[] = ['adamw', 'sgd'];

export const scheduleIds: readonly ScheduleId[] = ['constant', 'linear'];

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
