/**
 * Another estimator, damping or aggregation for the result in sight: what is chosen, what may be, and the result it
 * makes. Pure: no DOM.
 */
import { estimatorIds, estimatorNames } from '../../../protocol/methods.ts';
import type { AggregationId, DampingRule, EstimatorId } from '../../../protocol/experiment.ts';
import type { RescoredTask } from '../../../protocol/lsp.ts';
import type { Result } from '../../../protocol/result.ts';
import { storedTask } from '../../../protocol/subsample.ts';
import type { Questions } from '../../../protocol/webview.ts';

/** Empty and 0: as the run has it. */
export interface Recompute {
  estimator: EstimatorId | '';
  rule: DampingRule | '';
  factor: number;
  per: 'sample' | 'pair' | '';
}

export const asTheRun: Recompute = { estimator: '', rule: '', factor: 0, per: '' };

export interface Settings {
  estimator: EstimatorId;
  rule: DampingRule;
  factor: number;
  per: 'sample' | 'pair';
  aggregation: AggregationId;
}

export const estimatorChoices = (result: Result): { id: EstimatorId; name: string }[] =>
  estimatorIds
    .filter((id) => !estimatorNames[id].ownRunOnly || id === result.score.estimator)
    .map((id) => ({ id, name: estimatorNames[id].name }));

export const dampingRules: readonly { id: DampingRule; name: string; meaning: string }[] = [
  { id: 'mean_square', name: 'DataInf rule', meaning: 'times the mean squared gradient of the matrix' },
  { id: 'mean_eigenvalue', name: 'Mean eigenvalue', meaning: 'times the mean eigenvalue of the curvature' },
  { id: 'absolute', name: 'Absolute', meaning: 'as it is' },
];

export const isDamped = (estimator: EstimatorId) => estimatorNames[estimator].damped;

export function runSettings({ experiment: { score } }: Result): Settings {
  const { estimator, damping, per = 'sample', aggregation } = score;
  return { estimator, rule: damping.rule, factor: damping.factor, per, aggregation };
}

/** @param aggregation '' = as the run aggregated */
export function chosenSettings(result: Result, choice: Recompute, aggregation: AggregationId | ''): Settings {
  const own = runSettings(result);
  return {
    estimator: choice.estimator || own.estimator,
    rule: choice.rule || own.rule,
    factor: choice.factor || own.factor,
    per: choice.per || own.per,
    aggregation: aggregation || own.aggregation,
  };
}

/** The question for the chosen view; null where it is the run's own. */
export function rescoreParams(result: Result, chosen: Settings): Questions['rescore']['params'] | null {
  const own = runSettings(result);
  const damped = isDamped(chosen.estimator);
  const keys = ['estimator', 'per', 'aggregation', ...(damped ? ['rule', 'factor'] : [])] as (keyof Settings)[];
  if (keys.every((key) => own[key] === chosen[key])) return null;
  const { estimator, aggregation, per, rule, factor } = chosen;
  return { estimator, aggregation, per, ...(damped ? { damping: { rule, factor } } : {}) };
}

/** The result as it would be by these settings: tasks that were computed again replace their numbers. */
export function withRescored(result: Result, chosen: Settings, tasks: readonly RescoredTask[]): Result {
  const { estimator, rule, factor, aggregation, per } = chosen;
  const answers = new Map(tasks.map((task) => [task.task, task]));
  return {
    ...result,
    score: { ...result.score, estimator },
    experiment: {
      ...result.experiment,
      score: { ...result.experiment.score, estimator, damping: { rule, factor }, aggregation, per },
    },
    tasks: result.tasks.map((task) => {
      const found = answers.get(task.task);
      if (!found) return task;
      const { layers, influence, uncertainty } = found;
      // By sums, other settings than the run's are those of its subsample.
      const whole = influence.every((row) => row.length === task.train.samples);
      const fresh = { ...(whole ? task : storedTask(task)), layers, influence };
      // The run's own uncertainty belongs to the run's own scores.
      if (uncertainty) fresh.uncertainty = uncertainty;
      else delete fresh.uncertainty;
      return fresh;
    }),
  };
}

/** The slider runs over powers of ten. */
export const FACTOR_EXPONENTS = { min: -3, max: 3, step: 0.1 };
export const factorAt = (exponent: number) => Number((10 ** exponent).toPrecision(3));
export const exponentOf = (factor: number) =>
  Math.max(FACTOR_EXPONENTS.min, Math.min(FACTOR_EXPONENTS.max, Math.log10(factor)));

/** "EK-FAC, damping 0.1 (DataInf rule)". */
export function settingsWords(settings: Settings): string {
  const { estimator, rule, factor, per, aggregation } = settings;
  const damping = isDamped(estimator)
    ? `, damping ${factor} (${dampingRules.find(({ id }) => id === rule)?.name ?? rule})`
    : '';
  return `${estimatorNames[estimator].name}${damping}, ${aggregation}${per === 'pair' ? ' over pairs' : ''}`;
}
