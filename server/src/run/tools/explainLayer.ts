/** `explain_layer`: what stands behind the score of one layer. */
import { LayerifError } from '../../../../protocol/errors.ts';
import { badgeSentence } from '../../../../protocol/readability.ts';
import type { ResultLayer, ResultTask } from '../../../../protocol/result.ts';
import type { ToolAnswer } from '../../../../protocol/tools.ts';
import { nth } from '../../lists/nth.ts';
import { readResult } from '../files/results.ts';
import type { ToolValues } from './input.ts';
import { tasksOf } from './summary.ts';
import type { ToolContext } from './types.ts';

/** Modules and samples that are named. */
const NAMED = 5;

interface Explained {
  task: string;
  score: number;
  rank: number;
  of: number;
  /** Of the absolute scores of all layers. */
  share: number | null;
  interval: [number, number] | undefined;
  rankInterval: [number, number] | undefined;
  unstable: boolean;
  modules: { module: string; score: number; zeroGradient: boolean }[];
  helpful: Sample[];
  harmful: Sample[];
}
interface Sample {
  file: string;
  line: number | null;
  row: number;
  influence: number;
}

/** @throws LayerifError `badRequest` for a task or layer that the result does not have */
export function explainLayer({ result: named, layer, task }: ToolValues, { folders }: ToolContext): ToolAnswer {
  const file = folders.inside(String(named));
  const result = readResult(file);
  const index = Number(layer);
  const tasks = tasksOf(result, task as string | undefined, file);
  const explained = tasks.flatMap((one) => {
    const at = one.layers.findIndex((own) => own.index === index);
    return at < 0 ? [] : [{ one, facts: explain(one, nth(one.layers, at), at) }];
  });
  if (explained.length === 0) {
    const known = [...new Set(tasks.flatMap(({ layers }) => layers.map((own) => own.index)))];
    throw new LayerifError(
      'badRequest',
      `${file} has no score of layer ${index}: ${known.length === 0 ? 'no layer is finished yet' : `its layers are ${spans(known)}`}`,
    );
  }
  return {
    text: [
      `Layer ${index} of ${result.model.name} (${result.model.layers} layers), estimator ${result.score.estimator}. Positive scores mean that training on these samples helps validation through this layer.`,
      ...explained.map(({ one, facts }) => `${one.task}: ${sentences(facts, one).join(' ')}`),
    ].join('\n'),
    data: { file, layer: index, tasks: explained.map(({ facts }) => facts) },
  };
}

function explain(task: ResultTask, layer: ResultLayer, at: number): Explained {
  const total = task.layers.reduce((sum, { score }) => sum + Math.abs(score), 0);
  const modules = Object.entries(layer.modules)
    .map(([module, { score }]) => ({ module, score, zeroGradient: layer.zeroGradient?.includes(module) ?? false }))
    .sort((a, b) => Math.abs(b.score) - Math.abs(a.score));
  const samples = (task.influence[at] ?? []).flatMap((influence, i): Sample[] => {
    const row = task.train.rows[i];
    return row ? [{ file: row.file, line: row.line, row: row.row, influence }] : [];
  });
  const ordered = [...samples].sort((a, b) => b.influence - a.influence);
  return {
    task: task.task,
    score: layer.score,
    rank: 1 + task.layers.filter(({ score }) => score > layer.score).length,
    of: task.layers.length,
    share: total > 0 ? layer.score / total : null,
    interval: layer.interval,
    rankInterval: layer.rankInterval,
    unstable: layer.unstable === true,
    modules: modules.slice(0, NAMED),
    helpful: ordered.filter(({ influence }) => influence > 0).slice(0, NAMED),
    harmful: ordered
      .reverse()
      .filter(({ influence }) => influence < 0)
      .slice(0, NAMED),
  };
}

function sentences(facts: Explained, task: ResultTask): string[] {
  const { rankInterval, interval, modules, share } = facts;
  const list = (samples: Sample[]) =>
    samples.map(({ file, line, row, influence }) => `${file}:${line ?? `row ${row}`} (${short(influence)})`).join(', ');
  const zero = modules.filter(({ zeroGradient }) => zeroGradient).map(({ module }) => module);
  return [
    `Score ${short(facts.score)}, rank ${facts.rank} of ${facts.of}${share === null ? '' : `, ${(100 * share).toFixed(1)} % of all scores (an even share would be ${(100 / facts.of).toFixed(1)} %)`}.`,
    ...(rankInterval && interval
      ? [
          `On other samples of this kind the rank would lie between ${rankInterval[0]} and ${rankInterval[1]}, the score between ${short(interval[0])} and ${short(interval[1])}${facts.unstable ? ': do not build on its exact place' : ''}.`,
        ]
      : []),
    `Modules: ${modules.map(({ module, score }) => `${module} ${short(score)}`).join(', ')}.`,
    ...(zero.length > 0 ? [`The gradients of ${zero.join(', ')} are all zero, so their influence is 0.`] : []),
    ...(facts.helpful.length > 0 ? [`Training samples that help most here: ${list(facts.helpful)}.`] : []),
    ...(facts.harmful.length > 0 ? [`That harm most here: ${list(facts.harmful)}.`] : []),
    badgeSentence(task) ?? 'How far the order of layers can be relied on is not known: there are no intervals.',
  ];
}

const short = (value: number) => (value === 0 ? '0' : value.toPrecision(3));

/** [0, 1, 2, 7] -> "0 to 2, 7". */
function spans(indices: readonly number[]): string {
  const sorted = [...indices].sort((a, b) => a - b);
  const found: [number, number][] = [];
  for (const index of sorted) {
    const last = found.at(-1);
    if (last && last[1] === index - 1) last[1] = index;
    else found.push([index, index]);
  }
  return found.map(([from, to]) => (from === to ? String(from) : `${from} to ${to}`)).join(', ');
}
