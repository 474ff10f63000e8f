/**
 * Files that are compared: tables of scores with one value a layer, and the influence of a result, each with how it
 * scatters. No model is opened.
 */
import { createHash } from 'node:crypto';
import path from 'node:path';
import { LayerifError } from '../../../../protocol/errors.ts';
import { RESULT_SUFFIX } from '../../../../protocol/result.ts';
import type { Need, ScoresFile, ScoreTable, Tensors } from '../../../../protocol/scores.ts';
import type { ComparedTable } from '../../../../protocol/scoresComparison.ts';
import type { ObservedShape } from '../../scores/observations.ts';
import { scores as ownScores } from '../../scores/scores.ts';
import type { Member } from '../../scores/types.ts';
import { readFileOf } from '../files/readFile.ts';
import { readResult } from '../files/results.ts';
import { influenceMembers, membersOf } from '../scores/members.ts';
import type { TableOf } from '../scores/members.ts';
import { ObservationFiles } from '../scores/observationFiles.ts';
import { countOf } from '../scores/textSets.ts';
import { nth } from '../../lists/nth.ts';
import { take } from '../../lists/take.ts';

/** A table with what is needed to compare it. */
export interface OpenedTable {
  series: ComparedTable;
  member: Member;
  /** Values of modules by name; null where it has none for all of the other. */
  modules: ReadonlyMap<string, number>;
  intervals: ScoreTable['intervals'];
}

/** Their scores, each once. */
export const ids = (tables: readonly OpenedTable[]) =>
  [...new Set(tables.map(({ series }) => series.score))].join(', ');

/** @throws LayerifError `badRequest` */
export function openFile(file: string, by: readonly string[] | undefined): OpenedTable[] {
  const found = file.endsWith(RESULT_SUFFIX) ? influenceOf(file) : tablesOf(file);
  if (!by) return found;
  for (const id of by) {
    if (found.some(({ series }) => series.score === id)) continue;
    throw new LayerifError(
      'badRequest',
      `${path.basename(file)} has no score ${id} with a value for each layer; it has ${ids(found) || 'none'}`,
    );
  }
  return found.filter(({ series }) => by.includes(series.score));
}

function tablesOf(file: string): OpenedTable[] {
  const read = readFileOf('scores', file);
  const { layers } = read.model;
  const seen = read.tables.map((table): TableOf => {
    const score = ownScores.find(({ id }) => id === table.score);
    const id = needsOf(table)[0]?.texts ?? null;
    const count = countOf(table.texts);
    return {
      table,
      score: score ?? ({} as TableOf['score']),
      texts: id === null || count === 0 ? null : { id, count },
      observed: score ? observedOf(table, score, file, read) : null,
      labels: null,
    };
  });
  const shape: ObservedShape = { layers, hidden: 0, texts: 0, modules: noModules };
  const perLayer = seen.filter(({ table }) => valuesOf(table)?.length === layers);
  return perLayer.map((one, i) => {
    const [member] = take(safeMembers(one, shape), 1);
    const { table } = one;
    return {
      member: { ...member, label: String(i) },
      modules: modulesOf(table),
      intervals: table.layers ? undefined : turnedIntervals(table),
      series: {
        label: '',
        file,
        model: read.model.name,
        score: table.score,
        title: table.title,
        question: table.question,
        options: Object.entries(table.options)
          .map(([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
          .join(', '),
        texts: table.texts,
        values: member.values,
        turned: member.turned,
        scatter: member.drawn ? 'texts' : table.intervals && !table.layers ? 'intervals' : null,
      },
    };
  });
}

/** Shapes of modules stand in the model, which is not opened. */
const noModules = (): never => {
  throw new Error('no model is open');
};

/** Without drawn texts where the score looks at the model for them. */
function safeMembers(one: TableOf, shape: ObservedShape): Member[] {
  try {
    const members = membersOf([one], shape);
    nth(members, 0).drawn?.([0, 1]);
    return members;
  } catch {
    return membersOf([{ ...one, observed: null }], shape);
  }
}

const valuesOf = (table: ScoreTable) => (table.subject === 'layer' ? table.values : table.layers?.values);

function needsOf({ needs }: ScoreTable): Need[] {
  return needs.flatMap((key) => {
    try {
      const need = JSON.parse(key) as Need;
      return typeof need === 'object' && typeof need.of === 'string' ? [need] : [];
    } catch {
      return []; // the hash of labels, or a score that others are made of
    }
  });
}

/** Observations by the names that the score has for them; null where one is gone. */
function observedOf(
  table: ScoreTable,
  score: TableOf['score'],
  file: string,
  { model }: ScoresFile,
): Record<string, Tensors> | null {
  if (!score.drawn || score.version !== table.version) return null;
  const store = new ObservationFiles(path.dirname(file), model.sha256);
  try {
    const names = Object.keys(
      score.needs(table.options as never, { layers: model.layers, hidden: 0, texts: 0, modules: noModules }),
    );
    const found = names.map((name, i) => {
      const key = table.needs[i] ?? '';
      return [name, store.read({ key, hash: createHash('sha256').update(key).digest('hex').slice(0, 16) })] as const;
    });
    return found.every(([, tensors]) => tensors) ? (Object.fromEntries(found) as Record<string, Tensors>) : null;
  } catch {
    return null;
  }
}

/** Values of the linear modules, `3.mlp.up_proj`. */
function modulesOf({ parts = {}, score }: ScoreTable): Map<string, number> {
  if (score !== 'ila') return new Map();
  const modules = Object.entries(parts).filter(([name]) => name.includes('.') || name.endsWith('_proj'));
  return new Map(
    modules.flatMap(([name, part]) =>
      part.flatMap((value, layer): [string, number][] => (value === null ? [] : [[`${layer}.${name}`, value]])),
    ),
  );
}

function turnedIntervals({ intervals, higherMeans }: ScoreTable): ScoreTable['intervals'] {
  if (higherMeans !== 'remove') return intervals;
  return intervals?.map((own) => own && [-own[1], -own[0]]);
}

/** Influence of a result's tasks. @throws LayerifError `badRequest` where it is not complete */
function influenceOf(file: string): OpenedTable[] {
  const result = readResult(file);
  const found = influenceMembers(file, result.model.layers);
  if (!found) throw new LayerifError('badRequest', `${file} is partial: run layerif score again to complete it`);
  return found.members.map((member) => ({
    member,
    modules: new Map(),
    intervals: undefined,
    series: {
      label: '',
      file,
      model: result.model.name,
      score: 'influence',
      title: member.label,
      question: member.question,
      options: result.score.estimator,
      texts: member.texts,
      values: member.values,
      turned: false,
      scatter: member.drawn ? 'texts' : null,
    },
  }));
}
