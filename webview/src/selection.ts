/** What the choices mean for the result at hand: every tab selects the same task and layer. */
import { useMemo } from 'preact/hooks';
import type { AggregationId } from '../../protocol/experiment.ts';
import type { Result, ResultLayer, ResultTask } from '../../protocol/result.ts';
import { defaultLayer, findLayer, layerValues, scoredLayers } from './model/layers.ts';
import type { LayerValue } from './model/layers.ts';
import { taskIndex } from './model/pageState.ts';
import type { Choices } from './model/pageState.ts';

export interface Selection {
  layers: number[];
  values: LayerValue[];
  aggregation: AggregationId;
  /** Place of the selected task; null while no task has numbers. */
  taskPlace: number;
  task: ResultTask | null;
  /** Index of the selected layer; null while none is finished. */
  layer: number | null;
  /** The selected layer of the selected task, when it is finished. */
  found: { layer: ResultLayer; row: number } | null;
}

export function useSelection(result: Result, choices: Choices): Selection {
  const aggregation = choices.aggregation || result.experiment.score.aggregation;
  const layers = useMemo(() => scoredLayers(result), [result]);
  const values = useMemo(() => layerValues(result, aggregation), [result, aggregation]);
  const taskPlace = taskIndex(result, choices);
  const task = result.tasks[taskPlace] ?? null;
  const chosen = choices.layer !== null && layers.includes(choices.layer) ? choices.layer : null;
  const layer = chosen ?? defaultLayer(result, aggregation);
  const found = task && layer !== null ? findLayer(task, layer) : null;
  return { layers, values, aggregation, taskPlace, task, layer, found };
}
