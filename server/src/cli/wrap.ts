/** Text fitted to the width of a terminal. Pure. */

/** Narrower than this nothing is broken up further. */
const LEAST = 20;

/**
 * Lines of at most `width` characters, broken at spaces; a longer word stands alone. Line breaks within a paragraph are
 * no breaks.
 */
export function wrapped(text: string, width: number): string[] {
  const room = Math.max(LEAST, width);
  const lines: string[] = [];
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= room) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/**
 * A word on the left, what it means on the right, wrapped below itself. A left side that is wider than `most` has a
 * line of its own.
 * @param rows left and paragraphs on the right
 */
export function explained(
  rows: readonly (readonly [left: string, ...right: string[]])[],
  width: number,
  most = 30,
): string[] {
  const widths = rows.map(([left]) => left.length).filter((length) => length <= most);
  const indent = Math.max(0, ...widths) + 2;
  return rows.flatMap(([left, ...right]) => {
    const lines = right.flatMap((text) => wrapped(text, width - indent));
    const [first = '', ...rest] = left.length <= most ? lines : ['', ...lines];
    return [`${left.padEnd(indent)}${first}`.trimEnd(), ...rest.map((line) => `${' '.repeat(indent)}${line}`)];
  });
}
