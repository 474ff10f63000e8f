/** A grid as a table that can be scrolled by keys, copied and saved; under a chart it says the same in numbers. */
import { send } from '../host.ts';
import { cellText, gridForms, isNumeric } from '../model/grid.ts';
import type { Grid } from '../model/grid.ts';
import { Button } from './controls.tsx';

export function GridTable({ grid, file }: { grid: Grid; /** Part of the name of a saved file. */ file?: string }) {
  const { title, columns, rows } = grid;
  return (
    <>
      <div class="table-scroll grid-table" tabIndex={0} role="region" aria-label={`Table: ${title}`}>
        <table class="data">
          <caption class="spoken">{title}</caption>
          <thead>
            <tr>
              {columns.map((name, column) => (
                <th key={name} scope="col" class={isNumeric(rows, column) ? 'number' : undefined}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row, at) => (
              <tr key={at}>
                {row.map((cell, column) =>
                  column === 0 ? (
                    <th key={column} scope="row" class={typeof cell === 'number' ? 'number' : undefined}>
                      {cellText(cell)}
                    </th>
                  ) : (
                    <td key={column} class={isNumeric(rows, column) ? 'number' : undefined}>
                      {cellText(cell)}
                    </td>
                  ),
                )}
              </tr>
            ))}
          </tbody>
        </table>
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
