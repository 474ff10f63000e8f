/**
 * Tensors of headers as layers and modules: a layer is what the first fitting pattern of a tensor's name finds, as in
 * users' graphs; tensors that differ in the numbers of layers or experts alone share a row.
 */
import type { HeaderLayer, HeaderTensors, ModelHeader } from '../../../../protocol/modelHeader.ts';
import { layerIn, layerPatterns } from '../../graphs/names.ts';
import { nth } from '../../lists/nth.ts';
import { cut, product } from './headerFormats.ts';
import type { FileHeader, HeaderTensor } from './headerFormats.ts';

/** Of a table; the largest models have 130 layers. */
const MOST_ROWS = 1000;
/** As many of one pattern in one layer are experts. */
const MANY = 8;

/** @param name of the file or the model */
export function headerOf(name: string, files: readonly FileHeader[]): ModelHeader {
  const tensors = files.flatMap((file) => file.tensors);
  const layerOf = layersIn(tensors.map((tensor) => tensor.name));
  const names = [...new Set(tensors.flatMap((tensor) => layerOf(tensor.name) ?? []))];
  const numeric = new Intl.Collator('en', { numeric: true });
  names.sort(numeric.compare);
  const index = new Map(names.map((layer, i) => [layer, i]));
  const ofLayer = names.map((): HeaderTensor[] => []);
  const outside: HeaderTensor[] = [];
  for (const tensor of tensors) (ofLayer[index.get(layerOf(tensor.name) ?? '') ?? -1] ?? outside).push(tensor);
  const stacks = new Set(names.map((layer) => layer.replace(/\d+$/, '*')));
  const modules = rowsOf(ofLayer.flat(), (tensor) => {
    const layer = layerOf(tensor.name)!;
    const below = tensor.name.slice(layer.length + 1) || 'self';
    const stack = layer.replace(/\d+$/, '*');
    return { name: stacks.size > 1 ? `${stack}.${below}` : below, layer: index.get(layer)! };
  });
  const others = rowsOf(outside, ({ name: own }) => ({ name: own, layer: null }));
  others.sort((a, b) => b.parameters - a.parameters);
  const metadata = files[0]?.metadata ?? [];
  const layers = names.map((layer, i) => ({ name: layer, ...sumOf(nth(ofLayer, i)) }));
  const hidden = [
    [layers.length, 'layers'],
    [modules.length, 'rows of modules'],
    [others.length, 'rows outside of the layers'],
    [metadata.length, 'metadata'],
  ] as const;
  return {
    name,
    format: nth(files, 0).format,
    version: nth(files, 0).version,
    files: files.map((file) => ({ name: file.name, bytes: file.bytes })),
    tensors: tensors.length,
    parameters: sumOf(tensors).parameters,
    types: typesOf(tensors),
    layers: layers.slice(0, MOST_ROWS),
    modules: modules.slice(0, MOST_ROWS),
    others: others.slice(0, MOST_ROWS),
    metadata: metadata.slice(0, MOST_ROWS).map(([key, value]) => ({ key: cut(key), value })),
    notes: [
      ...(files.length === 1 ? nth(files, 0).notes : []),
      ...hidden.flatMap(([count, what]) =>
        count > MOST_ROWS ? [`The first ${MOST_ROWS} of ${count} ${what} are shown.`] : [],
      ),
    ],
  };
}

/** The layer's part of a tensor's name, or null. A tensor has its own pattern: a model may hold several stacks. */
function layersIn(names: readonly string[]): (name: string) => string | null {
  const patterns = [...layerPatterns.map(({ pattern }) => pattern), GGUF_BLOCK];
  // The last pattern takes any number for a layer's.
  const strict = patterns.filter((pattern) => pattern !== layerPatterns.at(-1)!.pattern);
  const found = (list: readonly RegExp[]) => (name: string) => {
    for (const pattern of list) {
      const layer = layerIn(name, pattern);
      if (layer !== null) return layer;
    }
    return null;
  };
  const strictly = found(strict);
  const of = names.some((name) => strictly(name) !== null) ? strictly : found(patterns);
  const known = new Map(names.map((name) => [name, of(name)]));
  return (name) => known.get(name) ?? null;
}

/** Of architectures whose names have no others here; `v.blk` is a vision tower. */
const GGUF_BLOCK = /^(?:\w+\.)?blk\.\d+(?=\.)/;

interface Row {
  name: string;
  members: HeaderTensor[];
  layers: Set<number>;
}

/** Equal tensors of all layers on one row, experts of a layer too; in the order in which they come. */
function rowsOf(
  tensors: readonly HeaderTensor[],
  placeOf: (tensor: HeaderTensor) => { name: string; layer: number | null },
): HeaderTensors[] {
  const rows = new Map<string, Row>();
  for (const tensor of tensors) {
    const { name, layer } = placeOf(tensor);
    const key = JSON.stringify([name, tensor.type, tensor.shape]);
    const row = rows.get(key) ?? { members: [], name, layers: new Set() };
    rows.set(key, row);
    row.members.push(tensor);
    if (layer !== null) row.layers.add(layer);
  }
  const patterns = new Map<string, Row[]>();
  for (const row of rows.values()) {
    const { type, shape } = nth(row.members, 0);
    const key = JSON.stringify([patternOf(row.name), type, shape]);
    grouped(patterns, key).push(row);
  }
  const together = [...patterns.values()].flatMap((group) =>
    group.length < MANY
      ? group
      : [
          {
            name: patternOf(nth(group, 0).name),
            members: group.flatMap(({ members }) => members),
            layers: new Set(group.flatMap(({ layers }) => [...layers])),
          },
        ],
  );
  return together.map(({ name, members, layers }) => {
    const { type, shape } = nth(members, 0);
    const { parameters, bytes } = sumOf(members);
    const stored = new Set(members.map((one) => (members.length > 1 ? one.stored.replace(/\d+/g, '*') : one.stored)));
    const own = members.every((one) => one.stored === one.name) ? null : [...stored].slice(0, 3).join(', ');
    const inOrder = [...layers].sort((a, b) => a - b);
    return { name, stored: own, type, shape: [...shape], count: members.length, layers: inOrder, parameters, bytes };
  });
}

/** The list under a key, a new one where there is none. */
function grouped<T>(groups: Map<string, T[]>, key: string): T[] {
  const known = groups.get(key);
  if (known) return known;
  const made: T[] = [];
  groups.set(key, made);
  return made;
}

const patternOf = (name: string) => name.replace(/\.\d+(?=\.)/g, '.*');

function sumOf(tensors: readonly HeaderTensor[]): Omit<HeaderLayer, 'name'> {
  const bytes = tensors.reduce<number | null>(
    (sum, one) => (sum === null || one.bytes === null ? null : sum + one.bytes),
    0,
  );
  return {
    tensors: tensors.length,
    parameters: tensors.reduce((sum, { shape }) => sum + product(shape), 0),
    bytes,
    types: [...new Set(tensors.map(({ type }) => type))],
  };
}

/** The largest first. */
function typesOf(tensors: readonly HeaderTensor[]): ModelHeader['types'] {
  const groups = new Map<string, HeaderTensor[]>();
  for (const tensor of tensors) grouped(groups, tensor.type).push(tensor);
  return [...groups]
    .map(([name, members]) => ({ name, tensors: members.length, bytes: sumOf(members).bytes }))
    .sort((a, b) => (b.bytes ?? 0) - (a.bytes ?? 0));
}
