/** Scores of many tasks: a row for each, a column for each layer, where bars and lines would cover each other. */
import { useMemo } from 'preact/hooks';
import { describeValue } from '../model/describe.ts';
import { taskCells } from '../model/layers.ts';
import type { LayerValue } from '../model/layers.ts';
import type { HeatScoreChart } from '../model/scoreTable.ts';
import { ScoreHeatMap } from './ScoreHeatMap.tsx';

export function TaskHeatMap(props: {
  values: readonly LayerValue[];
  layers: readonly number[];
  tasks: readonly string[];
  normalised: boolean;
  onSelect: (layer: number, task: number) => void;
}) {
  const { values, layers, tasks, normalised } = props;
  const cells = useMemo(() => taskCells(values, layers, tasks.length), [values, layers, tasks.length]);
  const chart = useMemo((): HeatScoreChart => {
    const shown = cells.map((cell) => cell && (normalised ? cell.share : cell.value));
    return {
      kind: 'heat',
      rowAxis: 'Task',
      columnAxis: 'Layer',
      rows: [...tasks],
      columns: layers.map(String),
      values: shown,
      limit: Math.max(0, ...shown.map((value) => Math.abs(value ?? 0))) || 1,
      marked: cells.flatMap((cell, at) => (cell?.unstable ? [at] : [])),
    };
  }, [cells, layers, tasks.join('\n'), normalised]);
  const words = (at: number) => {
    const cell = cells[at];
    return cell ? [describeValue(cell)] : [`Layer ${layers[at % layers.length]}: not scored yet`];
  };
  return (
    <>
      <ScoreHeatMap
        name="Layer scores"
        chart={chart}
        words={words}
        onSelect={(at) => props.onSelect(layers[at % layers.length]!, Math.floor(at / layers.length))}
      />
      {chart.marked.length > 0 && (
        <p class="caption">Framed: unstable, its rank spans more than a third of the layers on other samples.</p>
      )}
    </>
  );
}
