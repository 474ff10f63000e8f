/**
 * Rows of a dataset with what is known of each: searched by their texts, filtered, sorted by any column, ticked. The
 * tabs Data and Samples share it.
 */
import { useEffect, useState } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import { plural } from '../model/format.ts';
import { cellText } from '../model/grid.ts';
import { ALL, foundRows, labelFilter } from '../model/rowTable.ts';
import type { RowColumn, RowFilter, RowSort } from '../model/rowTable.ts';
import { useAllTexts, useTexts } from '../samples.ts';
import type { TextSource } from '../samples.ts';
import { Button, LinkButton, Select, TextField } from './controls.tsx';
import { SourceCell, TextCell, samplePlace } from './RowCells.tsx';
import type { RowPlace } from './RowCells.tsx';

/** Pixels: a column of numbers, and the others together. */
const WIDTHS = { column: 84, fixed: 400 };
/** Rows shown at first, and more each time. */
const STEP = 50;
/** Texts of so many rows are read without a search: labels can be filtered by then. */
const READ_AT_ONCE = 2000;

export interface RowTableProps {
  /** What the table holds, for screen readers. */
  label: string;
  /** By row. */
  places: readonly RowPlace[];
  source: TextSource;
  columns: readonly RowColumn[];
  first: RowSort;
  filters: readonly RowFilter[];
  ticked: ReadonlySet<number>;
  onTick: (rows: ReadonlySet<number>) => void;
  /** What is to be known of a row, below its text. */
  note?: (row: number) => string;
  /** A line below a row that a button of this name opens; null for rows without. */
  more?: { name: string; of: (row: number) => ComponentChildren } | null;
}

export function RowTable(props: RowTableProps) {
  const { label, places, source, columns, ticked, onTick } = props;
  const [search, setSearch] = useState('');
  const [chosen, setChosen] = useState<Record<string, string>>({});
  const [sort, setSort] = useState(props.first);
  const [most, setMost] = useState(STEP);
  const [opened, setOpened] = useState<ReadonlySet<number>>(new Set());
  const whole = search !== '' || places.length <= READ_AT_ONCE;
  const all = useAllTexts(source, places.length, whole);
  const labels = all.size === places.length ? labelFilter(all) : null;
  const filters = [...props.filters, ...(labels ? [labels] : [])];
  const rows = places.map((_, row) => row);
  const found = foundRows(rows, all, columns, filters, { search, chosen, sort });
  const shown = found.slice(0, most);
  const texts = useTexts(source, whole ? [] : shown);
  const textOf = (row: number) => all.get(row) ?? texts.get(row);
  useEffect(() => setMost(STEP), [search, JSON.stringify(chosen)]);
  const reading = search !== '' && all.size < places.length;
  const every = found.length > 0 && found.every((row) => ticked.has(row));
  const by = (column: string) =>
    setSort((old) => ({ column, descending: old.column === column ? !old.descending : true }));

  const head = (some: readonly RowColumn[]) =>
    some.map(({ id, name, title }) => (
      <th
        key={id}
        scope="col"
        class={`number ${id}`}
        aria-sort={sort.column === id ? (sort.descending ? 'descending' : 'ascending') : 'none'}
      >
        <button type="button" class="sort" title={title ?? `Sort by ${name}`} onClick={() => by(id)}>
          {name}
        </button>
      </th>
    ));
  const cells = (row: number, some: readonly RowColumn[]) =>
    some.map(({ id, value, show }) => (
      <td key={id} class={`number ${id}`}>
        {show ? show(row) : cellText(value(row))}
      </td>
    ));
  return (
    <div class="row-table">
      <div class="controls" role="group" aria-label="Search and filter">
        <TextField label="Search" value={search} placeholder="words of the text" onInput={setSearch} />
        {filters.map(({ id, name, options }) => (
          <Select
            key={id}
            label={name}
            value={chosen[id] ?? ALL}
            options={[{ id: ALL, name: 'all' }, ...options]}
            onChange={(option) => setChosen((old) => ({ ...old, [id]: option }))}
          />
        ))}
      </div>
      <p class="caption" role="status">
        {plural(found.length, 'row')} of {places.length}
        {ticked.size > 0 && `, ${ticked.size} selected`}
        {reading && `; ${all.size} texts read so far`}
      </p>
      <div class="table-scroll" tabIndex={0} role="region" aria-label={`Table: ${label}`}>
        <table class="data samples rows" style={{ minWidth: `${WIDTHS.fixed + WIDTHS.column * columns.length}px` }}>
          <caption class="spoken">{label}</caption>
          <thead>
            <tr>
              <th scope="col" class="picked">
                <input
                  type="checkbox"
                  aria-label={`Select the ${found.length} rows that are found`}
                  checked={every}
                  onChange={() => onTick(toggled(ticked, found, !every))}
                />
              </th>
              {head(columns.slice(0, 1))}
              <th scope="col">Text</th>
              <th scope="col" class="source">
                Source
              </th>
              {head(columns.slice(1))}
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => {
              const place = places[row]!;
              const more = props.more?.of(row) ?? null;
              const open = more !== null && opened.has(row);
              return [
                <tr key={row} class={ticked.has(row) ? 'selected' : undefined}>
                  <td class="picked">
                    <input
                      type="checkbox"
                      aria-label={`Select ${samplePlace(place)}`}
                      checked={ticked.has(row)}
                      onChange={() => onTick(toggled(ticked, [row], !ticked.has(row)))}
                    />
                  </td>
                  {cells(row, columns.slice(0, 1))}
                  <TextCell text={textOf(row)} note={props.note?.(row)} />
                  <SourceCell row={place} text={textOf(row)}>
                    {more !== null && (
                      <LinkButton
                        label={`${props.more?.name} of ${samplePlace(place)}`}
                        expanded={open}
                        onClick={() => setOpened(toggled(opened, [row], !open))}
                      >
                        {props.more?.name}
                      </LinkButton>
                    )}
                  </SourceCell>
                  {cells(row, columns.slice(1))}
                </tr>,
                open && (
                  <tr key={`${row} more`} class="more">
                    <td colSpan={columns.length + 3}>{more}</td>
                  </tr>
                ),
              ];
            })}
          </tbody>
        </table>
      </div>
      {found.length > shown.length && (
        <div class="controls">
          <Button onClick={() => setMost(most + STEP)}>
            {`Show ${Math.min(STEP, found.length - shown.length)} more of ${found.length - shown.length}`}
          </Button>
        </div>
      )}
    </div>
  );
}

export function toggled(ticked: ReadonlySet<number>, rows: readonly number[], on: boolean): Set<number> {
  const next = new Set(ticked);
  for (const row of rows)
    if (on) next.add(row);
    else next.delete(row);
  return next;
}
