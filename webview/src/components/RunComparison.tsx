/**
 * Tasks, estimators, models or runs beside each other: agreement matrix, every pair with its intervals, and the scores
 * over each other.
 */
import { useMemo } from 'preact/hooks';
import { correlationText } from '../../../protocol/readability.ts';
import type { Comparison } from '../../../protocol/trust.ts';
import { formatShare, plural } from '../model/format.ts';
import { pairSentence, shareSeries, statisticText } from '../model/runComparison.ts';
import { SeriesChart, SeriesLegend } from './SeriesChart.tsx';
import { Sentences } from './Uncertainty.tsx';

export function RunComparison({ comparison }: { comparison: Comparison }) {
  const { series, runs, settings, layers, byDepth, level, pairs, matrix, notes } = comparison;
  const chart = useMemo(() => shareSeries(comparison), [comparison]);
  return (
    <>
      <header>
        <h1>Results compared</h1>
        <p class="caption">
          {plural(series.length, 'ranking')} of {plural(layers, 'layer')}
          {byDepth && ', brought to the same number by relative depth'}; intervals hold the value and{' '}
          {formatShare(level)} of other samples of the same kind.
        </p>
      </header>
      <section aria-labelledby="words-heading">
        <h2 id="words-heading">In words</h2>
        <Sentences title="" lines={pairs.map((pair) => pairSentence(pair, comparison))} />
        {notes.length > 0 && (
          <ul class="prose notes">
            {notes.map((note) => (
              <li key={note}>{note}</li>
            ))}
          </ul>
        )}
      </section>
      {settings.length > 0 && (
        <section aria-labelledby="settings-heading">
          <h2 id="settings-heading">Settings that differ</h2>
          <div class="table-scroll" tabIndex={0} role="region" aria-label="Table of settings">
            <table class="data settings">
              <caption class="spoken">Settings in which the runs differ, one column per run</caption>
              <thead>
                <tr>
                  <th scope="col">Setting</th>
                  {runs.map((run) => (
                    <th key={run} scope="col">
                      {run}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {settings.map(({ setting, values }) => (
                  <tr key={setting}>
                    <th scope="row">{setting}</th>
                    {values.map((value, i) => (
                      <td key={runs[i]}>{value ?? '\u2013'}</td>
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </section>
      )}
      {chart && (
        <section aria-labelledby="shares-heading">
          <h2 id="shares-heading">Scores as shares of the largest</h2>
          <SeriesLegend series={chart.series} />
          <SeriesChart
            name="Layer scores as shares of the largest"
            series={chart.series}
            slots={chart.layers.map(String)}
            axis="Layer"
            format={formatShare}
            domain={[0, 1]}
          />
        </section>
      )}
      <section aria-labelledby="matrix-heading">
        <h2 id="matrix-heading">Agreement (Spearman)</h2>
        <div class="table-scroll" tabIndex={0} role="region" aria-label="Agreement matrix">
          <table class="data matrix">
            <caption class="spoken">Spearman correlation of every ranking with every other</caption>
            <thead>
              <tr>
                <td />
                {series.map(({ label }) => (
                  <th key={label} scope="col" class="number">
                    {label}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {series.map(({ label }, a) => (
                <tr key={label}>
                  <th scope="row">{label}</th>
                  {matrix[a]!.map((value, b) => (
                    <td key={series[b]!.label} class="number">
                      {correlationText(value)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </section>
      <section aria-labelledby="pairs-heading">
        <h2 id="pairs-heading">Pairs</h2>
        <div class="table-scroll" tabIndex={0} role="region" aria-label="Every pair">
          <table class="data pairs">
            <caption class="spoken">Every pair with intervals and tests</caption>
            <thead>
              <tr>
                {['Rankings', 'Spearman', 'Kendall', 'Highest layers shared', 'By chance', 'Training samples'].map(
                  (name) => (
                    <th key={name} scope="col">
                      {name}
                    </th>
                  ),
                )}
              </tr>
            </thead>
            <tbody>
              {pairs.map(({ a, b, spearman, kendall, topK, samples }) => (
                <tr key={`${a} ${b}`}>
                  <th scope="row">
                    {series[a]!.label}, {series[b]!.label}
                  </th>
                  <td>{statisticText(spearman)}</td>
                  <td>{statisticText(kendall)}</td>
                  <td>
                    {topK.shared} of {topK.k}, p {topK.p < 0.001 ? '< 0.001' : topK.p.toFixed(3)}
                  </td>
                  <td>{(topK.chance * topK.k).toFixed(1)}</td>
                  <td>
                    {samples
                      ? `mean ${correlationText(samples.mean)}, rank ${correlationText(samples.rank)}, vote ${correlationText(samples.vote)}`
                      : 'not the same'}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </section>
    </>
  );
}
