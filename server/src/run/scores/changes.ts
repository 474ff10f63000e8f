/**
 * What fine-tuning has changed, for scores that mask it: the factors of the experiment's adapter, or a second
 * checkpoint.
 */
import path from 'node:path';
import { LayerifError } from '../../../../protocol/errors.ts';
import { openCheckpoint } from '../../checkpoints/openCheckpoint.ts';
import { tensorsRead } from '../../models/tensorsRead.ts';
import type { ScoreNeed } from '../../scores/types.ts';
import type { OpenExperiment } from '../inputs/openExperiment.ts';

/** Absolute path of the second checkpoint of a need, or null for the adapter's factors. */
export function tunedPath({ options }: ScoreNeed, baseDir: string): string | null {
  return typeof options.tuned === 'string' && options.tuned !== '' ? path.resolve(baseDir, options.tuned) : null;
}

/**
 * The need with a hash of the changes, so that others are another observation.
 * @throws LayerifError `badRequest` where there are none, `badModel` for a checkpoint of another shape
 */
export async function withChanges(need: ScoreNeed, { checkpoint, model, baseDir }: OpenExperiment): Promise<ScoreNeed> {
  const tuned = tunedPath(need, baseDir);
  if (tuned === null) {
    const { adapter } = checkpoint;
    if (!adapter) {
      throw new LayerifError(
        'badRequest',
        'score ila masks what fine-tuning has changed, and the experiment names nothing of the kind: set model.adapter to a LoRA folder, or ila.tuned to a fine-tuned checkpoint of the same model',
      );
    }
    const biased = [...adapter.factors].find(([, { bias }]) => bias);
    if (biased) {
      throw new LayerifError(
        'badModel',
        `score ila masks products of factors, and ${adapter.path} has a bias beside those of ${biased[0]} (lora_bias); merge the adapter (peft: merge_and_unload) and name the merged model as ila.tuned`,
      );
    }
    return { ...need, options: { ...need.options, changes: 'adapter' } };
  }
  const other = openCheckpoint(tuned);
  try {
    for (const name of tensorsRead(model)) {
      const [own, changed] = [checkpoint.tensors.get(name), other.tensors.get(name)];
      if (!own || own.shape.join() === changed?.shape.join()) continue;
      const what = changed ? `has shape [${changed.shape.join(', ')}]` : 'is not there';
      throw new LayerifError(
        'badModel',
        `ila.tuned ${tuned}: tensor ${name} ${what}, ${checkpoint.path} has it with [${own.shape.join(', ')}]; name a fine-tuned checkpoint of the same model`,
      );
    }
    return { ...need, options: { ...need.options, changes: await other.sha256() } };
  } finally {
    other.close();
  }
}
