/**
 * Facility location: F(A) = sum over all rows i of max over the chosen rows j of sim(i, j), which is large where every
 * row has a chosen one near it. The greedy choice is within 1 - 1/e of the best (Nemhauser et al. 1978); lazily: a gain
 * that was computed earlier is an upper bound, so that only rows whose bound is highest are looked at again (Minoux
 * 1978).
 */

/** Candidates between two looks at other work. */
const PER_TURN = 64;

export interface Greedy {
  /** Rows in the order in which they are chosen. */
  order: number[];
  /** What each of them adds to F. */
  gains: number[];
}

/**
 * @param count of the rows
 * @param similarities writes sim(i, row) of all rows i into `into`
 * @param budget how many are chosen, at most `count`
 */
export async function facilityLocation(
  count: number,
  similarities: (row: number, into: Float64Array) => void,
  budget: number,
  breathe: () => Promise<void>,
): Promise<Greedy> {
  const covered = new Float64Array(count);
  const column = new Float64Array(count);
  const gainOf = (row: number): number => {
    similarities(row, column);
    let gain = 0;
    for (let i = 0; i < count; i++) gain += Math.max(0, column[i] - covered[i]);
    return gain;
  };
  let looked = 0;
  const turn = async () => {
    if (++looked % PER_TURN === 0) await breathe();
  };
  const heap = new LargestFirst();
  for (let row = 0; row < count; row++) {
    heap.push(gainOf(row), row);
    await turn();
  }
  const greedy: Greedy = { order: [], gains: [] };
  while (greedy.order.length < Math.min(budget, count)) {
    const { row, value } = heap.pop();
    const first = greedy.order.length === 0;
    const gain = first ? value : gainOf(row);
    await turn();
    const next = heap.peek();
    if (!first && next && (next.value > gain || (next.value === gain && next.row < row))) {
      heap.push(gain, row);
      continue;
    }
    greedy.gains.push(gain);
    greedy.order.push(row);
    similarities(row, column);
    for (let i = 0; i < count; i++) if (column[i] > covered[i]) covered[i] = column[i];
  }
  return greedy;
}

/** A binary heap; of equal values the lower row first. */
class LargestFirst {
  readonly #items: { value: number; row: number }[] = [];

  push(value: number, row: number): void {
    const items = this.#items;
    items.push({ value, row });
    let at = items.length - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(items[at], items[parent])) break;
      [items[at], items[parent]] = [items[parent], items[at]];
      at = parent;
    }
  }

  peek(): { value: number; row: number } | undefined {
    return this.#items[0];
  }

  pop(): { value: number; row: number } {
    const items = this.#items;
    const top = items[0];
    const last = items.pop()!;
    if (items.length > 0) items[0] = last;
    let at = 0;
    for (;;) {
      let first = at;
      for (const child of [2 * at + 1, 2 * at + 2])
        if (child < items.length && before(items[child], items[first])) first = child;
      if (first === at) return top;
      [items[at], items[first]] = [items[first], items[at]];
      at = first;
    }
  }
}

const before = (a: { value: number; row: number }, b: { value: number; row: number }) =>
  a.value > b.value || (a.value === b.value && a.row < b.row);
