/** The header of a model file as the rows of its page. */
import type { HeaderTensors, ModelHeader } from '../../../protocol/modelHeader.ts';
import { formatBytes, formatCount, MISSING } from './format.ts';
import { ranges } from './inspection.ts';

export interface Table {
  title: string;
  columns: { name: string; number?: boolean }[];
  rows: string[][];
}

const number = (name: string) => ({ name, number: true });

/** The tables of a header that hold something. */
export function headerTables(header: ModelHeader): Table[] {
  return [layersTable(header), modulesTable(header), othersTable(header), metadataTable(header)].filter(
    ({ rows }) => rows.length > 0,
  );
}

function layersTable({ layers }: ModelHeader): Table {
  return {
    title: 'Layers',
    columns: [
      number('Layer'),
      { name: 'Name' },
      number('Tensors'),
      number('Weights'),
      number('Size'),
      { name: 'Types' },
    ],
    rows: layers.map(({ name, tensors, parameters, bytes, types }, i) => [
      String(i),
      name,
      String(tensors),
      formatCount(parameters),
      sizeText(bytes),
      types.join(', '),
    ]),
  };
}

function modulesTable({ layers, modules }: ModelHeader): Table {
  return tensorsTable('Tensors of the layers', modules, {
    name: 'Layers',
    of: (row) => (row.layers.length === layers.length ? 'all' : ranges(row.layers)),
  });
}

function othersTable({ layers, others }: ModelHeader): Table {
  return tensorsTable(layers.length > 0 ? 'Tensors outside of the layers' : 'Tensors', others, null);
}

function tensorsTable(
  title: string,
  tensors: readonly HeaderTensors[],
  where: { name: string; of: (row: HeaderTensors) => string } | null,
): Table {
  const named = tensors.some(({ stored }) => stored !== null);
  return {
    title,
    columns: [
      { name: 'Tensor' },
      ...(named ? [{ name: 'In the file' }] : []),
      { name: 'Type' },
      number('Shape'),
      ...(where ? [{ name: where.name }] : []),
      number('Count'),
      number('Weights'),
      number('Size'),
    ],
    rows: tensors.map((row) => [
      row.name,
      ...(named ? [row.stored ?? row.name] : []),
      row.type,
      row.shape.length === 0 ? 'one number' : row.shape.join(' \u00d7 '),
      ...(where ? [where.of(row)] : []),
      String(row.count),
      formatCount(row.parameters),
      sizeText(row.bytes),
    ]),
  };
}

function metadataTable({ metadata }: ModelHeader): Table {
  return {
    title: 'Metadata',
    columns: [{ name: 'Key' }, { name: 'Value' }],
    rows: metadata.map(({ key, value }) => [key, value]),
  };
}

const sizeText = (bytes: number | null) => (bytes === null ? 'unknown' : bytes === 0 ? '0' : formatBytes(bytes));

/** Name and value of each fact, in the order of the page. */
export function headerFacts({ version, files, layers, tensors, parameters, types }: ModelHeader): [string, string][] {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return [
    ['Format', version],
    ['Layers', layers.length === 0 ? MISSING : String(layers.length)],
    ['Tensors', tensors.toLocaleString('en-US')],
    ['Weights', formatCount(parameters)],
    ['Size', files.length === 1 ? formatBytes(bytes) : `${formatBytes(bytes)} in ${files.length} files`],
    ['Stored as', types.map((type) => `${type.name} (${type.tensors})`).join(', ')],
  ];
}
