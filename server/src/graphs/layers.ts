/**
 * Layers of a graph: by `model.layers_pattern`, else by the first pattern of `names.ts` that finds some, else by
 * repetition, for graphs whose names tell nothing: the longest stretch in which the same sequence of weights comes
 * again and again.
 */
import { layerIn, layerPatterns, userPattern } from './names.ts';
import type { GraphLayer, GraphModule } from './types.ts';
import { nth } from '../lists/nth.ts';

export interface FoundLayers {
  layers: GraphLayer[];
  /** Modules outside of the layers, such as the head. */
  rest: GraphModule[];
  /** How they were found, for people. */
  how: string;
}

/** @throws Error naming what was looked for and some of the names that are there */
export function layersOf(modules: readonly GraphModule[], pattern?: string): FoundLayers {
  if (pattern !== undefined) {
    const found = byPattern(modules, userPattern(pattern), `model.layers_pattern ${JSON.stringify(pattern)}`);
    if (found) return found;
    throw new Error(
      `model.layers_pattern ${JSON.stringify(pattern)} matches none of the ${modules.length} matrices and kernels of the graph, such as ${examples(modules)}`,
    );
  }
  for (const { pattern: regular, example } of layerPatterns) {
    const found = byPattern(modules, regular, `names such as ${example}`);
    if (found) return found;
  }
  const repeated = byRepetition(modules);
  if (repeated) return repeated;
  if (modules.length === 0)
    throw new Error('the graph has no MatMul, Gemm or Conv with a constant weight, so nothing can be scored');
  throw new Error(
    `no layers were found in the names of the matrices and kernels (${examples(modules)}), nor by repetition; say how layers are called with model.layers_pattern, such as "encoder.layer.{}"`,
  );
}

function examples(modules: readonly GraphModule[]): string {
  const names = modules.map(({ path }) => path).filter((path) => path !== '');
  return [...names.slice(0, 3), ...(names.length > 3 ? ['...'] : [])].join(', ') || 'without names';
}

function byPattern(modules: readonly GraphModule[], pattern: RegExp, how: string): FoundLayers | null {
  const layers = new Map<string, GraphLayer>();
  const rest: GraphModule[] = [];
  for (const module of modules) {
    const name = layerIn(module.path, pattern);
    if (name === null) {
      rest.push(module);
      continue;
    }
    const layer = layers.get(name) ?? { name, modules: [] };
    layers.set(name, layer);
    // A layer that is a single module has its weight directly below it.
    layer.modules.push({ name: module.path.slice(name.length + 1) || 'self', module });
  }
  return layers.size === 0 ? null : { layers: [...layers.values()], rest, how };
}

/** At least two equal stretches of weights, one after the other. */
export function byRepetition(modules: readonly GraphModule[]): FoundLayers | null {
  const signs = modules.map(
    ({ rows, columns, groups, uses }) => `${nth(uses, 0).node.op} ${rows}x${columns}/${groups}`,
  );
  let best = { covered: 0, period: 0, start: 0, count: 0 };
  for (let period = 1; period <= signs.length / 2; period++) {
    for (let start = 0; start + 2 * period <= signs.length; start++) {
      let end = start + period;
      while (end < signs.length && signs[end] === signs[end - period]) end++;
      const count = Math.floor((end - start) / period);
      // Stretches of one matrix are no layers where longer ones cover as much.
      if (count >= 2 && count * period > best.covered) best = { covered: count * period, period, start, count };
    }
  }
  if (best.count < 2) return null;
  const layers = Array.from({ length: best.count }, (_, index): GraphLayer => {
    const first = best.start + index * best.period;
    const own = modules.slice(first, first + best.period);
    return { name: `layers.${index}`, modules: own.map((module, i) => ({ name: moduleName(module, i), module })) };
  });
  const rest = modules.filter((_, i) => i < best.start || i >= best.start + best.covered);
  return { layers, rest, how: `${best.count} repetitions of ${best.period} weights` };
}

function moduleName({ path, uses }: GraphModule, index: number): string {
  const op = nth(uses, 0)
    .node.op.slice(nth(uses, 0).node.op.lastIndexOf('.') + 1)
    .toLowerCase();
  return path === '' || /^\.?\d*$/.test(path) ? `${op}_${index}` : `${path.split('.').at(-1)}_${index}`;
}
