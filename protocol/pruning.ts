/** What crosses between `run` and the engine for pruning, and the report that lies in a pruned model's folder. */
import type { EncodedSample } from './engine.ts';

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
   * Folder for `layer-N.safetensors` with the pruned matrices in their stored type, made resumable by `key`; null keeps them in
   * memory, where requests see them until `restore`.
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

/** OWL's layer outlier distribution (arXiv 2310.05175): percent of |W_ij| ‖X_j‖ above `multiple` times the layer's mean. */
export interface OutlierRequest extends CalibrationPlan {
  multiple: number;
}

export interface OutlierSummary {
  /** One per layer, in percent. */
  outliers: number[];
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
  calibration: {
    dataset: string;
    split: string;
    texts: number;
    tokens: number;
    dataSha256: Record<string, string>;
  } | null;
  /** What a reader must know. */
  notes: string[];
  provenance: {
    layerif: string;
    onnxruntime: string;
    device: string;
    threads: number;
    date: string;
    seconds: number;
    peakMemoryBytes: number;
    resumedLayers: number;
  };
}
