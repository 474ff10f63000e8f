/**
 * Pruning, evaluation and both in one go, on request of the editor: one at a time, with progress and cancel, in the
 * engine of the scores.
 */
import { comparedMapIds, defaultPruner } from '../../../protocol/methods.ts';
import type { CancellationToken } from 'vscode-languageserver/node';
import type {
  EstimatePruningAnswer,
  EvaluateAnswer,
  EvaluateParams,
  PruneAndCompareAnswer,
  PruneAndCompareParams,
  PruneAnswer,
  PruneParams,
} from '../../../protocol/lsp.ts';
import { estimatePruning as estimateOf } from '../run/prune/estimatePruning.ts';
import { evaluateExperiment } from '../run/evaluate/evaluate.ts';
import { pruneExperiment } from '../run/prune/prune.ts';
import { pruneAndCompare as compare } from '../run/prune/pruneAndCompare.ts';
import { experimentName } from '../run/files/results.ts';
import { fileOf } from './documents.ts';
import type { Jobs } from './jobs.ts';

export async function prune(
  jobs: Jobs,
  { uri, ...options }: PruneParams,
  token: CancellationToken,
): Promise<PruneAnswer> {
  const file = fileOf(uri);
  const { value, error } = await jobs.alone(file, `Pruning ${experimentName(file)}`, token, (tools) =>
    pruneExperiment({ file, ...options, ...tools }),
  );
  return { report: value?.report ?? null, output: value?.output ?? null, error };
}

export async function evaluate(
  jobs: Jobs,
  { uri, ...options }: EvaluateParams,
  token: CancellationToken,
): Promise<EvaluateAnswer> {
  const file = fileOf(uri);
  const { value, error } = await jobs.alone(file, `Evaluating ${experimentName(file)}`, token, (tools) =>
    evaluateExperiment({ file, ...options, ...tools }),
  );
  return { evaluationFile: value?.evaluationFile ?? null, error };
}

export async function pruneAndCompare(
  jobs: Jobs,
  { uri, ...options }: PruneAndCompareParams,
  token: CancellationToken,
): Promise<PruneAndCompareAnswer> {
  const file = fileOf(uri);
  const title = `Pruning and evaluating ${experimentName(file)}`;
  const { value, error } = await jobs.alone(file, title, token, (tools) => compare({ file, ...options, ...tools }));
  return { comparisonFile: value?.comparisonFile ?? null, error };
}

export async function estimatePruning(
  jobs: Jobs,
  {
    uri,
    maps = [...comparedMapIds],
    methods = [defaultPruner],
    sparsities = [0.5],
    structure,
    limit,
  }: PruneAndCompareParams,
  token: CancellationToken,
): Promise<EstimatePruningAnswer> {
  const file = fileOf(uri);
  const prunings = maps.length * methods.length * sparsities.length;
  const { value, error } = await jobs.alone(file, `Estimating ${experimentName(file)}`, token, ({ machine, engine }) =>
    estimateOf({ file, structure, limit, prunings, machine }, engine),
  );
  return { estimate: value, error };
}
