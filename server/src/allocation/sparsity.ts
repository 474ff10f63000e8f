/** Sparsity by layer or by matrix, with or without a structure N:M, as an allocation. */
import { LayerifError } from '../../../protocol/errors.ts';
import type { AllocatedLayer, AllocationRequest } from '../../../protocol/allocation.ts';
import { parametersOf, type AllocationInput } from './layers.ts';
import { achieved, CAP, requireRatio } from './bounds.ts';
import { percent } from './countText.ts';
import { readStructure, roundToGroups } from './groups.ts';
import { sum } from './rounding.ts';
import { termsAt } from './terms.ts';
import type { SparsityInput, SparsityRule } from './types.ts';
import { nth } from '../lists/nth.ts';
import { take } from '../lists/take.ts';

interface SparsityAllocation {
  settings: Omit<AllocationRequest, 'kind'>;
  layers: AllocatedLayer[];
  /** Share of all prunable weights that is removed. */
  total: number;
  notes: string[];
}

/** @throws LayerifError `badRequest` */
export function allocateSparsity(
  request: AllocationRequest,
  rule: SparsityRule,
  input: AllocationInput,
): SparsityAllocation {
  const structureText = request.structure ?? 'unstructured';
  const structure = readStructure(structureText);
  const fixed = structure && structure.zeros / structure.of;
  const ratio = request.ratio ?? fixed ?? 0.5;
  if (fixed !== null && Math.abs(fixed - ratio) > 1e-9) {
    throw new LayerifError(
      'badRequest',
      `structure ${structureText} removes ${percent(fixed)}, not the ratio ${ratio}: leave the ratio out, or choose another N:M`,
    );
  }
  requireRatio(ratio);
  const settings = {
    ratio,
    structure: structureText,
    unit: request.unit ?? ('block' as const),
    paper: request.paper ?? false,
    ...(rule.epsilon === null ? {} : { epsilon: request.epsilon ?? rule.epsilon }),
    ...(rule.lambda === null ? {} : { lambda: request.lambda ?? rule.lambda }),
  };
  const items = settings.unit === 'block' ? blockItems(input) : matrixItems(input, rule);
  const map = rule.map({
    ...items,
    ratio,
    epsilon: settings.epsilon ?? 0,
    lambda: settings.lambda ?? 0,
    paper: settings.paper,
  });
  const zeros = structure && roundToGroups(map.sparsity, items.weights, structure.of);
  const sparsity = zeros && structure ? zeros.map((count) => count / structure.of) : map.sparsity;
  const total = achieved(sparsity, items.weights);

  const layers = input.layers.map((layer, l): AllocatedLayer => {
    const own = items.ofLayer(l);
    const parameters = parametersOf(layer);
    const [first] = take(own, 1);
    const lost = nth(sparsity, first);
    const value = own.length === 1 ? lost : sum(own.map((i) => nth(sparsity, i) * nth(items.weights, i))) / parameters;
    const group = zeros && structure && own.length === 1 ? { zeros: nth(zeros, first), of: structure.of } : null;
    const why =
      own.length === 1
        ? `because ${map.because(first)}${group ? `; ${percent(nth(map.sparsity, first))} become ${group.zeros} of every ${group.of} weights` : ''}`
        : `over its ${own.length} matrices; of these ${nth(layer.modules, 0).name} loses ${percent(lost)} because ${map.because(first)}`;
    return {
      index: layer.index,
      name: layer.name,
      score: rule.needs === null ? null : nth(input.values, l),
      value,
      parameters,
      ...(own.length > 1
        ? { modules: Object.fromEntries(own.map((i, m) => [nth(layer.modules, m).name, nth(sparsity, i)])) }
        : {}),
      ...(group ? { group } : {}),
      ...(map.terms && own.length === 1 ? { terms: termsAt(map.terms, first) } : {}),
      why: `Layer ${layer.index} loses ${percent(value)} ${why}.`,
    };
  });
  return { settings, layers, total, notes: [...map.notes, ...boundNotes(), ...structureNotes()] };

  function boundNotes(): string[] {
    if (map.atBound.length === 0) return [];
    const unit = settings.unit === 'block' ? 'layers' : 'matrices';
    const where = `${map.atBound.length} of ${items.weights.length} ${unit} are at a bound (0 or the cap ${CAP})`;
    if (settings.paper)
      return [
        `${where}; as in the reference code the others do not make up for it: ${percent(achieved(map.sparsity, items.weights))} are removed, not ${percent(ratio)}`,
      ];
    return [`${where}; the others take over what they cannot lose`];
  }

  function structureNotes(): string[] {
    if (!structure || !zeros) return [];
    const varies = new Set(zeros).size > 1;
    const exact = `exactly ${(100 * total).toFixed(4)} % of the weights are removed`;
    return [varies ? `${exact}; hardware speeds up 2:4 in every layer alike, which a map that varies gives up` : exact];
  }
}

type Items = Pick<SparsityInput, 'values' | 'weights' | 'series'> & { ofLayer(layer: number): number[] };

function blockItems({ layers, values }: AllocationInput): Items {
  return { values, weights: layers.map(parametersOf), series: [layers.map((_, l) => l)], ofLayer: (l) => [l] };
}

/** Items in layer order; a series follows one module through the layers. */
function matrixItems({ layers, matrixValues }: AllocationInput, rule: SparsityRule): Items {
  if (!matrixValues && rule.needs !== null) {
    throw new LayerifError('badRequest', `rule ${rule.id} has no value for every matrix: use --unit block`);
  }
  const starts = layers.map((_, l) => sum(layers.slice(0, l).map((layer) => layer.modules.length)));
  const series = new Map<string, number[]>();
  layers.forEach((layer, l) =>
    layer.modules.forEach(({ name }, m) => series.set(name, [...(series.get(name) ?? []), nth(starts, l) + m])),
  );
  const values = layers.flatMap((layer, l) => layer.modules.map((_, m) => matrixValues?.[l]?.[m] ?? 0));
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0)
    throw new LayerifError('badRequest', `a matrix has the value ${String(values[bad])}, not a number to allocate by`);
  return {
    values,
    weights: layers.flatMap((layer) => layer.modules.map((m) => m.rows * m.columns)),
    series: [...series.values()],
    ofLayer: (l) => nth(layers, l).modules.map((_, m) => nth(starts, l) + m),
  };
}
