/**
 * Ids and names of what a user chooses among, for the schema, the command line, the editor and its pages. The tables
 * with the mathematics stand in the server's folders; `test/config/methods.test.ts` compares the two.
 */

interface EstimatorName {
  name: string;
  /** Whether a damping changes its numbers. */
  damped: boolean;
  /** It reads more than Grams, so it is there only where the run was made with it. */
  ownRunOnly: boolean;
}

export const estimatorNames = {
  datainf: { name: 'DataInf', damped: true, ownRunOnly: false },
  fisher: { name: 'Exact Fisher', damped: true, ownRunOnly: false },
  dot: { name: 'Gradient dot', damped: false, ownRunOnly: false },
  cosine: { name: 'Cosine', damped: false, ownRunOnly: false },
  relatif: { name: 'RelatIF', damped: true, ownRunOnly: false },
  lissa: { name: 'LiSSA', damped: true, ownRunOnly: false },
  ekfac: { name: 'EK-FAC', damped: true, ownRunOnly: true },
  tracin: { name: 'TracIn', damped: false, ownRunOnly: true },
} as const satisfies Record<string, EstimatorName>;

export type EstimatorId = keyof typeof estimatorNames;
export const estimatorIds = idsOf(estimatorNames);

export const prunerNames = {
  magnitude: 'Magnitude',
  wanda: 'Wanda',
  sparsegpt: 'SparseGPT',
} as const;

export type PrunerId = keyof typeof prunerNames;
export const prunerIds = idsOf(prunerNames);
export const defaultPruner: PrunerId = 'wanda';

/** Maps that are compared where nothing else is said. */
export const comparedMaps = {
  uniform: 'Uniform',
  layerif: 'LayerIF',
  owl: 'OWL',
  alphapruning: 'AlphaPruning',
  reversed: 'Reversed',
} as const;

export type ComparedMap = keyof typeof comparedMaps;
export const comparedMapIds = idsOf(comparedMaps);

export const aggregationIds = ['positive', 'top25', 'sum'] as const;
export type AggregationId = (typeof aggregationIds)[number];

export const dampingRuleIds = ['mean_square', 'absolute', 'mean_eigenvalue'] as const;
export type DampingRule = (typeof dampingRuleIds)[number];

/** Which of the two fits of a heavy tail stands for a matrix. */
export const tailFits = ['mid', 'peak'] as const;
export type TailFit = (typeof tailFits)[number];

/** One sparsity for all matrices of a layer, or one each. */
export const sparsityUnits = ['block', 'matrix'] as const;
export type SparsityUnit = (typeof sparsityUnits)[number];

/** The keys of a table in their order. */
function idsOf<K extends string>(table: Readonly<Record<K, unknown>>): readonly [K, ...K[]] {
  return Object.keys(table) as [K, ...K[]];
}
