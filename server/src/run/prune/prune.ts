/**
 * One pruning: plan -> prune block by block in the engine -> write the model. Finished blocks lie in a folder beside
 * the output and are taken over by the next run of the same pruning; the output appears by one rename.
 */
import path from 'node:path';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { PruneRequest, PruneSummary, PruningReport } from '../../../../protocol/pruning.ts';
import { engineFor } from '../machine/enginePool.ts';
import type { EnginePool } from '../machine/enginePool.ts';
import { fitWeights } from '../machine/fitting.ts';
import type { WeightMode } from '../machine/fitting.ts';
import { memoryLimit } from '../machine/machine.ts';
import { PROGRAMS, streamedBytes, weightBytes } from '../machine/memory.ts';
import { foreseenMap, layersToDrop, resolveMap } from './pruneMap.ts';
import { preparePruning } from '../inputs/pruneInput.ts';
import type { PruneInput, PruneOptions } from '../inputs/pruneInput.ts';
import { requireOutput, writePrunedModel, shortened } from './prunedModel.ts';
import { alone } from '../files/alone.ts';
import { engineOf, FinishedParts, removedText, tokensHash } from '../files/finished.ts';
import { modelStamp } from '../files/modelStamp.ts';
import { experimentName } from '../files/results.ts';
import { prunable, sparsityOf } from '../decide/sparsityMap.ts';
import type { SparsityMap } from '../decide/sparsityMap.ts';
import { untilEnd } from '../files/ending.ts';
import { provenanceOf } from '../files/provenance.ts';
import { batchesOf } from '../machine/batching.ts';
import { bytesText } from '../../text/bytes.ts';

const TOKENS_PER_BATCH = 1024;

/** @throws LayerifError */
export function pruneExperiment(options: PruneOptions): Promise<{ report: PruningReport; output: string }> {
  return untilEnd(options.signal, async (onEnd) => {
    const pool = engineFor(options.engine, onEnd);
    const input = await preparePruning(options.file, options, options);
    onEnd(() => input.checkpoint.close());
    const output = outputOf(input, options.output);
    requireOutput(output, input.checkpoint, 0);
    return await alone(`${output}.lock`, output, options, async () => {
      const started = performance.now();
      const engine = await pool.start(options.machine);
      const provenance = (summary: Pick<PruneSummary, 'peakMemoryBytes' | 'resumedLayers'>) => ({
        ...provenanceOf(engine, {
          seconds: (performance.now() - started) / 1000,
          dataSha256: input.calibration?.dataSha256 ?? {},
          seed: input.experiment.score.seed,
        }),
        peakMemoryBytes: summary.peakMemoryBytes,
        resumedLayers: summary.resumedLayers,
      });
      const sha256 = await input.checkpoint.sha256();
      const { checkpoint, model } = input;
      if (input.structure === 'layers') {
        requireOutput(output, checkpoint, 0);
        const left = await layersToDrop(input, options);
        const { dropped } = left;
        const report = reportOfDropped(input, sha256, left, provenance({ peakMemoryBytes: 0, resumedLayers: 0 }));
        writePrunedModel(output, { checkpoint, model, replaced: [], dropped, report });
        return { report, output };
      }
      const map = await resolveMap(input, options, pool);
      const work = `${output}.layers`;
      requireOutput(output, checkpoint, prunedBytes(input));
      const asked = pruneRequest(input, map, { workDir: work, sha256, limit: memoryLimit(options.machine) });
      const { key, batches } = asked;
      const finished = new FinishedParts(work, {
        key,
        batches,
        samples: tokensHash(asked.calibration),
        stamp: modelStamp(checkpoint),
        ...engineOf(engine),
      });
      if (finished.removed) options.onProgress?.({ done: 0, total: 1, message: removedText('pruning') });
      const request = { ...asked, workDir: finished.part('layers').folder };
      const summary = await runPrune(pool, request, options);
      const report = reportOf(input, sha256, map, summary, provenance(summary));
      const replaced = summary.layers.map(({ layer }) => path.join(request.workDir, `layer-${layer}.safetensors`));
      writePrunedModel(output, { checkpoint, model, replaced, dropped: [], report });
      finished.clear();
      return { report, output };
    });
  });
}

export async function runPrune(
  pool: EnginePool,
  request: PruneRequest,
  { machine, onProgress, signal }: Pick<PruneOptions, 'machine' | 'onProgress' | 'signal'>,
): Promise<PruneSummary> {
  await pool.start(machine);
  return pool.work(
    'prune',
    request,
    machine,
    (event) => {
      if (event.type !== 'pruning') return;
      onProgress?.({
        done: event.done,
        total: event.total,
        message: `${request.method}: layer ${event.done} of ${event.total}`,
      });
    },
    signal,
  );
}

/**
 * What a pruning is refused for before it starts.
 * @throws LayerifError `badRequest`, `notEnoughMemory`, `notEnoughDisk`; `MissingResult` where scores are not computed
 *   yet
 */
export async function foreseenPruning(input: PruneInput, machine: PruneOptions['machine']): Promise<void> {
  await foreseenMap(input, machine);
  if (input.structure === 'layers') shortened(input.checkpoint, input.model, []);
  else weightsFor(input, true, memoryLimit(machine));
  requireOutput(outputOf(input, undefined), input.checkpoint, 0);
}

/** @throws LayerifError `notEnoughMemory` */
export function pruneRequest(
  { checkpoint, model, pruner, structure, calibration }: PruneInput,
  map: SparsityMap,
  { workDir, sha256, limit }: { workDir: string | null; sha256: string; limit: number },
): PruneRequest {
  const samples = calibration?.samples ?? [];
  const lengths = samples.map(({ tokens }) => tokens.length);
  const shape = structure === 'layers' ? null : structure;
  return {
    modelPath: checkpoint.path,
    method: pruner.id,
    structure: shape,
    sparsity: map.sparsity,
    calibration: samples,
    batches: batchesOf(model, lengths, TOKENS_PER_BATCH),
    weights: weightsFor({ checkpoint, model, pruner, calibration }, workDir !== null, limit),
    workDir,
    key: JSON.stringify([sha256, pruner.id, shape, map.sparsity, calibration?.dataSha256, lengths, calibration?.split]),
  };
}

/**
 * Resident where everything fits, else one block at a time. In float32 numbers: activations of all texts before and
 * behind a block; for SparseGPT the products of the inputs in float64 with about six matrices of that size while one is
 * factored.
 */
function weightsFor(
  { checkpoint, model, pruner, calibration }: Pick<PruneInput, 'checkpoint' | 'model' | 'pruner' | 'calibration'>,
  onDisk: boolean,
  limit: number,
): WeightMode {
  const bytes = weightBytes(checkpoint, model);
  const widths = Array.from({ length: model.layers }, (_, layer) => model.modules(layer).map((m) => m.columns)).flat();
  const distinct = [...new Set(widths)];
  const squares = distinct.reduce((sum, w) => sum + w * w, 0);
  const statistics = pruner.needs === 'products' ? 12 * squares + 48 * Math.max(...widths) ** 2 : 0;
  const activations = 8 * (calibration?.tokens ?? 0) * model.hidden;
  const parts = {
    programs: PROGRAMS,
    statistics,
    activations,
    work: 4 * TOKENS_PER_BATCH * (6 * model.hidden + 4 * Math.max(...widths)),
    pruned: bytes.layer,
  };
  const held = onDisk ? { resident: bytes.total, streamed: streamedBytes(bytes) } : { resident: 2 * bytes.total };
  const { weights, memoryBytes, fits } = fitWeights(parts, held, limit);
  if (fits) return weights;
  const advice =
    statistics > activations
      ? 'use method wanda, or raise --memory'
      : 'take fewer or shorter calibration texts (prune.calibration), or raise --memory';
  throw new LayerifError(
    'notEnoughMemory',
    `not enough memory: pruning with ${pruner.id} needs about ${bytesText(memoryBytes)}, the limit is ${bytesText(limit)}; ${advice}`,
  );
}

/** Bytes of the layer files: pruned matrices in their stored type. */
function prunedBytes({ checkpoint, model }: PruneInput): number {
  let bytes = 0;
  for (let layer = 0; layer < model.layers; layer++) {
    for (const { name, weights } of prunable(model, layer)) {
      const info = checkpoint.tensors.get(`${model.layerName(layer)}.${name}.weight`);
      bytes += weights * (info?.dtype === 'F16' || info?.dtype === 'BF16' ? 2 : 4);
    }
  }
  return bytes;
}

function outputOf({ file, baseDir, experiment, pruner, structure, asked }: PruneInput, given?: string): string {
  if (given !== undefined) return path.resolve(given);
  if (experiment.prune?.output !== undefined) return path.resolve(baseDir, experiment.prune.output);
  const shape =
    structure === 'layers' ? 'layers' : structure ? `${pruner.id}-${structure.n}of${structure.m}` : pruner.id;
  const map = typeof asked.map === 'string' && !asked.map.includes('.') ? `-${asked.by ?? asked.map}` : '-map';
  const name = `pruned-${shape}${map}-${Math.round(100 * asked.sparsity)}`;
  return path.resolve(baseDir, experiment.output_dir, experimentName(file), name);
}

const ZEROS_NOTE =
  'Zeros make the file neither smaller nor faster by themselves: the matrices are stored dense. A gain needs a runtime with sparse kernels (2:4 on recent NVIDIA GPUs), compression, or leaving out whole layers.';

function reportOf(
  input: PruneInput,
  sha256: string,
  map: SparsityMap,
  summary: PruneSummary,
  provenance: PruningReport['provenance'],
): PruningReport {
  const { checkpoint, model, pruner, structure, calibration } = input;
  let zeros = 0;
  let weights = 0;
  const layers = summary.layers.map(({ layer, modules }) => {
    const entries = Object.entries(modules);
    const own = { zeros: 0, weights: 0, requested: 0 };
    for (const [name, module] of entries) {
      own.zeros += module.zeros;
      own.weights += module.weights;
      own.requested += sparsityOf(map, layer, name) * module.weights;
    }
    zeros += own.zeros;
    weights += own.weights;
    return {
      index: layer,
      name: model.layerName(layer),
      requested: own.requested / own.weights,
      achieved: own.zeros / own.weights,
      modules: Object.fromEntries(entries.map(([name, module]) => [name, module.zeros / module.weights])),
    };
  });
  return {
    format: 'layerif-pruning',
    version: 1,
    model: { name: checkpoint.name, family: model.family, sha256 },
    method: pruner.id,
    structure: structure && structure !== 'layers' ? `${structure.n}:${structure.m}` : 'unstructured',
    map: map.source,
    requested: map.ratio,
    achieved: zeros / weights,
    layers,
    dropped: [],
    ...(map.scores ? { scores: map.scores } : {}),
    calibration: calibration && {
      dataset: calibration.dataset,
      split: calibration.split,
      texts: calibration.samples.length,
      tokens: calibration.tokens,
      dataSha256: calibration.dataSha256,
    },
    notes: [
      ZEROS_NOTE,
      ...(checkpoint.format === 'gguf'
        ? ['The GGUF file was written as safetensors in float32: its block types cannot hold pruned weights.']
        : []),
    ],
    provenance,
  };
}

function reportOfDropped(
  { checkpoint, model, asked }: PruneInput,
  sha256: string,
  { dropped, source, scores }: Awaited<ReturnType<typeof layersToDrop>>,
  provenance: PruningReport['provenance'],
): PruningReport {
  const sizes = Array.from({ length: model.layers }, (_, layer) =>
    model.modules(layer).reduce((sum, m) => sum + m.rows * m.columns, 0),
  );
  const total = sizes.reduce((a, b) => a + b, 0);
  return {
    format: 'layerif-pruning',
    version: 1,
    model: { name: checkpoint.name, family: model.family, sha256 },
    method: 'layers',
    structure: 'layers',
    map: source,
    requested: asked.sparsity,
    achieved: sizes.reduce((sum, size, layer) => sum + (dropped.includes(layer) ? size : 0), 0) / total,
    layers: sizes.map((_, index) => {
      const gone = dropped.includes(index) ? 1 : 0;
      return { index, name: model.layerName(index), requested: gone, achieved: gone, modules: {} };
    }),
    dropped,
    ...(scores ? { scores } : {}),
    calibration: null,
    notes: ['Whole layers are gone and the others are numbered anew, so the model is smaller and faster everywhere.'],
    provenance,
  };
}
