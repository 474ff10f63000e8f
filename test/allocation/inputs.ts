/** Layers of a made-up model, for the allocation tests. */
import { readFileSync } from 'node:fs';
import type { AllocationInput, LayerInput } from '../../server/src/allocation/layers.ts';

export function layersOf(count: number, modules = [{ name: 'mlp.up_proj', rows: 8, columns: 4 }]): LayerInput[] {
  return Array.from({ length: count }, (_, index) => ({ index, name: `model.layers.${index}`, modules }));
}

export function inputOf(values: readonly number[]): AllocationInput {
  return { layers: layersOf(values.length), values };
}

export interface Released {
  appendix: { S: number[]; f: number[]; experts: number[] };
  releasedCommonsense: { 'exponent2.5': number[]; 'exponent1.5': number[] };
  lists: Record<string, number[]>;
  alphalora: Record<string, number[]>;
  pruning: {
    mistralScores: number[];
    mistralSmoothed: number[];
    gemmaSmoothed: number[];
    ratio: number;
    epsilon: number;
    firstSparsities: number[];
    largest: { layer: number; sparsity: number };
  };
}

export interface Reference {
  smoothing: { values: number[]; smooth: number[] }[];
  spectra: { rows: number; columns: number; squared: number[] }[];
  exponents: { eigenvalues: number[]; mid: number; peak: number }[];
}

export function reference<T>(name: 'released' | 'reference'): T {
  return JSON.parse(readFileSync(new URL(`../reference/allocation/${name}.json`, import.meta.url), 'utf8')) as T;
}
