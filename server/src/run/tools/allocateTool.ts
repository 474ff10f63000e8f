/** `allocate`: a number for each layer, by the scores of a run. Writes nothing. */
import type { Allocation, AllocationKind } from '../../../../protocol/allocation.ts';
import { spreadSentence, spreadText } from '../../../../protocol/allocationSpread.ts';
import { directionSentence } from '../../../../protocol/direction.ts';
import type { ToolAnswer } from '../../../../protocol/tools.ts';
import path from 'node:path';
import { allocateResult } from '../decide/allocate.ts';
import { readResult } from '../files/results.ts';
import type { ToolValues } from './input.ts';
import type { ToolContext } from './types.ts';

/** @throws LayerifError `badRequest` as `allocateResult` */
export async function allocateTool(
  { result: named, kind, task, rule, total, count, ratio }: ToolValues,
  { folders, signal }: ToolContext,
): Promise<ToolAnswer> {
  const file = folders.inside(String(named));
  const { experiment, experimentFile } = readResult(file);
  // Some rules look at the model beside the scores.
  folders.requireNamed(experiment, path.dirname(experimentFile), file);
  const number = (value: ToolValues[string]) => (value === undefined ? undefined : Number(value));
  const allocation = await allocateResult({
    resultFile: file,
    ...(task === undefined ? {} : { tasks: [String(task)] }),
    request: {
      kind: kind as AllocationKind,
      rule: rule as string | undefined,
      total: number(total),
      count: number(count),
      ratio: number(ratio),
    },
    signal,
  });
  const { layers, spread, notes, ruleTitle, total: sum } = allocation;
  return {
    text: allocationText(allocation),
    data: {
      kind,
      rule: ruleTitle,
      total: sum,
      level: spread?.level ?? null,
      layers: layers.map(({ index, score, value, spread: own }) => ({ layer: index, score, value, spread: own })),
      notes,
    },
  };
}

function allocationText(allocation: Allocation): string {
  const { kind, rule, ruleTitle, layers, total, notes } = allocation;
  const shown = (value: number) =>
    kind === 'sparsity' ? `${(100 * value).toFixed(1)} %` : kind === 'experts' || kind === 'rank' ? String(value) : '';
  const chooses = kind === 'freeze' || kind === 'tune' || kind === 'drop';
  const listed = (chooses ? layers.filter(({ value }) => value > 0) : layers).map(({ index, value, spread }) => {
    const moves = spreadText(kind, spread);
    return `layer ${index}${chooses ? '' : ` ${shown(value)}`}${moves === '' ? '' : ` (${moves})`}`;
  });
  const whole = kind === 'sparsity' ? `${(100 * total).toFixed(2)} % of the weights` : `${total} in all`;
  const said = [directionSentence(allocation), spreadSentence(allocation)].filter((one) => one !== null);
  return [`${kind} by rule ${rule} (${ruleTitle}): ${whole}.`, `${listed.join(', ')}.`, ...said, ...notes].join('\n');
}
