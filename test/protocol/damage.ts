/**
 * Seeded damage to a JSON text: what half copies, other tools, newer versions and people with bad intentions make of a
 * file.
 */
import { seededRandom } from '../tinyLlama.ts';

type Value = null | boolean | number | string | Value[] | { [key: string]: Value };

/** What stands in the place of a value: every JSON type, and texts that other programs would run. */
const others: readonly Value[] = [
  null,
  true,
  0,
  -1,
  2.5,
  1e308,
  '',
  'x',
  'constructor',
  '__proto__',
  '<img src=x onerror=alert(1)>',
  '[a](command:workbench.action.quit) $(trash)\n\u001b[31mred',
  [],
  {},
  [null],
  { constructor: 1 },
  'y'.repeat(5000),
];

const keys = ['constructor', '__proto__', 'toString', 'hasOwnProperty', 'x'];

export interface Damage {
  /** For the message of a failed test. */
  what: string;
  text: string;
}

/**
 * `count` damaged texts: a value replaced, a key removed or renamed, a list cut or repeated, the text cut or a byte
 * changed.
 */
export function damages(sound: string, count: number, seed: number): Damage[] {
  const random = seededRandom(seed);
  const below = (n: number) => Math.floor(random() * n);
  return Array.from({ length: count }, () => {
    const way = below(10);
    if (way === 0) {
      const at = below(sound.length);
      return { what: `cut after ${at} characters`, text: sound.slice(0, at) };
    }
    if (way === 1) {
      const at = below(sound.length);
      const by = String.fromCharCode(32 + below(95));
      return { what: `character ${at} is ${by}`, text: sound.slice(0, at) + by + sound.slice(at + 1) };
    }
    const value = JSON.parse(sound) as Value;
    const { parent, key, path } = place(value, below);
    const own = parent as Record<string, Value>;
    if (way <= 3) {
      if (Array.isArray(parent)) parent.splice(Number(key), 1);
      else delete own[key];
      return { what: `${path} removed`, text: JSON.stringify(value) };
    }
    if (way === 4 && !Array.isArray(parent)) {
      const name = keys[below(keys.length)];
      Object.defineProperty(own, name, { value: own[key], enumerable: true, configurable: true, writable: true });
      delete own[key];
      return { what: `${path} is now ${name}`, text: JSON.stringify(value) };
    }
    if (way === 5 && Array.isArray(parent)) {
      parent.push(structuredClone(parent[Number(key)]));
      return { what: `${path} repeated`, text: JSON.stringify(value) };
    }
    const by = others[below(others.length)];
    own[key] = structuredClone(by);
    return { what: `${path} = ${JSON.stringify(by).slice(0, 60)}`, text: JSON.stringify(value) };
  });
}

/** A place of the value: from the top, a step down at random until a leaf or a coin says stop. */
function place(
  value: Value,
  below: (n: number) => number,
): { parent: Value[] | Record<string, Value>; key: string; path: string } {
  let parent = value as Value[] | Record<string, Value>;
  let path = '';
  for (;;) {
    const names = Object.keys(parent);
    const key = names[below(names.length)];
    path += `/${key}`;
    const child = (parent as Record<string, Value>)[key];
    if (typeof child !== 'object' || child === null || Object.keys(child).length === 0 || below(4) === 0)
      return { parent, key, path };
    parent = child;
  }
}
