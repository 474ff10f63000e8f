/** Lists of layers in words: "0-3, 7" and back. */
import { LayerifError } from '../../../protocol/errors.ts';
import { nth } from '../lists/nth.ts';

/**
 * @param words numbers and ranges that hold both ends, apart by commas @param what is named in errors
 * @returns ascending, each once
 * @throws LayerifError `badRequest`
 */
export function readLayers(words: string, layers: number, what: string): number[] {
  const found = new Set<number>();
  for (const part of words.split(',')) {
    const [, low, high = low] = /^\s*(\d{1,6})\s*(?:-\s*(\d{1,6})\s*)?$/.exec(part) ?? [];
    const [from, to] = [Number(low), Number(high)];
    if (low === undefined || from > to || to >= layers) {
      throw new LayerifError(
        'badRequest',
        `${what} "${words}": "${part.trim()}" is no layer of 0 to ${layers - 1}; write numbers and ranges, such as 3, 8-10`,
      );
    }
    for (let layer = from; layer <= to; layer++) found.add(layer);
  }
  return [...found].sort((a, b) => a - b);
}

/** [0, 1, 2, 5] -> "0-2, 5" */
export function layerList(layers: readonly number[]): string {
  const parts: string[] = [];
  for (let i = 0; i < layers.length; i++) {
    const start = layers[i];
    while (layers[i + 1] === nth(layers, i) + 1) i++;
    parts.push(start === layers[i] ? `${start}` : `${start}-${layers[i]}`);
  }
  return parts.join(', ');
}
