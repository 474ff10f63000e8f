/**
 * Observations of gradients that an influence run makes on its way: where scores read the texts of one of its tasks,
 * its backward sweep passes their gradients by anyway. They lie beside the result before the scores are computed, which
 * then find them like any other.
 *
 * Not where the sweep does not have what they need: projected gradients, some layers or modules only, checkpoints of a
 * training, a user's graph, or where they would not fit into memory beside it. Then they get a sweep of their own.
 */
import type { AskedScore, Experiment } from '../../../../protocol/experiment.ts';
import type { EncodedSample } from '../../../../protocol/samples.ts';
import type { AskedObservation, Tensors } from '../../../../protocol/scores.ts';
import { encodedSample } from '../inputs/openModel.ts';
import type { Prepared } from '../inputs/prepared.ts';
import { observedGradientBytes } from '../machine/gradientPass.ts';
import { observedShape } from '../machine/observing.ts';
import { optionValues } from '../../scores/options.ts';
import { findScore } from '../../scores/scores.ts';
import type { ObservationId } from '../../scores/observations.ts';
import { directionOf, keyed } from './needs.ts';
import type { KeyedNeed } from './needs.ts';
import { ObservationFiles } from './observationFiles.ts';
import { textsId } from './texts.ts';
import { nth } from '../../lists/nth.ts';

export interface Alongside {
  /** Index of the task. */
  task: number;
  observations: AskedObservation[];
  /** Bytes beside what the run itself takes. */
  memoryBytes: number;
  keep(found: Record<string, Tensors>): void;
}

/** @param runFolder of the result @returns null where nothing is to be observed */
export function alongside(
  prepared: Prepared,
  asked: readonly AskedScore[],
  { runFolder, modelSha256 }: { runFolder: string; modelSha256: string },
): Alongside | null {
  const { model, experiment, checkpoint } = prepared;
  const task = defaultTask(prepared, experiment);
  if (task < 0 || !passesEverything(prepared)) return null;
  const chosen = nth(prepared.tasks, task);
  const samples: EncodedSample[] = chosen.train.map(encodedSample);
  const files = new ObservationFiles(runFolder, modelSha256);
  const variant = { variant: checkpoint.adapter ? ('adapter' as const) : ('base' as const) };
  const id = textsId(samples);
  const shape = observedShape(model, samples.length);
  const wanted = new Map<string, KeyedNeed>();
  const own = chosen.task.task;
  for (const { id: name, options, texts, task: named = own } of asked) {
    if (texts !== undefined || named !== own) continue;
    const score = findScore(name);
    for (const bare of Object.values(score.needs(optionValues(score, options), shape))) {
      const need = keyed(bare, id, variant);
      if (directionOf(need) === 'backward' && !files.read(need)) wanted.set(need.hash, need);
    }
  }
  if (wanted.size === 0) return null;
  const observations = [...wanted.values()].map(({ hash, need }) => {
    return { name: hash, of: need.of as ObservationId, options: need.options };
  });
  const tokens = samples.reduce((sum, sample) => sum + sample.tokens.length, 0);
  return {
    task,
    observations,
    memoryBytes: observedGradientBytes(shape, observations, tokens),
    keep: (found) => {
      for (const [hash, tensors] of Object.entries(found)) files.write(wanted.get(hash)!, tensors);
    },
  };
}

/** The first task of the file, whose training samples scores read by default; -1 where they read others. */
function defaultTask({ tasks }: Prepared, { prune, tasks: declared }: Experiment): number {
  return prune?.calibration ? -1 : tasks.findIndex(({ task }) => task.task === nth(declared, 0).task);
}

/** Whether every linear module of every layer is captured, of the model itself. */
function passesEverything({ model, scope, graph, checkpoints }: Prepared): boolean {
  if (graph || checkpoints) return false;
  const shape = observedShape(model, 0);
  return Array.from({ length: model.layers }, (_, layer) => layer).every(
    (layer) => scope.layers.includes(layer) && shape.modules(layer).every(({ name }) => scope.modules.includes(name)),
  );
}
