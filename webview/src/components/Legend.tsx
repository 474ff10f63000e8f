/** Tasks with their swatches; a click makes a task the one that heat map, modules and samples show. */
import { LineSwatch, Swatch } from './patterns.tsx';

export function Legend(props: {
  tasks: readonly string[];
  selected: number;
  negatives: boolean;
  /** Lines instead of bars. */
  lines: boolean;
  /** Some layer's rank would change much with the samples. */
  unstable: boolean;
  onSelect: (task: number) => void;
}) {
  return (
    <div class="legend">
      <div class="legend-tasks" role="group" aria-label="Task shown in detail">
        {props.tasks.map((name, task) => (
          <button
            key={name}
            type="button"
            class="legend-task"
            aria-pressed={task === props.selected}
            title={props.tasks.length > 1 ? `Show heat map, modules and samples of ${name}` : name}
            onClick={() => props.onSelect(task)}
          >
            {props.lines ? <LineSwatch task={task} /> : <Swatch task={task} />}
            <span class="name">{name}</span>
          </button>
        ))}
      </div>
      {props.unstable && (
        <span class="legend-note">
          <strong aria-hidden="true">?</strong> {props.lines ? 'dashed' : 'striped'}: unstable, its rank spans more than
          a third of the layers on other samples
        </span>
      )}
      {props.negatives && (
        <span class="legend-note">
          {!props.lines && <Swatch task={props.selected} negative />}
          {props.lines ? 'hollow, below zero' : 'hatched, below zero'}: hurts validation
        </span>
      )}
    </div>
  );
}
