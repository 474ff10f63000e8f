/** What is available, read from the tables of the folders that provide it: for `layerif list` and for completion. */
import type { DataFormat } from '../../../protocol/experiment.ts';
import { countRules } from '../allocation/countRules.ts';
import { sparsityRules } from '../allocation/sparsityRules.ts';
import { readers } from '../data/formats.ts';
import { aggregations } from '../estimators/aggregation.ts';
import { estimators } from '../estimators/estimators.ts';
import { families } from '../models/families.ts';

export interface ListEntry {
  /** The word to write in an experiment file or that a checkpoint must say. */
  id: string;
  title: string;
  source: string;
}

const formatNotes: Record<DataFormat, Pick<ListEntry, 'title' | 'source'>> = {
  json: { title: 'one object per line, or one array of objects', source: 'RFC 8259, jsonlines.org' },
  csv: { title: 'comma-separated with a header line', source: 'RFC 4180' },
  tsv: { title: 'tab-separated with a header line', source: 'IANA text/tab-separated-values' },
  parquet: { title: 'columns with a schema', source: 'parquet.apache.org' },
  text: { title: 'one row per line, column "text"', source: 'Hugging Face datasets, loader "text"' },
};

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
  rules: () => [
    ...countRules.map(({ id, title, formula, source }) => ({
      id,
      title: `experts, rank: ${title}: ${formula}`,
      source,
    })),
    ...sparsityRules.map(({ id, title, formula, source }) => ({ id, title: `sparsity: ${title}: ${formula}`, source })),
  ],
  formats: () =>
    readers.map(({ format, endings }) => ({
      id: format,
      title: `${endings.join(' ')}: ${formatNotes[format].title}`,
      source: formatNotes[format].source,
    })),
} satisfies Record<string, () => ListEntry[]>;

export type ListKind = keyof typeof lists;

export const listKinds = Object.keys(lists) as ListKind[];

export function listOf(kind: ListKind): ListEntry[] {
  return lists[kind]();
}
