/** Rows of a table as points: standardised features, k-means by the silhouette, t-SNE and UMAP. */
import type { FeatureRows, ProjectionId, RowClusters, RowProjection } from '../../../../protocol/analysis.ts';
import { LayerifError } from '../../../../protocol/errors.ts';
import { Random } from '../../random/random.ts';
import type { Rows } from '../../statistics/classifier.ts';
import { kMeans, silhouette } from '../../statistics/kMeans.ts';
import type { Clustering } from '../../statistics/kMeans.ts';
import type { Covariate } from '../../statistics/smoothModel.ts';
import { tsne } from '../../statistics/tsne.ts';
import { umap } from '../../statistics/umap.ts';

/** The standardised features of the rows that have all of them, and which these are. */
export interface Standardised {
  rows: Rows;
  of: FeatureRows;
}

const MOST_CLUSTERS = 8;
/** n² distances and steps. */
const MOST_ROWS = 5000;
const LEAST_ROWS = 4;

/** @throws LayerifError `badData`: too few or too many rows */
export function standardised(features: readonly Covariate[], file: string): Standardised {
  const count = features[0]?.values.length ?? 0;
  const whole = Array.from({ length: count }, (_, i) => i).filter((i) =>
    features.every(({ values }) => !Number.isNaN(values[i])),
  );
  const seen = new Set<string>();
  const kept = whole.filter((i) => {
    const key = features.map(({ values }) => values[i]).join(' ');
    return !seen.has(key) && seen.add(key);
  });
  const named = features.map(({ name }) => name).join(', ');
  if (kept.length < LEAST_ROWS || kept.length > MOST_ROWS)
    throw new LayerifError(
      'badData',
      `${kept.length} different rows have all of ${named}: clusters and projections take ${LEAST_ROWS} to ${MOST_ROWS.toLocaleString('en-US')}; ${kept.length < LEAST_ROWS ? 'leave columns with gaps out of --features' : 'take a sample of the rows'}`,
      { place: { file } },
    );
  const data = new Float64Array(kept.length * features.length);
  features.forEach(({ values }, k) => {
    const own = kept.map((i) => values[i] ?? NaN);
    const mean = own.reduce((sum, value) => sum + value, 0) / own.length;
    const deviation = Math.sqrt(own.reduce((sum, value) => sum + (value - mean) ** 2, 0) / own.length) || 1;
    own.forEach((value, row) => (data[row * features.length + k] = (value - mean) / deviation));
  });
  return {
    rows: { data, count: kept.length, width: features.length },
    of: {
      features: features.map(({ name }) => name),
      rows: kept,
      missing: count - whole.length,
      repeated: whole.length - kept.length,
    },
  };
}

/** @param wanted number of clusters; null for the best of several @throws LayerifError `badRequest` */
export function clustersOf({ rows, of }: Standardised, wanted: number | null, seed: number): RowClusters {
  const most = rows.count - 1;
  if (wanted !== null && !(Number.isInteger(wanted) && wanted >= 2 && wanted <= most))
    throw new LayerifError(
      'badRequest',
      `--clusters ${wanted} is not allowed for ${rows.count} different rows: use a whole number from 2 to ${most}`,
    );
  const counts =
    wanted !== null ? [wanted] : Array.from({ length: Math.min(MOST_CLUSTERS, most) - 1 }, (_, i) => i + 2);
  const tried = counts.map((count) => {
    const found = kMeans(rows, count, new Random(seed, `k-means ${count}`));
    return { count, found, silhouette: silhouette(rows, found.labels)?.mean ?? -1 };
  });
  const best = tried.reduce((a, b) => (b.silhouette > a.silhouette ? b : a));
  return {
    ...of,
    count: best.count,
    labels: [...best.found.labels],
    sizes: sizesOf(best.found, best.count),
    inertia: best.found.inertia,
    silhouette: best.silhouette,
    tried: tried.map(({ count, silhouette: value }) => ({ count, silhouette: value })),
    notes: [
      'Features are standardised; k-means++ with 10 starts.',
      ...(best.silhouette < 0.25 ? ['Silhouette below 0.25: the rows form no clear clusters.'] : []),
    ],
  };
}

function sizesOf({ labels }: Clustering, count: number): number[] {
  return Array.from({ length: count }, (_, cluster) => labels.filter((label) => label === cluster).length);
}

/** @param size perplexity or neighbours; null for the usual one @throws LayerifError `badRequest` */
export function projected(
  { rows, of }: Standardised,
  method: ProjectionId,
  size: number | null,
  seed: number,
): RowProjection {
  return method === 'tsne' ? byTsne(rows, of, size, seed) : byUmap(rows, of, size, seed);
}

function byTsne(rows: Rows, of: FeatureRows, wanted: number | null, seed: number): RowProjection {
  // Each row has three times as many neighbours as the perplexity says.
  const most = (rows.count - 1) / 3;
  if (wanted !== null && !(wanted >= 1 && wanted <= most))
    throw new LayerifError(
      'badRequest',
      `--perplexity ${wanted} is not allowed for ${rows.count} different rows: t-SNE needs more than three times as many rows, so use 1 to ${Math.floor(most)}, or UMAP`,
    );
  const perplexity = wanted ?? Math.min(30, Math.floor(most));
  const { points, divergences } = tsne(rows, perplexity, new Random(seed, 't-SNE'));
  return {
    ...of,
    method: 'tsne',
    size: perplexity,
    ...axes(points),
    divergence: divergences.at(-1) ?? null,
    notes: [
      'Sizes of clusters and distances between them mean nothing in t-SNE; neighbourhoods do.',
      ...(wanted === null && perplexity < 30
        ? [`Perplexity ${perplexity} in place of 30: there are ${rows.count} different rows.`]
        : []),
    ],
  };
}

function byUmap(rows: Rows, of: FeatureRows, wanted: number | null, seed: number): RowProjection {
  const most = rows.count - 1;
  if (wanted !== null && !(Number.isInteger(wanted) && wanted >= 2 && wanted <= most))
    throw new LayerifError(
      'badRequest',
      `--neighbours ${wanted} is not allowed for ${rows.count} different rows: use a whole number from 2 to ${most}`,
    );
  const neighbours = wanted ?? Math.min(15, most);
  return {
    ...of,
    method: 'umap',
    size: neighbours,
    ...axes(umap(rows, neighbours, new Random(seed, 'UMAP'))),
    divergence: null,
    notes: ['Distances between clusters mean little in UMAP.'],
  };
}

function axes(points: Float64Array): { x: number[]; y: number[] } {
  const all = Array.from(points);
  return { x: all.filter((_, i) => i % 2 === 0), y: all.filter((_, i) => i % 2 === 1) };
}
