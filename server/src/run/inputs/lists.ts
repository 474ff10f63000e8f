/** What is available, read from the tables of the folders that provide it: for `layerif list` and for completion. */
import type { AllocationKind } from '../../../../protocol/allocation.ts';
import { questionWords } from '../../../../protocol/scores.ts';
import type { DataFormat } from '../../../../protocol/experiment.ts';
import { countRules } from '../../allocation/countRules.ts';
import { sparsityRules } from '../../allocation/sparsityRules.ts';
import { readers } from '../../data/formats.ts';
import { aggregations } from '../../estimators/aggregation.ts';
import { estimators } from '../../estimators/estimators.ts';
import { exportTargets } from '../../export/targets.ts';
import { metrics } from '../../evaluation/metrics.ts';
import { operators } from '../../graphs/operators.ts';
import { families } from '../../models/families.ts';
import { pruners } from '../../pruning/pruners.ts';
import { dataScores } from '../../scores/dataScores.ts';
import { scores } from '../../scores/scores.ts';

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
  arrow: { title: 'columns with a schema: IPC stream or file, folders of save_to_disk', source: 'arrow.apache.org' },
  text: { title: 'one row per line, column "text"', source: 'Hugging Face datasets, loader "text"' },
};

const lists = {
  estimators: () => estimators.map(({ id, title, formula, source }) => ({ id, title: `${title}: ${formula}`, source })),
  scores: () => [
    ...scores.map(({ id, title, formula, source, question, higherMeans }) => ({
      id,
      title: `${questionWords[question]}${higherMeans ? `, high = ${higherMeans}` : ''}: ${title}: ${formula}`,
      source,
    })),
    ...dataScores.map(({ id, title, formula, source, question, higherMeans }) => ({
      id,
      title: `rows, ${questionWords[question]}${higherMeans ? `, high = ${higherMeans}` : ''}: ${title}: ${formula}`,
      source,
    })),
    // Layer influence has no row of its own: a file's section `score` says how it is computed.
    ...Object.entries(aggregations).map(([id, { title, formula }]) => ({
      id,
      title: `layer influence, ${title}: ${formula}`,
      source: 'LayerIF, arXiv 2505.23811',
    })),
  ],
  families: () => families.map(({ id, title, source }) => ({ id, title, source })),
  rules: () => [
    ...countRules.map(({ id, title, formula, source }) => ({
      id,
      title: `experts, rank: ${title}: ${formula}`,
      source,
    })),
    ...sparsityRules.map(({ id, title, formula, source }) => ({ id, title: `sparsity: ${title}: ${formula}`, source })),
  ],
  pruners: () => pruners.map(({ id, title, source }) => ({ id, title, source })),
  metrics: () =>
    metrics.map(({ id, outputTypes, higherIsBetter }) => ({
      id,
      title: `of ${outputTypes.join(', ')}; ${higherIsBetter ? 'higher' : 'lower'} is better`,
      source: 'lm-evaluation-harness',
    })),
  exports: () =>
    exportTargets.map(({ id, title, source, kinds }) => ({
      id,
      title: `${title} (${kinds.length > 0 ? kinds.join(', ') : 'scores'})`,
      source,
    })),
  operators: () =>
    operators().map(({ id, how }) => ({
      id,
      title: `in .onnx models: ${how}`,
      source: id.startsWith('com.') ? 'ONNX Runtime' : 'ONNX',
    })),
  formats: () =>
    readers.map(({ format, endings }) => ({
      id: format,
      title: `${endings.join(' ')}: ${formatNotes[format].title}`,
      source: formatNotes[format].source,
    })),
} satisfies Record<string, () => ListEntry[]>;

/** Ids of the key `scores`: those of the list that are no aggregations of influence. */
export function layerScoreIds(): string[] {
  return scores.map(({ id }) => id);
}

export type ListKind = keyof typeof lists;

export const listKinds = Object.keys(lists) as ListKind[];

export function listOf(kind: ListKind): ListEntry[] {
  return lists[kind]();
}

/** Rules and export targets with the kinds of allocation that they make or take, for menus. */
export function allocationChoices(): {
  rules: { id: string; title: string; kinds: AllocationKind[] }[];
  targets: { id: string; title: string; kinds: AllocationKind[] }[];
} {
  return {
    rules: [
      ...countRules.map(({ id, title }) => ({ id, title, kinds: ['experts', 'rank'] as AllocationKind[] })),
      ...sparsityRules.map(({ id, title }) => ({ id, title, kinds: ['sparsity'] as AllocationKind[] })),
    ],
    targets: exportTargets.map(({ id, title, kinds }) => ({ id, title, kinds: [...kinds] })),
  };
}
