/** A run in a few sentences: which layers are highest, how far their order can be relied on, where the file is. */
import { badgeOf, badgeSentence, highestLayersSentence, WARNING } from '../../../../protocol/readability.ts';
import type { Result, ResultTask } from '../../../../protocol/result.ts';
import { untilSentence } from '../../../../protocol/until.ts';
import { verdictOf } from '../../../../protocol/verdict.ts';
import { LayerifError } from '../../../../protocol/errors.ts';
import { didYouMean } from '../../text/nearest.ts';

/** @throws LayerifError `badRequest` for a task that the result does not have */
export function tasksOf(result: Result, name: string | undefined, file: string): ResultTask[] {
  if (name === undefined) return result.tasks;
  const found = result.tasks.filter(({ task }) => task === name);
  if (found.length > 0) return found;
  const known = result.tasks.map(({ task }) => task);
  throw new LayerifError(
    'badRequest',
    `${file} has no task "${name}"${didYouMean(name, known)}; its tasks are ${known.join(', ')}`,
  );
}

export function summaryText(result: Result, tasks: readonly ResultTask[], file: string): string {
  const { model, score, status } = result;
  const head = `${model.name}, ${model.layers} layers, estimator ${score.estimator}${status === 'partial' ? ', not finished' : ''}: ${file}`;
  return [head, ...tasks.map((task) => `${task.task}: ${taskSentences(task).join(' ')}`)].join('\n');
}

function taskSentences(task: ResultTask): string[] {
  if (task.layers.length === 0) return ['No layer is finished yet.'];
  const until = untilSentence(task);
  const badge = badgeOf(task);
  return [
    `${task.train.samples} training and ${task.validation.samples} validation samples.`,
    highestLayersSentence(task.layers) ?? 'No layer has a score above 0.',
    ...(badge === null || badge === 'unreadable' ? [] : [badgeSentence(task) ?? '']),
    `${badge === 'unreadable' ? WARNING : ''}${verdictOf(task).words}`,
    ...(until === null ? [] : [until]),
  ];
}

/** The same for programs. */
export function summaryData(result: Result, tasks: readonly ResultTask[], file: string): Record<string, unknown> {
  return {
    file,
    model: result.model.name,
    layers: result.model.layers,
    estimator: result.score.estimator,
    status: result.status,
    tasks: tasks.map((task) => ({
      task: task.task,
      train: task.train.samples,
      validation: task.validation.samples,
      order: badgeOf(task),
      layers: [...task.layers]
        .sort((a, b) => b.score - a.score)
        .map(({ index, score, rankInterval }, rank) => ({ layer: index, rank: rank + 1, score, rankInterval })),
    })),
  };
}
