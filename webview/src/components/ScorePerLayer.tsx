/** Score per layer: chart, heat map or table of all tasks with its controls, in the results editor and in a chat. */
import { useMemo, useState } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import type { Result } from '../../../protocol/result.ts';
import { aggregations, byScore, drawnAsHeat } from '../model/layers.ts';
import type { Choices } from '../model/pageState.ts';
import { useSelection } from '../selection.ts';
import { Checkbox, Select } from './controls.tsx';
import { IntervalNote } from './IntervalNote.tsx';
import { LayerChart } from './LayerChart.tsx';
import { LayerTable } from './LayerTable.tsx';
import { Legend } from './Legend.tsx';
import { TaskHeatMap } from './TaskHeatMap.tsx';

const views = [
  { id: 'auto', name: 'Chart' },
  { id: 'bars', name: 'Bars' },
  { id: 'lines', name: 'Lines' },
  { id: 'heat', name: 'Heat map' },
  { id: 'table', name: 'Table' },
] as const;

const axes = [
  { id: 'depth', name: 'Depth' },
  { id: 'score', name: 'Score' },
] as const;

export interface ScorePerLayerProps {
  result: Result;
  /** The view is not the run's own. */
  changed: boolean;
  running: boolean;
  choices: Choices;
  change: (part: Partial<Choices>) => void;
  /** Opens a task in its experiment file. */
  onReveal: (task: string) => void;
  /** Further controls above the chart. */
  controls?: ComponentChildren;
}

export function ScorePerLayer(props: ScorePerLayerProps) {
  const { result, running, choices, change } = props;
  const { layers, values, aggregation, taskPlace, task, layer } = useSelection(result, choices);
  const [lines, setLines] = useState(false);
  const names = result.tasks.map((entry) => entry.task);
  const heat = !choices.table && drawnAsHeat(choices.marks, names.length);
  const axis = useMemo(
    () => (choices.along === 'score' ? byScore(layers, values, taskPlace) : { layers, values }),
    [choices.along, layers, values, taskPlace],
  );
  const select = (index: number, place: number | null) =>
    change(place === null ? { layer: index } : { layer: index, task: names[place] });
  const meaning = aggregations.find((entry) => entry.id === aggregation)?.meaning ?? '';

  return (
    <section aria-labelledby="scores-heading">
      <div class="section-head">
        <h2 id="scores-heading">Score per layer</h2>
        <div class="controls">
          <Select
            label="Aggregation"
            value={aggregation}
            options={aggregations}
            onChange={(id) => change({ aggregation: id })}
          />
          <Select
            label="View"
            short
            value={choices.table ? 'table' : choices.marks}
            options={views}
            onChange={(id) => (id === 'table' ? change({ table: true }) : change({ table: false, marks: id }))}
          />
          {!choices.table && (
            <Select
              label="Layers by"
              short
              value={choices.along}
              options={axes}
              onChange={(along) => change({ along })}
            />
          )}
          <Checkbox
            label="Share of largest"
            title="Each task relative to its largest layer; the raw values stand in the tooltip"
            checked={choices.normalised}
            onChange={(normalised) => change({ normalised })}
          />
        </div>
      </div>
      {props.controls}
      <p class="caption">
        {choices.normalised ? `Share of each task\u2019s largest layer${running ? ' so far' : ''}` : 'Raw score'}:{' '}
        {meaning}.
      </p>
      <Legend
        tasks={names}
        selected={taskPlace}
        lines={lines && !choices.table && !heat}
        unstable={!choices.table && !heat && values.some((value) => value.unstable)}
        negatives={values.some((value) => value.sign === 'negative')}
        onSelect={(place) => change({ task: names[place] })}
      />
      {choices.table ? (
        <LayerTable
          values={values}
          layers={layers}
          tasks={names}
          selected={layer}
          onSelect={(index) => change({ layer: index })}
        />
      ) : heat ? (
        <TaskHeatMap
          values={axis.values}
          layers={axis.layers}
          tasks={names}
          normalised={choices.normalised}
          onSelect={select}
        />
      ) : (
        <LayerChart
          values={axis.values}
          layers={axis.layers}
          tasks={names}
          normalised={choices.normalised}
          marks={choices.marks === 'heat' ? 'auto' : choices.marks}
          onMarks={(marks) => setLines(marks === 'lines')}
          selected={layer}
          running={running}
          onSelect={select}
          onReveal={(place) => props.onReveal(names[place]!)}
        />
      )}
      {task && (
        <IntervalNote task={task} shown={values.some(({ interval }) => interval !== null)} changed={props.changed} />
      )}
    </section>
  );
}
