/** Which layers a section is about: all, a list, or a range such as "8-15" that includes both ends. */
import { z } from 'zod';
import { doc } from './words.ts';

/** First and last of a range; matches nothing else. */
export const layerRange = /^\s*(\d+)\s*-\s*(\d+)\s*$/;

/** @param what such as "Layers to score" */
export function layerList(what: string) {
  return doc(
    z
      .union([
        z.literal('all'),
        z.array(z.int().min(0)).min(1),
        z
          .string()
          .regex(layerRange)
          .meta({ examples: ['8-15'] }),
      ])
      .default('all'),
    `${what}, counted from 0: all, a list, or a range "8-15" that includes both ends.`,
    ['all', [0, 5, 7], '8-15'],
  );
}

/** Ascending, each once. */
export function layersOf(layers: z.output<ReturnType<typeof layerList>>): 'all' | number[] {
  if (Array.isArray(layers)) return [...new Set(layers)].sort((a, b) => a - b);
  const range = layerRange.exec(layers);
  if (!range) return 'all';
  const [first, last] = [Number(range[1]), Number(range[2])];
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
