/** OWL's outlier ratios of the model of a result, measured on the calibration texts of its experiment (section `prune.calibration`). */
import type { Machine } from '../../../../protocol/run.ts';
import type { EncodedSample } from '../../../../protocol/samples.ts';
import { EnginePool } from '../machine/enginePool.ts';
import { preparePruning } from '../inputs/pruneInput.ts';
import type { PruneInput } from '../inputs/pruneInput.ts';
import { readResult } from '../files/results.ts';
import { batchesOf } from '../machine/batching.ts';

/** Entries above this multiple of a layer's mean are outliers (the paper's M). */
const MULTIPLE = 5;
const TOKENS_PER_BATCH = 1024;

export interface OutlierOptions {
  resultFile: string;
  machine: Machine;
  onProgress?: ((event: { done: number; total: number; message: string }) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * @returns percent, one per layer
 * @throws LayerifError `badExperiment` or `badData` for calibration texts that are missing or too short, `badModel`
 */
export async function measureOutliers({ resultFile, machine, onProgress, signal }: OutlierOptions): Promise<number[]> {
  // Wanda is the pruner whose statistics these are; it makes the texts be read.
  const input = await preparePruning(readResult(resultFile).experimentFile, {
    method: 'wanda',
    structure: 'unstructured',
  });
  const pool = new EnginePool();
  try {
    await pool.start(machine);
    return await outliersOf(input, input.calibration!.samples, pool, { machine, onProgress, signal });
  } finally {
    pool.dispose();
    input.checkpoint.close();
  }
}

/** On these texts, with a started engine. @returns percent, one per layer */
export async function outliersOf(
  { checkpoint, model }: Pick<PruneInput, 'checkpoint' | 'model'>,
  samples: EncodedSample[],
  pool: EnginePool,
  { machine, onProgress, signal }: Omit<OutlierOptions, 'resultFile'>,
): Promise<number[]> {
  const lengths = samples.map(({ tokens }) => tokens.length);
  const summary = await pool.work(
    'outliers',
    {
      modelPath: checkpoint.path,
      calibration: samples,
      batches: batchesOf(model, lengths, TOKENS_PER_BATCH),
      weights: 'streamed',
      multiple: MULTIPLE,
    },
    machine,
    (event) => {
      if (event.type !== 'pruning') return;
      onProgress?.({
        done: event.done,
        total: event.total,
        message: `outliers: layer ${event.done} of ${event.total}`,
      });
    },
    signal,
  );
  return summary.outliers;
}
