/** Rank stability of layers against the damping factor, computed from the stored Grams when the tab is opened. */
import { useMemo } from 'preact/hooks';
import { factorText, highest, sweepSentences } from '../../../protocol/dampingSentences.ts';
import { correlationText } from '../../../protocol/readability.ts';
import type { DampingSweep as Sweep } from '../../../protocol/trust.ts';
import type { Result } from '../../../protocol/result.ts';
import { useAnswer } from '../ask.ts';
import { isDamped, runSettings } from '../model/rescore.ts';
import type { Series } from '../model/series.ts';
import { resultKey } from '../rescored.ts';
import { SeriesChart, SeriesLegend } from './SeriesChart.tsx';
import { Sentences } from './Uncertainty.tsx';

export function DampingSweep({ result }: { result: Result }) {
  const own = runSettings(result);
  const possible = result.status === 'complete' && isDamped(own.estimator);
  const { answer, pending, failure } = useAnswer(resultKey(result), 'sweepDamping', possible ? {} : null);
  const tasks = answer?.tasks ?? null;
  const problem = failure ?? answer?.error?.message ?? null;
  const series = useMemo(
    () =>
      (tasks ?? []).map(({ task, steps }, style): Series => ({
        name: task,
        style,
        mark: 'lines',
        values: steps.map(({ toDefault }) => toDefault?.spearman ?? null),
      })),
    [tasks],
  );
  return (
    <section aria-labelledby="sweep-heading" aria-busy={pending}>
      <h2 id="sweep-heading">Other damping</h2>
      {!possible && (
        <p class="empty">
          {result.status === 'partial'
            ? 'The sweep needs the Grams of a complete run.'
            : `Estimator ${own.estimator} has no damping, so nothing hangs on it.`}
        </p>
      )}
      {pending && !tasks && <p class="empty">Computing from the stored inner products of gradients{'\u2026'}</p>}
      {problem !== null && <p class="empty">The sweep cannot be computed: {problem}</p>}
      {tasks && tasks.length > 0 && (
        <>
          <p class="caption">
            Spearman correlation of the layer scores with those at the run{'\u2019'}s own factor,{' '}
            {factorText(own.factor)}, against the factor.
          </p>
          <SeriesLegend series={series} />
          <SeriesChart
            name="Rank stability of layers against the damping factor"
            series={series}
            slots={tasks[0]!.steps.map(({ factor }) => factorText(factor))}
            axis="Factor"
            format={correlationText}
            domain={[0, 1]}
            height={200}
            more={(at) => tasks.map((task) => leaders(task, at, result.tasks.length > 1)).join('; ')}
          />
          {tasks.map((task) => (
            <Sentences key={task.task} title={tasks.length > 1 ? task.task : ''} lines={sweepSentences(task)} />
          ))}
        </>
      )}
    </section>
  );
}

/** The layers that lead at a factor. */
function leaders({ task, layers, steps }: Sweep, at: number, several: boolean): string {
  const best = highest(steps[at]!.scores ?? [], 5).map((place) => layers[place]!.index);
  return `${several ? `${task}: ` : ''}${best.length === 0 ? (steps[at]!.error ?? '') : `highest layers ${best.join(', ')}`}`;
}
