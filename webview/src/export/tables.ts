/** A table of the page as a grid, for CSV and Markdown. `data-value` of a cell holds a number with all its digits. */
import { MINUS, MISSING } from '../model/format.ts';
import type { Cell, Grid } from '../model/grid.ts';

export function gridOf(table: HTMLTableElement, title: string): Grid {
  const head = [...(table.tHead?.rows ?? [])];
  const body = [...table.rows].filter((row) => !head.includes(row)).map((row) => [...row.cells].flatMap(cellsOf));
  const width = Math.max(0, ...body.map((line) => line.length));
  const names = columnNames(head);
  return { title, columns: Array.from({ length: width }, (_, i) => names[i] ?? ''), rows: body };
}

/** One name for each column of a head of several rows, whose cells may span columns and rows: "sentiment Score". */
function columnNames(rows: readonly HTMLTableRowElement[]): string[] {
  const taken = rows.map((): (string | undefined)[] => []);
  for (const [at, row] of rows.entries()) {
    let column = 0;
    for (const cell of row.cells) {
      while (taken[at]![column] !== undefined) column++;
      for (let down = 0; down < cell.rowSpan; down++)
        for (let over = 0; over < cell.colSpan; over++)
          if (taken[at + down]) taken[at + down]![column + over] = down === 0 ? textOf(cell) : '';
    }
  }
  const width = Math.max(0, ...taken.map((row) => row.length));
  return Array.from({ length: width }, (_, column) =>
    taken
      .map((row) => row[column] ?? '')
      .filter((name) => name !== '')
      .join(' '),
  );
}

/** A cell that spans columns fills the others with nothing. */
function cellsOf(cell: HTMLTableCellElement): Cell[] {
  return [valueOf(cell), ...Array.from({ length: cell.colSpan - 1 }, () => null)];
}

function valueOf(cell: HTMLTableCellElement): Cell {
  const { value } = cell.dataset;
  if (value !== undefined) return Number(value);
  return readCell(textOf(cell));
}

function textOf(cell: HTMLTableCellElement): string {
  const copy = cell.cloneNode(true) as HTMLElement;
  for (const spoken of copy.querySelectorAll('.spoken')) spoken.remove();
  return copy.textContent.replaceAll(/\s+/g, ' ').trim();
}

/** Numbers as they are shown, with a true minus sign and thousands between commas, become numbers. Pure. */
export function readCell(shown: string): Cell {
  const text = shown.trim();
  if (text === MISSING || text === '') return null;
  const plain = text.replaceAll(MINUS, '-').replaceAll(/,(?=\d{3}\b)/g, '');
  return /^-?(\d+\.?\d*|\.\d+)(e-?\d+)?$/.test(plain) ? Number(plain) : text;
}
