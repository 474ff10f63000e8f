/**
 * Which experts every layer gets, for each allocation that `train_experts` names: a rule, over scores where it needs
 * them, or a file.
 */
import path from 'node:path';
import type { Allocation, AllocationRequest } from '../../../../protocol/allocation.ts';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { Experiment, TrainExpertsSettings } from '../../../../protocol/experiment.ts';
import { allocate, needOf } from '../../allocation/allocate.ts';
import { countRule } from '../../allocation/countRules.ts';
import type { Machine } from '../../../../protocol/run.ts';
import type { EnginePool } from '../machine/enginePool.ts';
import type { Checkpoint } from '../../checkpoints/types.ts';
import type { Architecture } from '../../models/types.ts';
import { allocateResult } from '../decide/allocate.ts';
import { findResult } from '../prune/pruneMap.ts';
import { readResult } from '../files/results.ts';
import { readAllocation } from '../decide/sparsityMap.ts';

export interface ExpertAllocation {
  /** As written in `allocations`, a file without its folder. */
  id: string;
  title: string;
  experts: number[];
  topK: number[];
  notes: string[];
  /** An earlier allocation with the same experts, whose trainings are these too; null where there is none. */
  sameAs: string | null;
}

export interface AllocationsInput {
  file: string;
  baseDir: string;
  experiment: Experiment;
  settings: TrainExpertsSettings;
  /** Its scores are allocated by. */
  task: string;
  checkpoint: Checkpoint;
  model: Architecture;
  /** In place of the newest result of the experiment. */
  resultFile?: string | undefined;
  machine: Machine;
  engine?: EnginePool | undefined;
  onProgress?: ((event: { done: number; total: number; message: string }) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * @returns the allocations, and the result whose scores were read or null
 * @throws LayerifError `badRequest`: unknown rules, totals that are too small, no result where one is needed, files for
 *   other models
 */
export async function expertAllocations(
  input: AllocationsInput,
): Promise<{ allocations: ExpertAllocation[]; scores: string | null }> {
  const { settings } = input;
  const [reader] = rulesWithScores(settings);
  const scores = reader === undefined ? null : scoresFor(input, reader);
  const allocations: ExpertAllocation[] = [];
  for (const id of settings.allocations) {
    const made = await one(input, id, scores);
    const twin = allocations.find(({ experts, topK }) => equal(experts, made.experts) && equal(topK, made.topK));
    const note = twin && `the same experts as ${twin.id}, whose trainings these are`;
    allocations.push({ ...made, sameAs: twin?.id ?? null, notes: note ? [...made.notes, note] : made.notes });
  }
  return { allocations, scores };
}

/**
 * Allocations that need no scores; what those that need some lack is said where it can be.
 * @throws LayerifError as `expertAllocations`; `MissingResult` where scores are not computed yet
 */
export async function foreseenAllocations(input: AllocationsInput): Promise<Omit<ExpertAllocation, 'sameAs'>[]> {
  const readers = rulesWithScores(input.settings);
  const allocations: Omit<ExpertAllocation, 'sameAs'>[] = [];
  for (const id of input.settings.allocations) if (!readers.includes(id)) allocations.push(await one(input, id, null));
  for (const rule of readers.slice(0, 1)) scoresFor(input, rule);
  return allocations;
}

/**
 * Rules that read scores.
 * @throws LayerifError `badExperiment` for names that stand twice, `badRequest` for unknown ones
 */
function rulesWithScores({ allocations }: TrainExpertsSettings): string[] {
  const repeated = allocations.find((id, i) => allocations.indexOf(id) < i);
  if (repeated !== undefined)
    throw new LayerifError('badExperiment', `train_experts.allocations: ${repeated} is named twice; name it once`);
  const names = allocations.map(nameOf);
  const same = names.find((name, i) => names.indexOf(name) < i);
  if (same !== undefined)
    throw new LayerifError('badExperiment', `train_experts.allocations: two files are called ${same}; rename one`);
  const rules = allocations.filter((id) => !isFile(id));
  for (const id of rules) countRule(id);
  return rules.filter((rule) => needOf({ kind: 'experts', rule }) !== null);
}

/** A file without its folder. */
const nameOf = (id: string): string =>
  isFile(id) ? path.basename(id).replace(/(\.layerif-allocation)?\.json$/, '') : id;

const equal = (a: readonly number[], b: readonly number[]): boolean => a.every((value, i) => value === b[i]);

const isFile = (id: string): boolean => id.endsWith('.json');

function scoresFor(input: AllocationsInput, rule: string): string {
  const found = input.resultFile ?? findResult(input, `the allocation ${rule}`);
  const { model } = readResult(found);
  if (model.name === input.checkpoint.name) return found;
  throw new LayerifError(
    'badRequest',
    `${found} holds scores of ${model.name}, the model to train is ${input.checkpoint.name}; give another result with --result`,
  );
}

async function one(
  input: AllocationsInput,
  id: string,
  scores: string | null,
): Promise<Omit<ExpertAllocation, 'sameAs'>> {
  const { settings, model, baseDir } = input;
  const found = isFile(id)
    ? readAllocation(path.resolve(baseDir, id), 'experts')
    : await byRule(input, requestOf(input, id), scores);
  const { layers, ruleTitle, notes } = found;
  if (layers.length !== model.layers) {
    throw new LayerifError(
      'badRequest',
      `${id} is an allocation for ${layers.length} layers, the model has ${model.layers}; allocate again`,
    );
  }
  const experts = layers.map(({ value }) => value);
  if (experts.every((count) => count === 0)) throw new LayerifError('badRequest', `${id} gives no layer an expert`);
  return {
    id: nameOf(id),
    title: ruleTitle,
    experts,
    topK: layers.map(({ value, topK }) => Math.min(value, isFile(id) ? (topK ?? settings.top_k) : settings.top_k)),
    notes,
  };
}

/** The section `allocate.experts` holds for the rules too, where it says more than `train_experts`. */
function requestOf({ settings, experiment, model }: AllocationsInput, rule: string): AllocationRequest {
  const section = experiment.allocate?.experts as { total?: number; minimum?: number; seed?: number } | undefined;
  return {
    kind: 'experts',
    rule,
    total: settings.total ?? section?.total ?? 5 * model.layers,
    minimum: section?.minimum,
    topK: settings.top_k,
    seed: section?.seed,
  };
}

function byRule(
  { model, task, machine, engine, onProgress, signal }: AllocationsInput,
  request: AllocationRequest,
  scores: string | null,
): Promise<Pick<Allocation, 'layers' | 'ruleTitle' | 'notes'>> {
  if (needOf(request) !== null) {
    return allocateResult({ resultFile: scores!, tasks: [task], request, machine, engine, onProgress, signal });
  }
  const layers = Array.from({ length: model.layers }, (_, index) => ({
    index,
    name: model.layerName(index),
    modules: model.modules(index).filter(({ factor }) => !factor),
  }));
  return Promise.resolve(allocate(request, { layers, values: layers.map(() => 0) }));
}
