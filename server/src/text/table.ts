/** Tables as text for other programs: CSV (RFC 4180) and Markdown (GitHub Flavored). */

/** A line each, ended by CR LF. */
export function csvText(rows: readonly (readonly string[])[]): string {
  const field = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return rows.map((row) => `${row.map(field).join(',')}\r\n`).join('');
}

/** @param rows the first is the head */
export function markdownText([head = [], ...rows]: readonly (readonly string[])[]): string {
  const cell = (text: string): string => text.replaceAll('|', '\\|').replace(/\s+/g, ' ');
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), `|${' --- |'.repeat(head.length)}`, ...rows.map(line)].map((text) => `${text}\n`).join('');
}
