/** The page of the side-bar view: one compact bar per layer for the run under way or the last result. */
import './styles/page.css';
import './styles/charts.css';
import './styles/tables.css';
import './styles/sidebar.css';
import { render } from 'preact';
import { useRef } from 'preact/hooks';
import type { Result } from '../../protocol/result.ts';
import { Button, LinkButton, ProgressBar, Select } from './components/controls.tsx';
import { Patterns } from './components/patterns.tsx';
import { SignedBar } from './components/SignedBar.tsx';
import { send, useChoices, useView } from './host.ts';
import { useWidth } from './size.ts';
import { verdictOf } from '../../protocol/verdict.ts';
import { BadgeMark } from './components/VerdictLines.tsx';
import { describeValue } from './model/describe.ts';
import { formatNumber, formatShare } from './model/format.ts';
import { drawnInterval, valueDomain } from './model/layers.ts';
import type { Choices, View } from './model/pageState.ts';
import { useSelection } from './selection.ts';

function LayersPage() {
  const view = useView();
  const [choices, change] = useChoices();
  return (
    <main class="side">
      <Patterns />
      {view.run && <RunLine run={view.run} />}
      {view.phase === 'idle' && (
        <p class="empty">
          Scores of the running or latest experiment appear here. Open an experiment file and choose Score Layers.
        </p>
      )}
      {view.phase === 'failed' && (
        <p class="message" role="alert">
          {view.message}
        </p>
      )}
      {view.result && <Layers result={view.result} running={view.run !== null} choices={choices} change={change} />}
      {view.run && !view.result && <p class="empty">The first finished layer appears here.</p>}
    </main>
  );
}

/** Pixels of the columns beside the bars: layer, share, raw value. */
const NUMBERS_WIDTH = 28 + 50 + 64;

function RunLine({ run }: { run: NonNullable<View['run']> }) {
  return (
    <div class="run-line">
      <ProgressBar label={`Scoring: ${run.message}`} done={run.done} total={run.total} />
      <div class="run-words">
        <span class="status-text" title={run.message}>
          {run.message}
        </span>
        <Button onClick={() => send({ type: 'cancel' })}>Cancel</Button>
      </div>
    </div>
  );
}

function Layers(props: {
  result: Result;
  running: boolean;
  choices: Choices;
  change: (part: Partial<Choices>) => void;
}) {
  const { result, choices, change } = props;
  const { layers, values, taskPlace, task } = useSelection(result, choices);
  const own = new Map(values.filter((value) => value.task === taskPlace).map((value) => [value.layer, value]));
  const table = useRef<HTMLTableElement>(null);
  const barWidth = Math.max(40, useWidth(table) - NUMBERS_WIDTH);
  const domain = valueDomain([...own.values()], true);
  // While a run goes on, what is there comes first.
  const rows = [...layers].sort((a, b) => Number(own.has(b)) - Number(own.has(a)));
  const verdict = task && result.status === 'complete' ? verdictOf(task) : null;
  return (
    <>
      <h1 title={result.model.name}>{result.model.name}</h1>
      {result.tasks.length > 1 && task ? (
        <Select
          label="Task"
          showLabel={false}
          value={task.task}
          options={result.tasks.map((entry) => ({ id: entry.task, name: entry.task }))}
          onChange={(id) => change({ task: id })}
        />
      ) : (
        <p class="name side-task">{task?.task}</p>
      )}
      <p class="side-links">
        <LinkButton onClick={() => send({ type: 'openResult' })}>Open results</LinkButton>
        {task && (
          <LinkButton
            title="Open the task in the experiment file"
            onClick={() => send({ type: 'revealTask', task: task.task })}
          >
            Open task
          </LinkButton>
        )}
      </p>
      {verdict && (
        <p class="side-badge">
          <BadgeMark badge={verdict.badge} /> <span class="faint">order of layers</span>
        </p>
      )}
      <p class="note">Share of the largest layer{props.running ? ' so far' : ''}. Positive = helps validation.</p>
      <table class="bars side-bars" ref={table}>
        <caption class="spoken">Layer scores{task ? ` of ${task.task}` : ''}</caption>
        <colgroup>
          <col class="col-layer" />
          <col />
          <col class="col-share" />
          <col class="col-raw" />
        </colgroup>
        <tbody>
          {rows.map((layer) => {
            const value = own.get(layer);
            return (
              <tr
                key={layer}
                title={value ? describeValue(value) : undefined}
                class={value?.rank === 1 ? 'top' : undefined}
              >
                <th scope="row">{layer}</th>
                <td class="bar">
                  {value ? (
                    <SignedBar
                      share={value.share}
                      interval={drawnInterval(value, true)}
                      limit={Math.max(-domain[0], domain[1])}
                      task={taskPlace}
                      width={barWidth}
                      height={12}
                      twoSided={domain[0] < 0}
                    />
                  ) : (
                    <span class="pending" aria-hidden="true" />
                  )}
                </td>
                <td class="number">{value ? formatShare(value.share) : <span class="spoken">not scored yet</span>}</td>
                <td class="number raw">{value ? formatNumber(value.value) : ''}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </>
  );
}

render(<LayersPage />, document.getElementById('root')!);
