/**
 * How a text is cut at matches, as the `tokenizers` library does it: the matches and the text between them in order,
 * then what becomes of a match (`behavior`). Empty pieces are dropped.
 */
import { wordOf } from './json.ts';

export type Behavior = 'Isolated' | 'Removed' | 'Contiguous' | 'MergedWithPrevious' | 'MergedWithNext';

interface Range {
  start: number;
  end: number;
  match: boolean;
}

type Merge = (ranges: readonly Range[]) => Range[];

const behaviors: Readonly<Record<Behavior, Merge>> = {
  Isolated: (ranges) => [...ranges],
  Removed: (ranges) => ranges.filter((range) => !range.match),
  Contiguous: (ranges) => {
    const merged: Range[] = [];
    for (const range of ranges) {
      const last = merged.at(-1);
      if (last && last.match === range.match) last.end = range.end;
      else merged.push({ ...range });
    }
    return merged;
  },
  MergedWithPrevious: (ranges) => {
    const merged: Range[] = [];
    let previous = false;
    for (const range of ranges) {
      const last = merged.at(-1);
      if (range.match && !previous && last) last.end = range.end;
      else merged.push({ ...range });
      previous = range.match;
    }
    return merged;
  },
  MergedWithNext: (ranges) => {
    const merged: Range[] = [];
    let next = false;
    for (const range of [...ranges].reverse()) {
      const first = merged.at(-1);
      if (range.match && !next && first) first.start = range.start;
      else merged.push({ ...range });
      next = range.match;
    }
    return merged.reverse();
  },
};

/** @returns null for a name that is none */
export function behaviorOf(name: unknown): Behavior | null {
  const words = wordOf(name, name === undefined ? 'isolated' : '')
    .toLowerCase()
    .replaceAll('_', '');
  return (Object.keys(behaviors) as Behavior[]).find((known) => known.toLowerCase() === words) ?? null;
}

/**
 * @param pattern with the flag g
 * @param invert the text between the matches takes the place of the matches
 */
export function splitAt(
  text: string,
  pattern: RegExp,
  behavior: Behavior,
  invert = false,
): [at: number, text: string][] {
  const ranges: Range[] = [];
  let done = 0;
  for (const { 0: found, index } of text.matchAll(pattern)) {
    if (done < index) ranges.push({ start: done, end: index, match: invert });
    ranges.push({ start: index, end: index + found.length, match: !invert });
    done = index + found.length;
  }
  if (done < text.length) ranges.push({ start: done, end: text.length, match: invert });
  return behaviors[behavior](ranges)
    .filter(({ start, end }) => end > start)
    .map(({ start, end }) => [start, text.slice(start, end)]);
}
