/** `layerif train FILE`: fine-tunes LoRA factors or whole matrices on a task's rows. */
import path from 'node:path';
import type { TrainedLosses, TrainingResult } from '../../../protocol/training.ts';
import { trainExperiment } from '../run/train/train.ts';
import { count, counted, duration } from './format.ts';
import { machineOptions } from './options.ts';
import { shortened } from './paths.ts';
import { resumable } from './resumable.ts';
import type { Command } from './types.ts';

export const train: Command = {
  name: 'train',
  argument: 'FILE',
  summary: 'fine-tune LoRA factors, or the matrices of chosen layers, on the rows of a task',
  details:
    'FILE is an experiment; its section `train` says what is trained and how. Writes a PEFT adapter or a model folder into the run folder.\n' +
    'The same command goes on with an interrupted training, behind the last kept step, with the same numbers.',
  options: ['task', 'output', 'json', ...machineOptions],
  words: { task: { help: 'the task (default: that of the section, else the first)' } },
  oneTask: true,
  cooperative: true,

  run(argument, options, terminal) {
    return resumable(terminal, { run: 'training', kept: 'The training is' }, async (hooks, progress) => {
      const { result, resultFile } = await trainExperiment({
        file: path.resolve(terminal.baseDir, argument),
        task: options.task.at(-1),
        outputDir: options.output === undefined ? undefined : path.resolve(terminal.baseDir, options.output),
        machine: options.machine,
        signal: terminal.signal,
        ...hooks,
        onProgress: (event) => progress.update({ task: '', phase: 'download', ...event }),
        onTraining: (event) => progress.update({ task: '', phase: 'train', ...event }),
      });
      return options.json ? `${JSON.stringify(result)}\n` : trainingReport(result, resultFile, terminal.baseDir);
    });
  },
};

export function trainingReport(result: TrainingResult, file: string, baseDir: string): string {
  const { task, model, settings, trained, samples, train, validation, curve, output, provenance } = result;
  const what = settings.method === 'lora' ? `LoRA factors of rank ${settings.rank}` : 'matrices';
  const losses = (name: string, { before, after }: TrainedLosses) =>
    `Loss of ${name}: ${before.toFixed(4)} before, ${after.toFixed(4)} after (nats per counted token)`;
  return [
    `${task}: ${model.name}, ${what} of ${counted(trained.layers.length, 'layer')}, ${count(trained.parameters)} trained numbers`,
    `${counted(samples.train, 'training sample')}, ${counted(curve.length, 'step')} of ${settings.batch_size}${settings.gradient_accumulation_steps > 1 ? ` x ${settings.gradient_accumulation_steps}` : ''}, ${settings.optimizer}, ${settings.schedule} learning rate ${settings.learning_rate}`,
    ...(train ? [losses(counted(samples.train, 'training sample'), train)] : []),
    ...(validation ? [losses(counted(samples.validation, 'validation sample'), validation)] : []),
    `Took ${duration(provenance.seconds)} on ${provenance.device}.`,
    `${settings.method === 'lora' ? 'Adapter' : 'Model'} ${shortened(path.join(path.dirname(file), output), baseDir)}`,
    `Result ${shortened(file, baseDir)}`,
  ]
    .map((line) => `${line}\n`)
    .join('');
}
