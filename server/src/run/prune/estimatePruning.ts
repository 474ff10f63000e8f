/**
 * What a prune-and-compare will take, before it starts: texts, tokens and a time from the machine's MatMul rate. A
 * token costs two operations per weight of the layers and of the head where it is counted; calibration reads every
 * block twice, before and after it is pruned.
 */
import type { Machine } from '../../../../protocol/run.ts';
import type { EnginePool } from '../machine/enginePool.ts';

import { evaluationInput, readsOf } from '../inputs/evaluationInput.ts';
import type { EvaluationSelection } from '../inputs/evaluationInput.ts';
import { calibrationOf, preparePruning } from '../inputs/pruneInput.ts';
import { prunable } from '../decide/sparsityMap.ts';

export interface PruningEstimate {
  /** Without the model as it is, which is evaluated too. */
  prunings: number;
  documents: number;
  evaluationTokens: number;
  calibrationTokens: number;
  seconds: number;
}

/**
 * @param prunings number of maps x methods x sparsities
 * @throws LayerifError as `preparePruning` and `evaluationInput`
 */
export async function estimatePruning(
  options: EvaluationSelection & { file: string; structure?: string | undefined; prunings: number; machine: Machine },
  pool: EnginePool,
): Promise<PruningEstimate> {
  const base = await preparePruning(options.file, { structure: options.structure, method: 'wanda' });
  try {
    const { checkpoint, model, experiment, baseDir } = base;
    const { tokenizer } = base;
    const length = readsOf(checkpoint, model, experiment);
    const input = await evaluationInput(experiment, baseDir, tokenizer, length, { ...options, writes: false });
    const calibration = await calibrationOf(experiment, experiment.prune ?? {}, baseDir, tokenizer);
    await pool.start(options.machine);
    const rate = await pool.measure();
    let weights = model.vocabulary * model.hidden;
    for (let layer = 0; layer < model.layers; layer++)
      weights += prunable(model, layer).reduce((sum, module) => sum + module.weights, 0);
    const evaluationTokens = input.sequences.reduce((sum, { tokens }) => sum + tokens.length, 0);
    const tokens = (options.prunings + 1) * evaluationTokens + 2 * options.prunings * calibration.tokens;
    return {
      prunings: options.prunings,
      documents:
        input.tasks.reduce((sum, task) => sum + task.documents.length, 0) + (input.perplexity?.windows.length ?? 0),
      evaluationTokens,
      calibrationTokens: calibration.tokens,
      seconds: (2 * weights * tokens) / rate,
    };
  } finally {
    base.checkpoint.close();
  }
}
