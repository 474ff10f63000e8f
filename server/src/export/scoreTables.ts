/**
 * Tables of scores for other programs: CSV (RFC 4180, all digits) and NumPy's `.npy` of one table, Markdown of one or
 * all, lists of modules to tune or to freeze, and which weights a task claims as bits. To add one: a row of
 * `scoreTargets`.
 */
import { LayerifError } from '../../../protocol/errors.ts';
import { PRONE_MARK, questionWords } from '../../../protocol/scores.ts';
import type { ScoreTable, Tensors } from '../../../protocol/scores.ts';
import { npy } from './npy.ts';
import { nth } from '../lists/nth.ts';

export interface ScoreTarget {
  id: string;
  title: string;
  /** Ending of the default file name. */
  ending: string;
  /** Of which score; null for any. */
  score: string | null;
  /** Whether it takes all tables of a file where none is chosen. */
  several: boolean;
  /** @param observed by the position of the table's needs; null where the observation is not kept any more */
  make(tables: readonly ScoreTable[], observed: (key: string) => Tensors | null): string | Uint8Array | BitMask;
}

/** Eight weights to a byte, the first in the highest bit (numpy.packbits), outputs as rows. */
export interface BitMask {
  bits: { name: string; data: Uint8Array }[];
}

/** Share of the changed modules that a list takes. */
const QUARTER = 0.25;

export const scoreTargets: readonly ScoreTarget[] = [
  {
    id: 'csv',
    title: 'one line per layer, every column of the table',
    ending: '.csv',
    score: null,
    several: false,
    make: (tables) =>
      rowsOf(nth(tables, 0))
        .map((row) => `${row.map(field).join(',')}\r\n`)
        .join(''),
  },
  {
    id: 'markdown',
    title: 'what the scores are and their numbers',
    ending: '.md',
    score: null,
    several: true,
    make: (tables) => tables.map(markdownOf).join('\n'),
  },
  {
    id: 'npy',
    title: 'values as .npy, undefined ones as NaN',
    ending: '.npy',
    score: null,
    several: false,
    make(tables) {
      const { values, axes } = nth(tables, 0);
      return npy(
        values.map((value) => value ?? NaN),
        axes.map(({ labels }) => labels.length),
      );
    },
  },
  {
    id: 'tune-list',
    title: 'the highest quarter of the changed modules, a name a line',
    ending: '.txt',
    score: 'ila',
    several: false,
    make: (tables) => lines(ranked(nth(tables, 0)), 1),
  },
  {
    id: 'freeze-list',
    title: 'the lowest quarter of the changed modules, a name a line',
    ending: '.txt',
    score: 'ila',
    several: false,
    make: (tables) => lines(ranked(nth(tables, 0)).reverse(), 1),
  },
  {
    id: 'prone-list',
    title: 'layers that are prone to hallucination, a name a line',
    ending: '.txt',
    score: 'eavss',
    several: false,
    make(tables) {
      const { marks = [] } = nth(tables, 0);
      const layers = marks.find(({ words }) => words.startsWith(PRONE_MARK))?.at ?? [];
      if (layers.length > 0) return layers.map((layer) => `layers.${layer}\n`).join('');
      throw new LayerifError(
        'badRequest',
        'no layer differs between hallucinated and truthful answers more than shuffled labels do, so there is no list; take more answers',
      );
    },
  },
  {
    id: 'claimed-mask',
    title: 'which weights the task claims, a bit each, as .safetensors',
    ending: '.safetensors',
    score: 'spider',
    several: false,
    make(tables, observed) {
      const tensors = observed(nth(nth(tables, 0).needs, 0));
      const bits = Object.entries(tensors ?? {}).filter(([name]) => name.startsWith('bits/'));
      if (bits.length === 0) {
        throw new LayerifError(
          'badRequest',
          tensors
            ? 'the claimed weights were not kept: score with  scores: [{ spider: { mask: true } }]'
            : 'the observations beside the scores are gone: score again with  scores: [{ spider: { mask: true } }]',
        );
      }
      return {
        bits: bits.map(([name, { data }]) => ({
          name: `layers.${name.slice('bits/'.length)}`,
          data: data as Uint8Array,
        })),
      };
    },
  },
];

/** Modules of all layers, highest mask first: `layers.3.self_attn.q_proj`. */
function ranked({ parts = {}, values }: ScoreTable): string[] {
  const modules = Object.entries(parts).filter(([name]) => name.includes('.') || name.endsWith('_proj'));
  return values
    .flatMap((_, layer) =>
      modules.flatMap(([name, part]) => {
        const value = part[layer] ?? null;
        return value === null ? [] : [{ name: `layers.${layer}.${name}`, value }];
      }),
    )
    .sort((a, b) => b.value - a.value)
    .map(({ name }) => name);
}

function lines(names: readonly string[], least: number): string {
  const count = Math.max(least, Math.floor(QUARTER * names.length));
  return names
    .slice(0, count)
    .map((name) => `${name}\n`)
    .join('');
}

/** Head, then one row for each value: its place, the value and whatever stands beside it. */
function rowsOf({ axes, values, intervals, p, reference, parts = {}, unit, score }: ScoreTable): string[][] {
  const widths = axes.map(({ labels }) => labels.length);
  const text = (value: number | null | undefined) => (value === null || value === undefined ? '' : String(value));
  const name = unit === '' ? score : `${score} (${unit})`;
  const head = [
    ...axes.map((axis) => axis.name),
    name,
    ...(intervals ? ['low', 'high'] : []),
    ...(p ? ['p'] : []),
    ...(reference ? ['reference'] : []),
    ...Object.keys(parts),
  ];
  const rows = values.map((value, at) => {
    let rest = at;
    const place: string[] = [];
    for (let axis = axes.length - 1; axis >= 0; axis--) {
      place.unshift(String(nth(axes, axis).labels[rest % nth(widths, axis)]));
      rest = Math.floor(rest / nth(widths, axis));
    }
    return [
      ...place,
      text(value),
      ...(intervals ? [text(intervals[at]?.[0]), text(intervals[at]?.[1])] : []),
      ...(p ? [text(p[at])] : []),
      ...(reference ? [text(typeof reference.value === 'number' ? reference.value : reference.value[at])] : []),
      ...Object.values(parts).map((part) => text(part[at])),
    ];
  });
  return [head, ...rows];
}

function markdownOf(table: ScoreTable): string {
  const {
    title,
    unit,
    question,
    higherMeans,
    source,
    status,
    texts,
    options,
    notes,
    marks = [],
    reference,
    level,
  } = table;
  const direction =
    higherMeans === null ? '' : `; a high value speaks for ${higherMeans === 'keep' ? 'keeping' : 'removing'} it`;
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const short = (cell: string, column: number) =>
    cell === ''
      ? '-'
      : column < table.axes.length
        ? cell
        : Number.isNaN(Number(cell))
          ? cell
          : String(Number(Number(cell).toPrecision(4)));
  const [head = [], ...body] = rowsOf(table);
  return [
    `## ${title}${unit === '' ? '' : ` (${unit})`}`,
    '',
    `${questionWords[question]}${direction}.`,
    '',
    `- Source: ${source}${status === 'ours' ? '; our formula' : ''}`,
    `- Texts: ${texts ?? 'weights alone'}`,
    ...Object.entries(options).map(
      ([name, value]) => `- ${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`,
    ),
    ...(reference ? [`- Reference: ${reference.words}`] : []),
    ...(level === undefined ? [] : [`- low, high: on other texts of the same kind, at ${Math.round(100 * level)} %`]),
    ...marks.map(({ at, words }) => `- ${words}: ${at.join(', ')}`),
    '',
    line(head),
    `|${' --- |'.repeat(head.length)}`,
    ...body.map((row) => line(row.map(short))),
    ...notes.flatMap((note) => ['', `Note: ${note}`]),
    '',
  ].join('\n');
}

const field = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
