/** The layer chart as a table: one row per layer, two columns per task. Sortable by any task. */
import { Fragment } from 'preact';
import { useState } from 'preact/hooks';
import { MISSING, formatNumber, formatShare } from '../model/format.ts';
import type { LayerValue } from '../model/layers.ts';
import { Swatch } from './patterns.tsx';

export function LayerTable(props: {
  values: readonly LayerValue[];
  layers: readonly number[];
  tasks: readonly string[];
  selected: number | null;
  onSelect: (layer: number) => void;
}) {
  /** A task's place, or -1 for the order of the model. */
  const [by, setBy] = useState(-1);
  const at = (layer: number, task: number) =>
    props.values.find((value) => value.layer === layer && value.task === task);
  const sure = props.values.some(({ rankInterval }) => rankInterval !== null);
  const rows = [...props.layers];
  if (by >= 0) rows.sort((a, b) => (at(a, by)?.rank ?? Infinity) - (at(b, by)?.rank ?? Infinity) || a - b);
  return (
    <div class="table-scroll" tabIndex={0} role="region" aria-label="Layer scores as a table">
      <table class="data layer-table">
        <caption class="spoken">Layer scores per task</caption>
        <thead>
          <tr>
            <th scope="col" rowSpan={2} aria-sort={by < 0 ? 'ascending' : 'none'}>
              <button type="button" class="sort" onClick={() => setBy(-1)}>
                Layer
              </button>
            </th>
            {props.tasks.map((name, task) => (
              <th
                key={name}
                class="first"
                scope="colgroup"
                colSpan={sure ? 4 : 3}
                aria-sort={by === task ? 'descending' : 'none'}
              >
                <button type="button" class="sort" onClick={() => setBy(task)} title={`Sort by ${name}`}>
                  <Swatch task={task} /> <span class="name">{name}</span>
                </button>
              </th>
            ))}
          </tr>
          <tr>
            {props.tasks.map((name) => (
              <Fragment key={name}>
                <th scope="col" class="number first">
                  Score
                </th>
                <th scope="col" class="number">
                  Share
                </th>
                <th scope="col" class="number">
                  Rank
                </th>
                {sure && (
                  <th scope="col" class="number">
                    On other samples
                  </th>
                )}
              </Fragment>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((layer) => (
            <tr key={layer} class={layer === props.selected ? 'selected' : undefined}>
              <th scope="row">
                <button
                  type="button"
                  class="link"
                  aria-pressed={layer === props.selected}
                  onClick={() => props.onSelect(layer)}
                >
                  {layer}
                </button>
              </th>
              {props.tasks.map((_, task) => {
                const value = at(layer, task);
                return (
                  <Fragment key={task}>
                    <td class="number first" data-value={value?.value}>
                      {value ? formatNumber(value.value) : MISSING}
                    </td>
                    <td class="number">{value ? formatShare(value.share) : ''}</td>
                    <td class="number faint">{value ? value.rank : ''}</td>
                    {sure && (
                      <td class="number faint">
                        {value?.rankInterval ? value.rankInterval.map(Math.round).join('\u2013') : ''}
                        {value?.unstable && ' unstable'}
                      </td>
                    )}
                  </Fragment>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
