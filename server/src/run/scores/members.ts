/**
 * What takes part in the agreement of scores: tables with one value a layer, and the influence of the result beside
 * which they stand.
 */
import { LayerifError } from '../../../../protocol/errors.ts';
import type { Result } from '../../../../protocol/result.ts';
import type { ScoreTable, Tensors } from '../../../../protocol/scores.ts';
import { aggregations } from '../../estimators/aggregation.ts';
import type { ObservedShape } from '../../scores/observations.ts';
import type { Labels, Member, OfTexts, Score } from '../../scores/types.ts';
import { readResult } from '../files/results.ts';
import { nth } from '../../lists/nth.ts';

export interface TableOf {
  table: ScoreTable;
  score: Score;
  /** Hash of its texts and how many there are. */
  texts: { id: string; count: number } | null;
  labels: Labels | null;
  /** Null where they are not at hand: the table's values stand. */
  observed: Record<string, Tensors> | null;
}

/** Tables of one value a layer; of two of one score the options stand in the label. */
export function membersOf(tables: readonly TableOf[], model: ObservedShape): Member[] {
  const values = (table: ScoreTable) => (table.subject === 'layer' ? table.values : table.layers?.values);
  const fitting = tables.filter(({ table }) => values(table)?.length === model.layers);
  return fitting.map(({ table, score, texts, observed, labels }) => {
    const turned = table.higherMeans === 'remove';
    const turn = (all: (number | null)[]) => (turned ? all.map((value) => (value === null ? null : -value)) : [...all]);
    const shape = { ...model, texts: texts?.count ?? 0 };
    const drawn: OfTexts | undefined =
      texts && observed && texts.count > 1
        ? score.drawn?.(observed, table.options as never, { model: shape, labels })
        : undefined;
    return {
      label: labelOf(
        table,
        fitting.map((one) => one.table),
      ),
      score: table.score,
      question: table.question,
      values: turn(values(table)!),
      turned,
      texts: texts?.id ?? null,
      count: texts?.count ?? 0,
      ...(drawn ? { drawn: (chosen) => turn(drawn(chosen)) } : {}),
    };
  });
}

/** "avss", or with the options in which it differs from another table of the score: "avss epsilon 0.1". */
function labelOf(table: ScoreTable, among: readonly ScoreTable[]): string {
  const alike = among.filter((other) => other.score === table.score);
  const differ = Object.keys(table.options).filter((name) =>
    alike.some((other) => JSON.stringify(other.options[name]) !== JSON.stringify(table.options[name])),
  );
  const options = differ.map((name) => `${name} ${JSON.stringify(table.options[name]).replaceAll('"', '')}`);
  const texts = alike.some((other) => other.texts !== table.texts) ? [table.texts ?? 'no texts'] : [];
  return [table.score, ...options, ...texts].join(' ');
}

/** Layer influence of each task, resampled over its training samples. Null where there is no complete result. */
export function influenceMembers(resultFile: string, depth?: number): { members: Member[]; id: string } | null {
  let result: Result;
  try {
    result = readResult(resultFile);
  } catch (error) {
    if (error instanceof LayerifError) return null;
    throw error;
  }
  const { layers } = result.model;
  if (result.status !== 'complete' || (depth !== undefined && layers !== depth)) return null;
  const aggregation = aggregations[result.experiment.score.aggregation];
  const members = result.tasks.map(({ task, layers: scored, influence, train }): Member => {
    const place = new Map(scored.map(({ index }, at) => [index, at]));
    const byLayer = (of: (at: number) => number) =>
      Array.from({ length: layers }, (_, layer) => {
        const at = place.get(layer);
        return at === undefined ? null : of(at);
      });
    const count = train.rows.length;
    const pairs = result.experiment.score.per === 'pair';
    return {
      label: result.tasks.length > 1 ? `influence ${task}` : 'influence',
      score: 'influence',
      question: 'place_adapters',
      values: byLayer((at) => nth(scored, at).score),
      turned: false,
      texts: `train ${task}`,
      count,
      // With pairs the aggregation sees validation samples too, which the result does not keep apart.
      ...(pairs || count < 2
        ? {}
        : {
            drawn: (chosen) =>
              byLayer((at) =>
                aggregation.apply(Float64Array.from(chosen, (sample) => nth(nth(influence, at), sample))),
              ),
          }),
    };
  });
  return { members, id: `${result.provenance.date} ${result.score.estimator}` };
}
