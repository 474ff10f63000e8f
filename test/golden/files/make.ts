/**
 * Makes the golden files beside it: one of each kind that LayerIF writes, of a tiny random Llama, and the Grams of the
 * result.
 *
 *     node test/golden/files/make.ts
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileKinds } from '../../../protocol/files/kinds.ts';
import type { FileKind } from '../../../protocol/files/kinds.ts';
import { GRAMS_FILE } from '../../../protocol/result.ts';
import { analyseTable, writeAnalysis } from '../../../server/src/run/analyse/analyse.ts';
import { allocateResult, allocationFile, saveAllocation } from '../../../server/src/run/decide/allocate.ts';
import { evaluateExperiment } from '../../../server/src/run/evaluate/evaluate.ts';
import { trainExpertsOf } from '../../../server/src/run/experts/trainExperts.ts';
import { runExperiment } from '../../../server/src/run/influence/runExperiment.ts';
import { pruneExperiment } from '../../../server/src/run/prune/prune.ts';
import { pruneAndCompare } from '../../../server/src/run/prune/pruneAndCompare.ts';
import { validateExperiment } from '../../../server/src/run/validate/validate.ts';
import { writeTinyWorkspace } from '../../tinyLlama.ts';

const SECTIONS = `scores: [block_influence, owl]
prune: { method: wanda, calibration: { dataset: reviews, split: "train[:6]" } }
evaluate: { gate: { max_drop: 0.9 } }
validate: { subsets: 6, leave_out: 4, group_size: 3, retrain: { rank: 2, alpha: 4, steps: 3, learning_rate: 0.02 }, retrieval: { train_per_class: 2, validation_per_class: 1 } }
train_experts: { allocations: [layerif, uniform], total: 7, rank: 2, alpha: 4, steps: 2, batch_size: 4, learning_rate: 0.02, seeds: 2 }
`;

const machine = { device: 'cpu', threads: 1 } as const;
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-golden-'));
try {
  const { experiment: file } = writeTinyWorkspace(folder, { train: 10 });
  fs.appendFileSync(file, SECTIONS);
  const { resultFile, scoresFile } = await runExperiment({ file, machine, onEvent: () => undefined });
  for (const kind of ['experts', 'sparsity'] as const)
    saveAllocation(await allocateResult({ resultFile: resultFile!, request: { kind } }), allocationFile(resultFile!));
  const output = path.join(folder, 'pruned');
  await pruneExperiment({ file, machine, map: 'layerif', sparsity: 0.5, output });
  const made: Record<FileKind, string> = {
    result: resultFile!,
    scores: scoresFile!,
    validation: (await validateExperiment({ file, machine })).resultFile,
    comparison: (await pruneAndCompare({ file, machine, maps: ['uniform', 'layerif'], sparsities: [0.5] }))
      .comparisonFile,
    experts: (await trainExpertsOf({ file, machine })).resultFile,
    allocation: allocationFile(resultFile!),
    evaluation: (await evaluateExperiment({ file, machine, logSamples: true })).evaluationFile,
    pruning: path.join(output, fileKinds.pruning.suffix),
    analysis: await analysisIn(folder),
  };
  const real = fs.realpathSync(folder);
  for (const [kind, from] of Object.entries(made)) {
    const text = fs.readFileSync(from, 'utf8').replaceAll(real, '/workspace').replaceAll(folder, '/workspace');
    const { suffix } = fileKinds[kind as FileKind];
    fs.writeFileSync(path.join(import.meta.dirname, suffix.startsWith('.') ? `tiny${suffix}` : suffix), text);
  }
  fs.copyFileSync(path.join(path.dirname(resultFile!), GRAMS_FILE), path.join(import.meta.dirname, GRAMS_FILE));
} finally {
  fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

/** A table of 24 rows: two kinds, four bases, a size and a score of it. */
async function analysisIn(folder: string): Promise<string> {
  const table = path.join(folder, 'tiny.csv');
  const rows = Array.from({ length: 24 }, (_, i) => {
    const size = 0.5 * (i + 1);
    const value = 40 + 6 * Math.log(size) + (i % 2) * 3 + ((7 * i) % 5) / 2;
    return [i % 2 === 0 ? 'base' : 'tuned', `base${i % 4}`, size, value.toFixed(3)].join(',');
  });
  fs.writeFileSync(table, ['kind,base,size,score', ...rows, ''].join('\n'));
  const analysis = await analyseTable(table, {
    responses: ['score'],
    factors: ['kind'],
    smooths: ['size'],
    random: 'base',
    logs: ['size'],
    features: ['size', 'score'],
    projections: ['tsne', 'umap'],
    clusterBy: 'base',
  });
  return writeAnalysis(analysis, table);
}
