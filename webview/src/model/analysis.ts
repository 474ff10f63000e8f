/** What the page of a table's statistics shows of an analysis: questions from choices, grids, words. Pure: no DOM. */
import type {
  Analysis,
  AnalysisRequest,
  GroupComparison,
  PairedGroups,
  RowClusters,
  RowProjection,
  SmoothModelSummary,
  TableColumn,
} from '../../../protocol/analysis.ts';
import { formatNumber } from './format.ts';
import type { Grid } from './grid.ts';

/** What stands in the fields; '' is none. */
export interface AnalysisChoices {
  response: string;
  factor: string;
  bins: string;
  clusterBy: string;
  smooth: string;
  random: string;
  log: boolean;
  projection: '' | 'tsne' | 'umap';
}

const MOST_DEFAULT = 12;
/** As many groups of a column can be compared. */
const MOST_GROUPS = 60;

export const numericColumns = (columns: readonly TableColumn[]) =>
  columns.filter(({ kind, distinct }) => kind === 'numbers' && distinct > 1);
/** Columns with groups; numbers too, which bins may group. */
export const groupColumns = (columns: readonly TableColumn[]) =>
  columns.filter(({ kind, distinct }) => distinct > 1 && (kind === 'numbers' || distinct <= MOST_GROUPS));
export const nameColumns = (columns: readonly TableColumn[]) =>
  columns.filter(({ kind, distinct }) => kind === 'names' && distinct > 1);

/** Null where no column holds numbers. */
export function firstChoices(columns: readonly TableColumn[]): AnalysisChoices | null {
  const numbers = numericColumns(columns);
  const few = nameColumns(columns).filter(({ distinct }) => distinct <= MOST_DEFAULT);
  const [response] = numbers;
  if (!response) return null;
  return {
    response: response.name,
    factor: few[0]?.name ?? '',
    bins: '',
    clusterBy: '',
    smooth: '',
    random: '',
    log: false,
    projection: '',
  };
}

/** Null where nothing is asked beside the response. */
export function requestOf(choices: AnalysisChoices): AnalysisRequest | null {
  const { response, factor, bins, clusterBy, smooth, random, log } = choices;
  if (factor === '' && smooth === '' && random === '') return null;
  const edges = bins
    .split(/[,;\s]+/)
    .filter((part) => part !== '')
    .map(Number);
  return {
    responses: [response],
    ...(factor === '' ? {} : { factors: [factor] }),
    ...(factor !== '' && edges.length > 0 ? { bins: { [factor]: edges } } : {}),
    ...(clusterBy === '' ? {} : { clusterBy }),
    ...(smooth === '' ? {} : { smooths: [smooth] }),
    ...(random === '' ? {} : { random }),
    ...(log && smooth !== '' ? { logs: [smooth] } : {}),
  };
}

/** All columns with numbers place the rows. */
export function projectionRequest(choices: AnalysisChoices, columns: readonly TableColumn[]): AnalysisRequest | null {
  if (choices.projection === '') return null;
  return {
    responses: [],
    features: numericColumns(columns).map(({ name }) => name),
    projections: [choices.projection],
  };
}

export const probability = (p: number) => (p < 1e-4 ? '< 0.0001' : p.toFixed(4));

export function anovaWords({ anova: { f, between, within, p, etaSquared }, levene }: GroupComparison): string {
  const variances = levene ? `; Levene\u2019s test of equal variances p ${probability(levene.p)}` : '';
  return `F(${between}, ${within}) = ${f.toFixed(2)}, p ${probability(p)}, \u03b7\u00b2 ${etaSquared.toFixed(3)}${variances}`;
}

export function groupGrid({ response, factor, groups }: GroupComparison): Grid {
  return {
    title: `${response} by ${factor}`,
    columns: [factor, 'rows', 'mean', 'sd', 'least', 'first quartile', 'median', 'third quartile', 'most'],
    rows: groups.map(({ name, count, mean, deviation, quartiles }) => [name, count, mean, deviation, ...quartiles]),
  };
}

export function pairGrid({ response, factor, pairs }: GroupComparison): Grid {
  const bootstrap = pairs.some((pair) => pair.bootstrap);
  return {
    title: `Differences of ${response} between groups of ${factor}`,
    columns: [
      'group',
      'less',
      'difference',
      'from',
      'to',
      'q',
      'p',
      ...(bootstrap ? ['bootstrap from', 'bootstrap to'] : []),
    ],
    rows: pairs.map(({ a, b, difference, interval, q, p, bootstrap: drawn }) => [
      b,
      a,
      difference,
      ...interval,
      q,
      p,
      ...(bootstrap ? (drawn ?? [null, null]) : []),
    ]),
  };
}

/** The pair of a matrix's row and column, as row less column; null on the diagonal. */
export function pairAt({ pairs }: GroupComparison, row: string, column: string): PairedGroups | null {
  const found = pairs.find(({ a, b }) => (a === column && b === row) || (a === row && b === column));
  if (!found || found.b === row) return found ?? null;
  const turned = ([low, high]: [number, number]): [number, number] => [-high, -low];
  return {
    ...found,
    a: column,
    b: row,
    difference: -found.difference,
    interval: turned(found.interval),
    bootstrap: found.bootstrap && turned(found.bootstrap),
  };
}

export function pairWords({ difference, interval: [low, high], p }: PairedGroups): string {
  return `${formatNumber(difference)} [${formatNumber(low)}, ${formatNumber(high)}]; p ${probability(p)}`;
}

export function curveGrid({ response, curves }: SmoothModelSummary): Grid {
  const [first] = curves;
  const levels = curves.some(({ level }) => level !== null);
  return {
    title: `Partial effect of ${first?.covariate ?? ''} on ${response}`,
    columns: [...(levels ? ['level'] : []), first?.covariate ?? '', 'effect', 'standard error'],
    rows: curves.flatMap(({ level, x, effect, error }) =>
      x.map((place, i) => [...(levels ? [level] : []), place, effect[i]!, error[i]!]),
    ),
  };
}

export function termGrid({ formula, terms }: SmoothModelSummary): Grid {
  return {
    title: formula,
    columns: ['term', 'edf', 'F', 'p (approximate)'],
    rows: terms.map(({ name, edf, f, p }) => [name, edf, f, p === null ? null : probability(p)]),
  };
}

export function modelWords({ rows, adjustedR2, devianceExplained, edf, random, variance }: SmoothModelSummary): string {
  const effect = random ? `, sd of ${random.name} ${formatNumber(random.deviation)}` : '';
  return `${rows} rows, adjusted R\u00b2 ${adjustedR2.toFixed(3)}, deviance explained ${(100 * devianceExplained).toFixed(1)} %, edf ${edf.toFixed(2)}, sd of residuals ${formatNumber(Math.sqrt(variance))}${effect}`;
}

/** Rows from 1, as in the table. */
export function pointGrid({ method, rows, x, y }: RowProjection, clusters: RowClusters | null): Grid {
  return {
    title: method === 'tsne' ? 'Rows by t-SNE' : 'Rows by UMAP',
    columns: ['row', 'x', 'y', ...(clusters ? ['cluster'] : [])],
    rows: rows.map((row, i) => [row + 1, x[i]!, y[i]!, ...(clusters ? [clusters.labels[i]! + 1] : [])]),
  };
}

export function clusterWords({ count, silhouette, sizes, features }: RowClusters): string {
  return `k-means by ${features.join(', ')}: ${count} clusters of ${sizes.join(', ')} rows, silhouette ${silhouette.toFixed(2)}${silhouette < 0.25 ? ' (no clear clusters)' : ''}`;
}

/** Notes of all parts, each once; what is said of rows in tests does not hold for points. */
export function notesOf({ comparisons, models, clusters, projections, notes }: Analysis): string[] {
  const parts = [...comparisons, ...models, ...(clusters ? [clusters] : []), ...projections];
  const whole = comparisons.length + models.length > 0 ? notes : [];
  return [...new Set([...parts.flatMap((part) => part.notes), ...whole])];
}
