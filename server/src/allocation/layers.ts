/** What an allocation needs to know of the layers of a model. */
import { sum } from './rounding.ts';

export interface LayerInput {
  index: number;
  name: string;
  /** Linear modules below the layer. */
  modules: readonly { name: string; rows: number; columns: number }[];
}

export interface AllocationInput {
  layers: readonly LayerInput[];
  /** What the rule needs, one per layer; anything where it needs nothing. */
  values: readonly number[];
  /** The same per matrix, layer x module; for `unit: matrix`. */
  matrixValues?: readonly (readonly number[])[] | undefined;
  /** What the values are called; default: the word of the rule's need. */
  quantity?: string | undefined;
}

export const parametersOf = ({ modules }: LayerInput): number => sum(modules.map((m) => m.rows * m.columns));

/** Trainable weights of LoRA rank one on every module of a layer. */
export const rankCost = ({ modules }: LayerInput): number => sum(modules.map((m) => m.rows + m.columns));
