/**
 * MoLA (arXiv 2402.08562): a fixed number per group of consecutive layers, "2468" = two for the lowest quarter ...
 * eight for the highest. Where the layers do not divide, groups are as equal as possible and the first ones larger. The
 * shape sets the total.
 */
import { LayerifError } from '../../../protocol/errors.ts';
import { sum } from './rounding.ts';
import type { CountRule } from './types.ts';
import { nth } from '../lists/nth.ts';

/** @param shape digits ("2468"), or numbers with commas or dashes between ("4,6,8,10") */
export function mola(shape: string): CountRule {
  const numbers = /[,-]/.test(shape) ? shape.split(/[,-]/).map(Number) : [...shape].map(Number);
  const written = numbers.join('-');
  return {
    id: `mola_${shape.replaceAll(',', '-')}`,
    title: `MoLA shape ${written}, lowest layers first`,
    formula: `${written} in ${numbers.length} groups of consecutive layers; the shape sets the total`,
    source: 'MoLA, arXiv 2402.08562',
    needs: null,
    beta: null,
    monotone: false,

    allocate({ values, total, minimum, noun }) {
      const layers = values.length;
      if (numbers.length > layers) {
        throw new LayerifError(
          'badRequest',
          `MoLA shape ${written} has ${numbers.length} groups, the model only ${layers} layers: use at most one number per layer`,
        );
      }
      const low = numbers.findIndex((count) => count < minimum);
      if (low >= 0) {
        throw new LayerifError(
          'badRequest',
          `MoLA shape ${written} gives group ${low + 1} ${numbers[low]} ${noun[1]}, less than the minimum ${minimum}: use another shape or a smaller minimum`,
        );
      }
      const sizes = groupSizes(layers, numbers.length);
      const groups = sizes.flatMap((size, group) => Array.from({ length: size }, () => group));
      const counts = groups.map((group) => nth(numbers, group));
      const starts = sizes.map((_, group) => sum(sizes.slice(0, group)));
      return {
        counts,
        because: (l) => {
          const group = nth(groups, l);
          return `it is in group ${group + 1} of ${numbers.length} (layers ${starts[group]} to ${nth(starts, group) + nth(sizes, group) - 1}) of the shape ${written}, whatever its score`;
        },
        notes: [
          ...(sum(counts) === total
            ? []
            : [
                `the shape ${written} gives ${sum(counts)} in all on ${layers} layers, not ${total}: it sets the total itself`,
              ]),
          ...(layers % numbers.length === 0
            ? []
            : [`${layers} layers do not divide into ${numbers.length} groups: they have ${sizes.join(', ')} layers`]),
        ],
      };
    },
  };
}

/** As equal as possible, the first ones larger. */
export function groupSizes(layers: number, groups: number): number[] {
  return Array.from({ length: groups }, (_, i) => Math.floor(layers / groups) + (i < layers % groups ? 1 : 0));
}
