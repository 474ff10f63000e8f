/**
 * `layerif prune-and-compare`: the model as it is, then pruned in memory by every method, sparsity and map that is
 * asked for, each evaluated on the same documents. The file is written after every pruning, and a later call with the
 * same settings goes on from it.
 */
import type { FetchOptions } from '../inputs/hubInputs.ts';
import { comparedMapIds, defaultPruner } from '../../../../protocol/methods.ts';
import { createHash } from 'node:crypto';
import path from 'node:path';
import type { EngineInfo } from '../../../../protocol/engine.ts';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { Prune } from '../../../../protocol/experiment.ts';
import { COMPARISON_SUFFIX } from '../../../../protocol/pruning.ts';
import type { ComparedPruning, PruningComparison } from '../../../../protocol/pruning.ts';
import type { Machine } from '../../../../protocol/run.ts';
import { compareMetrics, findingsOf, gateFailures } from '../../evaluation/comparison.ts';
import type { Contributions } from '../../evaluation/comparison.ts';
import { findPruner } from '../../pruning/pruners.ts';
import { engineFor } from '../machine/enginePool.ts';
import type { EnginePool } from '../machine/enginePool.ts';
import { measure, runEvaluation } from '../evaluate/evaluate.ts';
import { evaluationInput, readsOf } from '../inputs/evaluationInput.ts';
import type { EvaluationInput, EvaluationSelection } from '../inputs/evaluationInput.ts';
import { memoryLimit } from '../machine/machine.ts';
import { pruneRequest, runPrune } from './prune.ts';
import { calibrationOf, preparePruning } from '../inputs/pruneInput.ts';
import type { PruneInput } from '../inputs/pruneInput.ts';
import { findResult, resolveMap } from './pruneMap.ts';
import { alone } from '../files/alone.ts';
import { engineOf, FinishedParts, removedText } from '../files/finished.ts';
import { modelStamp } from '../files/modelStamp.ts';
import { experimentName, writeJson } from '../files/results.ts';
import { prunable, sparsityOf } from '../decide/sparsityMap.ts';
import { complete, untilEnd } from '../files/ending.ts';
import { dataHashes, provenanceOf } from '../files/provenance.ts';

export interface CompareOptions extends EvaluationSelection {
  file: string;
  maps?: string[] | undefined;
  methods?: string[] | undefined;
  sparsities?: number[] | undefined;
  structure?: string | undefined;
  resultFile?: string | undefined;
  /** Task whose scores the rules read; default: the mean of all. */
  scoreTask?: string | undefined;
  outputDir?: string | undefined;
  machine: Machine;
  engine?: EnginePool | undefined;
  onProgress?: ((event: { done: number; total: number; message: string }) => void) | undefined;
  onWarning?: FetchOptions['onWarning'];
  signal?: AbortSignal | undefined;
}

/** What is kept of a finished pruning, beside the file, so that an interrupted comparison goes on. */
interface Kept {
  pruning: ComparedPruning;
  contributions: Contributions;
}

/** @throws LayerifError */
export function pruneAndCompare(
  options: CompareOptions,
): Promise<{ comparison: PruningComparison; comparisonFile: string }> {
  const started = performance.now();
  return untilEnd(options.signal, async (onEnd) => {
    const pool = engineFor(options.engine, onEnd);
    const base = await preparePruning(options.file, { structure: options.structure, method: 'wanda' }, options);
    onEnd(() => base.checkpoint.close());
    onEnd(() => restore(pool, base, options.machine));
    const settings = settingsOf(base, options);
    const { checkpoint, model, experiment, baseDir } = base;
    const { tokenizer } = base;
    const input = await evaluationInput(experiment, baseDir, tokenizer, readsOf(checkpoint, model, experiment), {
      ...options,
      writes: false,
    });
    const calibration = await calibrationOf(experiment, experiment.prune ?? {}, baseDir, tokenizer);
    const engine = await pool.start(options.machine);
    const sha256 = await checkpoint.sha256();
    const rule = settings.find(({ map }) => map !== 'uniform' && !map.endsWith('.json'));
    const resultFile = rule ? (options.resultFile ?? findResult(base, `the map ${rule.map}`)) : null;
    const identity = [sha256, calibration.dataSha256, calibration.split, settings, resultFile, input];
    const folder = folderOf(base, options, identity);
    return await alone(path.join(folder, 'lock'), folder, options, async () => {
      const store = new Store(base, folder, identity, engine);
      if (store.finished.removed) options.onProgress?.({ done: 0, total: 1, message: removedText('comparison') });
      const seed = experiment.score.seed;
      const comparison: PruningComparison = {
        format: 'layerif-pruning-comparison',
        version: 1,
        status: 'partial',
        model: { name: checkpoint.name, family: model.family, sha256 },
        experimentFile: base.file,
        resultFile,
        calibration: {
          dataset: calibration.dataset,
          split: calibration.split,
          texts: calibration.samples.length,
          tokens: calibration.tokens,
        },
        prunings: [],
        findings: [],
        gate: null,
        provenance: provenanceOf(engine, {
          seconds: 0,
          dataSha256: { ...calibration.dataSha256, ...(await dataHashes(input.files, baseDir)) },
          seed,
        }),
      };
      const finished = new Map<string, Contributions>();
      let number = 0;
      for (const setting of [null, ...settings]) {
        const name = setting ? nameOf(setting) : 'dense';
        const report = (event: { done: number; total: number; message: string }) =>
          options.onProgress?.({
            done: Math.round(1000 * (number + event.done / Math.max(1, event.total))),
            total: 1000 * (settings.length + 1),
            message: `${name}: ${event.message}`,
          });
        const kept = await store.finished
          .part({ pruning: name })
          .once(() => one(base, setting, input, calibration, pool, { ...options, onProgress: report }));
        const dense = finished.get('dense') ?? kept.contributions;
        const uniform =
          setting && setting.map !== 'uniform' ? finished.get(nameOf({ ...setting, map: 'uniform' })) : null;
        kept.pruning.metrics = compareMetrics(kept.contributions, dense, uniform ?? null, seed);
        finished.set(name, kept.contributions);
        comparison.prunings.push(kept.pruning);
        comparison.findings = findingsOf(comparison.prunings);
        comparison.provenance.seconds = (performance.now() - started) / 1000;
        writeJson(store.file, comparison);
        number++;
      }
      comparison.gate = gateOf(base, comparison.prunings);
      complete(store.file, comparison, store.finished);
      return { comparison, comparisonFile: store.file };
    });
  });
}

interface Setting {
  method: NonNullable<Prune['method']>;
  sparsity: number;
  map: string;
}

const nameOf = ({ method, sparsity, map }: Setting): string => `${method} ${sparsity} ${map}`;

/** Uniform comes first in every group, since the others are compared with it. @throws LayerifError */
function settingsOf({ experiment, structure }: PruneInput, options: CompareOptions): Setting[] {
  const section = experiment.prune ?? {};
  const methods = (options.methods ?? [section.method ?? defaultPruner]).map(
    (id) => findPruner(id).id as Setting['method'],
  );
  if (structure === 'layers') {
    throw new LayerifError(
      'badRequest',
      `structure layers cannot be compared in memory; use one of unstructured, 2:4, 4:8`,
    );
  }
  const fixed = structure ? 1 - structure.n / structure.m : undefined;
  const sparsities = options.sparsities ?? [section.sparsity ?? fixed ?? 0.5];
  const own = typeof section.map === 'string' ? [section.map] : [];
  const asked = options.maps ?? [...new Set([...comparedMapIds, ...own])];
  const maps = [...asked].sort((a, b) => Number(b === 'uniform') - Number(a === 'uniform'));
  return methods.flatMap((method) => sparsities.flatMap((sparsity) => maps.map((map) => ({ method, sparsity, map }))));
}

/** Prunes in memory (nothing for the dense model) and evaluates. */
async function one(
  base: PruneInput,
  setting: Setting | null,
  input: EvaluationInput,
  calibration: NonNullable<PruneInput['calibration']>,
  pool: EnginePool,
  options: CompareOptions,
): Promise<Kept> {
  const { checkpoint, model } = base;
  const start = performance.now();
  let layers = Array.from({ length: model.layers }, () => 0);
  let achieved = 0;
  if (setting) {
    const pruner = findPruner(setting.method);
    const own: PruneInput = {
      ...base,
      pruner,
      asked: { sparsity: setting.sparsity, map: setting.map },
      calibration: pruner.needs === 'nothing' ? null : calibration,
    };
    const map = await resolveMap(own, { ...options, task: options.scoreTask }, pool);
    const sizes = layers.map((_, layer) => prunable(model, layer));
    const total = (list: { weights: number }[]) => list.reduce((sum, m) => sum + m.weights, 0);
    layers = sizes.map(
      (list, layer) => list.reduce((sum, m) => sum + sparsityOf(map, layer, m.name) * m.weights, 0) / total(list),
    );
    const request = pruneRequest(own, map, { workDir: null, sha256: '', limit: memoryLimit(options.machine) });
    const summary = await runPrune(pool, request, options);
    const modules = summary.layers.flatMap((layer) => Object.values(layer.modules));
    achieved = modules.reduce((sum, m) => sum + m.zeros, 0) / modules.reduce((sum, m) => sum + m.weights, 0);
  } else await restore(pool, base, options.machine);
  const pruned = performance.now();
  const summary = await runEvaluation(pool, checkpoint, model, input, options);
  const { structure } = base;
  return {
    pruning: {
      method: setting?.method ?? 'dense',
      map: setting?.map ?? 'none',
      structure: structure && structure !== 'layers' ? `${structure.n}:${structure.m}` : 'unstructured',
      sparsity: setting?.sparsity ?? 0,
      achieved,
      layers,
      metrics: [],
      seconds: { prune: (pruned - start) / 1000, evaluate: (performance.now() - pruned) / 1000 },
    },
    contributions: measure(input, summary).contributions,
  };
}

async function restore(pool: EnginePool, { checkpoint }: PruneInput, machine: Machine): Promise<void> {
  try {
    await pool.work('restore', { modelPath: checkpoint.path }, machine);
  } catch {
    // The engine ended, and its pruned weights with it.
  }
}

/** The gate holds for the experiment's own pruning, else for all with its method, sparsity and map. */
function gateOf({ experiment }: PruneInput, prunings: ComparedPruning[]): PruningComparison['gate'] {
  const maxDrop = experiment.evaluate?.gate?.max_drop;
  if (maxDrop === undefined) return null;
  const { method, sparsity, map } = experiment.prune ?? {};
  const own = prunings.filter(
    (p) =>
      p.method !== 'dense' &&
      (method === undefined || p.method === method) &&
      (sparsity === undefined || p.sparsity === sparsity) &&
      (typeof map !== 'string' || p.map === map),
  );
  const failures = own.flatMap((pruning) => gateFailures(pruning, maxDrop));
  return { maxDrop, passed: failures.length === 0, failures };
}

/** The comparison's folder, with a file for every finished pruning while it is under way. */
class Store {
  readonly file: string;
  readonly finished: FinishedParts;

  constructor({ file, checkpoint }: PruneInput, folder: string, identity: unknown[], engine: EngineInfo) {
    this.file = path.join(folder, `${experimentName(file)}${COMPARISON_SUFFIX}`);
    this.finished = new FinishedParts(path.join(folder, 'partial'), {
      identity,
      stamp: modelStamp(checkpoint),
      ...engineOf(engine),
    });
  }
}

function folderOf(
  { file, baseDir, experiment }: PruneInput,
  { outputDir }: CompareOptions,
  identity: unknown[],
): string {
  const hash = createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 12);
  return path.join(
    path.resolve(baseDir, outputDir ?? experiment.output_dir),
    experimentName(file),
    `pruning-comparison-${hash}`,
  );
}
