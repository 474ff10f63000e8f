/**
 * A comparison of prunings: what was found, quality against sparsity, every number with its interval, and the maps
 * themselves.
 */
import type { PruningComparison as Comparison } from '../../../protocol/pruning.ts';
import { useMemo, useState } from 'preact/hooks';
import { MISSING, formatDate, formatDuration, formatShare, formatSigned, plural } from '../model/format.ts';
import {
  againstUniformWords,
  isDense,
  mapName,
  mapSeries,
  metricAt,
  metricsOf,
  metricText,
  qualityChart,
} from '../model/comparison.ts';
import { Select } from './controls.tsx';
import { SeriesChart, SeriesLegend } from './SeriesChart.tsx';
import { Sentences } from './Uncertainty.tsx';

export function PruningComparison({ comparison }: { comparison: Comparison }) {
  const metrics = metricsOf(comparison);
  const [chosen, setChosen] = useState('');
  const metric = metrics.find(({ id }) => id === chosen) ?? metrics[0];
  const { model, provenance, status, findings, gate, calibration, prunings } = comparison;
  const pruned = prunings.filter((pruning) => !isDense(pruning));
  const sparsities = [...new Set(pruned.map(({ sparsity }) => sparsity))];
  return (
    <>
      <header>
        <div class="title-row">
          <h1 title={model.name}>{model.name}: prunings compared</h1>
          <div class="status">
            <span class={status === 'partial' ? 'state partial' : 'state'}>
              <span aria-hidden="true">{status === 'partial' ? '\u25d0' : '\u2713'}</span>{' '}
              {status === 'partial' ? 'Not finished: run again to continue' : 'Complete'}
            </span>
            <span class="faint">{formatDate(provenance.date)}</span>
          </div>
        </div>
        <p class="caption">
          {plural(pruned.length, 'pruning')} in memory, evaluated on the same documents
          {calibration && `; calibrated on ${plural(calibration.texts, 'text')} of ${calibration.dataset}`};{' '}
          {provenance.device}, {formatDuration(provenance.seconds)}. Zeros make a file neither smaller nor faster by
          themselves.
        </p>
      </header>
      {gate && (
        <p class={gate.passed ? 'meaning' : 'meaning caution'} role="note">
          <strong>{gate.passed ? '\u2713 Within the gate' : '\u2717 Outside the gate'}</strong>: at most{' '}
          {formatShare(gate.maxDrop)} worse than the model as it is. {gate.failures.join(' ')}
        </p>
      )}
      <section aria-labelledby="findings-heading">
        <h2 id="findings-heading">What was found</h2>
        {findings.length > 0 ? (
          <Sentences title="" lines={findings} />
        ) : (
          <p class="empty">
            {status === 'partial' ? 'Nothing yet: the prunings are not done.' : 'There is nothing to compare.'}
          </p>
        )}
      </section>
      {metric ? (
        <>
          <Quality comparison={comparison} metric={metric} metrics={metrics} onMetric={setChosen} />
          <Table comparison={comparison} metric={metric} />
          {sparsities.map((sparsity) => (
            <Maps key={sparsity} comparison={comparison} sparsity={sparsity} />
          ))}
        </>
      ) : (
        <p class="empty">No pruning is evaluated yet.</p>
      )}
    </>
  );
}

type Metric = ReturnType<typeof metricsOf>[number];

function Quality(props: {
  comparison: Comparison;
  metric: Metric;
  metrics: readonly Metric[];
  onMetric: (id: string) => void;
}) {
  const { comparison, metric } = props;
  const pruned = comparison.prunings.filter((pruning) => !isDense(pruning));
  const methods = [...new Set(pruned.map(({ method }) => method))];
  const [asked, setAsked] = useState('');
  // Lines of several methods and maps would hide each other; bars stand beside each other.
  const lines = new Set(pruned.map(({ sparsity }) => sparsity)).size > 1;
  const method = methods.includes(asked) ? asked : lines && methods.length > 1 ? methods[0]! : '';
  const chart = useMemo(() => qualityChart(comparison, metric.id, method), [comparison, metric.id, method]);
  return (
    <section aria-labelledby="quality-heading">
      <div class="section-head">
        <h2 id="quality-heading">Quality against {chart.axis === 'Map' ? 'map' : 'sparsity'}</h2>
        <div class="controls">
          {method !== '' && (
            <Select
              label="Method"
              value={method}
              options={methods.map((id) => ({ id, name: id }))}
              onChange={setAsked}
            />
          )}
          <Select label="Measure" value={metric.id} options={props.metrics} onChange={props.onMetric} />
        </div>
      </div>
      <p class="caption">
        {metric.name}, {metric.higherIsBetter ? 'higher is better' : 'lower is better'}; whiskers are 95 % intervals
        over documents{chart.dense === null ? '' : `; dashed: the model as it is, ${metricText(chart.dense)}`}.
      </p>
      <SeriesLegend series={chart.series} />
      <SeriesChart
        name={`${metric.name} against ${chart.axis.toLowerCase()}`}
        series={chart.series}
        slots={chart.slots}
        axis={chart.axis}
        format={metricText}
        reference={chart.dense ?? undefined}
        height={260}
      />
    </section>
  );
}

function Table({ comparison, metric }: { comparison: Comparison; metric: Metric }) {
  return (
    <section aria-labelledby="table-heading">
      <h2 id="table-heading">{metric.name}</h2>
      <div class="table-scroll" tabIndex={0} role="region" aria-label={`${metric.name} of every pruning`}>
        <table class="data">
          <caption class="spoken">{metric.name} of every pruning, with intervals</caption>
          <thead>
            <tr>
              <th scope="col">Method</th>
              <th scope="col">Map</th>
              {['Sparsity', 'Value', '95 % interval', 'Worse by', 'Against uniform'].map((name) => (
                <th key={name} scope="col" class="number">
                  {name}
                </th>
              ))}
              <th scope="col">In words</th>
            </tr>
          </thead>
          <tbody>
            {comparison.prunings.map((pruning) => {
              const own = metricAt(pruning, metric.id);
              const over = own?.againstUniform;
              return (
                <tr key={`${pruning.method} ${pruning.map} ${pruning.sparsity}`}>
                  <th scope="row">{isDense(pruning) ? 'as it is' : pruning.method}</th>
                  <td>{isDense(pruning) ? MISSING : mapName(pruning.map)}</td>
                  <td class="number">{formatShare(pruning.achieved)}</td>
                  <td class="number">{metricText(own?.value)}</td>
                  <td class="number faint">{own?.interval ? own.interval.map(metricText).join(' to ') : MISSING}</td>
                  <td class="number">{own && !isDense(pruning) ? dropText(own.drop, own.higherIsBetter) : MISSING}</td>
                  <td class="number faint">
                    {over
                      ? `${formatSigned(over.difference)}${over.interval ? ` [${over.interval.map(formatSigned).join(', ')}]` : ''}`
                      : MISSING}
                  </td>
                  <td>{own ? againstUniformWords(own) : ''}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </section>
  );
}

/** Accuracies fall by points, perplexities rise by a share. */
const dropText = (drop: number, higherIsBetter: boolean) =>
  higherIsBetter ? `${(100 * drop).toFixed(1).replace('-', '\u2212')} points` : formatShare(drop);

function Maps({ comparison, sparsity }: { comparison: Comparison; sparsity: number }) {
  const series = useMemo(() => mapSeries(comparison, sparsity), [comparison, sparsity]);
  const layers = Math.max(0, ...series.map(({ values }) => values.length));
  const id = `maps-${Math.round(1000 * sparsity)}`;
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>Maps at {formatShare(sparsity)}</h2>
      <SeriesLegend series={series} />
      <SeriesChart
        name={`Sparsity by layer of every map at ${formatShare(sparsity)}`}
        series={series}
        slots={Array.from({ length: layers }, (_, layer) => String(layer))}
        axis="Layer"
        format={formatShare}
        domain={[0, 1]}
        height={180}
      />
    </section>
  );
}
