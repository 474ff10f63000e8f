/**
 * What scores are turned into: LoRA experts, LoRA ranks, layers to freeze, tune or drop, sparsity by layer. One
 * allocation is a number per layer with the sentence that explains it. Fields are only ever added.
 */
import type { AggregationId, EstimatorId, SparsityUnit, TailFit } from './methods.ts';
import type { Written } from './provenance.ts';

export const ALLOCATION_SUFFIX = '.layerif-allocation.json';

export type AllocationKind = 'experts' | 'rank' | 'freeze' | 'tune' | 'drop' | 'sparsity';
export const allocationKinds: readonly AllocationKind[] = ['experts', 'rank', 'freeze', 'tune', 'drop', 'sparsity'];

export type { TailFit };

/**
 * What may be asked for; what is left out is taken from the experiment's `allocate` section, then from the rule's
 * defaults.
 */
export interface AllocationRequest {
  kind: AllocationKind;
  /** An id of `layerif list rules`. */
  rule?: string | undefined;
  /** A layer score that a rule over scores reads in place of influence: an id of `layerif list scores`. */
  by?: string | undefined;
  /** Sum over layers: of experts, or of ranks. */
  total?: number | undefined;
  /** Smallest number of experts, or rank, of a layer. */
  minimum?: number | undefined;
  /** Experts that are active per token; a layer with fewer activates all. */
  topK?: number | undefined;
  /** Exponent on the score. */
  beta?: number | undefined;
  /** Trainable LoRA weights, instead of a sum of ranks. */
  budget?: number | undefined;
  /** Every rank is a multiple of it. */
  step?: number | undefined;
  /** Layers to freeze, tune or drop. */
  count?: number | undefined;
  /** Share of the prunable weights that is removed, 0 to 1. */
  ratio?: number | undefined;
  /** Widest relative distance of a layer from the ratio. */
  epsilon?: number | undefined;
  /** Of OWL: half the range of sparsities. */
  lambda?: number | undefined;
  /** `block`: one sparsity for all matrices of a layer; `matrix`: one each. */
  unit?: SparsityUnit | undefined;
  /** `unstructured`, or `N:M`: N of every M consecutive weights of a row are kept. */
  structure?: string | undefined;
  /** As the reference code does: what the cap cuts off is not given to other layers. */
  paper?: boolean | undefined;
  /** Which aggregate of a layer's influence is its score; default: the run's. */
  aggregation?: AggregationId | undefined;
  /** Fit of the tail exponents for AlphaLoRA and AlphaPruning. */
  fit?: TailFit | undefined;
  /** Of `random`. */
  seed?: number | undefined;
}

export interface AllocatedLayer {
  /** From 0. */
  index: number;
  name: string;
  /** The quantity that the rule looked at; null where the rule looks at none. */
  score: number | null;
  /** Experts, rank, sparsity (0..1), or 1 for a layer that is frozen, tuned or dropped and 0 for the others. */
  value: number;
  /** Weights of the layer's linear modules. */
  parameters: number;
  /** Experts only: how many are active per token. */
  topK?: number;
  /** Sparsity by module below the layer; present when matrices differ. */
  modules?: Record<string, number>;
  /** Under a structure N:M: removed weights in every group; `value` is `zeros / of`. */
  group?: { zeros: number; of: number };
  /** "Layer 11 gets 9 experts because ..." */
  why: string;
  /** What stands between the score and the value, by name; the same names in every layer. */
  terms?: Record<string, number>;
  /** Where the value lies on other samples of the same kind: the allocation's `spread.level`; holds the value. */
  spread?: [number, number];
}

export interface Allocation {
  format: 'layerif-allocation';
  version: 1;
  kind: AllocationKind;
  rule: string;
  /** Title and source of the rule. */
  ruleTitle: string;
  /** The rule in symbols; absent where layers are chosen by their rank. */
  formula?: string;
  /** What `layers[].score` is, and whether more of it means a larger value. */
  quantity: { name: string; higherMeansMore: boolean } | null;
  /** The request with every default filled in. */
  settings: AllocationRequest;
  /** Sum of experts or ranks, number of chosen layers, or the exact share of weights that is removed. */
  total: number;
  layers: AllocatedLayer[];
  /** Where the rule follows influence with stored Grams: the draws behind `layers[].spread`. */
  spread?: {
    level: number;
    /** Number of draws. */
    replicates: number;
  };
  /** What a reader must know: leftovers, caps that bind, ignored options. */
  notes: string[];
  provenance: AllocationProvenance;
}

export interface AllocationProvenance extends Written {
  resultFile: string;
  model: { name: string; sha256: string };
  tasks: string[];
  estimator: EstimatorId;
  aggregation: AggregationId;
}

/** `NAME.layerif-allocation.json`: the latest allocation of each kind. */
export interface AllocationFile {
  format: 'layerif-allocations';
  version: 1;
  allocations: Partial<Record<AllocationKind, Allocation>>;
}
