/**
 * One table of scores: what it asks and how, its picture, its notes, the same numbers as rows, and ways to take them
 * along.
 */
import { useMemo, useState } from 'preact/hooks';
import type { ScoreTable } from '../../../protocol/scores.ts';
import { send } from '../host.ts';
import { capital, formatNumber, formatTick } from '../model/format.ts';
import { scoreForms } from '../model/scoreExport.ts';
import {
  SCORE,
  chartOf,
  directionText,
  factsOf,
  marksAt,
  placeText,
  titleText,
  valuesOf,
} from '../model/scoreTable.ts';
import { Button, Select } from './controls.tsx';
import { ScoreHeatMap } from './ScoreHeatMap.tsx';
import { ScoreRows } from './ScoreRows.tsx';
import { SeriesChart, SeriesLegend } from './SeriesChart.tsx';

export function ScoreView({ table }: { table: ScoreTable }) {
  const parts = Object.keys(table.parts ?? {});
  const [chosen, setChosen] = useState(SCORE);
  const part = parts.includes(chosen) ? chosen : SCORE;
  const chart = useMemo(() => chartOf(table, part), [table, part]);
  const values = valuesOf(table, part);
  const name = part === SCORE ? titleText(table) : `${table.title}: ${part}`;
  /** Beside the numbers: that there is none, and what marks say. */
  const more = (at: number) =>
    [...(values[at] === null ? ['undefined'] : []), ...(part === SCORE ? marksAt(table, at) : [])].join('; ');
  const cellWords = (at: number) => [
    placeText(table, at),
    values[at] === null ? 'undefined' : formatNumber(values[at]),
    ...(part === SCORE ? intervalWords(table.intervals?.[at] ?? null) : []),
    ...(part === SCORE ? marksAt(table, at) : []),
  ];
  return (
    <section aria-labelledby="score-heading">
      <h2 id="score-heading">{titleText(table)}</h2>
      <p class="caption">{capital(directionText(table))}.</p>
      {parts.length > 0 && (
        <div class="controls">
          <Select
            label="Show"
            value={part}
            options={[{ id: SCORE, name: 'the score' }, ...parts.map((id) => ({ id, name: id }))]}
            onChange={setChosen}
          />
        </div>
      )}
      {chart.kind === 'series' && (
        <>
          {chart.series.length > 1 && <SeriesLegend series={chart.series} />}
          <SeriesChart
            name={name}
            axis={chart.axis}
            slots={chart.slots}
            series={chart.series}
            format={formatTick}
            reference={chart.reference}
            marked={chart.marked}
            blank={chart.undefinedAt}
            more={more}
          />
        </>
      )}
      {chart.kind === 'heat' && <ScoreHeatMap name={name} chart={chart} words={cellWords} />}
      <ul class="notes score-notes">
        {(table.marks ?? []).map(({ at, words }) => (
          <li key={words}>
            Marked, {at.length} of {table.values.length}: {words}
          </li>
        ))}
        {table.notes.map((note) => (
          <li key={note}>{note}</li>
        ))}
      </ul>
      <dl class="pairs">
        {factsOf(table).map(([fact, words]) => (
          <div key={fact}>
            <dt>{fact}</dt>
            <dd>{words}</dd>
          </div>
        ))}
      </dl>
      <ScoreRows table={table} />
      <div class="controls export" role="group" aria-label="Copy and save the table">
        {scoreForms.map(({ id, name: form, of }) => (
          <Button key={id} onClick={() => send({ type: 'copy', text: of(table), what: `${table.title} as ${form}` })}>
            Copy as {form}
          </Button>
        ))}
        {scoreForms.map(({ id, name: form, of }) => (
          <Button
            key={id}
            onClick={() => send({ type: 'saveText', text: of(table), name: table.score, ending: id })}
          >{`Save as ${form}\u2026`}</Button>
        ))}
      </div>
    </section>
  );
}

const intervalWords = (interval: readonly [number, number] | null) =>
  interval ? [`${formatNumber(interval[0])} to ${formatNumber(interval[1])}`] : [];
