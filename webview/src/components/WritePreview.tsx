/** What would be written, before a place for it is asked for: how many rows, the first of them, what is to be known. */
import type { SelectedRows, WrittenRows } from '../../../protocol/rowSelection.ts';
import type { Questions } from '../../../protocol/webview.ts';
import { useAnswer } from '../ask.ts';
import { send } from '../host.ts';
import { formatNumber, formatShare } from '../model/format.ts';
import { Button } from './controls.tsx';

/** A dataset of some rows, as it is asked for. */
export type Wanted =
  | { what: 'selectRows'; params: Questions['selectRows']['params'] }
  | { what: 'rowsWithout'; params: Questions['rowsWithout']['params'] };

/** @param source what the preview depends on beside the question @param label names it among others */
export function WritePreview({ wanted, source, label }: { wanted: Wanted; source: string; label: string }) {
  const selected = useAnswer(source, 'selectRows', wanted.what === 'selectRows' ? wanted.params : null, 300);
  const without = useAnswer(source, 'rowsWithout', wanted.what === 'rowsWithout' ? wanted.params : null, 300);
  const { pending, failure } = wanted.what === 'selectRows' ? selected : without;
  const choice: SelectedRows | null = (wanted.what === 'selectRows' && selected.answer?.selected) || null;
  const found: WrittenRows | null =
    choice ?? (wanted.what === 'rowsWithout' ? (without.answer?.written ?? null) : null);
  const error = (wanted.what === 'selectRows' ? selected.answer : without.answer)?.error ?? null;
  const fault = failure ?? (pending ? null : (error?.message ?? null));
  if (fault !== null)
    return (
      <div class="message" role="alert">
        <p>{fault}</p>
      </div>
    );
  if (!found) return <p class="empty">{'Reading the rows\u2026'}</p>;
  return (
    <div class="write-preview" aria-busy={pending}>
      <p class="caption" role="status">
        {found.rows} of {found.of} rows ({formatShare(found.rows / found.of)})
        {choice && choice.left > 0 && `, ${choice.left} left out by the score`}
        {choice && choice.doubles > 0 && `, ${choice.doubles} doubles left out`}, as{' '}
        {found.file.slice(Math.max(found.file.lastIndexOf('/'), found.file.lastIndexOf('\\')) + 1)}:
      </p>
      <pre tabIndex={0} role="region" aria-label={`Beginning of the new file: ${label}`} dir="auto">
        {found.preview}
      </pre>
      {choice && choice.overlaps.length > 0 && <Overlaps found={choice} />}
      <ul class="notes score-notes">
        {found.notes.map((note) => (
          <li key={note}>{note}</li>
        ))}
      </ul>
      <div class="controls">
        <Button primary onClick={() => send({ type: 'writeRows', ...wanted })}>
          {`Write ${found.rows} Rows\u2026`}
        </Button>
      </div>
    </div>
  );
}

function Overlaps({ found: { overlaps, rows } }: { found: SelectedRows }) {
  return (
    <table class="data overlaps">
      <caption>What simple choices of as many rows share with this one</caption>
      <thead>
        <tr>
          <th scope="col">Control</th>
          <th scope="col" class="number">
            Rows that it chooses too
          </th>
          <th scope="col" class="number">
            By chance
          </th>
        </tr>
      </thead>
      <tbody>
        {overlaps.map(({ control, shared, chance }) => (
          <tr key={control}>
            <th scope="row">{control}</th>
            <td class="number">
              {shared} of {rows}
            </td>
            <td class="number">{formatNumber(chance)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
