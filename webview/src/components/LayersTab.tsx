/** Layers: the chart of all tasks, the heat map of one, and everything about the selected layer. */
import { useMemo, useState } from 'preact/hooks';
import { send } from '../host.ts';
import { aggregations, byScore, drawnAsHeat, findLayer } from '../model/layers.ts';
import { orderSamples, sampleOrders } from '../model/ranking.ts';
import { plural } from '../model/format.ts';
import { useSelection } from '../selection.ts';
import type { TabProps } from '../tabProps.ts';
import { Checkbox, Select } from './controls.tsx';
import { HeatMap } from './HeatMap.tsx';
import { LayerChart } from './LayerChart.tsx';
import { LayerDetail } from './LayerDetail.tsx';
import { LayerTable } from './LayerTable.tsx';
import { IntervalNote } from './IntervalNote.tsx';
import { Legend } from './Legend.tsx';
import { TaskHeatMap } from './TaskHeatMap.tsx';
import { RecomputeControls } from './RecomputeControls.tsx';
import { samplePlace } from './RowCells.tsx';
import { VerdictLines } from './VerdictLines.tsx';

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

export function LayersTab({ result: own, rescored, running, choices, change }: TabProps) {
  const { result } = rescored;
  const { layers, values, aggregation, taskPlace, task, layer, found } = useSelection(result, choices);
  const [lines, setLines] = useState(false);
  const [sample, setSample] = useState<number | null>(null);
  const names = result.tasks.map((entry) => entry.task);
  const row = found?.row ?? null;
  const order = useMemo(
    () => (task ? orderSamples(task, choices.order, choices.order === 'layer' ? row : null) : []),
    [task, choices.order, choices.order === 'layer' ? row : null],
  );
  const rows = useMemo(() => {
    if (!task) return [];
    return layers.map((index) => {
      const at = findLayer(task, index);
      return at ? task.influence[at.row]! : null;
    });
  }, [task, layers]);
  const heat = !choices.table && drawnAsHeat(choices.marks, names.length);
  const axis = useMemo(
    () => (choices.along === 'score' ? byScore(layers, values, taskPlace) : { layers, values }),
    [choices.along, layers, values, taskPlace],
  );
  const select = (index: number, place: number | null) =>
    change(place === null ? { layer: index } : { layer: index, task: names[place] });
  const meaning = aggregations.find((entry) => entry.id === aggregation)?.meaning ?? '';

  return (
    <>
      <VerdictLines result={own} changed={rescored.changed} running={running} />
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
        <RecomputeControls result={own} view={rescored} choices={choices} change={change} />
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
            onReveal={(place) => send({ type: 'revealTask', task: names[place]! })}
          />
        )}
        {task && (
          <IntervalNote
            task={task}
            shown={values.some(({ interval }) => interval !== null)}
            changed={rescored.changed}
          />
        )}
      </section>

      {task && (
        <section aria-labelledby="heat-heading">
          <div class="section-head">
            <h2 id="heat-heading">
              Layers {'\u00d7'} training samples{names.length > 1 ? `: ${task.task}` : ''}
            </h2>
            <div class="controls">
              <Select
                label="Order"
                value={choices.order}
                options={sampleOrders}
                onChange={(id) => change({ order: id })}
              />
              <Checkbox
                label="Scale per layer"
                title="Colours relative to each layer's own largest influence"
                checked={choices.perLayer}
                onChange={(perLayer) => change({ perLayer })}
              />
            </div>
          </div>
          <p class="caption">
            Influence of {plural(order.length, 'training sample')} (columns
            {choices.order === 'file' ? ', in file order' : ', most helpful first'}) on the loss of{' '}
            {plural(task.validation.rows.length, 'validation sample')}, per layer (rows).
          </p>
          <HeatMap
            task={task.task}
            rows={rows}
            layers={layers}
            order={order}
            sampleName={(index) => samplePlace(task.train.rows[index])}
            perLayer={choices.perLayer}
            selectedLayer={layer}
            selectedSample={sample}
            running={running}
            onSelect={(index, picked) => {
              setSample(picked);
              change({ layer: index });
            }}
          />
        </section>
      )}
      <LayerDetail
        result={result}
        values={values}
        layer={layer}
        task={task}
        taskPlace={taskPlace}
        found={found}
        running={running}
        sample={sample}
        change={change}
      />
    </>
  );
}
