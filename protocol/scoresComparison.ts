/** Tables of layer scores beside each other: what `layerif compare` prints of `*.layerif-scores.json` files. */
import type { Question } from './scores.ts';

export interface ScoresComparison {
  format: 'layerif-scores-comparison';
  version: 1;
  series: ComparedTable[];
  /** Values of each series, after `byDepth`. */
  layers: number;
  /** Whether models of different depth were brought to the same number of layers by relative depth. */
  byDepth: boolean;
  /** Share of the cases inside an interval. */
  level: number;
  seed: number;
  pairs: ComparedTables[];
  /** Spearman of every series with every other; null where it is not defined. */
  matrix: (number | null)[][];
  /** Jaccard of the first set of every two series. */
  jaccard: (number | null)[][];
  /** What to know when reading the numbers. */
  notes: string[];
}

export interface ComparedTable {
  /** Says what tells it apart from the others. */
  label: string;
  file: string;
  model: string;
  /** Id of the score; `influence` for a result. */
  score: string;
  title: string;
  question: Question;
  options: string;
  texts: string | null;
  /** One a layer, high where the layer is important: turned over where a high value speaks for removal. */
  values: (number | null)[];
  turned: boolean;
  /** Where the scatter comes from: texts drawn anew, the table's own intervals, or nowhere. */
  scatter: 'texts' | 'intervals' | null;
}

export interface ComparedTables {
  /** Indices into `series`. */
  a: number;
  b: number;
  /** Layers where both have a value. */
  layers: number;
  spearman: { value: number | null; interval: [number, number] | null; p: number | null };
  sets: ComparedSets[];
  /** Layers whose rank differs by more than both rank intervals allow; null where one has no scatter. */
  moved: { layer: number; ranks: [number, number]; intervals: [[number, number], [number, number]] }[] | null;
}

/** The highest of both lists. */
export interface ComparedSets {
  of: 'layers' | 'modules';
  /** Items in each set, of how many. */
  count: number;
  total: number;
  shared: number;
  /** Shared items / items in either set. */
  jaccard: number;
  /** Its mean, and the probability of at least as many shared items, where one of the orders is random. */
  chance: number;
  p: number;
}
