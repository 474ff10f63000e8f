/** Cells that every table of rows has: the text, whole on demand, and the way to the row in its dataset. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { send } from '../host.ts';
import type { SampleText } from '../samples.ts';
import { LinkButton } from './controls.tsx';

/** Where a row stands in its data. */
export interface RowPlace {
  /** As recorded: relative to the experiment's folder. */
  file: string;
  /** From 0. */
  row: number;
  /** From 1; null where a format has none. */
  line: number | null;
}

export function TextCell({ text, note }: { text: SampleText | undefined; note?: string | undefined }) {
  const [open, setOpen] = useState(false);
  return (
    <td class="text">
      {text?.text ? (
        <button
          type="button"
          dir="auto"
          class={open ? 'sample-text open' : 'sample-text'}
          aria-expanded={open}
          title={open ? 'Show less' : 'Show all'}
          onClick={() => setOpen(!open)}
        >
          {text.text}
        </button>
      ) : (
        <span class="sample-text faint">
          {!text
            ? 'Loading text\u2026'
            : text.text === ''
              ? 'Empty.'
              : 'Text not available: the data file changed or is not there.'}
        </span>
      )}
      {note && <span class="cut">{note}</span>}
    </td>
  );
}

export function SourceCell({
  row,
  text,
  children,
}: {
  row: RowPlace;
  text: SampleText | undefined;
  children?: ComponentChildren;
}) {
  const place = samplePlace(row);
  return (
    <td class="source">
      <span class="place" title={row.file}>
        <span class="file">{baseName(row.file)}</span>
        <span class="at">{rowPlace(row)}</span>
      </span>
      {text && text.file !== '' ? (
        <LinkButton
          label={`Open in dataset: ${place}`}
          title={`Open in dataset: ${place}`}
          onClick={() => send({ type: 'openSample', file: text.file, line: text.line })}
        >
          Open in dataset
        </LinkButton>
      ) : null}
      {children}
    </td>
  );
}

/** `reviews.jsonl:12`, or `reviews.parquet row 11` where a format has no lines. */
export const samplePlace = (row: RowPlace | undefined) => (row ? baseName(row.file) + rowPlace(row) : '');

const baseName = (file: string) => file.slice(file.lastIndexOf('/') + 1);
const rowPlace = (row: RowPlace) => (row.line === null ? ` row ${row.row}` : `:${row.line}`);
