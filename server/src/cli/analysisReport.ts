/** What `analyse` prints for people. Pure: an analysis in, text out. */
import type {
  Analysis,
  GroupComparison,
  RowClusters,
  RowProjection,
  SmoothModelSummary,
} from '../../../protocol/analysis.ts';
import { counted, score, table } from './format.ts';
import { wrapped } from './wrap.ts';

export function analysisReport(analysis: Analysis, file: string, width: number): string {
  const { table: read, comparisons, models, clusters, projections, notes } = analysis;
  return [
    `${read.file}: ${counted(read.rows, 'row')}, ${counted(read.columns.length, 'column')}`,
    ...comparisons.flatMap((comparison) => ['', ...comparisonLines(comparison, width)]),
    ...models.flatMap((model) => ['', ...modelLines(model, width)]),
    ...(clusters ? ['', ...clusterLines(clusters, width)] : []),
    ...projections.flatMap((projection) => ['', ...projectionLines(projection, width)]),
    '',
    ...notes.flatMap((note) => wrapped(note, width)),
    `Written to ${file}`,
  ]
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

function comparisonLines(
  { response, factor, rows, groups, anova, levene, pairs, notes }: GroupComparison,
  width: number,
): string[] {
  const bootstrap = pairs.some((pair) => pair.bootstrap);
  const variances = levene ? `; Levene p ${probability(levene.p)}` : '';
  return [
    `${response} by ${factor}: ${counted(rows, 'row')}`,
    ...table(
      [
        ['group', 'rows', 'mean', 'sd', 'median', 'quartiles', 'range'],
        ...groups.map(({ name, count, mean, deviation, quartiles: [low, first, median, third, high] }) => [
          name,
          String(count),
          number(mean),
          deviation === null ? '-' : number(deviation),
          number(median),
          `${number(first)} to ${number(third)}`,
          `${number(low)} to ${number(high)}`,
        ]),
      ],
      [1, 2, 3, 4, 5, 6],
    ),
    `ANOVA: F(${anova.between}, ${anova.within}) = ${anova.f.toFixed(3)}, p ${probability(anova.p)}, η² ${anova.etaSquared.toFixed(3)}${variances}`,
    ...table(
      [
        ['pair', 'difference', '95 % (all pairs)', 'q', 'p', ...(bootstrap ? ['95 % (cluster bootstrap)'] : [])],
        ...pairs.map(({ a, b, difference, interval, q, p, bootstrap: drawn }) => [
          `${b} less ${a}`,
          number(difference),
          `${number(interval[0])} to ${number(interval[1])}`,
          q.toFixed(2),
          probability(p),
          ...(bootstrap ? [drawn ? `${number(drawn[0])} to ${number(drawn[1])}` : '-'] : []),
        ]),
      ],
      [1, 2, 3, 4, 5],
    ),
    ...notes.flatMap((note) => wrapped(note, width)),
  ];
}

function modelLines(model: SmoothModelSummary, width: number): string[] {
  const { formula, rows, intercept, fixed, terms, random } = model;
  return [
    ...wrapped(
      `${formula}: ${counted(rows, 'row')}, adjusted R² ${model.adjustedR2.toFixed(3)}, deviance explained ${(100 * model.devianceExplained).toFixed(1)} %, edf ${model.edf.toFixed(2)}`,
      width,
    ),
    ...table(
      [
        ['term', 'edf', 'F', 'p (approximate)'],
        ...terms.map(({ name, edf, f, p }) => [
          name,
          edf.toFixed(2),
          f === null ? '-' : f.toFixed(2),
          p === null ? '-' : probability(p),
        ]),
      ],
      [1, 2, 3],
    ),
    ...table(
      [
        ['parameter', 'value', 'error'],
        ['intercept', number(intercept.value), number(intercept.error)],
        ...fixed.map(({ factor, level, value, error }) => [`${factor} ${level}`, number(value), number(error)]),
        ...(random ? [[`sd of ${random.name}`, number(random.deviation), '']] : []),
        ['sd of residuals', number(Math.sqrt(model.variance)), ''],
      ],
      [1, 2],
    ),
    ...model.notes.flatMap((note) => wrapped(note, width)),
  ];
}

function clusterLines(
  { count, rows, features, silhouette, sizes, tried, missing, repeated, notes }: RowClusters,
  width: number,
): string[] {
  return [
    ...wrapped(
      `k-means of ${counted(rows.length, 'row')} by ${features.join(', ')}: ${count} clusters of ${sizes.join(', ')} rows, silhouette ${silhouette.toFixed(3)}`,
      width,
    ),
    ...(tried.length > 1
      ? [`Silhouettes: ${tried.map((one) => `${one.count} clusters ${one.silhouette.toFixed(3)}`).join(', ')}`]
      : []
    ).flatMap((line) => wrapped(line, width)),
    ...(missing + repeated > 0
      ? [`Left out: ${counted(missing, 'row')} without a value, ${repeated} equal to an earlier one`]
      : []),
    ...notes.flatMap((note) => wrapped(note, width)),
  ];
}

function projectionLines({ method, size, rows, divergence, notes }: RowProjection, width: number): string[] {
  const what =
    method === 'tsne'
      ? `t-SNE, perplexity ${size}, divergence ${divergence?.toFixed(3) ?? '-'}`
      : `UMAP, ${size} neighbours`;
  return [
    `${what}: ${counted(rows.length, 'point')}, in the written file`,
    ...notes.flatMap((note) => wrapped(note, width)),
  ];
}

/** Four significant digits, small and large ones as powers. */
function number(value: number): string {
  const size = Math.abs(value);
  return size !== 0 && (size >= 1e6 || size < 1e-3) ? score(value) : String(Number(value.toPrecision(4)));
}

function probability(p: number): string {
  return p < 1e-4 ? '<0.0001' : p.toFixed(4);
}
