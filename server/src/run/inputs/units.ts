/**
 * `score.granularity: head`: which rows or columns of a layer's attention matrices belong to which head. To add a
 * layout, add a row.
 *
 * Query head i reads key and value head floor(i / (heads / key-value heads)), so key and value blocks are numbered by
 * key-value head. The output matrix takes one slice of its columns per query head.
 */
import type { WeightBlock } from '../../../../protocol/engine.ts';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { Architecture, LinearModule } from '../../models/types.ts';
import type { Prepared } from './prepared.ts';
import { take } from '../../lists/take.ts';

/** Parts of a matrix, one behind the other, each of whole heads. */
type Parts = { name: string | null; heads: number }[];

interface Layout {
  /** Last part of the module's name. */
  names: readonly string[];
  side: WeightBlock['side'];
  /** @param width rows or columns @param size of a head */
  parts(width: number, size: number, heads: number): Parts;
}

const whole = (width: number, size: number): Parts => [{ name: null, heads: width / size }];

const layouts: readonly Layout[] = [
  { names: ['q_proj', 'k_proj', 'v_proj'], side: 'rows', parts: whole },
  { names: ['o_proj', 'out_proj', 'dense', 'c_proj'], side: 'columns', parts: whole },
  // Phi-3: queries, keys, values; GPT-2 the same with as many of each.
  {
    names: ['qkv_proj', 'c_attn'],
    side: 'rows',
    parts: (width, size, heads) => {
      const keys = (width / size - heads) / 2;
      return [
        { name: 'q', heads },
        { name: 'k', heads: keys },
        { name: 'v', heads: keys },
      ];
    },
  },
];

export interface ScoredUnit {
  /** Of a module, or of a part of it. */
  name: string;
  /** Number of weights. */
  parameters: number;
}

/** Blocks of all scored layers; undefined unless the experiment asks for heads. @throws LayerifError `badExperiment` */
export function headBlocks({
  experiment,
  model,
  scope,
}: Pick<Prepared, 'experiment' | 'model' | 'scope'>): WeightBlock[] | undefined {
  if (experiment.score.granularity !== 'head') return undefined;
  const blocks = scope.layers.flatMap((layer) =>
    model
      .modules(layer)
      .filter(({ name }) => scope.modules.includes(name))
      .flatMap((m) => blocksOf(model, layer, m)),
  );
  if (blocks.length > 0) return blocks;
  throw new LayerifError(
    'badExperiment',
    `score.granularity: none of the scored modules ${scope.modules.join(', ')} is known to consist of attention heads (known: ${layouts.flatMap(({ names }) => names).join(', ')}); use granularity module`,
  );
}

function blocksOf(model: Architecture, layer: number, { name, rows, columns }: LinearModule): WeightBlock[] {
  const inAttention = /(^|\.)(self_attn|attn|attention|self_attention)\./.exec(name);
  const layout = inAttention ? layouts.find(({ names }) => names.includes(name.split('.').at(-1)!)) : undefined;
  if (!layout) return [];
  const { side } = layout;
  const width = side === 'rows' ? rows : columns;
  const size = headSize(model, layer);
  if (size === null) return [];
  const parts = layout.parts(width, size, model.heads);
  if (!parts.every(({ heads }) => Number.isInteger(heads) && heads > 0)) return [];
  let at = 0;
  return parts.flatMap((part) =>
    Array.from({ length: part.heads }, (_, head) => {
      const first = at;
      at += size;
      const prefix = part.name === null ? name : `${name}.${part.name}`;
      return { layer, module: name, name: `${prefix}.head.${head}`, side, first, last: at };
    }),
  );
}

/** Columns of the output matrix over heads. */
function headSize(model: Architecture, layer: number): number | null {
  const [, output] = take(layouts, 2);
  const found = model
    .modules(layer)
    .find(({ name }) => /attn\.|attention\./.test(name) && output.names.includes(name.split('.').at(-1)!));
  const size = found ? found.columns / model.heads : NaN;
  return Number.isInteger(size) ? size : null;
}

/** What of a layer has Grams of its own, in the order that the engine writes. */
export function scoredUnits(
  { model, scope, blocks }: Pick<Prepared, 'model' | 'scope' | 'blocks'>,
  layer: number,
): ScoredUnit[] {
  return model
    .modules(layer)
    .filter(({ name }) => scope.modules.includes(name))
    .flatMap(({ name, rows, columns }) => {
      const own = blocks?.filter((block) => block.layer === layer && block.module === name) ?? [];
      if (own.length === 0) return [{ name, parameters: rows * columns }];
      return own.map((block) => ({
        name: block.name,
        parameters: (block.last - block.first) * (block.side === 'rows' ? columns : rows),
      }));
    });
}

/** Names of the units of all layers, in the order of the modules. */
export function unitNames(prepared: Pick<Prepared, 'model' | 'scope' | 'blocks'>): string[] {
  const names = prepared.scope.layers.map((layer) => new Set(scoredUnits(prepared, layer).map(({ name }) => name)));
  const position = (name: string) => prepared.scope.modules.findIndex((m) => name === m || name.startsWith(`${m}.`));
  return [...new Set(names.flatMap((own) => [...own]))].sort((a, b) => position(a) - position(b));
}
