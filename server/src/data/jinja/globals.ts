/** The functions that every template has: `range`, `dict`, `namespace`, `cycler`, `joiner`. */
import { requireRange } from './limits.ts';
import { Attributes, Callable, Dict, Range, type Arguments } from './objects.ts';
import { iterate, wholeNumber } from './operators.ts';
import { text } from './text.ts';

function range({ positional }: Arguments): Range {
  if (positional.length < 1 || positional.length > 3) throw new Error('range() takes 1 to 3 whole numbers');
  const given = positional.map((bound) => wholeNumber(bound, 'an argument of range()'));
  const [first = 0, second, step = 1] = given;
  const [start, stop] = second === undefined ? [0, first] : [first, second];
  if (step === 0) throw new Error('range() arg 3 must not be zero');
  const count = Math.max(0, Math.ceil((stop - start) / step));
  requireRange('range()', count);
  const label = `range(${start}, ${stop}${step === 1 ? '' : `, ${step}`})`;
  return new Range(
    Array.from({ length: count }, (_, i) => start + i * step),
    'range',
    label,
  );
}

/** `dict(pairs, name=value)` */
export function dict({ positional, named }: Arguments): Dict {
  const [from] = positional;
  const pairs =
    from === undefined
      ? []
      : from instanceof Dict
        ? from.entries()
        : iterate(from).map((pair) => iterate(pair) as [unknown, unknown]);
  return new Dict([...pairs, ...named]);
}

function cycler({ positional }: Arguments): Attributes {
  if (positional.length === 0) throw new Error('at least one item has to be provided');
  let at = 0;
  const object = new Attributes('Cycler');
  const show = (): unknown => (object.values.set('current', positional[at]), positional[at]);
  object.values.set(
    'next',
    new Callable('next', () => {
      const value = positional[at];
      at = (at + 1) % positional.length;
      show();
      return value;
    }),
  );
  object.values.set('reset', new Callable('reset', () => ((at = 0), show(), null)));
  show();
  return object;
}

function joiner({ positional, named }: Arguments): Callable {
  const separator = text(positional[0] ?? named.get('sep') ?? ', ');
  let used = false;
  return new Callable('joiner', () => {
    const shown = used ? separator : '';
    used = true;
    return shown;
  });
}

export const globals: Readonly<Record<string, Callable>> = {
  range: new Callable('range', range),
  dict: new Callable('dict', dict),
  namespace: new Callable(
    'namespace',
    (args) => new Attributes('namespace', dict(args).entries() as [string, unknown][]),
  ),
  cycler: new Callable('cycler', cycler),
  joiner: new Callable('joiner', joiner),
};
