/**
 * The rest of an experiment file that has errors, so that its data and model are judged together with its text: a
 * misspelt key counts as what was probably meant, a wrong value is left out, what is missing is filled where nothing
 * else depends on it. Only for messages: nothing runs on it.
 */
import { at } from './messages.ts';
import type { Finding } from './messages.ts';
import type { Path } from './yamlSource.ts';

export interface Mended {
  value: unknown;
  /** Places that are not as written: nothing is to be said of them or what is under them. */
  left: Path[];
}

/** Stands where a required value is missing, and nothing else is judged by it. */
const fillers: readonly [path: Path, value: unknown][] = [
  [['version'], 1],
  [['model'], { path: 'missing' }],
  [['model', 'path'], 'missing'],
];

/** @param value plain, with includes filled in */
export function mended(value: unknown, findings: readonly Finding[]): Mended {
  const copy: unknown = structuredClone(value);
  const left: Path[] = [];
  for (const { path, meant, severity } of findings) {
    if (severity !== 'error') continue;
    const parent = at(copy, path.slice(0, -1));
    const key = path.at(-1);
    if (typeof parent !== 'object' || parent === null || key === undefined) continue;
    const holder = parent as Record<string | number, unknown>;
    const filler = fillers.find(([place]) => samePath(place, path));
    if (meant !== undefined && !Object.hasOwn(holder, meant)) holder[meant] = holder[key];
    if (filler) holder[key] = filler[1];
    else if (!Array.isArray(parent)) delete holder[key];
    if (meant === undefined) left.push(path, ...consequences(copy, path));
  }
  return { value: copy, left };
}

/** Tasks whose rows are others without what stands at a place. */
function consequences(value: unknown, path: Path): Path[] {
  const [section, name, key] = path;
  if (section === 'tasks' && (key === 'dataset' || key === undefined)) return [path.slice(0, 2)];
  const tasks = at(value, ['tasks']);
  if (section !== 'datasets' || !Array.isArray(tasks)) return [];
  return tasks.flatMap((task: { dataset?: unknown } | null, index): Path[] =>
    name === undefined || task?.dataset === undefined || task.dataset === name ? [['tasks', index]] : [],
  );
}

export const isUnder = (path: Path, place: Path): boolean => place.every((part, i) => path[i] === part);

const samePath = (a: Path, b: Path) => a.length === b.length && isUnder(a, b);
