/**
 * How far scores of the same rows agree, such as that of a small model with that of a large one: rank correlation, and
 * how many rows of the highest tenth they share.
 */
import { labelOf, sameRows } from '../../../../protocol/rowSelection.ts';
import type { ScoreTable } from '../../../../protocol/scores.ts';
import { spearman } from '../../statistics/rankCorrelation.ts';
import { topKOverlap } from '../../statistics/topK.ts';
import { nth } from '../../lists/nth.ts';

export interface RowAgreement {
  a: string;
  b: string;
  /** Over the rows that have a value in both; null where that says nothing. */
  spearman: number | null;
  /** Rows among the `k` highest of both, and the share that chance gives. */
  shared: number;
  k: number;
  chance: number;
}

const SHARE = 0.1;

/** Of each two tables of one dataset and split. */
export function rowAgreements(tables: readonly ScoreTable[], share = SHARE): RowAgreement[] {
  const ofRows = tables.filter(({ rows, subject }) => rows && subject === 'sample');
  return ofRows.flatMap((a, i) =>
    ofRows.slice(i + 1).flatMap((b): RowAgreement[] => {
      if (!sameRows(a, b)) return [];
      const known = a.values.flatMap((value, row) => {
        const beside = nth(b.values, row);
        return value !== null && beside !== null ? [[value, beside] as const] : [];
      });
      if (known.length < 2) return [];
      const one = known.map(([value]) => value);
      const other = known.map(([, value]) => value);
      const { shared, k, chance } = topKOverlap(one, other, Math.max(1, Math.round(share * known.length)));
      return [{ a: labelOf(a, ofRows), b: labelOf(b, ofRows), spearman: spearman(one, other), shared, k, chance }];
    }),
  );
}
