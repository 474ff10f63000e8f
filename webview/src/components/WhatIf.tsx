/**
 * What if these blocks were removed? Layers are ticked, a button measures the perplexity of the model without all of
 * them, beside random sets of as many. What was measured lies beside the run and is shown below.
 */
import { useState } from 'preact/hooks';
import type { ScoresFile, ScoreTable } from '../../../protocol/scores.ts';
import { useMeasuring } from '../measured.ts';
import { formatNumber } from '../model/format.ts';
import { layerWords, lowestLayers, removalsOf } from '../model/whatIf.ts';
import { Button, Select } from './controls.tsx';

export function WhatIf({ file, source }: { file: ScoresFile | null; source: { key: string; layers: number } }) {
  const [ticked, setTicked] = useState<ReadonlySet<number>>(new Set());
  const [by, setBy] = useState('');
  const tables = file?.tables ?? [];
  const { busy, failure, measure } = useMeasuring(`${source.key} ${tables.length}`);
  const choosers = tables.filter((table) => lowestLayers(table, source.layers) !== null);
  const layers = Array.from({ length: source.layers }, (_, layer) => layer);
  const chosen = layers.filter((layer) => ticked.has(layer));
  const toggle = (layer: number) =>
    setTicked((old) => new Set(old.has(layer) ? [...old].filter((one) => one !== layer) : [...old, layer]));
  const pick = (id: string) => {
    setBy(id);
    const table = choosers.find(({ title }) => title === id);
    if (table) setTicked(new Set(lowestLayers(table, source.layers)));
  };
  const all = chosen.length === source.layers;
  return (
    <section class="what-if" aria-labelledby="what-if-heading" aria-busy={busy}>
      <h2 id="what-if-heading">What if these blocks were removed?</h2>
      <p class="caption">
        Tick layers and measure the perplexity of the model without all of them, beside random sets of as many. Nothing
        is written to the model.
      </p>
      <div class="ticks" role="group" aria-label="Layers that are left out">
        {layers.map((layer) => (
          <label key={layer} class={ticked.has(layer) ? 'tick on' : 'tick'}>
            <input type="checkbox" checked={ticked.has(layer)} onChange={() => toggle(layer)} />
            <span>{layer}</span>
          </label>
        ))}
      </div>
      <div class="controls">
        {choosers.length > 0 && (
          <Select
            label="Tick the lowest quarter by"
            value={by}
            options={[{ id: '', name: 'choose a score' }, ...choosers.map(({ title }) => ({ id: title, name: title }))]}
            onChange={pick}
          />
        )}
        <Button
          primary
          disabled={chosen.length === 0 || all || busy}
          onClick={() => measure([{ id: 'removal', options: { layers: layerWords(chosen) } }])}
        >
          {`Measure without ${chosen.length === 1 ? `layer ${chosen[0]!}` : `${chosen.length} layers`}`}
        </Button>
        <Button disabled={chosen.length === 0} onClick={() => setTicked(new Set())}>
          Clear
        </Button>
      </div>
      <p role="status" class="faint">
        {busy
          ? 'Measuring\u2026 Progress and cancel are in the notification.'
          : all
            ? 'At least one layer must stay.'
            : chosen.length > 0
              ? `Left out: ${layerWords(chosen)}.`
              : 'No layer is ticked.'}
      </p>
      <MeasuringFault failure={failure} />
      <Removals tables={removalsOf(tables)} />
    </section>
  );
}

export function MeasuringFault({ failure }: { failure: string | null }) {
  if (failure === null) return null;
  return (
    <p class="message" role="alert">
      {failure}
    </p>
  );
}

function Removals({ tables }: { tables: readonly ScoreTable[] }) {
  if (tables.length === 0) return null;
  const number = (value: number | null | undefined) =>
    value === null || value === undefined ? 'undefined' : formatNumber(value);
  return (
    <div class="table-scroll" tabIndex={0} role="region" aria-label="Measured without several layers">
      <table class="data">
        <thead>
          <tr>
            <th scope="col">without layers</th>
            <th scope="col" class="number">
              perplexity
            </th>
            <th scope="col" class="number">
              loss in nats more
            </th>
            <th scope="col" class="number">
              interval
            </th>
            <th scope="col" class="number">
              random sets
            </th>
            <th scope="col">chosen by</th>
          </tr>
        </thead>
        <tbody>
          {tables.map((table, i) => (
            <tr key={i}>
              <th scope="row">{String(table.axes[0]?.labels[0] ?? '')}</th>
              <td class="number">{number(table.parts?.perplexity?.[0])}</td>
              <td class="number">{number(table.values[0])}</td>
              <td class="number">{(table.intervals?.[0] ?? []).map(number).join(' to ')}</td>
              <td class="number">{typeof table.reference?.value === 'number' ? number(table.reference.value) : ''}</td>
              <td>{typeof table.options.by === 'string' && table.options.by !== '' ? table.options.by : 'you'}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
