/** What is planned for each asked score, and the tables that are made of it. */
import type { AskedScore } from '../../../../protocol/experiment.ts';
import type { Json, ScoresFile, ScoreTable, Tensors } from '../../../../protocol/scores.ts';
import type { Architecture } from '../../models/types.ts';
import { Random } from '../../random/random.ts';
import { tableOf } from '../../scores/tables.ts';
import type { Member, Score, ScoreNeed } from '../../scores/types.ts';
import { observedShape } from '../machine/observing.ts';
import { membersOf } from './members.ts';
import type { TableOf } from './members.ts';
import type { KeyedNeed } from './needs.ts';
import type { FoundInfluence } from './sampleInfluence.ts';
import type { TextSet } from './textSets.ts';

/** How many stretches there are stands in the need: its numbers are laid out by it. */
export function spanned(need: ScoreNeed, set: TextSet | null): ScoreNeed {
  return set?.view ? { ...need, options: { spans: set.view.text.length } } : need;
}

export interface Plan {
  score: Score;
  asked: AskedScore;
  values: Record<string, Json>;
  set: TextSet | null;
  needs: Record<string, KeyedNeed>;
  /** Hash of the labels of its texts. */
  labels?: string;
  /** Of a score of scores, or of influence: what it is made of. */
  sources?: string[];
  influence?: FoundInfluence;
}

export const tableId = ({ score, values }: Pick<Plan, 'score' | 'values'>) =>
  `${score.id} ${score.version} ${JSON.stringify(values)}`;

/** A table of the others; null while one of them is missing. */
export function amongTables(
  plan: Plan,
  made: {
    plans: readonly Plan[];
    known: ReadonlyMap<string, Tensors>;
    file: ScoresFile;
    model: Architecture;
    influence: readonly Member[];
  },
): ScoreTable | null {
  const tables = made.plans.map((other) => ({
    score: other.score,
    table: made.file.tables.find((one) => isTableOf(one, other)),
    texts: other.set && { id: other.set.id, count: other.set.samples.length },
    labels: other.set?.labels ?? null,
    observed: observedOf(other, made.known),
  }));
  if (!tables.every((one): one is TableOf => one.table !== undefined)) return null;
  const members = [...membersOf(tables, observedShape(made.model, 0)), ...made.influence];
  const random = new Random(made.file.provenance.seed, `score ${plan.score.id}`);
  return tableOf(plan.score, plan.score.among!(members, plan.values as never, { random }), {
    options: plan.values,
    texts: [...new Set(tables.flatMap(({ table: { texts } }) => texts ?? []))].join('; ') || null,
    needs: plan.sources!,
    layers: made.model.layers,
  });
}

export function observedOf({ needs }: Plan, known: ReadonlyMap<string, Tensors>): Record<string, Tensors> | null {
  const entries = Object.entries(needs).map(([name, { key }]) => [name, known.get(key)] as const);
  return entries.every(([, tensors]) => tensors) ? (Object.fromEntries(entries) as Record<string, Tensors>) : null;
}

export async function table(
  plan: Plan,
  known: ReadonlyMap<string, Tensors>,
  model: Architecture,
  seed: number,
): Promise<ScoreTable> {
  const { score, values, set, needs, influence } = plan;
  const observed = Object.fromEntries(Object.entries(needs).map(([name, { key }]) => [name, known.get(key)!]));
  const tools = {
    model: observedShape(model, set?.samples.length ?? 0),
    random: new Random(seed, `score ${score.id}`),
    labels: set?.labels ?? null,
    view: set?.view ?? null,
  };
  const numbers = influence
    ? score.ofInfluence!(influence.influence, values as never, tools)
    : score.fitted
      ? await score.fitted(observed, values as never, tools)
      : score.score(observed, values as never, tools);
  return tableOf(score, numbers, {
    options: values,
    texts: set?.words ?? influence?.words ?? null,
    needs: sourcesOf(plan),
    layers: model.layers,
  });
}

/** What a table of the plan is made of. */
function sourcesOf({ sources, needs, labels }: Plan): string[] {
  return sources ?? [...Object.values(needs).map(({ key }) => key), ...(labels ? [labels] : [])];
}

/** The same score of the same version, options and observations. */
export function isTableOf(table: ScoreTable, plan: Plan): boolean {
  return (
    sameAsked(table, plan) &&
    table.version === plan.score.version &&
    JSON.stringify(table.needs) === JSON.stringify(sourcesOf(plan))
  );
}

export function sameAsked(table: ScoreTable, { score, values }: Plan): boolean {
  return table.score === score.id && JSON.stringify(table.options) === JSON.stringify(values);
}
