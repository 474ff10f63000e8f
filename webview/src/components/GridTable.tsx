/** A grid as a table that can be scrolled by keys, copied and saved; under a chart it says the same in numbers. */
import { send } from '../host.ts';
import { cellText, gridForms, isNumeric } from '../model/grid.ts';
import type { Grid } from '../model/grid.ts';
import { Button } from './controls.tsx';
import { PlainTable } from './PlainTable.tsx';

export function GridTable({ grid, file }: { grid: Grid; /** Part of the name of a saved file. */ file?: string }) {
  const { title, columns, rows } = grid;
  return (
    <>
      <div class="table-scroll grid-table" tabIndex={0} role="region" aria-label={`Table: ${title}`}>
        <PlainTable
          caption={title}
          columns={columns}
          rows={rows.map((row) => row.map(cellText))}
          numeric={(column, row) =>
            column === 0 && row !== undefined ? typeof rows[row]?.[0] === 'number' : isNumeric(rows, column)
          }
        />
      </div>
      {file !== undefined && (
        <div class="controls export" role="group" aria-label={`Copy and save: ${title}`}>
          {gridForms.map(({ id, name, of }) => (
            <Button key={id} onClick={() => send({ type: 'copy', text: of(grid), what: `${title} as ${name}` })}>
              Copy as {name}
            </Button>
          ))}
          {gridForms.map(({ id, name, of }) => (
            <Button
              key={id}
              onClick={() => send({ type: 'saveText', text: of(grid), name: file, ending: id })}
            >{`Save as ${name}\u2026`}</Button>
          ))}
        </div>
      )}
    </>
  );
}
