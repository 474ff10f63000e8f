/**
 * Prune and Evaluate…: which maps, methods and sparsities; what it will take; then progress, cancel and the comparison.
 */
import * as vscode from 'vscode';
import { pickMany, typeText } from '../ask.ts';
import type { EstimatePruningAnswer, PruneAndCompareAnswer, PruneAndCompareParams } from '../../../protocol/lsp.ts';
import { comparedMapIds, comparedMaps, defaultPruner, prunerNames } from '../../../protocol/methods.ts';
import type { ComparedMap, PrunerId } from '../../../protocol/methods.ts';
import { RESULT_SUFFIX } from '../../../protocol/result.ts';
import { requests } from '../../../protocol/requests.ts';
import { COMPARISON_EDITOR } from '../comparisonEditor.ts';
import { experimentName } from '../experimentFiles.ts';
import { durationWords } from '../../../protocol/estimateWords.ts';
import { readSparsities } from '../pruningWords.ts';
import { mayRun, saveExperiment } from './guard.ts';
import { experimentOf } from './targets.ts';
import type { Source } from './targets.ts';
import { failed, refuse } from './trust.ts';
import type { TrustParts } from './trust.ts';

type Item = vscode.QuickPickItem & { id: string };

const mapWords: Record<ComparedMap, string> = {
  uniform: 'what the others are compared with',
  layerif: 'by the scores of the result',
  owl: 'by activation outliers, measured first',
  alphapruning: 'by the spectrum of the weights',
  reversed: 'LayerIF turned over, a control',
};
const methodWords: Record<PrunerId, string> = {
  wanda: 'weights times input norms',
  magnitude: 'weights alone',
  sparsegpt: 'corrects what is left; slowest',
};

const maps = comparedMapIds.map((id): Item => {
  return { id, label: comparedMaps[id], description: mapWords[id], picked: true };
});
/** The default first. */
const methods = (Object.keys(methodWords) as PrunerId[]).map((id): Item => {
  const picked = id === defaultPruner ? { picked: true } : {};
  return { id, label: prunerNames[id], description: methodWords[id], ...picked };
});

export function registerPruningCommands(parts: TrustParts): vscode.Disposable {
  return vscode.commands.registerCommand('layerif.pruneAndEvaluate', async (source: Source) => {
    const asked = await experimentOf(parts, source, 'prune and evaluate');
    if (!asked || !(await mayRun(parts.runs, asked, 'Pruning'))) return;
    const chosen = await choose();
    const experiment = chosen && (await saveExperiment(asked));
    if (!experiment) return;
    const result = source instanceof vscode.Uri && source.path.endsWith(RESULT_SUFFIX) ? source.fsPath : undefined;
    const params: PruneAndCompareParams = {
      uri: experiment.toString(),
      ...chosen,
      ...(result === undefined ? {} : { resultFile: result }),
    };
    if (await confirm(parts, experiment, params)) await run(parts, experiment, params);
  });
}

async function choose(): Promise<Pick<PruneAndCompareParams, 'maps' | 'methods' | 'sparsities'> | null> {
  const pick = (items: readonly Item[], placeHolder: string) => pickMany(items, { placeHolder });
  const chosenMaps = await pick(maps, 'Maps: how the sparsity is spread over layers');
  if (!chosenMaps) return null;
  const chosenMethods = await pick(methods, 'Methods: which weights go');
  if (!chosenMethods) return null;
  const text = await typeText({
    title: 'Sparsities',
    prompt: 'Share of the prunable weights that goes; several with commas',
    value: '0.5',
    validateInput: (value) => {
      const read = readSparsities(value);
      return typeof read === 'string' ? read : null;
    },
  });
  const sparsities = text === undefined ? null : readSparsities(text);
  if (!Array.isArray(sparsities)) return null;
  return { maps: chosenMaps.map(({ id }) => id), methods: chosenMethods.map(({ id }) => id), sparsities };
}

/** Says what it will take, and asks. */
async function confirm(parts: TrustParts, experiment: vscode.Uri, params: PruneAndCompareParams): Promise<boolean> {
  const name = experimentName(experiment.path);
  const { estimate, error } = await parts.client
    .request(requests.estimatePruning, params)
    .catch((cause: Error): EstimatePruningAnswer => ({ estimate: null, error: failed(cause) }));
  if (!estimate) {
    await refuse(parts, `Estimating ${name}`, error);
    return false;
  }
  const { prunings, documents, evaluationTokens, calibrationTokens, seconds } = estimate;
  const start = 'Prune and Evaluate';
  const choice = await vscode.window.showInformationMessage(
    `${prunings} prunings of ${name} take about ${durationWords(seconds)}.`,
    {
      modal: true,
      detail: `Each is calibrated on ${calibrationTokens.toLocaleString('en-US')} tokens and evaluated on ${documents.toLocaleString('en-US')} documents (${evaluationTokens.toLocaleString('en-US')} tokens), as is the model itself. The model's files are not changed. You can cancel at any time; finished prunings are kept.`,
    },
    start,
  );
  return choice === start;
}

async function run(parts: TrustParts, experiment: vscode.Uri, params: PruneAndCompareParams): Promise<void> {
  const name = experimentName(experiment.path);
  const { comparisonFile, error } = await parts.trust.during(experiment.fsPath, 'Pruning and evaluating\u2026', () =>
    parts.client
      .request(requests.pruneAndCompare, params)
      .catch((cause: Error): PruneAndCompareAnswer => ({ comparisonFile: null, error: failed(cause) })),
  );
  if (error || comparisonFile === null) return refuse(parts, `Pruning and evaluating ${name}`, error);
  await vscode.commands.executeCommand('vscode.openWith', vscode.Uri.file(comparisonFile), COMPARISON_EDITOR, {
    viewColumn: parts.results.active ? vscode.ViewColumn.Active : vscode.ViewColumn.Beside,
    preview: false,
  });
}
