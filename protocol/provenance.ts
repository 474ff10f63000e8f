/** Where a written file comes from: program, runtime, device, moment, data. */

export interface Provenance {
  layerif: string;
  onnxruntime: string;
  device: string;
  threads: number;
  /** ISO 8601, UTC. */
  date: string;
  /** Wall-clock seconds by phase. */
  seconds: Record<string, number>;
  peakMemoryBytes: number;
  dataSha256: Record<string, string>;
  seed: number;
}
