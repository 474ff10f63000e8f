/** Layers: the chart of all tasks, the heat map of one, and everything about the selected layer. */
import { useMemo, useState } from 'preact/hooks';
import { send } from '../host.ts';
import { findLayer } from '../model/layers.ts';
import { orderSamples, sampleOrders } from '../model/ranking.ts';
import { plural } from '../model/format.ts';
import { useSelection } from '../selection.ts';
import type { TabProps } from '../tabProps.ts';
import { Checkbox, Select } from './controls.tsx';
import { HeatMap } from './HeatMap.tsx';
import { LayerDetail } from './LayerDetail.tsx';
import { RecomputeControls } from './RecomputeControls.tsx';
import { samplePlace } from './RowCells.tsx';
import { ScorePerLayer } from './ScorePerLayer.tsx';
import { VerdictLines } from './VerdictLines.tsx';

export function LayersTab({ result: own, rescored, running, choices, change }: TabProps) {
  const { result } = rescored;
  const { layers, values, taskPlace, task, layer, found } = useSelection(result, choices);
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

  return (
    <>
      <VerdictLines result={own} changed={rescored.changed} running={running} />
      <ScorePerLayer
        result={result}
        changed={rescored.changed}
        running={running}
        choices={choices}
        change={change}
        onReveal={(name) => send({ type: 'revealTask', task: name })}
        controls={<RecomputeControls result={own} view={rescored} choices={choices} change={change} />}
      />

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
