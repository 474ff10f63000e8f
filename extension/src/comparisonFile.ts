/** Reading `*.layerif-pruning-comparison.json`: what the page draws is checked here. No `vscode` here. */
import type { PruningComparison } from '../../protocol/pruning.ts';

/** Throws an `Error` whose message can be shown as it is. */
export function parseComparison(text: string): PruningComparison {
  let value: Partial<PruningComparison> | null;
  try {
    value = JSON.parse(text) as Partial<PruningComparison> | null;
  } catch (error) {
    throw new Error(
      `This comparison is not valid JSON (${(error as Error).message}). Run Prune and Evaluate again to write it.`,
      { cause: error },
    );
  }
  if (value === null || typeof value !== 'object' || value.format !== 'layerif-pruning-comparison')
    throw new Error('This file is not a LayerIF comparison: "format" must be "layerif-pruning-comparison".');
  if (value.version !== 1)
    throw new Error(
      `This comparison has version ${JSON.stringify(value.version)}; this LayerIF reads version 1. Update the extension.`,
    );
  const fault = firstFault(value);
  if (fault) throw new Error(`This comparison is damaged: ${fault}. Run Prune and Evaluate again to write it.`);
  return value as PruningComparison;
}

function firstFault(value: Partial<PruningComparison>): string | null {
  for (const key of ['model', 'provenance'] as const)
    if (typeof value[key] !== 'object' || value[key] === null) return `"${key}" is missing`;
  if (!Array.isArray(value.findings)) return '"findings" is missing';
  if (!Array.isArray(value.prunings)) return '"prunings" is missing';
  const bad = value.prunings.findIndex((one) => !Array.isArray(one?.metrics) || !Array.isArray(one.layers));
  return bad < 0 ? null : `"prunings[${bad}]" has no metrics or layers`;
}
