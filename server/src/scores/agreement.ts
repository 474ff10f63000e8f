/**
 * Agreement: rank correlations between all scores of a run that give each layer a value, influence among them. Scores
 * that speak for removal where they are high are turned over, so that 1 always means the same order of importance. They
 * are grouped by the question that they answer; low agreement between two questions is no fault of either. `layer_drop`
 * is measured and not estimated: what the others are judged by.
 *
 * Intervals resample the texts, on which the scores are averages, and not the layers, which are not drawn from
 * anything. A score that has no values by text (weights alone, or one that was measured on all texts at once) keeps its
 * value.
 */
import { questionWords } from '../../../protocol/scores.ts';
import type { Question } from '../../../protocol/scores.ts';
import type { Random } from '../random/random.ts';
import { resample } from '../statistics/bootstrap.ts';
import { percentileInterval } from '../statistics/intervals.ts';
import { kendall } from '../statistics/kendall.ts';
import { spearman } from '../statistics/rankCorrelation.ts';
import { defineScore } from './types.ts';
import type { Member, ScoreNumbers } from './types.ts';
import { nth } from '../lists/nth.ts';

const LEVEL = 0.9;
const REPLICATES = 200;
/** The score that is measured. */
const TRUTH = 'layer_drop';

export const agreement = defineScore({
  id: 'agreement',
  version: 1,
  title: 'Agreement of the scores',
  question: 'explain',
  subject: 'run',
  unit: '',
  higherMeans: null,
  formula: 'rank correlation over the layers of each two scores, turned so that high means important',
  source: 'Spearman 1904; intervals resample texts',
  status: 'published',
  options: {
    measure: {
      type: 'choice',
      default: 'spearman',
      choices: ['spearman', 'kendall'],
      words: 'Which rank correlation: of Spearman (rho) or of Kendall (tau-b).',
    },
    without_ends: {
      type: 'flag',
      default: false,
      words: 'Leave out the first and the last layer, which most scores agree about and which lift every correlation.',
    },
  },
  needs: () => ({}),
  score: () => {
    throw new Error('agreement is made of tables, not of observations');
  },
  among: (members, { measure, without_ends }, { random }) =>
    agreementOf(members, {
      correlation: measure === 'kendall' ? kendall : spearman,
      withoutEnds: without_ends,
      random,
    }),
});

function agreementOf(
  given: readonly Member[],
  { correlation, withoutEnds, random }: { correlation: typeof spearman; withoutEnds: boolean; random: Random },
): ScoreNumbers {
  const questions = Object.keys(questionWords);
  const members = [...given].sort((a, b) => questions.indexOf(a.question) - questions.indexOf(b.question));
  const labels = members.map(({ label }) => label);
  const axes = ['score', 'other score'].map((name) => ({
    name,
    labels,
    groups: members.map(({ question }) => questionWords[question]),
  }));
  const between = (all: readonly (readonly (number | null)[])[]) => {
    const size = all.length;
    const found = new Array<number | null>(size * size).fill(null);
    for (let a = 0; a < size; a++) {
      for (let b = 0; b <= a; b++)
        found[a * size + b] = found[b * size + a] = over(nth(all, a), nth(all, b), correlation, withoutEnds);
    }
    return found;
  };
  const values = between(members.map(({ values: own }) => own));
  const scatter = members.some(({ drawn }) => drawn);
  const replicates = Array.from({ length: scatter ? REPLICATES : 0 }, () => {
    const drawnTexts = new Map<string, Int32Array>();
    return between(
      members.map(({ drawn, values: own, texts, count }) => {
        if (!drawn || texts === null) return own;
        if (!drawnTexts.has(texts)) drawnTexts.set(texts, resample(count, random));
        return drawn(drawnTexts.get(texts)!);
      }),
    );
  });
  const moves = (at: number) =>
    nth(members, Math.floor(at / members.length)).drawn ?? nth(members, at % members.length).drawn;
  const intervals = values.map((value, at) => {
    const own = Math.floor(at / members.length) === at % members.length;
    if (value === null || own || !moves(at)) return null;
    return percentileInterval(
      replicates.map((found) => nth(found, at)),
      LEVEL,
    );
  });
  return {
    axes,
    values,
    ...(scatter ? { intervals, level: LEVEL } : {}),
    notes: notesOf(members, values, intervals, withoutEnds),
  };
}

/** Over the layers where both have a value; null for fewer than three, or equal values alone. */
function over(
  a: readonly (number | null)[],
  b: readonly (number | null)[],
  correlation: typeof spearman,
  withoutEnds: boolean,
): number | null {
  const layers = a
    .map((_, layer) => layer)
    .slice(...(withoutEnds ? [1, -1] : []))
    .filter((layer) => a[layer] !== null && b[layer] !== null);
  if (layers.length < 3) return null;
  return correlation(
    layers.map((layer) => a[layer]!),
    layers.map((layer) => b[layer]!),
  );
}

function notesOf(
  members: readonly Member[],
  values: readonly (number | null)[],
  intervals: readonly ([number, number] | null)[],
  withoutEnds: boolean,
): string[] {
  const notes: string[] = [];
  const truth = members.findIndex(({ score }) => score === TRUTH);
  if (truth < 0) {
    notes.push(`Nothing here is measured: add ${TRUTH} to see which of the scores tell what removal does.`);
  } else {
    for (const question of [...new Set(members.map((member) => member.question))] as Question[]) {
      const others = members
        .map((member, index) => ({ ...member, at: index * members.length + truth, index }))
        .filter(({ index, question: asked }) => index !== truth && asked === question)
        .sort((a, b) => (values[b.at] ?? -2) - (values[a.at] ?? -2));
      if (others.length === 0) continue;
      const words = others.map(({ label, at }) => {
        const [value, interval] = [nth(values, at), intervals[at]];
        if (value === null) return `${label} undefined`;
        return `${label} ${value.toFixed(2)}${interval ? ` [${interval[0].toFixed(2)}, ${interval[1].toFixed(2)}]` : ''}`;
      });
      notes.push(
        `With ${nth(members, truth).label}, which is measured; ${questionWords[question]}: ${words.join(', ')}.`,
      );
    }
  }
  const fixed = members.filter(({ drawn }) => !drawn).map(({ label }) => label);
  if (fixed.length > 0 && fixed.length < members.length)
    notes.push(`Not resampled, for they have no values by text: ${fixed.join(', ')}.`);
  const turned = members.filter(({ turned: was }) => was).map(({ label }) => label);
  if (turned.length > 0) notes.push(`Turned over, for a high value speaks for removal: ${turned.join(', ')}.`);
  const layers = (members[0]?.values.length ?? 0) - (withoutEnds ? 2 : 0);
  notes.push(
    `${layers} layers${withoutEnds ? ', without the first and the last' : ''}. Texts are drawn again for the intervals, layers are not.`,
  );
  if (members.length < 2) notes.push('Fewer than two scores give each layer a value, so there is nothing to compare.');
  return notes;
}
