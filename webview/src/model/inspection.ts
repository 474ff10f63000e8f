/** An inspected model as the rows of its page: layers, kinds of modules, tensors that are not scored. */
import type { InspectedModel } from '../../../protocol/inspection.ts';

export interface LayerRow {
  index: number;
  name: string;
  modules: number;
  parameters: number;
  /** Of all weights that are scored, 0..1. */
  share: number;
}

export function layerRows({ layerNames, kinds, scoredParameters }: InspectedModel): LayerRow[] {
  const rows = kinds.flatMap(({ layers, modules }) => {
    const parameters = modules.reduce((sum, module) => sum + module.parameters, 0);
    const share = scoredParameters > 0 ? parameters / scoredParameters : 0;
    return layers.map((index) => ({ index, name: layerNames[index]!, modules: modules.length, parameters, share }));
  });
  return rows.sort((a, b) => a.index - b.index);
}

export interface ModuleRow {
  /** A `*` stands for the numbers in which `members` modules differ. */
  name: string;
  members: number;
  shape: [number, number];
  /** Of all members. */
  parameters: number;
}

/** As many are experts; a few are told apart by their names, which `score.modules` takes. */
const MANY = 8;

/** Experts, which differ in a number alone, share a row. */
export function moduleRows(modules: InspectedModel['kinds'][0]['modules']): ModuleRow[] {
  const groups = new Map<string, ModuleRow[]>();
  for (const { name, shape, parameters } of modules) {
    const key = `${patternOf(name)} ${shape.join()}`;
    groups.set(key, [...(groups.get(key) ?? []), { name, members: 1, shape, parameters }]);
  }
  return [...groups.values()].flatMap((members) => (members.length < MANY ? members : [together(members)]));
}

const patternOf = (name: string) => name.replace(/\.\d+(?=\.)/g, '.*');

function together(rows: ModuleRow[]): ModuleRow {
  const parameters = rows.reduce((sum, row) => sum + row.parameters, 0);
  return { ...rows[0]!, name: patternOf(rows[0]!.name), members: rows.length, parameters };
}

export interface UnscoredRow {
  /** A `*` stands for the layers' numbers. */
  name: string;
  members: number;
  shape: string;
  parameters: number;
}

/** The same tensor of every layer on one row; the largest first. */
export function unscoredRows({ unscored, layerNames }: InspectedModel): UnscoredRow[] {
  return tensorRows(unscored, layerNames);
}

/** Likewise. */
export function notReadRows({ notRead, layerNames }: InspectedModel): UnscoredRow[] {
  return tensorRows(notRead, layerNames);
}

function tensorRows(tensors: InspectedModel['unscored'], layerNames: readonly string[]): UnscoredRow[] {
  const groups = new Map<string, UnscoredRow>();
  for (const { name, shape } of tensors) {
    const layer = layerNames.find((prefix) => name.startsWith(`${prefix}.`));
    const pattern = layer === undefined ? name : `${layer.replace(/\d+$/, '*')}${name.slice(layer.length)}`;
    const words = shape.join(' \u00d7 ');
    const parameters = shape.reduce((a, b) => a * b, 1);
    const known = groups.get(`${pattern} ${words}`);
    groups.set(`${pattern} ${words}`, {
      name: known ? pattern : name,
      members: (known?.members ?? 0) + 1,
      shape: words,
      parameters: (known?.parameters ?? 0) + parameters,
    });
  }
  return [...groups.values()].sort((a, b) => b.parameters - a.parameters);
}

/** `0 to 3, 5`: numbers in order as ranges. */
export function ranges(numbers: readonly number[]): string {
  const parts: { from: number; to: number }[] = [];
  for (const number of numbers) {
    const last = parts.at(-1);
    if (last?.to === number - 1) last.to = number;
    else parts.push({ from: number, to: number });
  }
  return parts
    .map(({ from, to }) => (from === to ? `${from}` : to === from + 1 ? `${from}, ${to}` : `${from} to ${to}`))
    .join(', ');
}

/** What samples must bring, in words. */
export function inputWords({ graph }: InspectedModel): string {
  if (!graph) return 'tokens';
  const arrays = graph.arrays.map(({ name, shape }) => `${name} [${shape.join(', ')}]`);
  return [...(graph.tokens ? [graph.length === null ? 'tokens' : `${graph.length} tokens`] : []), ...arrays].join(', ');
}

export function lossWords({ graph }: InspectedModel): string {
  if (!graph || graph.task === 'causal') return 'cross-entropy of tokens';
  return graph.classes === null ? 'cross-entropy of classes' : `cross-entropy of ${graph.classes} classes`;
}
