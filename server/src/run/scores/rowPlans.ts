/**
 * A score of rows as it is asked for: by which model, of which rows, and what decides its numbers. Pure but for what is
 * open.
 */
import type { AskedScore } from '../../../../protocol/experiment.ts';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { Json, ModelVariant, ScoreTable } from '../../../../protocol/scores.ts';
import type { DataScore } from '../../scores/dataTypes.ts';
import { listed } from '../../text/listed.ts';
import type { modelStamp } from '../files/modelStamp.ts';
import type { OpenExperiment } from '../inputs/openExperiment.ts';
import { requireOfGraph } from './graphScores.ts';
import { canonical } from './needs.ts';
import type { ObservationFiles } from './observationFiles.ts';
import type { Templates } from './factRows.ts';
import type { InfluencedRows } from './rowInfluences.ts';
import type { RowSource } from './rowSource.ts';

/** A model that scores, opened once. */
export interface Scorer {
  opened: OpenExperiment;
  sha256: string;
  variant: ModelVariant;
  tokenizerSha256: string;
  stamp: ReturnType<typeof modelStamp>;
  files: ObservationFiles;
}

export interface Plan {
  score: DataScore;
  asked: AskedScore;
  values: Record<string, Json>;
  /** What decides the table's numbers beside score and options. */
  needs: string[];
  scorer: Scorer;
  source: RowSource | null;
  influence: InfluencedRows | null;
  /** Of a score of facts; null where the task's prompt is the template. */
  templates: Templates | null;
}

/** Whether something is asked of the model. */
export const asksModel = ({ score, values }: Pick<Plan, 'score' | 'values'>): boolean =>
  score.facts !== undefined || Object.keys(score.needs(values as never)).length > 0;

export const readsTokens = (score: DataScore): boolean => score.tokens === true;

export const amongOf = ({ score, values }: Pick<Plan, 'score' | 'values'>): string =>
  score.among?.(values as never) ?? '';

/** @throws LayerifError `badRequest` where the other score is not asked for too, or is one of other rows */
export function amongNeeds(plan: Plan, plans: readonly Plan[]): string[] {
  const other = amongPlan(plan, plans);
  return [`among ${other.score.id} ${other.score.version} ${JSON.stringify(other.values)}`, ...other.needs];
}

function amongPlan(plan: Plan, plans: readonly Plan[]): Plan {
  const name = amongOf(plan);
  const fitting = plans.filter((one) => one !== plan && amongOf(one) === '' && one.source !== null);
  const other = fitting.find(({ score }) => score.id === name);
  if (!other) {
    const others = [...new Set(fitting.map(({ score }) => score.id))];
    throw new LayerifError(
      'badRequest',
      `${plan.score.id}.among "${name}" is not among the data_scores of the experiment: add it there; scores of rows there: ${others.length > 0 ? listed(others) : 'none'}`,
    );
  }
  if (other.source?.id === plan.source?.id) return other;
  throw new LayerifError('badRequest', `${plan.score.id}.among ${name} scores other rows: give both the same texts`);
}

/** @throws LayerifError `badModel`, `badRequest` for what a user's graph cannot say of rows */
export function requireScorer(score: DataScore, values: Record<string, Json>, { opened }: Scorer): void {
  const { graph } = opened;
  if (!graph) return;
  if (score.facts)
    throw new LayerifError(
      'badRequest',
      `${score.id}.scorer ${graph.file.path} is an ONNX graph, which writes no answers; take a language model: a folder, a .gguf file or a hub id`,
    );
  requireOfGraph(score.id, Object.values(score.needs(values as never)), graph);
}

/** @throws LayerifError `badRequest` */
export function requireLayer(score: DataScore, { layer }: Record<string, Json>, { opened }: Scorer): void {
  const { layers } = opened.model;
  if (typeof layer !== 'number' || layer < layers) return;
  throw new LayerifError('badRequest', `${score.id}.layer ${layer} is beyond the last layer: use -1 to ${layers - 1}`);
}

/** @throws LayerifError `badRequest` where the task's prompt is to be the template of facts, and there is none */
export function requirePrompt(source: RowSource | null): void {
  if (source?.task) return;
  throw new LayerifError(
    'badRequest',
    `mastery has no prompt for facts of the dataset "${source?.dataset.name}": name a file of templates (mastery.templates), or give a task over the dataset a doc_to_text`,
  );
}

/** @throws LayerifError `badRequest` where tokens are to be compared with those of an adapter, and there is none */
export function requireAdapter(score: DataScore, values: Record<string, Json>, { opened }: Scorer): void {
  const compares = Object.values(score.needs(values as never)).some(({ base }) => base);
  if (!compares || opened.checkpoint.adapter) return;
  throw new LayerifError(
    'badRequest',
    `${score.id} with the variant ${JSON.stringify(values.variant)} compares an adapter that was trained on these rows with its base model: train one (layerif train) and name it as model.adapter`,
  );
}

/** Plans whose rows pass by together, in the order in which they are asked for. */
export function groupsOf(plans: readonly Plan[]): Plan[][] {
  const groups = new Map<string, Plan[]>();
  for (const plan of plans) {
    const own = plan.influence ? plan.influence.id : `${plan.source!.id} ${plan.scorer.sha256}`;
    const name = amongOf(plan) === '' ? own : `${own} behind`;
    groups.set(name, [...(groups.get(name) ?? []), plan]);
  }
  return [...groups.values()];
}

export function isTableOf(table: ScoreTable, plan: Plan): boolean {
  return (
    sameAsked(table, plan) && table.version === plan.score.version && canonical(table.needs) === canonical(plan.needs)
  );
}

/** The same score of the same options; another table of the same rows takes its place. */
export function sameAsked({ score, options, rows }: ScoreTable, plan: Plan): boolean {
  const asked = plan.source ?? plan.influence!.rows;
  const dataset = typeof asked.dataset === 'string' ? asked.dataset : asked.dataset.name;
  return (
    score === plan.score.id &&
    JSON.stringify(options) === JSON.stringify(plan.values) &&
    rows?.dataset === dataset &&
    rows.split === asked.split
  );
}
