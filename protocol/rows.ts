/**
 * What `layerif rows --json` prints: training samples of a result in the order of their influence. Fields are only ever
 * added.
 */

/** What comes first. */
export const rowOrders = ['harmful', 'helpful', 'loss'] as const;
export type RowOrder = (typeof rowOrders)[number];

/** How the influences of several layers become one number a row (arXiv 2511.04715). */
export const layerRules = ['rank', 'mean', 'vote'] as const;
export type LayerRule = (typeof layerRules)[number];

export interface ListedRow {
  /** Index into `tasks[].train.rows` of the result. */
  sample: number;
  /** As in the result: relative to the experiment file's folder, row from 0, line from 1 or null. */
  file: string;
  row: number;
  line: number | null;
  /**
   * What the rows are ordered by: mean rank over the layers (1 = least influence), mean influence, minus the votes, or
   * loss.
   */
  value: number;
  /** Sum of the influence over the layers that are looked at. Positive = helps validation. */
  influence: number;
  /** Layers in which the row helps, and harms. */
  helps: number;
  harms: number;
  /** Mean nats per counted token. */
  loss: number;
  tokens: number;
  truncated: boolean;
  /** Prompt and answer; null where they were not asked for, or the file is not as it was scored. */
  text: string | null;
}

export interface RowList {
  format: 'layerif-rows';
  version: 1;
  resultFile: string;
  task: string;
  by: RowOrder;
  /** Null with one layer, whose influence is taken as it is, and where loss orders the rows. */
  over: LayerRule | null;
  /** Layers that are looked at. */
  layers: number[];
  /** Training samples of the task. */
  of: number;
  rows: ListedRow[];
  notes: string[];
}
