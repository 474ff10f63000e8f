/**
 * What an export gets and what it is. To add a consumer, imitate `mola.ts` and add it to `targets.ts`; how the real
 * consumer reads the file is checked once by a script in test/reference/export.
 */
import type { Allocation, AllocationKind } from '../../../protocol/allocation.ts';

export interface ExportLayer {
  index: number;
  /** `model.layers.3` */
  name: string;
  score: number;
  /** min-max(|score|), and the same after LayerIF's smoothing over depth. */
  normalised: number;
  smoothed: number;
  /** In forward order. */
  modules: { name: string; rows: number; columns: number }[];
}

export interface ExportInput {
  /** As the experiment names it: a path or a hub id. */
  model: string;
  layers: ExportLayer[];
  tasks: string[];
  /**
   * Of the first kind that the target takes, or the one that was asked for; null for targets that take scores alone.
   */
  allocation: Allocation | null;
  /** Rank of one LoRA expert, or of a layer that has no rank of its own. */
  loraRank: number;
  /** alpha / r, the factor of the adapter's output; the same in every layer. */
  loraScale: number;
}

export interface ExportTarget {
  id: string;
  title: string;
  source: string;
  /** Kinds of allocation that it can express, the default first; empty: scores alone. */
  kinds: readonly AllocationKind[];
  /** Ending of the default file name. */
  ending: string;
  /** Where the consumer looks for a file of this name: it gets a folder of its own. */
  fileName?: string;
  /** Why it takes nothing of an ONNX graph, for a consumer that does not. */
  noGraphs?: string;
  /** @throws LayerifError `badRequest` for what the consumer cannot express */
  make(input: ExportInput): string | Uint8Array;
}

/** Full names of all linear modules. */
export function moduleNames(layers: readonly ExportLayer[]): string[] {
  return layers.flatMap(({ name, modules }) => modules.map((module) => `${name}.${module.name}`));
}

/** Last parts of module names, each once: what consumers call target modules. */
export function targetModules(layers: readonly ExportLayer[]): string[] {
  return [
    ...new Set(layers.flatMap(({ modules }) => modules.map(({ name }) => name.slice(name.lastIndexOf('.') + 1)))),
  ];
}

/** The list that holds the layers: `layers` of `model.layers.3`. */
export const layersPattern = (layer: ExportLayer): string => layer.name.split('.').at(-2) ?? layer.name;
