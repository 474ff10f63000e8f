/** What `layerif analyse` says of a table: `NAME.layerif-analysis.json`. Fields are only ever added. */
import type { Written } from './provenance.ts';

export const ANALYSIS_SUFFIX = '.layerif-analysis.json';

export type ProjectionId = 'tsne' | 'umap';
export const projectionIds = ['tsne', 'umap'] as const satisfies readonly ProjectionId[];

/** What is asked of a table; what is left out is chosen by the columns. */
export interface AnalysisRequest {
  /** Columns with numbers that are to be explained. */
  responses?: string[];
  /** Columns whose groups are compared. */
  factors?: string[];
  /** Column with numbers -> edges of its groups, each from an edge (included) to the next (not included). */
  bins?: Record<string, number[]>;
  /** Columns with numbers whose effect is a smooth curve. */
  smooths?: string[];
  /** Columns of the smooth model whose levels have a parameter each. */
  fixed?: string[];
  /** Column for whose levels the smooth model has a curve each. */
  by?: string;
  /** Column whose levels are a random effect of the smooth model. */
  random?: string;
  /** Columns that the smooth model takes the natural logarithm of. */
  logs?: string[];
  /** Columns with numbers by which rows are clustered and projected. */
  features?: string[];
  /** How many clusters; default: 2 to 8, by the silhouette. */
  clusters?: number;
  projections?: ProjectionId[];
  /** Of t-SNE; default 30, less where rows are few. */
  perplexity?: number;
  /** Of UMAP; default 15, less where rows are few. */
  neighbours?: number;
  /** Column whose rows with one value are not independent, such as the base model of fine-tunes. */
  clusterBy?: string;
  /** Default 0. */
  seed?: number;
}

export interface TableColumn {
  /** As the header has it. */
  name: string;
  /** What its cells hold. */
  kind: 'numbers' | 'names' | 'mixed' | 'empty';
  /** Empty cells, NA and the like. */
  missing: number;
  /** Different values. */
  distinct: number;
}

export interface ComparedGroup {
  /** What the rows have in the factor's column. */
  name: string;
  /** Rows. */
  count: number;
  /** Of the response. */
  mean: number;
  /** Null for one value. */
  deviation: number | null;
  /** Smallest, first quartile, median, third quartile, largest. */
  quartiles: [number, number, number, number, number];
  /** Ends of whiskers: the last values within 1.5 interquartile ranges of the box. */
  whiskers: [number, number];
  /** Values beyond the whiskers. */
  outliers: number[];
}

/** A difference of two means, b's less a's. */
export interface PairedGroups {
  /** Name of the first group. */
  a: string;
  /** Name of the second. */
  b: string;
  /** b's mean less a's. */
  difference: number;
  /** Tukey-Kramer, 95 % for all pairs together. */
  interval: [number, number];
  /** Studentised range. */
  q: number;
  /** Of no difference, for all pairs together. */
  p: number;
  /** Cluster bootstrap, 95 % for this pair alone; null where it was not asked for or a group is too rare. */
  bootstrap: [number, number] | null;
}

export interface GroupComparison {
  /** Column that is explained. */
  response: string;
  /** Column whose groups are compared. */
  factor: string;
  /** Rows with both. */
  rows: number;
  /** One entry a group. */
  groups: ComparedGroup[];
  /** F with its degrees of freedom, p, and η²: the share of the sum of squares that lies between groups. */
  anova: { f: number; between: number; within: number; p: number; etaSquared: number };
  /** Levene's test around medians; null where it is not defined. */
  levene: { statistic: number; p: number } | null;
  /** One entry a pair of groups. */
  pairs: PairedGroups[];
  /** What to know before reading it. */
  notes: string[];
}

export interface SmoothTerm {
  /** s(column) or random(column). */
  name: string;
  /** A curve, or the random effect. */
  kind: 'curve' | 'random';
  /** Effective degrees of freedom. */
  edf: number;
  /** Approximate; null for a random effect, for which this test does not hold. */
  f: number | null;
  p: number | null;
}

export interface EffectCurve {
  /** Column. */
  covariate: string;
  /** Of the column whose levels have a curve each; null without. */
  level: string | null;
  /** On the scale of the table, even where the model takes the logarithm. */
  x: number[];
  /** Effect on the (transformed) response. */
  effect: number[];
  /** Standard error. */
  error: number[];
}

export interface SmoothModelSummary {
  /** Column that is explained. */
  response: string;
  /** As R would write it. */
  formula: string;
  /** Rows with all values. */
  rows: number;
  /** With its standard error. */
  intercept: { value: number; error: number };
  /** One entry a level but the first of each factor. */
  fixed: { factor: string; level: string; value: number; error: number }[];
  /** Curves and the random effect. */
  terms: SmoothTerm[];
  /** What is drawn of each curve. */
  curves: EffectCurve[];
  /** Null without a random effect. */
  random: { name: string; deviation: number; levels: { name: string; value: number; error: number }[] } | null;
  /** Effective degrees of freedom of all terms. */
  edf: number;
  /** Share of the variance, less what as many parameters explain by chance. */
  adjustedR2: number;
  /** Share of the sum of squares. */
  devianceExplained: number;
  /** Of the residuals. */
  variance: number;
  /** Negative restricted log-likelihood. */
  reml: number;
  /** What to know before reading it. */
  notes: string[];
}

/** Rows of the table that have all features, each of different values once. */
export interface FeatureRows {
  /** Columns by which rows are compared. */
  features: string[];
  /** Numbers of the rows, from 0. */
  rows: number[];
  /** Rows left out because they lack a value, and because an earlier row is the same. */
  missing: number;
  repeated: number;
}

export interface RowClusters extends FeatureRows {
  /** Clusters. */
  count: number;
  /** Cluster of each row. */
  labels: number[];
  /** Rows of each cluster. */
  sizes: number[];
  /** Sum of squared distances to the own centre, of standardised features. */
  inertia: number;
  /** Mean over rows, -1 to 1. */
  silhouette: number;
  /** Of every number of clusters that was tried. */
  tried: { count: number; silhouette: number }[];
  /** What to know before reading it. */
  notes: string[];
}

export interface RowProjection extends FeatureRows {
  /** Which projection. */
  method: ProjectionId;
  /** Perplexity of t-SNE, neighbours of UMAP. */
  size: number;
  /** One value a row. */
  x: number[];
  /** One value a row. */
  y: number[];
  /** Of t-SNE: Kullback-Leibler divergence at the end; null for UMAP. */
  divergence: number | null;
  /** What to know before reading it. */
  notes: string[];
}

export interface Analysis {
  format: 'layerif-analysis';
  version: 1;
  /** File name of the table, relative to this file. */
  table: { file: string; sha256: string; rows: number; columns: TableColumn[] };
  /** As it was carried out. */
  request: AnalysisRequest;
  /** One entry a response and factor. */
  comparisons: GroupComparison[];
  /** One entry a response. */
  models: SmoothModelSummary[];
  /** Null where no features were asked for. */
  clusters: RowClusters | null;
  /** One entry a projection. */
  projections: RowProjection[];
  /** What holds for all of it. */
  notes: string[];
  /** What wrote it, and when. */
  provenance: Written & { seconds: number; seed: number };
}

/** Statistics of a table, `layerif analyse`; nothing is written. */
export interface AnalyseParams extends AnalysisRequest {
  /** Absolute path of a .csv or .tsv file. */
  path: string;
}
export interface AnalyseAnswer {
  /** Null with an error. */
  analysis: Analysis | null;
  error: { code: string; message: string } | null;
}

/** The columns of a table, for the fields of its page. */
export interface TableColumnsParams {
  /** Absolute path. */
  path: string;
}
export interface TableColumnsAnswer {
  /** Null with an error. */
  columns: TableColumn[] | null;
  error: { code: string; message: string } | null;
}
