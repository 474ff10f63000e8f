/** The picture of a score as a table: one row for each value, sortable by every column. */
import { useState } from 'preact/hooks';
import type { ScoreTable } from '../../../protocol/scores.ts';
import { cellText } from '../model/scoreExport.ts';
import { columnsOf, orderOf } from '../model/scoreTable.ts';
import type { ScoreSort } from '../model/scoreTable.ts';

/** Rows of a dataset that are shown; all of them are in what is copied or saved. */
const MOST = 500;

export function ScoreRows({ table }: { table: ScoreTable }) {
  /** Null = the order of the table. */
  const [sort, setSort] = useState<ScoreSort | null>(null);
  const columns = columnsOf(table);
  const numbers = columns.map(({ cells }) => cells.some((cell) => typeof cell === 'number'));
  const order = orderOf(table, sort ?? (table.rows ? { column: 'score', descending: true } : null));
  const shown = order.slice(0, MOST);
  const by = (column: string) =>
    setSort((old) =>
      old?.column !== column ? { column, descending: true } : old.descending ? { column, descending: false } : null,
    );
  const direction = (column: string) =>
    sort?.column !== column ? 'none' : sort.descending ? 'descending' : 'ascending';
  return (
    <div class="table-scroll tall" tabIndex={0} role="region" aria-label={`${table.title} as a table`}>
      <table class="data score-rows">
        <caption class={shown.length < order.length ? '' : 'spoken'}>
          {table.title}
          {shown.length < order.length && `: the first ${shown.length} of ${order.length}; save it as CSV for all`}
        </caption>
        <thead>
          <tr>
            {columns.map(({ name }, i) => (
              <th
                key={name}
                scope="col"
                class={numbers[i] && i >= table.axes.length ? 'number' : ''}
                aria-sort={direction(name)}
              >
                <button type="button" class="sort" onClick={() => by(name)} title={`Sort by ${name}`}>
                  {name}
                  {sort?.column === name && <span aria-hidden="true">{sort.descending ? ' \u25be' : ' \u25b4'}</span>}
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((at) => (
            <tr key={at}>
              {columns.map(({ name, cells }, i) =>
                i === 0 ? (
                  <th key={name} scope="row">
                    {cellText(cells[at], true)}
                  </th>
                ) : (
                  <td key={name} class={numbers[i] && i >= table.axes.length ? 'number' : ''}>
                    {name === 'score' && cells[at] === null ? 'undefined' : cellText(cells[at], i < table.axes.length)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
