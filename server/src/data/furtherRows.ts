/**
 * Rows that a task can be given beside those of its slices: of the same splits, in file order from the end of the
 * slice on, then those before it. A row that trains never validates, a row that validates never trains, and few-shot
 * examples from a slice of their own do neither. The first rows stay the first ones however many are asked for.
 */
import type { Task } from '../../../protocol/experiment.ts';
import type { OpenDataset } from './dataset.ts';
import { fewshotSplit, ownSamples } from './fewshot.ts';
import { parseSlices, resolveSlice } from './slices.ts';
import type { Range } from './slices.ts';
import type { Row } from './types.ts';

/** Numbers of rows of both sides. */
export interface Sides {
  train: number;
  validation: number;
}

export interface SlicesOfTask {
  training: string;
  validation: string;
}

interface Place extends Range {
  split: string;
}

/** How many rows there are beside those of the slices. Where both sides share splits, they share them as they are. */
export async function countFurther(task: Task, dataset: OpenDataset, slices: SlicesOfTask): Promise<Sides> {
  const free = await freePlaces(task, dataset, slices);
  const count = (places: readonly Place[]) => places.reduce((sum, { start, end }) => sum + end - start, 0);
  if (!free.shared) return { train: count(free.train), validation: count(free.validation) };
  const all = count(free.train);
  const validation = Math.floor(all * free.share);
  return { train: all - validation, validation };
}

/** The first so many further rows of each side, fewer where there are no more. */
export async function furtherRows(
  task: Task,
  dataset: OpenDataset,
  slices: SlicesOfTask,
  wanted: Sides,
): Promise<{ train: Row[]; validation: Row[] }> {
  const free = await freePlaces(task, dataset, slices);
  const found: { train: Row[]; validation: Row[] } = { train: [], validation: [] };
  const full = (side: keyof Sides) => found[side].length >= wanted[side];
  const give = (side: keyof Sides, row: Row) => void (full(side) || found[side].push(row));
  if (free.shared) {
    let at = 0;
    for await (const row of rowsAt(dataset, free.train)) {
      const validates = Math.floor((at + 1) * free.share) > Math.floor(at * free.share);
      at += 1;
      give(validates ? 'validation' : 'train', row);
      if (full('train') && full('validation')) break;
    }
    return found;
  }
  for (const side of ['train', 'validation'] as const) {
    for await (const row of rowsAt(dataset, wanted[side] > 0 ? free[side] : [])) {
      give(side, row);
      if (full(side)) break;
    }
  }
  return found;
}

async function* rowsAt(dataset: OpenDataset, places: readonly Place[]): AsyncGenerator<Row, void, undefined> {
  for (const { split, start, end } of places) yield* dataset.rows(split, { start, end });
}

interface Free {
  train: Place[];
  validation: Place[];
  /** Both sides draw from the same places, of which validation gets this share. */
  shared: boolean;
  share: number;
}

async function freePlaces(task: Task, dataset: OpenDataset, slices: SlicesOfTask): Promise<Free> {
  const [training, validation] = [await placesOf(dataset, slices.training), await placesOf(dataset, slices.validation)];
  const taken = [...training, ...validation];
  const examples =
    task.num_fewshot > 0 && ownSamples(task) === null
      ? await placesOf(dataset, fewshotSplit(task, slices.training))
      : [];
  // Where they are among the rows that train, a row is left out of its own examples (fewshotForRows).
  if (!examples.some((place) => training.some((own) => overlap(place, own)))) taken.push(...examples);
  const splitsOf = (places: readonly Place[]) => new Set(places.map(({ split }) => split));
  const [own, other] = [splitsOf(training), splitsOf(validation)];
  const shared = [...own].some((split) => other.has(split));
  const sizes = [training, validation].map((places) => places.reduce((sum, { start, end }) => sum + end - start, 0));
  const [n = 0, m = 0] = sizes;
  const free = async (splits: ReadonlySet<string>, after: readonly Place[]) => {
    const found: Place[] = [];
    for (const split of splits) found.push(...between(split, await dataset.count(split), taken, after));
    return found;
  };
  return {
    train: await free(shared ? new Set([...own, ...other]) : own, training),
    validation: shared ? [] : await free(other, validation),
    shared,
    share: m / Math.max(1, n + m),
  };
}

async function placesOf(dataset: OpenDataset, text: string): Promise<Place[]> {
  const found: Place[] = [];
  for (const slice of parseSlices(text)) {
    const count = await dataset.count(slice.split);
    const { start, end } = await resolveSlice(slice, () => Promise.resolve(count));
    found.push({ split: slice.split, start, end: Math.min(end, count) });
  }
  return found;
}

const overlap = (a: Place, b: Place) => a.split === b.split && a.start < b.end && b.start < a.end;

/** What of a split is not taken: behind the last place of `after` first. */
function between(split: string, count: number, taken: readonly Place[], after: readonly Place[]): Place[] {
  const own = taken.filter((place) => place.split === split).sort((a, b) => a.start - b.start);
  const free: Place[] = [];
  let from = 0;
  for (const { start, end } of [...own, { start: count, end: count }]) {
    if (start > from) free.push({ split, start: from, end: Math.min(start, count) });
    from = Math.max(from, end);
  }
  const last = Math.max(0, ...after.filter((place) => place.split === split).map(({ end }) => end));
  return [...free.filter(({ start }) => start >= last), ...free.filter(({ start }) => start < last)];
}
