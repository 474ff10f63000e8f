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
   * Against the uniform map with the same method, sparsity and structure: mean difference per document (of a perplexity: of the mean
   * loss in nats), its interval, and p of a two-sided sign-flip test. Null for the uniform map itself and where it was not measured.
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
  provenance: {
    layerif: string;
    onnxruntime: string;
    device: string;
    threads: number;
    date: string;
    seconds: number;
    seed: number;
  };
}
