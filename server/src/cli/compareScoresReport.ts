/** What `layerif compare` prints of tables of scores. */
import type { ComparedTables, ScoresComparison } from '../../../protocol/scoresComparison.ts';
import { questionWords } from '../../../protocol/scores.ts';
import { percent, table } from './format.ts';
import { nth } from '../lists/nth.ts';

/** Layers whose rank moved that are named for a pair. */
const SHOWN = 6;

export function scoresComparisonReport({
  series,
  pairs,
  matrix,
  jaccard,
  layers,
  byDepth,
  level,
  notes,
}: ScoresComparison): string {
  const letters = series.map((_, i) => (i < 26 ? String.fromCharCode(65 + i) : String(i + 1)));
  const interval = percent(level).replace('.0 ', ' ');
  const named = ({ a, b }: ComparedTables) => `${letters[a]} ${letters[b]}`;
  const head = ['', 'Spearman', interval, 'p', 'highest', 'shared', 'Jaccard', 'chance', 'p', 'ranks that moved'];
  const rows = pairs.flatMap((pair) => {
    const { spearman, sets, moved } = pair;
    const own = [
      named(pair),
      correlation(spearman.value),
      spearman.interval ? `${correlation(spearman.interval[0])} to ${correlation(spearman.interval[1])}` : '',
      spearman.p === null ? '' : probability(spearman.p),
    ];
    const last = moved === null ? '' : `${moved.length} of ${pair.layers}`;
    return (sets.length > 0 ? sets : [null]).map((set, i) => [
      ...(i === 0 ? own : ['', '', '', '']),
      ...(set
        ? [
            `${set.count} of ${set.total} ${set.of}`,
            String(set.shared),
            correlation(set.jaccard),
            correlation(set.chance),
            probability(set.p),
          ]
        : ['', '', '', '', '']),
      i === 0 ? last : '',
    ]);
  });
  const matrixOf = (title: string, all: readonly (readonly (number | null)[])[]) => [
    title,
    ...table(
      [['', ...letters], ...all.map((row, i) => [nth(letters, i), ...row.map(correlation)])],
      letters.map((_, i) => i + 1),
    ),
    '',
  ];
  const first = nth(pairs, 0).sets.at(0);
  // Between two scores the order differs anyway; of one score it tells what changed.
  const told = pairs.filter(({ a, b }) => pairs.length === 1 || nth(series, a).score === nth(series, b).score);
  const steps = told.flatMap((pair) => movedLines(pair, named(pair)));
  return [
    `${series.length} tables of ${layers} layers${byDepth ? ', by relative depth' : ''}`,
    ...series.map(
      ({ label, question, scatter }, i) =>
        `  ${letters[i]}  ${label}: ${questionWords[question] ?? question}${scatter === null ? ' (without intervals)' : ''}`,
    ),
    '',
    ...table([head, ...rows], [1, 2, 3, 5, 6, 7, 8]),
    '',
    ...(series.length > 2 ? matrixOf('Spearman of every pair', matrix) : []),
    ...(series.length > 2 && first
      ? matrixOf(
          `Jaccard of the highest ${first.count} of ${first.total} ${first.of}; by chance ${correlation(first.chance)}`,
          jaccard,
        )
      : []),
    ...(steps.length > 0 ? [...steps, ''] : []),
    'High values mean important layers in all tables. Spearman: 1 the same order, 0 none, -1 the reverse; its p is the share of random layer orders',
    'that are at least as far from 0. Jaccard: shared / in either set; chance: its mean for a random order, p: probability of at least as many shared.',
    'A rank moved where the intervals of both ranks do not meet (1 = most important).',
    ...notes,
  ]
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

function movedLines({ moved }: ComparedTables, name: string): string[] {
  if (!moved || moved.length === 0) return [];
  const steps = [...moved].sort((x, y) => Math.abs(y.ranks[0] - y.ranks[1]) - Math.abs(x.ranks[0] - x.ranks[1]));
  const words = steps.slice(0, SHOWN).map(({ layer, ranks, intervals }) => {
    const side = (i: 0 | 1) => `${ranks[i]} [${Math.floor(intervals[i][0])}, ${Math.ceil(intervals[i][1])}]`;
    return `layer ${layer} ${side(0)} to ${side(1)}`;
  });
  const more = steps.length > SHOWN ? `; and ${steps.length - SHOWN} more` : '';
  return [`${name}: ${words.join(', ')}${more}`];
}

function correlation(value: number | null): string {
  return value === null ? '-' : value.toFixed(2);
}

function probability(p: number): string {
  return p < 0.001 ? '<0.001' : p.toFixed(3);
}
