/**
 * What the scores of an experiment will be refused for, told before a model runs: the plans of `scores.ts` and
 * `dataScores.ts`, of layers and of rows, without their passes. What the model itself writes is not known yet, and
 * neither is what is wrong with it.
 */
import { LayerifError } from '../../../../protocol/errors.ts';
import type { Experiment } from '../../../../protocol/experiment.ts';
import type { Machine } from '../../../../protocol/run.ts';
import { findDataScore } from '../../scores/dataScores.ts';
import { optionValues } from '../../scores/options.ts';
import { openExperiment } from '../inputs/openExperiment.ts';
import type { ExperimentFile, OpenExperiment } from '../inputs/openExperiment.ts';
import { memoryLimit } from '../machine/machine.ts';
import { requireMemory } from '../machine/observing.ts';
import type { AnswerTools } from './answerTexts.ts';
import { requireFollowable } from './followed.ts';
import { requireWriter } from './ownAnswers.ts';
import { plannedPass } from './plannedPass.ts';
import { plansOf } from './planning.ts';
import type { Plan as RowPlan } from './rowPlans.ts';
import { amongNeeds, amongOf, groupsOf } from './rowPlans.ts';
import { RowForming } from './rowForming.ts';
import { RowPlanning } from './rowPlanning.ts';
import { foreseenRowInfluence } from './rowInfluences.ts';
import { ROWS_PER_CHUNK } from './rowObserving.ts';
import { foreseenInfluence } from './sampleInfluence.ts';
import { chosenScores } from './scores.ts';
import { TextSets } from './textSets.ts';
import { TunedModels } from './tunedModel.ts';
import { nth } from '../../lists/nth.ts';

/** Answers that are only known when the model has written them. */
class Unwritten extends Error {}

export interface ForeseenRefusal {
  /** Key of the experiment, and the score's place in its list. */
  path: [key: 'scores' | 'data_scores', index: number];
  error: LayerifError;
}

/**
 * Of the layers' scores. Nothing is downloaded.
 * @throws LayerifError what all of them are refused for
 */
export async function foreseenScores(read: ExperimentFile, machine: Machine): Promise<ForeseenRefusal[]> {
  const { scores = [], scores_alone } = read.experiment;
  requireFollowable(scores, scores_alone === true);
  return withModel(read, async (opened) => {
    const sets = new TextSets(opened);
    const others = new TunedModels(opened);
    const write: AnswerTools['write'] = () => {
      requireWriter(opened);
      throw new Unwritten();
    };
    const tools = { opened, sets, others, resultFile: '', noisyRun: undefined, write };
    const limit = memoryLimit(machine);
    try {
      const chosen = chosenScores(scores);
      return await refusalsOf(chosen, 'scores', async (one) => {
        if (one.score.influence) return foreseenInfluence(one.score.influence(one.values), read);
        const { plans, refused } = await plansOf([one], tools);
        for (const { error } of refused) throw error;
        for (const need of plans.flatMap(({ needs }) => Object.values(needs))) {
          const texts = sets.samples(need.need.texts);
          const pass = plannedPass([need], others.target(need), texts, limit, opened.baseDir);
          requireMemory(pass, limit, `observing ${need.need.of} on ${texts.length} texts`);
        }
      });
    } finally {
      others.close();
    }
  });
}

/** Of the rows' scores, all rows read. Nothing is downloaded. @throws LayerifError `badModel` */
export async function foreseenDataScores(read: ExperimentFile): Promise<ForeseenRefusal[]> {
  return withModel(read, async (opened) => {
    const planning = new RowPlanning(opened, '', null);
    const asked = read.experiment.data_scores ?? [];
    const plans: RowPlan[] = [];
    try {
      const refused = await refusalsOf(asked, 'data_scores', async (one) => {
        const score = findDataScore(one.id);
        if (score.influence) return foreseenOfResult(read.experiment, optionValues(score, one.options));
        plans.push(await planning.plan(one));
      });
      if (refused.length > 0) return refused;
      const placeOf = (plan: RowPlan) => asked.indexOf(plan.asked);
      for (const plan of plans) {
        if (amongOf(plan) !== '')
          refused.push(...(await refusedAt(placeOf(plan), 'data_scores', () => amongNeeds(plan, plans))));
      }
      for (const group of groupsOf(plans))
        refused.push(...(await refusedAt(placeOf(nth(group, 0)), 'data_scores', () => readRows(group))));
      return refused;
    } finally {
      planning.close();
    }
  });
}

function foreseenOfResult(experiment: Experiment, { task }: Record<string, unknown>): void {
  foreseenRowInfluence(experiment, String(task));
}

/** Of one source and one model. */
async function readRows(plans: readonly RowPlan[]): Promise<void> {
  const { source, scorer } = nth(plans, 0);
  if (!source) return;
  const breathe = () => new Promise<void>((turn) => setImmediate(turn));
  const forming = new RowForming(scorer, source, plans, breathe);
  const compared = plans.filter(({ score }) => score.targets === true);
  if (compared.length > 0)
    for await (const rows of source.targets(ROWS_PER_CHUNK)) await forming.texts(rows, compared, 'validation samples');
  for await (const rows of source.chunks(ROWS_PER_CHUNK)) await forming.texts(rows, plans, 'rows');
}

async function withModel<T>(read: ExperimentFile, work: (opened: OpenExperiment) => Promise<T>): Promise<T> {
  const opened = await openExperiment(read, { fetching: null });
  try {
    return await work(opened);
  } finally {
    opened.close();
  }
}

async function refusalsOf<T>(
  asked: readonly T[],
  key: ForeseenRefusal['path'][0],
  work: (one: T) => Promise<unknown>,
): Promise<ForeseenRefusal[]> {
  const found: ForeseenRefusal[] = [];
  for (const [index, one] of asked.entries()) found.push(...(await refusedAt(index, key, () => work(one))));
  return found;
}

async function refusedAt(
  index: number,
  key: ForeseenRefusal['path'][0],
  work: () => unknown,
): Promise<ForeseenRefusal[]> {
  try {
    await work();
    return [];
  } catch (error) {
    if (error instanceof Unwritten) return [];
    if (error instanceof LayerifError) return [{ path: [key, index], error }];
    throw error;
  }
}
