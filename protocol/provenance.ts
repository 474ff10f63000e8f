/** Where a written file comes from: program, runtime, device, moment, data. */

/** Of files that are made without the engine, too. */
export interface Written {
  /** Version of this program. */
  layerif: string;
  /** ISO 8601, UTC: when the file was begun, of a finished one when it was finished. */
  date: string;
}

/**
 * Of every file that a run with the engine writes; what a verb tells beside it is added with `&`.
 * @typeParam Seconds a number for the whole, or one for each phase
 */
export interface Provenance<Seconds = number> extends Written {
  onnxruntime: string;
  device: string;
  threads: number;
  /** Wall-clock. */
  seconds: Seconds;
  /** Path relative to the experiment's folder -> hex SHA-256. */
  dataSha256: Record<string, string>;
  /** The experiment's `score.seed`; of generated texts, that of their draws. */
  seed: number;
}

/** Wall-clock seconds by phase. */
export type Phases = Record<string, number>;

/** Of the engine's process and of the one that asked it. */
export interface MeasuredMemory {
  peakMemoryBytes: number;
}
