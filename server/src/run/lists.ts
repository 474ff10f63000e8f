/** What is available, read from the tables of the folders that provide it: for `layerif list` and for completion. */
import { formats } from '../data/formats.ts';
import { aggregations } from '../estimators/aggregation.ts';
import { estimators } from '../estimators/estimators.ts';
import { families } from '../models/families.ts';

export interface ListEntry {
  /** The word to write in an experiment file or that a checkpoint must say. */
  id: string;
  title: string;
  source: string;
}

const lists = {
  estimators: () => estimators.map(({ id, title, formula, source }) => ({ id, title: `${title}: ${formula}`, source })),
  // A layer score is an aggregation of influence.
  scores: () =>
    Object.entries(aggregations).map(([id, { title, formula }]) => ({
      id,
      title: `layer influence, ${title}: ${formula}`,
      source: 'LayerIF, arXiv 2505.23811',
    })),
  families: () => families.map(({ id, title, source }) => ({ id, title, source })),
  formats: () => formats.map(({ id, title, source }) => ({ id, title, source })),
} satisfies Record<string, () => ListEntry[]>;

export type ListKind = keyof typeof lists;

export const listKinds = Object.keys(lists) as ListKind[];

export function listOf(kind: ListKind): ListEntry[] {
  return lists[kind]();
}
