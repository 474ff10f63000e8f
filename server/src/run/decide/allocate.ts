/**
 * From a result to an allocation: scores of the tasks, what the rule needs beside them (another score), the rule
 * itself, and the file beside the result. The pure rules are in `allocation/`.
 */
import fs from 'node:fs';
import path from 'node:path';
import { ALLOCATION_SUFFIX } from '../../../../protocol/allocation.ts';
import type {
  Allocation,
  AllocationFile,
  AllocationKind,
  AllocationRequest,
  TailFit,
} from '../../../../protocol/allocation.ts';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { AskedScore } from '../../../../protocol/experiment.ts';
import { orderWarning } from '../../../../protocol/readability.ts';
import { RESULT_SUFFIX } from '../../../../protocol/result.ts';
import type { Result } from '../../../../protocol/result.ts';
import type { Machine } from '../../../../protocol/run.ts';
import type { ScoreTable } from '../../../../protocol/scores.ts';
import { allocate, defaultRule, needOf } from '../../allocation/allocate.ts';
import type { BareAllocation } from '../../allocation/allocate.ts';
import type { LayerInput } from '../../allocation/layers.ts';
import type { Checkpoint } from '../../checkpoints/types.ts';
import { loadExperiment } from '../../config/experiment.ts';
import { isGraphPath } from '../../graphs/open.ts';
import type { Architecture } from '../../models/types.ts';
import { optionValues } from '../../scores/options.ts';
import { findScore } from '../../scores/scores.ts';
import { engineFor } from '../machine/enginePool.ts';
import type { EnginePool } from '../machine/enginePool.ts';
import { openAtHand } from '../inputs/openExperiment.ts';
import { allocationSource } from './allocationSource.ts';
import type { AllocationSource } from './allocationSource.ts';
import { resultScores } from './resultScores.ts';
import { aboutOthers, scoreValues } from './scoreValues.ts';
import { drawnScoresOf, withSpread } from './spread.ts';
import type { LayerValues } from './scoreValues.ts';
import { readFileOf } from '../files/readFile.ts';
import { writeJson } from '../files/results.ts';
import { prunable } from './sparsityMap.ts';
import { MissingScores, scoresOfResult } from '../scores/scores.ts';
import { readScores, scoresFileOf } from '../scores/scoresFile.ts';
import { untilEnd } from '../files/ending.ts';
import { written } from '../files/provenance.ts';
import { nth } from '../../lists/nth.ts';

export interface AllocateOptions {
  /** Absolute: a result, or a file of scores for requests that name one (`by`). */
  resultFile: string;
  /** Default: the mean over all tasks. */
  tasks?: readonly string[] | undefined;
  request: AllocationRequest;
  /** OWL's outlier ratios in percent, one per layer, where they are known from elsewhere. */
  outliers?: (() => Promise<readonly number[]>) | undefined;
  /** Measures scores that are not beside the result yet; without it they are asked for with a MissingScores. */
  machine?: Machine | undefined;
  /** A warm engine to use and to keep. */
  engine?: EnginePool | undefined;
  onProgress?: ((event: { done: number; total: number; message: string }) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * @throws LayerifError `badRequest` for what cannot be allocated, `badModel` when the model is needed and cannot be
 *   read
 */
export async function allocateResult(options: AllocateOptions): Promise<Allocation> {
  const source = allocationSource(options.resultFile);
  const { result, experiment } = source;
  const request = withDefaults(options.request, source);
  if (!result) requireScore(request, options);
  const scores = result
    ? resultScores(result, options.resultFile, options.tasks, request.aggregation)
    : { tasks: [], aggregation: experiment.score.aggregation, scores: [], moduleScores: null };
  const opened = new OpenModel(source);
  try {
    const { layers, notes } = layersOf(source, request, opened);
    const { words, along, ...found } = await values(layers);
    const bare = along
      ? { ...allocate({ ...request, rule: along.rule }, { layers, ...found }), ...along.said }
      : allocate(request, { layers, ...found });
    const spread = await spreadOf(bare, layers);
    return {
      format: 'layerif-allocation',
      version: 1,
      ...bare,
      ...spread,
      notes: [...(result ? orderWarnings(result, scores.tasks, request) : []), ...notes, ...words, ...bare.notes],
      provenance: {
        ...written(),
        resultFile: options.resultFile,
        model: { name: source.model.name, sha256: source.model.sha256 },
        tasks: scores.tasks,
        estimator: result?.score.estimator ?? experiment.score.estimator,
        aggregation: scores.aggregation,
      },
    };
  } finally {
    opened.close();
  }

  async function spreadOf(bare: BareAllocation, layers: readonly LayerInput[]) {
    const { by, unit } = request;
    if (!result || by || unit === 'matrix' || needOf(request) !== 'scores') return {};
    const drawn = await drawnScoresOf(result, options.resultFile, scores);
    return drawn ? withSpread(bare, request, layers, drawn) : {};
  }

  async function values(layers: readonly LayerInput[]): Promise<LayerValues> {
    const need = needOf(request);
    const score = need === 'scores' ? request.by : need;
    if (need === 'owl' && options.outliers) return { values: await options.outliers(), words: [] };
    if (need !== null && score !== null && score !== undefined) {
      const own: AskedScore['options'] = score === 'alpha_hill' ? { fit: request.fit ?? defaultFit(request.kind) } : {};
      const table = (need === 'scores' ? tableAtHand(source, score) : null) ?? (await tableFor(options, score, own));
      return scoreValues(table, layers, need === 'scores', request);
    }
    const matrices = request.kind === 'sparsity' && request.unit === 'matrix';
    if (!matrices || need === null) return { values: scores.scores, words: [] };
    if (!scores.moduleScores)
      throw new LayerifError(
        'badRequest',
        `scores of single matrices are stored for the aggregation ${experiment.score.aggregation} alone: leave --aggregation out, or use --unit block`,
      );
    return {
      values: scores.scores,
      matrixValues: scores.moduleScores(nth(layers, 0).modules.map((m) => m.name)),
      words: [],
    };
  }
}

/** Scores alone answer requests that read one. @throws LayerifError `badRequest` */
function requireScore(request: AllocationRequest, { resultFile, tasks }: AllocateOptions): void {
  const name = path.basename(resultFile);
  if (tasks?.length)
    throw new LayerifError('badRequest', `${name} holds scores, which belong to no task: leave --task out`);
  if (needOf(request) !== 'scores' || request.by !== undefined) return;
  const ids = [...new Set(readFileOf('scores', resultFile).tables.map(({ score }) => score))].join(', ');
  throw new LayerifError(
    'badRequest',
    `${name} holds no influence: name one of its scores with --by (${ids}), or a result *${RESULT_SUFFIX}`,
  );
}

/** The newest table of the score, with whatever options it was made; null where it is not measured yet. */
function tableAtHand({ file, model }: AllocationSource, id: string): ScoreTable | null {
  return readScores(scoresFileOf(file), model.sha256)?.tables.findLast(({ score }) => score === id) ?? null;
}

/** The table of a score beside the result, measured where a machine is given. @throws MissingScores */
async function tableFor(
  { resultFile, request, machine, engine, onProgress, signal }: AllocateOptions,
  id: string,
  options: AskedScore['options'],
): Promise<ScoreTable> {
  const score = findScore(id);
  if (score.subject !== 'layer' && score.subject !== 'layer_pair') {
    throw new LayerifError('badRequest', aboutOthers(id, score.subject));
  }
  const values = JSON.stringify(optionValues(score, options));
  try {
    const { file } = await untilEnd(signal, (onEnd) =>
      scoresOfResult({
        resultFile,
        asked: [{ id, options }],
        run: machine ? { machine, engine: engineFor(engine, onEnd) } : null,
        onProgress,
        signal,
      }),
    );
    return file.tables.findLast((table) => table.score === id && JSON.stringify(table.options) === values)!;
  } catch (error) {
    if (!(error instanceof MissingScores)) throw error;
    const rule = request.by ? `--by ${request.by}` : `--rule ${request.rule ?? id}`;
    error.message = `${score.title} is not measured beside this result yet: layerif allocate ${path.basename(resultFile)} --kind ${request.kind} ${rule} measures it once${id === 'owl' ? ', or takes outlier ratios as a JSON list with --outliers FILE' : ''}`;
    throw error;
  }
}

/** Of rules that follow influence. */
function orderWarnings(result: Result, tasks: readonly string[], request: AllocationRequest): string[] {
  if (needOf(request) !== 'scores' || request.by) return [];
  const uniform = request.kind === 'experts' || request.kind === 'rank' || request.kind === 'sparsity';
  const advice = uniform
    ? 'add training and validation samples, or share out evenly with --rule uniform'
    : 'add training and validation samples before you choose layers by it';
  return result.tasks
    .filter(({ task }) => tasks.includes(task))
    .flatMap((task) => orderWarning(task) ?? [])
    .map((warning) => `${warning}; ${advice}`);
}

/** AlphaPruning's code takes the peak, AlphaLoRA's the half. */
const defaultFit = (kind: AllocationKind): TailFit => (kind === 'sparsity' ? 'peak' : 'mid');

/** Keys of the experiment's `allocate` section -> fields of a request. */
const sectionKeys = {
  rule: 'rule',
  by: 'by',
  total: 'total',
  minimum: 'minimum',
  top_k: 'topK',
  beta: 'beta',
  budget: 'budget',
  step: 'step',
  count: 'count',
  ratio: 'ratio',
  epsilon: 'epsilon',
  lambda: 'lambda',
  unit: 'unit',
  structure: 'structure',
  paper: 'paper',
  aggregation: 'aggregation',
  fit: 'fit',
  seed: 'seed',
} as const satisfies Record<string, keyof AllocationRequest>;

/**
 * What is asked for wins over the experiment file as it is now, that over what the result remembers of it. Where
 * another rule is asked for than the file's, the file's parameters of its rule (beta, epsilon ...) do not apply; sums
 * and ratios do.
 */
function withDefaults(request: AllocationRequest, source: AllocationSource): AllocationRequest {
  const section = (allocateSection(source)?.[request.kind] ?? {}) as Partial<Record<keyof typeof sectionKeys, unknown>>;
  const given = Object.fromEntries(
    Object.entries(request).filter(([, value]) => value !== undefined),
  ) as unknown as AllocationRequest;
  const otherRule = given.rule !== undefined && given.rule !== (section.rule ?? defaultRule[request.kind]);
  const own = new Set(['rule', 'beta', 'epsilon', 'lambda', 'fit']);
  const defaults = Object.entries(sectionKeys).flatMap(([key, field]) => {
    const value = section[key as keyof typeof sectionKeys];
    return value === undefined || (otherRule && own.has(key)) ? [] : [[field, value]];
  });
  const merged = { ...(Object.fromEntries(defaults) as Partial<AllocationRequest>), ...given };
  // A sum of ranks and a budget exclude each other; the one that was asked for wins.
  if (given.budget !== undefined && given.total === undefined) delete merged.total;
  if (given.total !== undefined && given.budget === undefined) delete merged.budget;
  return merged;
}

function allocateSection({ experimentFile, experiment }: AllocationSource): Record<string, unknown> | undefined {
  try {
    return loadExperiment(experimentFile).allocate;
  } catch {
    return experiment.allocate; // moved, or being edited
  }
}

/** The model of a result or of scores, opened when it is needed. */
class OpenModel {
  readonly #source: AllocationSource;
  #opened: { checkpoint: Checkpoint; model: Architecture } | null = null;

  constructor(source: AllocationSource) {
    this.#source = source;
  }

  /** @throws LayerifError `badModel` when it is not there any more or has other layers */
  get(): { checkpoint: Checkpoint; model: Architecture } {
    if (this.#opened) return this.#opened;
    const { experiment, experimentFile: file, model: scored } = this.#source;
    const model = { ...experiment.model, revision: scored.revision ?? experiment.model.revision };
    this.#opened = openAtHand({ file, baseDir: path.dirname(file), experiment }, { model, graphs: false });
    const { layers } = this.#opened.model;
    if (layers === scored.layers) return this.#opened;
    throw new LayerifError(
      'badModel',
      `${this.#opened.checkpoint.path} has ${layers} layers, the scores were computed on ${scored.layers}: it is another model; score again`,
    );
  }

  close(): void {
    this.#opened?.checkpoint.close();
  }
}

/** Names and sizes of the layers; where sizes do not matter, a model that is gone is no obstacle. */
function layersOf(
  { result, model: scored, experiment }: AllocationSource,
  { kind }: AllocationRequest,
  opened: OpenModel,
): { layers: LayerInput[]; notes: string[] } {
  const known = result?.tasks.find(({ layers }) => layers.length === scored.layers)!.layers.map(({ name }) => name);
  try {
    const { model } = opened.get();
    const names = known ?? Array.from({ length: model.layers }, (_, layer) => model.layerName(layer));
    return {
      layers: names.map((name, index) => {
        const pruned = kind === 'sparsity' ? new Set(prunable(model, index).map((m) => m.name)) : null;
        const modules = model.modules(index).filter((m) => !m.factor && (pruned?.has(m.name) ?? true));
        return {
          index,
          name,
          modules: modules.map(({ name: module, rows, columns }) => ({ name: module, rows, columns })),
        };
      }),
      notes: [],
    };
  } catch (error) {
    const graph = isGraphPath(experiment.model.path);
    if (kind === 'sparsity' || kind === 'rank' || !result || !known) {
      if (!graph) throw error;
      throw new LayerifError(
        'badRequest',
        `${kind} needs the shapes of the model's modules, and ${experiment.model.path} is an ONNX graph; allocate experts, tune, freeze or drop, or score the folder or .gguf file that the graph was made from`,
      );
    }
    const { modules, layers, scoredParameters } = result.model;
    const each = Math.round(scoredParameters / layers / modules.length);
    return {
      layers: known.map((name, index) => ({
        index,
        name,
        modules: modules.map((module) => ({ name: module, rows: each, columns: 1 })),
      })),
      notes: [
        graph
          ? 'the model is an ONNX graph: sizes of layers are the mean'
          : `the model could not be opened (${(error as Error).message}): sizes of layers are the mean`,
      ],
    };
  }
}

/** Layers with the modules that an allocation of this kind is about. @throws LayerifError `badModel`, `badRequest` */
export function sourceLayers(source: AllocationSource, kind: AllocationKind): LayerInput[] {
  const opened = new OpenModel(source);
  try {
    return layersOf(source, { kind }, opened).layers;
  } finally {
    opened.close();
  }
}

/** `NAME.layerif-allocation.json` beside the result. */
export function allocationFile(resultFile: string): string {
  return resultFile.replace(/(\.layerif-(result|scores))?\.json$/, ALLOCATION_SUFFIX);
}

/**
 * Adds the allocation to the file, in place of an earlier one of its kind.
 * @throws LayerifError `cannotWrite`; `badRequest` where the file is there and is none of allocations, or a damaged one
 */
export function saveAllocation(allocation: Allocation, file: string): void {
  const advice = 'choose another --output';
  const kept = fs.existsSync(file) ? readFileOf('allocation', file, advice).allocations : {};
  const made: AllocationFile = {
    format: 'layerif-allocations',
    version: 1,
    allocations: { ...kept, [allocation.kind]: allocation },
  };
  writeJson(file, made);
}
