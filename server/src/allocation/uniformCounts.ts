/** The same for every layer, a baseline; what does not divide goes to the lowest layers. */
import { largestRemainders } from './rounding.ts';
import type { CountRule } from './types.ts';

export const uniformCounts: CountRule = {
  id: 'uniform',
  title: 'the same for every layer',
  formula: 'T / L, the remainder to the lowest layers',
  source: 'baseline',
  needs: null,
  beta: null,
  monotone: false,

  allocate({ values, total, minimum, noun }) {
    const counts = equalCounts(values.length, total, minimum);
    const rest = total % values.length;
    return {
      counts,
      because: (l) =>
        `${total} ${noun[1]} are spread evenly over ${values.length} layers` +
        (rest > 0
          ? `, the ${rest} that remain going to the lowest layers${l < rest ? ', of which this is one' : ''}`
          : ''),
      notes: [],
    };
  },
};

function equalCounts(layers: number, total: number, minimum: number): number[] {
  return largestRemainders(
    Array.from({ length: layers }, () => 1),
    total,
    minimum,
  ).counts;
}
