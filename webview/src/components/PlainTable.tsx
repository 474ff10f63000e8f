/** Named columns and rows of words, the first column naming the row; numbers stand to the right. */

export function PlainTable(props: {
  /** For screen readers; none where a heading names the table. */
  caption?: string;
  columns: readonly string[];
  rows: readonly (readonly string[])[];
  /** Of a cell, or without a row of the head. */
  numeric: (column: number, row?: number) => boolean;
}) {
  const side = (column: number, row?: number) => (props.numeric(column, row) ? 'number' : undefined);
  return (
    <table class="data">
      {props.caption !== undefined && <caption class="spoken">{props.caption}</caption>}
      <thead>
        <tr>
          {props.columns.map((name, column) => (
            <th key={name} scope="col" class={side(column)}>
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {props.rows.map((row, at) => (
          <tr key={at}>
            {row.map((cell, column) =>
              column === 0 ? (
                <th key={column} scope="row" class={side(column, at)}>
                  {cell}
                </th>
              ) : (
                <td key={column} class={side(column, at)}>
                  {cell}
                </td>
              ),
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
