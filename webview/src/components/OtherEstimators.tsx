/** Agreement of the estimators on the same gradients, computed from the stored Grams when the tab is opened. */
import { agreementSentences } from '../../../protocol/readability.ts';
import type { EstimatorAgreement } from '../../../protocol/readability.ts';
import type { Result } from '../../../protocol/result.ts';
import type { Comparison, EstimatorComparison } from '../../../protocol/trust.ts';
import { useAnswer } from '../ask.ts';
import { formatShare } from '../model/format.ts';
import { statisticText } from '../model/runComparison.ts';
import { resultKey } from '../rescored.ts';
import { Sentences } from './Uncertainty.tsx';

export function OtherEstimators({ result }: { result: Result }) {
  const possible = result.status === 'complete';
  const { answer, pending, failure } = useAnswer(resultKey(result), 'compareEstimators', possible ? {} : null);
  const tasks = answer?.tasks ?? null;
  const problem = failure ?? answer?.error?.message ?? null;
  return (
    <section aria-labelledby="estimators-heading" aria-busy={pending}>
      <h2 id="estimators-heading">Other estimators</h2>
      {!possible && <p class="empty">This needs the Grams of a complete run.</p>}
      {pending && !tasks && <p class="empty">Computing from the stored inner products of gradients{'\u2026'}</p>}
      {problem !== null && <p class="empty">The estimators cannot be compared: {problem}</p>}
      {tasks?.map((task) => (
        <TaskEstimators key={task.task} {...task} own={result.score.estimator} several={tasks.length > 1} />
      ))}
    </section>
  );
}

function TaskEstimators(props: EstimatorComparison & { own: Result['score']['estimator']; several: boolean }) {
  const { task, comparison, left, own, several } = props;
  const lines = agreementSentences(own, comparison ? withOwn(comparison) : [], left);
  return (
    <>
      <Sentences title={several ? task : ''} lines={lines} />
      {comparison && <Matrix comparison={comparison} name={several ? ` for ${task}` : ''} />}
    </>
  );
}

/** Pairs of the run's own estimator, which is the first series. */
function withOwn({ pairs, series }: Comparison): EstimatorAgreement[] {
  return pairs
    .filter(({ a }) => a === 0)
    .map(({ b, spearman }) => ({ estimator: series[b]!.estimator, spearman: spearman.value }));
}

function Matrix({ comparison, name }: { comparison: Comparison; name: string }) {
  const { series, pairs, level } = comparison;
  const others = series.slice(1);
  return (
    <>
      <div class="table-scroll" tabIndex={0} role="region" aria-label={`Agreement of estimators${name}`}>
        <table class="data matrix">
          <caption class="spoken">Spearman correlation of the layer scores{name}, by estimator</caption>
          <thead>
            <tr>
              <td />
              {others.map(({ estimator }) => (
                <th key={estimator} scope="col">
                  {estimator}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {series.slice(0, -1).map(({ estimator }, a) => (
              <tr key={estimator}>
                <th scope="row">{estimator}</th>
                {others.map((other, place) => {
                  const pair = pairs.find((one) => one.a === a && one.b === place + 1);
                  return <td key={other.estimator}>{pair ? statisticText({ ...pair.spearman, p: null }) : ''}</td>;
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="note">
        Spearman correlation of the layer scores; the intervals hold it on {formatShare(level)} of other samples of the
        same kind.
      </p>
    </>
  );
}
