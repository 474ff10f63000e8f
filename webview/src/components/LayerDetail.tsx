/**
 * Everything about the selected layer: its score for every task with the ways back to the experiment file, its modules,
 * its samples.
 */
import type { Result, ResultLayer, ResultTask } from '../../../protocol/result.ts';
import { send } from '../host.ts';
import { MISSING, formatNumber, formatShare } from '../model/format.ts';
import { moduleValues } from '../model/layers.ts';
import type { LayerValue } from '../model/layers.ts';
import type { Choices } from '../model/pageState.ts';
import { LinkButton } from './controls.tsx';
import { ModuleBars } from './ModuleBars.tsx';
import { Swatch } from './patterns.tsx';
import { SampleTables } from './SampleTables.tsx';

export function LayerDetail(props: {
  result: Result;
  values: readonly LayerValue[];
  layer: number | null;
  task: ResultTask | null;
  taskPlace: number;
  found: { layer: ResultLayer; row: number } | null;
  running: boolean;
  sample: number | null;
  change: (part: Partial<Choices>) => void;
}) {
  const { result, layer, task, found } = props;
  if (layer === null || !task)
    return (
      <p class="empty">
        {props.running ? 'The first finished layer appears here.' : 'No layer was scored before the run ended.'}
      </p>
    );
  const several = result.tasks.length > 1;
  return (
    <section aria-labelledby="detail-heading" class="detail">
      <h2 id="detail-heading">
        Layer {layer} {found && <code class="layer-name">{found.layer.name}</code>}
      </h2>
      <div class="detail-top">
        <TaskScores {...props} layer={layer} />
        <div>
          <h3>Modules{several ? ` for ${task.task}` : ''}</h3>
          {found ? (
            <ModuleBars modules={moduleValues(result, found.layer)} task={props.taskPlace} layer={layer} />
          ) : (
            <p class="empty">{pending(props.running, task.task)}</p>
          )}
          <p class="note">
            By the run{'\u2019'}s aggregation, {result.experiment.score.aggregation}.
          </p>
        </div>
      </div>
      {found && (
        <SampleTables
          source={sourceKey(result)}
          task={task}
          taskPlace={props.taskPlace}
          layer={layer}
          row={found.row}
          count={5}
          picked={props.sample}
        />
      )}
    </section>
  );
}

export const pending = (running: boolean, task: string) =>
  running ? `This layer is not scored for ${task} yet.` : `This layer was not scored for ${task}.`;

/** Changes with everything that changes the meaning of a sample's index. */
export const sourceKey = (result: Result) =>
  `${result.experimentFile}\n${JSON.stringify(result.provenance.dataSha256)}`;

function TaskScores(props: {
  result: Result;
  values: readonly LayerValue[];
  layer: number;
  taskPlace: number;
  change: (part: Partial<Choices>) => void;
}) {
  const datasets = new Map(props.result.experiment.tasks.map((entry) => [entry.task, entry.dataset]));
  return (
    <div>
      <h3>Score and rank</h3>
      <table class="data task-scores">
        <caption class="spoken">Scores of layer {props.layer} per task</caption>
        <thead>
          <tr>
            <th scope="col">Task</th>
            <th scope="col" class="number">
              Score
            </th>
            <th scope="col" class="number">
              Share
            </th>
            <th scope="col" class="number">
              Rank
            </th>
            <th scope="col">Open</th>
          </tr>
        </thead>
        <tbody>
          {props.result.tasks.map((task, place) => {
            const value = props.values.find((entry) => entry.task === place && entry.layer === props.layer);
            const dataset = datasets.get(task.task);
            return (
              <tr
                key={task.task}
                class={place === props.taskPlace && props.result.tasks.length > 1 ? 'selected' : undefined}
              >
                <th scope="row" title={task.task}>
                  <span class="task-cell">
                    <Swatch task={place} negative={value?.sign === 'negative'} />
                    <span class="name">{task.task}</span>
                  </span>
                </th>
                <td class="number">{value ? formatNumber(value.value) : MISSING}</td>
                <td class="number">{value ? formatShare(value.share) : MISSING}</td>
                <td class="number">{value ? `${value.rank} of ${task.layers.length}` : MISSING}</td>
                <td class="jumps">
                  <LinkButton
                    label={`Open task ${task.task} in the experiment file`}
                    title={`Open task ${task.task} in the experiment file`}
                    onClick={() => send({ type: 'revealTask', task: task.task })}
                  >
                    Task
                  </LinkButton>
                  {dataset !== undefined && (
                    <LinkButton
                      label={`Open dataset ${dataset} in the experiment file`}
                      title={`Open dataset ${dataset} in the experiment file`}
                      onClick={() => send({ type: 'revealDataset', dataset })}
                    >
                      Dataset
                    </LinkButton>
                  )}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
