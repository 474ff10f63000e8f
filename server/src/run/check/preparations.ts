/**
 * What each section of an experiment file will be refused for, by the preparation of the very command that reads it,
 * as far as it goes without running the model: one row for each command. Nothing is downloaded. To add a command that
 * reads a section, add a row; `test/run/refusalSites.test.ts` tells which refusals no row foresees.
 */
import type { Experiment } from '../../../../protocol/experiment.ts';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { Machine } from '../../../../protocol/run.ts';
import type { Path, Problem } from '../../config/experiment.ts';
import { foreseenAllocations } from '../experts/expertAllocations.ts';
import { expertsInputOf } from '../experts/trainExpertsInput.ts';
import { requireMemory as requireExpertsMemory } from '../experts/trainExpertsMemory.ts';
import { foreseenFit } from '../influence/estimate.ts';
import { evaluationInput, readsOf } from '../inputs/evaluationInput.ts';
import { experimentFor, openExperiment } from '../inputs/openExperiment.ts';
import type { ExperimentFile } from '../inputs/openExperiment.ts';
import { preparedOf } from '../inputs/prepare.ts';
import type { Prepared } from '../inputs/prepared.ts';
import { pruneInputOf } from '../inputs/pruneInput.ts';
import type { Verb } from '../inputs/refusals.ts';
import { MissingResult } from '../prune/pruneMap.ts';
import { foreseenPruning } from '../prune/prune.ts';
import { foreseenDataScores, foreseenScores } from '../scores/foreseenScores.ts';
import { trainInputOf } from '../train/trainInput.ts';
import { requireMemory as requireTrainingMemory } from '../train/train.ts';
import { foreseenValidation } from '../validate/validate.ts';

export interface Foreseen {
  path: Path;
  message: string;
  severity: Problem['severity'];
  /** Where the refusal has its place. */
  error?: LayerifError;
}

/** Whether a section stands in the file. */
type Declares = (key: Preparation['key']) => boolean;

interface Preparation {
  verb: Verb;
  /** The section that asks for it, by being there. */
  key: 'score' | 'scores' | 'data_scores' | 'evaluate' | 'prune' | 'train' | 'train_experts' | 'validate';
  /** Where the section need not be there. */
  asked?(experiment: Experiment, declares: Declares): boolean;
  /** @returns what is left out or told of one of several. @throws LayerifError */
  prepare(read: ExperimentFile, machine: Machine): Promise<Foreseen[]>;
}

const warning = (key: string, message: string): Foreseen => ({ path: [key], message, severity: 'warning' });

export const preparations: readonly Preparation[] = [
  {
    verb: 'score',
    key: 'score',
    // Tasks with test rows alone are evaluated and not scored.
    asked: ({ scores_alone }, declares) => scores_alone !== true && (declares('score') || !declares('evaluate')),
    prepare: (read, machine) =>
      withPrepared(read, (prepared) => {
        const refusal = foreseenFit(prepared, machine);
        return refusal === null ? [] : [warning('score', `score is refused on this machine: ${refusal}`)];
      }),
  },
  {
    verb: 'score',
    key: 'scores',
    async prepare(read, machine) {
      const refused = await foreseenScores(read, machine);
      // The others are computed.
      const leaves = refused.length < (read.experiment.scores ?? []).length;
      return refused.map((one): Foreseen => (leaves ? { ...placed(one), severity: 'warning' } : placed(one)));
    },
  },
  {
    verb: 'score',
    key: 'data_scores',
    prepare: async (read) => (await foreseenDataScores(read)).map(placed),
  },
  {
    verb: 'evaluate',
    key: 'evaluate',
    async prepare(read) {
      const opened = await openExperiment(read, { fetching: null });
      try {
        const { checkpoint, model, experiment, baseDir } = opened;
        const reads = readsOf(checkpoint, model, experiment);
        const { skipped } = await evaluationInput(experiment, baseDir, opened.tokenizer, reads, {});
        return skipped.map(({ task, reason }) => warning('evaluate', `task "${task}": evaluate: ${reason}`));
      } finally {
        opened.close();
      }
    },
  },
  {
    verb: 'prune',
    key: 'prune',
    async prepare({ experiment, file }, machine) {
      const input = await pruneInputOf(experiment, file, {}, null);
      try {
        await foreseenPruning(input, machine);
        return [];
      } finally {
        input.checkpoint.close();
      }
    },
  },
  {
    verb: 'train',
    key: 'train',
    async prepare(read, machine) {
      const input = await trainInputOf(read, undefined, null);
      try {
        requireTrainingMemory(input, machine);
        return [];
      } finally {
        input.checkpoint.close();
      }
    },
  },
  {
    verb: 'train-experts',
    key: 'train_experts',
    async prepare(read, machine) {
      const input = await expertsInputOf(read, {}, null);
      try {
        const allocations = await foreseenAllocations({ ...input, task: input.task.task, machine });
        if (allocations.length > 0) requireExpertsMemory(input, allocations, machine);
        return [];
      } finally {
        input.checkpoint.close();
      }
    },
  },
  {
    verb: 'validate',
    key: 'validate',
    prepare: (read) =>
      withPrepared(read, async (prepared) =>
        (await foreseenValidation(prepared)).map(({ protocol, reason }) =>
          warning('validate', `validate leaves out ${protocol}: ${reason}`),
        ),
      ),
  },
];

/** All that the sections of the experiment will be refused for. */
export async function foreseen(read: ExperimentFile, machine: Machine, declares: Declares): Promise<Foreseen[]> {
  const found: Foreseen[] = [];
  for (const row of preparations) {
    const { verb, key } = row;
    if (!(row.asked?.(read.experiment, declares) ?? declares(key))) continue;
    try {
      found.push(...(await row.prepare(experimentFor(read.experiment, read.file, verb), machine)));
    } catch (error) {
      if (!(error instanceof LayerifError)) throw error;
      found.push(told(error, verb, [key]));
    }
  }
  return found;
}

/** An experiment may be right where the machine is too small, or where another command has to run first. */
function told(error: LayerifError, verb: Verb, path: Path): Foreseen {
  const { code, message } = error;
  if (error instanceof MissingResult) return { path, message: `${verb}: ${message}`, severity: 'information' };
  const ofMachine = code === 'notEnoughMemory' || code === 'notEnoughDisk';
  if (ofMachine) return { path, message: `${verb} is refused on this machine: ${message}`, severity: 'warning' };
  return { path, message, severity: 'error', error };
}

function placed({ path, error }: { path: Path; error: LayerifError }): Foreseen {
  return told(error, 'score', path);
}

async function withPrepared(
  read: ExperimentFile,
  work: (prepared: Prepared) => Foreseen[] | Promise<Foreseen[]>,
): Promise<Foreseen[]> {
  const prepared = await preparedOf(read, null);
  try {
    return await work(prepared);
  } finally {
    prepared.checkpoint.close();
  }
}
