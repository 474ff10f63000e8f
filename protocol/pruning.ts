/** What crosses between `run` and the engine for pruning, and the report that lies in a pruned model's folder. */
import type { MeasuredMemory, Provenance } from './provenance.ts';
import type { EncodedSample } from './samples.ts';

/** N of every M consecutive inputs are kept. */
export interface NOfM {
  n: number;
  m: number;
}

/** Calibration texts and how they go through the model. */
export interface CalibrationPlan {
  modelPath: string;
  calibration: EncodedSample[];
  /** Indices into `calibration` that share a run. */
  batches: number[][];
  weights: 'resident' | 'streamed';
}

export interface PruneRequest extends CalibrationPlan {
  /** Pruner id. */
  method: string;
  structure: NOfM | null;
  /** Per layer: sparsity by module name; modules that are not named stay as they are. */
  sparsity: Record<string, number>[];
  /**
   * Folder for `layer-N.safetensors` with the pruned matrices in their stored type, made resumable by `key`; null keeps
   * them in memory, where requests see them until `restore`.
   */
  workDir: string | null;
  /** Hash of everything that decides the numbers: layer files of another key are not taken over. */
  key: string;
}

export interface PrunedLayer {
  layer: number;
  /** Entries, and those that are zero now, by module. */
  modules: Record<string, { weights: number; zeros: number }>;
}

export interface PruneSummary {
  layers: PrunedLayer[];
  seconds: number;
  peakMemoryBytes: number;
  resumedLayers: number;
}

/** What a map of sparsities, or of layers to leave out, was made from. */
export interface PruningScores {
  /** Path of the result. */
  resultFile: string;
  /** The task, or the tasks whose mean was taken. */
  tasks: string[];
  estimator: string;
  /** Id of the layer score that was read in place of influence. */
  score?: string;
  /** What a reader must know of them, such as that the score answers another question. */
  notes?: string[];
  /** What more of the score means to a layer, in a sentence. */
  direction: string;
}

export const PRUNING_REPORT = 'layerif-pruning.json';

/** `layerif-pruning.json` in the folder of a pruned model. Fields are only ever added. */
export interface PruningReport {
  format: 'layerif-pruning';
  version: 1;
  model: { name: string; family: string; sha256: string };
  /** Pruner id; `layers` where whole layers were left out. */
  method: string;
  /** `unstructured`, `N:M` or `layers`. */
  structure: string;
  /** How sparsities came about: a rule, a file, a list. */
  map: string;
  /** Share of all prunable weights that was asked for, and that is zero or gone now. */
  requested: number;
  achieved: number;
  layers: {
    index: number;
    name: string;
    requested: number;
    achieved: number;
    /** Share of zeros by module. */
    modules: Record<string, number>;
  }[];
  /** Layers that were left out, by their old number. */
  dropped: number[];
  /** The scores that the map was made from; missing where it reads none. */
  scores?: PruningScores;
  calibration: {
    dataset: string;
    split: string;
    texts: number;
    tokens: number;
    dataSha256: Record<string, string>;
  } | null;
  /** What a reader must know. */
  notes: string[];
  provenance: Provenance & MeasuredMemory & { resumedLayers: number };
}

/** `NAME.layerif-pruning-comparison.json`: one model pruned in several ways, measured. Fields are only ever added. */

export const COMPARISON_SUFFIX = '.layerif-pruning-comparison.json';

/** Of one metric of one task. */
export interface ComparedMetric {
  task: string;
  metric: string;
  higherIsBetter: boolean;
  value: number;
  /** 95 % percentile interval over resampled documents, or windows of a perplexity; null for fewer than two. */
  interval: [number, number] | null;
  documents: number;
  /**
   * Against the uniform map with the same method, sparsity and structure: mean difference per document (of a
   * perplexity: of the mean loss in nats), its interval, and p of a two-sided sign-flip test. Null for the uniform map
   * itself and where it was not measured.
   */
  againstUniform: { difference: number; interval: [number, number] | null; p: number } | null;
  /** How much worse than the model as it is: fall of an accuracy, relative rise of a perplexity; negative = better. */
  drop: number;
}

export interface ComparedPruning {
  /** `dense` is the model as it is. */
  method: string;
  map: string;
  structure: string;
  /** Asked for, 0 for dense. */
  sparsity: number;
  /** Share of zeros in the prunable weights. */
  achieved: number;
  /** Sparsity by layer. */
  layers: number[];
  metrics: ComparedMetric[];
  seconds: { prune: number; evaluate: number };
}

export interface PruningComparison {
  format: 'layerif-pruning-comparison';
  version: 1;
  status: 'partial' | 'complete';
  model: { name: string; family: string; sha256: string };
  experimentFile: string;
  /** The result whose scores the rules read; null where no rule reads one. */
  resultFile: string | null;
  calibration: { dataset: string; split: string; texts: number; tokens: number } | null;
  /** The dense model first, then in the order of methods, sparsities, maps. */
  prunings: ComparedPruning[];
  /** One sentence a finding. */
  findings: string[];
  gate: { maxDrop: number; passed: boolean; failures: string[] } | null;
  provenance: Provenance;
}
