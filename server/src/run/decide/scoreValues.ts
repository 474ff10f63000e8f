/** From a table of a layer score to what a rule allocates by: its direction, its question, what is undefined. */
import type { Allocation, AllocationKind, AllocationRequest } from '../../../../protocol/allocation.ts';
import { LayerifError } from '../../../../protocol/errors.ts';
import { questionWords } from '../../../../protocol/scores.ts';
import type { Question, ScoreTable } from '../../../../protocol/scores.ts';
import { defaultRule } from '../../allocation/allocate.ts';
import type { AllocationInput, LayerInput } from '../../allocation/layers.ts';
import { layerWords } from '../../scores/types.ts';
import { nth } from '../../lists/nth.ts';
import { lookup } from '../../text/lookup.ts';

export type LayerValues = Pick<AllocationInput, 'values' | 'matrixValues' | 'quantity'> & {
  words: string[];
  /** The rule that does what is asked along this score, and how the allocation calls it. */
  along?: { rule: string; said: Pick<Allocation, 'rule' | 'ruleTitle'> };
};

/**
 * Sparsity along a score in place of influence: layers that it speaks for keeping lose less; the rule `reversed` is the
 * control against it.
 */
function sparsityAlong(
  higherMeans: NonNullable<ScoreTable['higherMeans']>,
  { rule = defaultRule.sparsity }: AllocationRequest,
): LayerValues['along'] {
  const heeded = rule !== 'reversed';
  const more = (higherMeans === 'remove') === heeded;
  return {
    rule: more ? 'layerif' : 'reversed',
    said: {
      rule,
      ruleTitle: `sparsity is ${heeded ? 'lower' : 'higher'} where the score speaks for keeping, in the form of LayerIF's map (arXiv 2505.23811)`,
    },
  };
}

export const aboutOthers = (id: string, subject: string) =>
  `score ${id} is about a ${subject.replace('_', ' ')}, not about layers: nothing can be shared out by it`;

/**
 * One value a layer: of a table with a value for each module, the mean over the modules that are allocated.
 * @param high whether the rule gives more, or prunes less, where the value is high, whatever the score's own direction
 *   is
 */
export function scoreValues(
  table: ScoreTable,
  layers: readonly LayerInput[],
  high: boolean,
  request: AllocationRequest,
): LayerValues {
  const { kind } = request;
  const { parts = {}, title } = table;
  const { values, higherMeans } = ofLayers(table);
  const byModule = layers.every(({ modules }) => modules.every(({ name }) => name in parts));
  const matrixValues = byModule
    ? layers.map(({ index, modules }) => modules.map(({ name }) => lookup(parts, name)?.[index] ?? NaN))
    : undefined;
  const own = layers.map(({ index }, l) => {
    if (!matrixValues) return values[index] ?? NaN;
    const known = nth(matrixValues, l).filter(Number.isFinite);
    return known.reduce((a, b) => a + b, 0) / known.length;
  });
  if (!high) return { values: own, matrixValues, words: [] };
  // The layer's own value, not the mean of its modules': of shares and sums these are two things.
  layers.forEach(({ index }, l) => (own[l] = values[index] ?? NaN));
  const undefinedAt = layers.filter((_, l) => !Number.isFinite(own[l])).map(({ index }) => index);
  if (undefinedAt.length > 0) {
    throw new LayerifError(
      'badRequest',
      `${title} is undefined for ${layerWords(undefinedAt)}${table.notes.length > 0 ? ` (${table.notes.at(-1)})` : ''}: nothing can be shared out by it; take another score or other options`,
    );
  }
  if (higherMeans === null) {
    throw new LayerifError(
      'badRequest',
      `${title} says of no layer that it matters more: nothing can be shared out by it`,
    );
  }
  const from = table.texts === null ? '' : `, on ${table.texts}`;
  const fits = questionsOf[kind].includes(table.question)
    ? []
    : [
        `${title} tells ${questionWords[table.question]}, which is another question than ${questionsOf[kind].map((question) => questionWords[question]).join(' or ')}`,
      ];
  const words = [`by ${title}${from}`, ...fits];
  if (kind === 'sparsity') return { values: own, quantity: title, words, along: sparsityAlong(higherMeans, request) };
  if (higherMeans === 'keep') return { values: own, matrixValues, quantity: title, words };
  const top = Math.max(...own) + Math.min(...own);
  return {
    values: own.map((value) => top - value),
    quantity: `${title}, turned over`,
    words: [
      `by ${title}${from}; high values speak for removing a layer, so they are turned over between their ends`,
      ...fits,
    ],
  };
}

/**
 * A table's one value a layer, and what a high one speaks for; of a table of pairs what it says of layers, where a high
 * value is one of a layer that changes much.
 * @throws LayerifError `badRequest` for a table that says nothing of layers
 */
function ofLayers(table: ScoreTable): Pick<ScoreTable, 'values' | 'higherMeans'> {
  const { subject, values, higherMeans, layers, score } = table;
  if (subject === 'layer') return { values, higherMeans };
  if (!layers) throw new LayerifError('badRequest', aboutOthers(score, subject));
  return { values: layers.values, higherMeans: higherMeans ?? 'keep' };
}

/** What a score has to tell for each kind of allocation. */
const questionsOf: Record<AllocationKind, readonly Question[]> = {
  experts: ['place_adapters'],
  rank: ['place_adapters'],
  tune: ['place_adapters'],
  freeze: ['place_adapters', 'remove_block'],
  drop: ['remove_block'],
  sparsity: ['prune_weights'],
};
