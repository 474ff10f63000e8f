/** Influence with labels that are changed on purpose, for scores that ask in which layers it finds them. */
import path from 'node:path';
import { loadExperiment } from '../../config/experiment.ts';
import { nth } from '../../lists/nth.ts';
import type { NoisyRun } from '../scores/sampleInfluence.ts';
import { scoreExperiment } from './score.ts';
import type { ScoreOptions } from './score.ts';

export interface NoisyRunOptions extends Pick<
  ScoreOptions,
  'file' | 'machine' | 'engine' | 'signal' | 'checkpointSeconds' | 'tasks'
> {
  onProgress?: ((event: { done: number; total: number; message: string }) => void) | undefined;
}

/** @param folder of the scores, in which the runs lie; a complete run of the same labels is opened again */
export function noisyRun(options: NoisyRunOptions, folder: string): NoisyRun {
  const { file, machine, engine, signal, checkpointSeconds } = options;
  return async (labelNoise, task) => {
    const tasks = [task ?? options.tasks?.[0] ?? nth(loadExperiment(path.resolve(file)).tasks, 0).task];
    const { resultFile } = await scoreExperiment({
      ...{ file, machine, engine, signal, checkpointSeconds },
      tasks,
      labelNoise,
      reopen: true,
      outputDir: path.join(folder, 'label-noise'),
      onEvent: (event) => {
        if (event.type === 'progress')
          options.onProgress?.({ ...event, message: `with changed labels: ${event.message}` });
      },
    });
    return resultFile;
  };
}
