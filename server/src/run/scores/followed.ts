/**
 * Scores that another score decides an option of, such as which layers are left out: the other one's table is made
 * first, and the option filled in from it.
 */
import type { AskedScore } from '../../../../protocol/experiment.ts';
import { LayerifError } from '../../../../protocol/errors.ts';
import { RESULT_SUFFIX } from '../../../../protocol/result.ts';
import { SCORES_SUFFIX } from '../../../../protocol/scores.ts';
import type { ScoreTable } from '../../../../protocol/scores.ts';
import { optionValues } from '../../scores/options.ts';
import { findScore, scores } from '../../scores/scores.ts';
import type { Score } from '../../scores/types.ts';
import { influenceMembers } from './members.ts';
import { nth } from '../../lists/nth.ts';

/** @throws LayerifError as `compute`; `badRequest` where the other score says nothing of layers */
export async function followed(
  options: { asked: readonly AskedScore[]; scoresFile: string; table?: readonly Score[] | undefined },
  compute: (asked: readonly AskedScore[]) => Promise<readonly ScoreTable[]>,
): Promise<readonly AskedScore[]> {
  const table = options.table ?? scores;
  const rows = options.asked.map((asked) => {
    const score = findScore(asked.id, table);
    const values = optionValues(score, asked.options);
    return { asked, score, values, follows: score.follows?.(values) ?? null };
  });
  const following = rows.filter((row) => row.follows !== null);
  if (following.length === 0) return options.asked;
  const names = following.map(({ follows }) => follows!.score).filter((id) => id !== INFLUENCE);
  // With the options that the file has for them, where it asks for them.
  const asked = [...new Set(names)].flatMap((id) => {
    const own = rows.filter(({ score }) => score.id === id).map((row) => row.asked);
    return own.length > 0 ? own : [{ id, options: {} }];
  });
  const others = rows.filter(({ follows, score }) => !follows && !score.among).map((row) => row.asked);
  const first = [...others, ...asked.filter((one) => !others.includes(one))];
  // All in one run, so that they share their passes.
  const tables = first.length === 0 ? [] : await compute(first);
  return rows.map(({ asked: one, score, values, follows }) => {
    if (!follows) return one;
    const found =
      follows.score === INFLUENCE
        ? influenceOf(options, score)
        : importance(
            tables.findLast((made) => made.score === follows.score),
            follows.score,
            score,
          );
    return { ...one, options: { ...one.options, [follows.fills]: score.chosen!(found, values) } };
  });
}

/**
 * What a score that follows another one is refused for before either is made.
 * @throws LayerifError `badRequest`
 */
export function requireFollowable(asked: readonly AskedScore[], scoresAlone: boolean): void {
  for (const one of asked) {
    const score = findScore(one.id);
    const follows = score.follows?.(optionValues(score, one.options)) ?? null;
    if (follows === null) continue;
    if (follows.score !== INFLUENCE) findScore(follows.score);
    else if (scoresAlone) throw noInfluence(score, 'them');
  }
}

function noInfluence({ id: by }: Score, beside: string): LayerifError {
  return new LayerifError(
    'badRequest',
    `score ${by} cannot follow influence: there is no complete result beside ${beside}; add a section score and run it first`,
  );
}

const INFLUENCE = 'influence';

function importance(table: ScoreTable | undefined, id: string, { id: by }: Score): (number | null)[] {
  const values = table && (table.subject === 'layer' ? table.values : table.layers?.values);
  if (!values) {
    const why = table
      ? `it is about a ${table.subject.replace('_', ' ')}, not about layers`
      : 'it could not be computed';
    throw new LayerifError('badRequest', `score ${by} cannot follow ${id}: ${why}; name another score`);
  }
  return values.map((value) => (value === null || table.higherMeans !== 'remove' ? value : -value));
}

/** Of the first task of the result beside which the scores stand. */
function influenceOf({ scoresFile }: { scoresFile: string }, by: Score): (number | null)[] {
  const resultFile = scoresFile.replace(SCORES_SUFFIX, RESULT_SUFFIX);
  const found = influenceMembers(resultFile);
  if (!found) throw noInfluence(by, scoresFile);
  return nth(found.members, 0).values;
}
