/** What a template knows as `loop` inside a `for`. */
import type { Dialect } from './dialects.ts';
import { Attributes, Callable } from './objects.ts';

/** @param again the loop itself, of a recursive one @param none what there is in place of an item that is not there */
export function loopOf(
  items: readonly unknown[],
  index: number,
  depth: number,
  changed: Callable,
  again: Attributes['call'],
  none: Dialect['missing'],
): Attributes {
  const { length } = items;
  const missing = (which: string) => none(`there is no ${which} item`);
  const cycle = new Callable('cycle', ({ positional }) => {
    if (positional.length === 0) throw new Error('no items for cycling given');
    return positional[index % positional.length];
  });
  const values: [string, unknown][] = [
    ['index', index + 1],
    ['index0', index],
    ['revindex', length - index],
    ['revindex0', length - index - 1],
    ['first', index === 0],
    ['last', index === length - 1],
    ['length', length],
    ['depth', depth],
    ['depth0', depth - 1],
    ['previtem', index === 0 ? missing('previous') : items[index - 1]],
    ['nextitem', index === length - 1 ? missing('next') : items[index + 1]],
    ['cycle', cycle],
    ['changed', changed],
  ];
  return new Attributes('LoopContext', values, again);
}
