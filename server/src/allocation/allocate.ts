/**
 * A request and one value per layer in, an allocation out: one function per kind in the table at the end. Pure; what a
 * rule looks at (influence, another score) is brought along by `run/decide/allocate.ts`.
 */
import { LayerifError } from '../../../protocol/errors.ts';
import type { AllocatedLayer, Allocation, AllocationKind, AllocationRequest } from '../../../protocol/allocation.ts';
import { countRule } from './countRules.ts';
import { short } from './countText.ts';
import { chooseLayers } from './layerChoice.ts';
import { parametersOf, rankCost, type AllocationInput, type LayerInput } from './layers.ts';
import { ranksWithin } from './rankBudget.ts';
import { sum } from './rounding.ts';
import { allocateSparsity } from './sparsity.ts';
import { sparsityRule } from './sparsityRules.ts';
import { termsAt } from './terms.ts';
import { BEFORE_ROUNDING } from './types.ts';
import type { Counts, Need } from './types.ts';
import { lookup } from '../text/lookup.ts';
import { nth } from '../lists/nth.ts';

/** What is computed here; who asked and from which file is added by `run`. */
export type BareAllocation = Omit<Allocation, 'format' | 'version' | 'provenance'>;

export const defaultRule: Record<AllocationKind, string> = {
  experts: 'layerif',
  rank: 'layerif',
  freeze: 'layerif',
  tune: 'layerif',
  drop: 'layerif',
  sparsity: 'layerif',
};

/** What has to be brought along for a request. @throws LayerifError `badRequest` for an unknown rule */
export function needOf({ kind, rule = defaultRule[kind] }: AllocationRequest): Need {
  if (kind === 'sparsity') return sparsityRule(rule).needs;
  return kind === 'experts' || kind === 'rank' ? countRule(rule).needs : choiceNeed(rule);
}

/**
 * @throws LayerifError `badRequest` for values that no allocation can follow: a total below the minimum of every layer,
 *   an epsilon outside 0..1, a ratio above the cap, a count of all layers, scores that are negative where powers are
 *   taken
 */
export function allocate(request: AllocationRequest, input: AllocationInput): BareAllocation {
  const need = needOf(request);
  const bad = need === null ? -1 : input.values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0 || input.values.length !== input.layers.length) {
    const what = need === null ? 'value' : quantityOf(need, input);
    throw new LayerifError(
      'badRequest',
      bad >= 0
        ? `the ${what} of layer ${bad} is ${String(input.values[bad])}, not a number to allocate by`
        : `${input.values.length} values of ${what} for ${input.layers.length} layers: one is needed for each`,
    );
  }
  return byKind[request.kind](request, input);
}

const quantities: Record<string, string> = {
  scores: 'score',
  alpha_hill: 'tail exponent',
  owl: 'outlier ratio in %',
};

/** What a need's values are called. */
function quantityOf(need: string, { quantity }: Pick<AllocationInput, 'quantity'>): string {
  return quantity ?? lookup(quantities, need) ?? need;
}

function experts(request: AllocationRequest, input: AllocationInput): BareAllocation {
  const rule = countRule(request.rule ?? defaultRule.experts);
  const settings = {
    ...common(request, rule.id),
    total: request.total ?? 5 * input.layers.length,
    minimum: wholeNumber('minimum', request.minimum ?? 1, 0),
    topK: wholeNumber('top-k', request.topK ?? 2, 1),
    ...(rule.beta === null ? {} : { beta: positive('beta', request.beta ?? rule.beta) }),
    ...(rule.id === 'random' ? { seed: request.seed ?? 0 } : {}),
  };
  const counts = rule.allocate({
    values: input.values,
    total: settings.total,
    minimum: settings.minimum,
    beta: settings.beta ?? 1,
    seed: settings.seed ?? 0,
    noun: ['expert', 'experts'],
  });
  const layers = input.layers.map((layer, l) => {
    const value = nth(counts.counts, l);
    const gets = `Layer ${layer.index} gets ${value} ${value === 1 ? 'expert' : 'experts'}`;
    return {
      ...row(layer, rule.needs, nth(input.values, l), value),
      topK: Math.min(settings.topK, value),
      ...termsOf(counts, l),
      why: `${gets} because ${counts.because(l)}.`,
    };
  });
  return {
    ...head(request, rule, settings, input),
    total: sum(counts.counts),
    layers,
    notes: [...counts.notes, ...orderNotes(counts.counts, input, rule.needs)],
  };
}

function rank(request: AllocationRequest, input: AllocationInput): BareAllocation {
  const rule = countRule(request.rule ?? defaultRule.rank);
  const step = wholeNumber('step', request.step ?? 1, 1);
  const minimum = wholeNumber('minimum', request.minimum ?? step, 0);
  const { budget } = request;
  const multiples = { minimum, ...(budget === undefined ? { total: request.total ?? 8 * input.layers.length } : {}) };
  for (const [name, value] of Object.entries(multiples)) {
    if (value % step !== 0)
      throw new LayerifError(
        'badRequest',
        `${name} ${value} is no multiple of the step ${step}: use ${Math.round(value / step) * step}`,
      );
  }
  if (budget !== undefined && request.total !== undefined)
    throw new LayerifError(
      'badRequest',
      'a total of ranks and a budget of weights exclude each other: give one of --total and --budget',
    );
  if (budget !== undefined && rule.id.startsWith('mola'))
    throw new LayerifError(
      'badRequest',
      `rule ${rule.id} sets the ranks by itself: a budget needs a rule that shares out a total, such as layerif or uniform`,
    );
  const settings = {
    ...common(request, rule.id),
    ...multiples,
    step,
    ...(budget === undefined ? {} : { budget: wholeNumber('budget', budget, 1) }),
    ...(rule.beta === null ? {} : { beta: positive('beta', request.beta ?? rule.beta) }),
    ...(rule.id === 'random' ? { seed: request.seed ?? 0 } : {}),
  };
  const noun: [string, string] = step === 1 ? ['rank', 'ranks'] : [`step of rank ${step}`, `steps of rank ${step}`];
  const unitsOf = (total: number): Counts =>
    rule.allocate({
      values: input.values,
      total,
      minimum: minimum / step,
      beta: settings.beta ?? 1,
      seed: settings.seed ?? 0,
      noun,
    });
  const costs = input.layers.map(rankCost);
  const notes: string[] = [];
  let units: Counts;
  if (budget === undefined) units = unitsOf(settings.total! / step);
  else {
    const { ranks } = ranksWithin(budget, costs, minimum / step, step, (total) =>
      unitsOf(total).counts.map((count) => count * step),
    );
    units = unitsOf(sum(ranks) / step);
  }
  const ranks = units.counts.map((count) => count * step);
  const spent = sum(ranks.map((value, l) => value * nth(costs, l)));
  notes.push(
    budget === undefined
      ? `the adapters have ${spent} trainable weights`
      : `the adapters have ${spent} trainable weights; ${budget - spent} of the budget stay unused, less than one more ${noun[0]} would take by this rule`,
  );
  const layers = input.layers.map((layer, l) => ({
    ...row(layer, rule.needs, nth(input.values, l), nth(ranks, l)),
    ...termsOf(units, l, step),
    why: `Layer ${layer.index} gets rank ${ranks[l]} because ${units.because(l)}.`,
  }));
  return {
    ...head(request, rule, settings, input),
    total: sum(ranks),
    layers,
    notes: [...notes, ...units.notes, ...orderNotes(ranks, input, rule.needs)],
  };
}

/** freeze, tune, drop: the layers with the highest or the lowest scores. */
function choice(
  kind: 'freeze' | 'tune' | 'drop',
): (request: AllocationRequest, input: AllocationInput) => BareAllocation {
  const which = kind === 'tune' ? 'highest' : 'lowest';
  const word = { freeze: 'frozen', tune: 'tuned', drop: 'dropped' }[kind];
  const fallback = { freeze: 0.5, tune: 0.5, drop: 0.2 }[kind];
  return (request, input) => {
    const rule = request.rule ?? defaultRule[kind];
    const total = input.layers.length;
    const count = request.count ?? Math.max(1, Math.round(fallback * total));
    const { chosen, rank: ranks } = chooseLayers(input.values, count, which);
    const cut = which === 'highest' ? count : total - count;
    const layers = input.layers.map((layer, l) => ({
      ...row(layer, 'scores', nth(input.values, l), nth(chosen, l)),
      why: `Layer ${layer.index} is ${chosen[l] ? '' : 'not '}${word} because its score ${short(nth(input.values, l))} is number ${ranks[l]} of ${total}, and numbers ${which === 'highest' ? `1 to ${cut}` : `${cut + 1} to ${total}`} are ${word}.`,
    }));
    return {
      kind,
      rule,
      ruleTitle: `the ${count} layers with the ${which} scores`,
      quantity: { name: quantityOf('scores', input), higherMeansMore: which === 'highest' },
      settings: { ...common(request, rule), count },
      total: count,
      layers,
      notes:
        kind === 'drop'
          ? [
              'a low score says that this data would hardly change the layer, not that the model works without it: evaluate the model before you use it',
            ]
          : [],
    };
  };
}

function choiceNeed(rule: string): Need {
  if (rule === 'layerif') return 'scores';
  throw new LayerifError(
    'badRequest',
    `rule "${rule}" chooses no layers: freeze, tune and drop follow the scores (rule layerif)`,
  );
}

function sparsity(request: AllocationRequest, input: AllocationInput): BareAllocation {
  const rule = sparsityRule(request.rule ?? defaultRule.sparsity);
  const { settings, layers, total, notes } = allocateSparsity(request, rule, input);
  return { ...head(request, rule, { ...common(request, rule.id), ...settings }, input), total, layers, notes };
}

const byKind: Record<AllocationKind, (request: AllocationRequest, input: AllocationInput) => BareAllocation> = {
  experts,
  rank,
  freeze: choice('freeze'),
  tune: choice('tune'),
  drop: choice('drop'),
  sparsity,
};

function common({ kind, by, aggregation, fit }: AllocationRequest, rule: string): AllocationRequest {
  return { kind, rule, ...(by ? { by } : {}), ...(aggregation ? { aggregation } : {}), ...(fit ? { fit } : {}) };
}

function head(
  { kind }: AllocationRequest,
  rule: { id: string; title: string; formula: string; source: string; needs: Need; higherMeansMore?: boolean },
  settings: AllocationRequest,
  input: AllocationInput,
): Pick<BareAllocation, 'kind' | 'rule' | 'ruleTitle' | 'formula' | 'quantity' | 'settings'> {
  const quantity = rule.needs && { name: quantityOf(rule.needs, input), higherMeansMore: rule.higherMeansMore ?? true };
  const { id, title, formula, source } = rule;
  return { kind, rule: id, ruleTitle: `${title} (${source})`, formula, quantity, settings };
}

/** @param step ranks in one unit of what is counted: a count before rounding is given in ranks */
function termsOf({ terms }: Counts, layer: number, step = 1): Pick<AllocatedLayer, 'terms'> {
  return terms
    ? { terms: termsAt(terms, layer, (name, value) => (name === BEFORE_ROUNDING ? value * step : value)) }
    : {};
}

function row(layer: LayerInput, need: Need, value: number, given: number): Omit<AllocatedLayer, 'why'> {
  return {
    index: layer.index,
    name: layer.name,
    score: need === null ? null : value,
    value: given,
    parameters: parametersOf(layer),
  };
}

/** AlphaLoRA's repair loop can give less to a layer with more; that is said, not hidden. */
function orderNotes(given: readonly number[], input: AllocationInput, need: Need): string[] {
  const { layers, values } = input;
  if (need === null) return [];
  const byValue = values.map((_, i) => i).sort((a, b) => nth(values, a) - nth(values, b));
  for (const [k, high] of byValue.slice(1).entries()) {
    const low = nth(byValue, k);
    if (nth(values, high) > nth(values, low) && nth(given, high) < nth(given, low))
      return [
        `layer ${nth(layers, high).index} gets less than layer ${nth(layers, low).index} although its ${quantityOf(need, input)} is higher: the rule's repair loop does that`,
      ];
  }
  return [];
}

export function wholeNumber(name: string, value: number, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new LayerifError('badRequest', `${name} ${value} is not possible: use a whole number from ${least}`);
}

export function positive(name: string, value: number): number {
  if (value > 0 && Number.isFinite(value)) return value;
  throw new LayerifError('badRequest', `${name} ${value} is not possible: use a number above 0`);
}
