/** Validation by retraining: every estimator beside the controls, with its verdict in words. */
import { useMemo } from 'preact/hooks';
import { correlationText } from '../../../protocol/readability.ts';
import type { Result } from '../../../protocol/result.ts';
import type { Comparison, Measure, ProtocolResult } from '../../../protocol/validation.ts';
import type { Trust } from '../../../protocol/webview.ts';
import { send } from '../host.ts';
import { formatDate, formatNumber, formatShare, plural } from '../model/format.ts';
import type { Series } from '../model/series.ts';
import { verdicts } from '../model/trust.ts';
import { Button } from './controls.tsx';
import { IntervalMark } from './IntervalMark.tsx';
import { SeriesChart, SeriesLegend } from './SeriesChart.tsx';

export function Validation({ trust, result, busy }: { trust: Trust | null; result: Result; busy: boolean }) {
  const found = trust?.validation?.result ?? null;
  const other = found !== null && found.model.sha256 !== result.model.sha256;
  const { caution, other: rest } = verdicts(found?.protocols ?? []);
  return (
    <section aria-labelledby="validation-heading">
      <div class="section-head">
        <h2 id="validation-heading">Retraining</h2>
        <Button disabled={busy} onClick={() => send({ type: 'command', command: 'validateInfluence' })}>
          Validate Influence{'\u2026'}
        </Button>
      </div>
      {trust?.fault && <p class="empty">A validation is there but cannot be read: {trust.fault}</p>}
      {!found ? (
        <p class="empty">
          Not validated yet. Validation retrains small adapters on your model without some of your samples and compares
          what happens with what influence predicts, beside gradient dot, random and uniform.
        </p>
      ) : (
        <>
          <p class="caption">
            {found.status === 'partial' && <strong>Not finished yet. </strong>}
            Task {found.task}, layers {found.layers.join(', ')}, {plural(found.samples.train, 'training sample')},{' '}
            {plural(found.provenance.retrainings, 'retraining')}, {formatDate(found.provenance.date)}.
          </p>
          {other && (
            <p class="recomputed">
              This validation was made on other weights ({found.model.name}) than this result: validate again.
            </p>
          )}
          {caution.length > 0 && (
            <div class="meaning caution" role="note" aria-label="Caution">
              <h3>
                <span aria-hidden="true">{'\u26a0'}</span> Caution
              </h3>
              {caution.map((line) => (
                <p key={line}>{line}</p>
              ))}
            </div>
          )}
          {rest.length > 0 && (
            <div class="meaning">
              {rest.map((line) => (
                <p key={line}>{line}</p>
              ))}
            </div>
          )}
          {found.protocols.map((protocol) => (
            <Protocol key={protocol.protocol} protocol={protocol} />
          ))}
          {found.skipped.map(({ protocol, reason }) => (
            <p class="note" key={protocol}>
              {protocol} was not run: {reason}
            </p>
          ))}
        </>
      )}
    </section>
  );
}

function Protocol({ protocol }: { protocol: ProtocolResult }) {
  return (
    <div class="protocol">
      <h3>{protocol.title}</h3>
      <p class="faint">{protocol.how}</p>
      {protocol.measures.map((measure) => (
        <MeasureTable key={measure.name} measure={measure} />
      ))}
      {protocol.comparisons?.map((comparison) => (
        <ComparisonTable key={comparison.name} comparison={comparison} />
      ))}
      {protocol.recall && <Recall recall={protocol.recall} />}
    </div>
  );
}

function MeasureTable({ measure }: { measure: Measure }) {
  const ends = measure.rows.flatMap(({ value, interval }) => [...(value === null ? [] : [value]), ...(interval ?? [])]);
  const domain: [number, number] = [Math.min(measure.chance, 0, ...ends), Math.max(measure.chance, 1, ...ends)];
  return (
    <div class="table-scroll" tabIndex={0} role="region" aria-label={measure.name}>
      <table class="data measure">
        <caption>
          {measure.name}; by chance {correlationText(measure.chance)} (dashed)
        </caption>
        <thead>
          <tr>
            <th scope="col">Predictor</th>
            <th scope="col">Gradients</th>
            <th scope="col" class="number">
              Value
            </th>
            <th scope="col">95 % interval</th>
            <th scope="col" class="number">
              Over gradient dot
            </th>
          </tr>
        </thead>
        <tbody>
          {measure.rows.map((row) => (
            <tr key={`${row.predictor} ${row.point ?? ''}`}>
              <th scope="row">
                {row.predictor}
                {row.control && <span class="faint"> (control)</span>}
              </th>
              <td class="faint">{row.point ?? ''}</td>
              <td class="number">{correlationText(row.value)}</td>
              <td>
                <IntervalMark {...row} chance={measure.chance} domain={domain} />
                {row.interval && (
                  <span class="faint">
                    {' '}
                    {correlationText(row.interval[0])} to {correlationText(row.interval[1])}
                  </span>
                )}
              </td>
              <td class="number">
                {row.overDot ? signed(row.overDot.difference) : ''}
                {row.overDot?.interval && (
                  <span class="faint">
                    {' '}
                    [{signed(row.overDot.interval[0])}, {signed(row.overDot.interval[1])}]
                  </span>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Ways to train, the best first. */
function ComparisonTable({ comparison: { name, better, baseline, ways } }: { comparison: Comparison }) {
  const sorted = ways.toSorted((a, b) => (better === 'lower' ? a.value - b.value : b.value - a.value));
  return (
    <div class="table-scroll" tabIndex={0} role="region" aria-label={name}>
      <table class="data measure">
        <caption>
          {name}; {better} is better
        </caption>
        <thead>
          <tr>
            <th scope="col">Trained on</th>
            <th scope="col" class="number">
              Value
            </th>
            <th scope="col" class="number">
              Less {baseline}
            </th>
            <th scope="col">95 % interval</th>
            <th scope="col" class="number">
              p
            </th>
          </tr>
        </thead>
        <tbody>
          {sorted.map(({ way, control, value, difference, interval, p }) => (
            <tr key={way}>
              <th scope="row">
                {way}
                {control && difference !== null && <span class="faint"> (control)</span>}
              </th>
              <td class="number">{formatNumber(value)}</td>
              <td class="number">{difference === null ? '' : formatNumber(difference)}</td>
              <td class="faint">{interval ? interval.map(formatNumber).join(' to ') : ''}</td>
              <td class="number">{p === null ? '' : formatNumber(p)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const signed = (value: number) => (value > 0 ? `+${correlationText(value)}` : correlationText(value));

function Recall({ recall }: { recall: NonNullable<ProtocolResult['recall']> }) {
  const series = useMemo(
    () =>
      recall.rows.map(({ predictor, point, by, recall: values }, style): Series => ({
        name: `${predictor}${point ? `, ${point}` : ''} (${by})`,
        style,
        mark: 'lines',
        values,
      })),
    [recall],
  );
  return (
    <>
      <p class="caption">Share of the changed labels that is found among the most suspicious share of samples.</p>
      <SeriesLegend series={series} />
      <SeriesChart
        name="Recall of changed labels against the share of samples looked at"
        series={series}
        slots={recall.shares.map((share) => formatShare(share))}
        axis="Looked at"
        format={formatShare}
        domain={[0, 1]}
        height={200}
      />
    </>
  );
}
