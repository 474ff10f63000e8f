/** Samples: the same tables as under the chart, longer, with the layer and the task in reach. */
import { useSelection } from '../selection.ts';
import type { TabProps } from '../tabProps.ts';
import { Select } from './controls.tsx';
import { pending, sourceKey } from './LayerDetail.tsx';
import { SampleTables } from './SampleTables.tsx';

const COUNT = 20;

export function SamplesTab({ rescored: { result }, running, choices, change }: TabProps) {
  const { taskPlace, task, layer, found } = useSelection(result, choices);
  if (!task || layer === null)
    return (
      <p class="empty">
        {running ? 'Samples appear with the first finished layer.' : 'No layer was scored before the run ended.'}
      </p>
    );
  const finished = task.layers.map(({ index }) => ({ id: String(index), name: `Layer ${index}` }));
  return (
    <section aria-labelledby="samples-heading">
      <div class="section-head">
        <h2 id="samples-heading">
          Training samples at layer {layer}
          {result.tasks.length > 1 ? `: ${task.task}` : ''}
        </h2>
        <div class="controls">
          {result.tasks.length > 1 && (
            <Select
              label="Task"
              value={task.task}
              options={result.tasks.map((entry) => ({ id: entry.task, name: entry.task }))}
              onChange={(id) => change({ task: id })}
            />
          )}
          {finished.length > 0 && (
            <Select
              label="Layer"
              value={String(layer)}
              options={finished}
              onChange={(id) => change({ layer: Number(id) })}
            />
          )}
        </div>
      </div>
      {found ? (
        <SampleTables
          source={sourceKey(result)}
          task={task}
          taskPlace={taskPlace}
          layer={layer}
          row={found.row}
          count={COUNT}
          picked={null}
        />
      ) : (
        <p class="empty">{pending(running, task.task)}</p>
      )}
    </section>
  );
}
