/**
 * From chosen scores to what each of them is made of: texts, needs, labels, influence. What a score lacks is said of it
 * alone; the others go on.
 */
import { LayerifError, located } from '../../../../protocol/errors.ts';
import type { AskedScore } from '../../../../protocol/experiment.ts';
import type { ModelVariant } from '../../../../protocol/scores.ts';
import type { Score, ScoreNeed } from '../../scores/types.ts';
import type { OpenExperiment } from '../inputs/openExperiment.ts';
import { observedShape } from '../machine/observing.ts';
import { tunedPath, withChanges } from './changes.ts';
import { requireOfGraph } from './graphScores.ts';
import { labelsKey } from './labelledTexts.ts';
import { keyed } from './needs.ts';
import { spanned } from './plans.ts';
import type { Plan } from './plans.ts';
import { sampleInfluence } from './sampleInfluence.ts';
import type { NoisyRun } from './sampleInfluence.ts';
import type { AnswerTools } from './answerTexts.ts';
import { requireOfSecond } from './secondModel.ts';
import type { TextSet, TextSets } from './textSets.ts';
import type { TunedModels } from './tunedModel.ts';
import { viewKey } from './viewedTexts.ts';

/** A score that cannot be made, with the reason. */
export interface RefusedScore {
  score: string;
  message: string;
  error: LayerifError;
}

export interface PlanTools {
  opened: OpenExperiment;
  sets: TextSets;
  others: TunedModels;
  /** Answers of the model itself. */
  write: AnswerTools['write'];
  /** Of the influence beside which the scores stand. */
  resultFile: string;
  noisyRun: NoisyRun | undefined;
}

type Chosen = Pick<Plan, 'score' | 'asked' | 'values'>;

/** @throws what is no score's own */
export async function plansOf(
  chosen: readonly Chosen[],
  tools: PlanTools,
): Promise<{ plans: Plan[]; refused: RefusedScore[] }> {
  const plans: Plan[] = [];
  const refused: RefusedScore[] = [];
  for (const one of chosen) {
    try {
      plans.push(await planOf(one, tools));
    } catch (error) {
      refused.push(refusedScore(one.score, error));
    }
  }
  return { plans, refused };
}

/** What is wrong with the input of a score is its own; the rest is everybody's. */
const own: ReadonlySet<string> = new Set(['badRequest', 'badData', 'badModel', 'notEnoughMemory']);

/** @throws what is not the score's own */
export function refusedScore({ id }: Score, error: unknown): RefusedScore {
  if (!(error instanceof LayerifError) || !own.has(error.code)) throw error;
  return { score: id, message: located(error), error };
}

async function planOf(chosen: Chosen, tools: PlanTools): Promise<Plan> {
  const { score, asked, values } = chosen;
  const { opened, others } = tools;
  if (score.influence) {
    const found = await sampleInfluence(score.influence(values as never), tools.resultFile, tools.noisyRun);
    return { ...chosen, set: null, needs: {}, influence: found, sources: [found.id] };
  }
  const { checkpoint, model, baseDir } = opened;
  const variant = { variant: checkpoint.adapter ? ('adapter' as const) : ('base' as const) };
  const bare: [string, ScoreNeed][] = [];
  for (const [name, need] of Object.entries(score.needs(values as never, observedShape(model, 0)))) {
    bare.push([name, need.of === 'delta_masks' ? await withChanges(need, opened) : need]);
  }
  const { graph } = opened;
  if (graph)
    requireOfGraph(
      score.id,
      bare.map(([, need]) => need).filter(({ model }) => model !== 'second'),
      graph,
    );
  const reads = bare.some(([, need]) => keyed(need, '', variant).need.texts !== null);
  const set = reads ? await setOf(score, asked, values, tools) : null;
  const secondOf = (need: ScoreNeed) => others.second(score.id, need.second ?? '');
  // A second model reads the same rows by its own tokenizer.
  const readBy = async (need: ScoreNeed): Promise<TextSet | null> => {
    if (need.model !== 'second') return set;
    const second = await secondOf(need);
    requireOfSecond(score.id, need, second);
    return tools.sets.ofTask(asked.task).labelledBy(asked.texts, second);
  };
  const variantOf = async (need: ScoreNeed): Promise<ModelVariant> => {
    if (need.model === 'second') return (await secondOf(need)).variant;
    if (need.model === 'tuned') return others.variant(score.id, need, set!.samples);
    // Changes to a second checkpoint start at the bare model.
    return tunedPath(need, baseDir) === null ? variant : { variant: 'base' };
  };
  const needs: Plan['needs'] = {};
  for (const [name, need] of bare) {
    const read = await readBy(need);
    needs[name] = keyed(spanned(need, read), read?.id ?? null, await variantOf(need));
  }
  const labels = set?.labels ? labelsKey(set.labels) : set?.view ? viewKey(set.view) : undefined;
  return { ...chosen, set, needs, ...(labels === undefined ? {} : { labels }) };
}

function setOf(
  score: Score,
  { texts, task }: AskedScore,
  values: Plan['values'],
  tools: Pick<PlanTools, 'sets' | 'write'>,
): Promise<TextSet> {
  const sets = tools.sets.ofTask(task);
  const viewed = score.viewed?.(values as never);
  if (viewed) return sets.viewed(texts, viewed);
  if (score.labelled === 'answers') return sets.answers(texts, tools.write);
  return score.labelled === 'texts' ? sets.labelled(texts) : sets.of(texts);
}
