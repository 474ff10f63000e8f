/**
 * Samples: every training sample with its influence at one layer or over all, and the validation samples with their
 * losses; searched, filtered, sorted, ticked.
 */
import { useState } from 'preact/hooks';
import type { Result, ResultTask } from '../../../protocol/result.ts';
import type { ScoresFile } from '../../../protocol/scores.ts';
import { rowTables } from '../model/dataChoice.ts';
import { formatNumber, formatSigned } from '../model/format.ts';
import { finite } from '../model/layers.ts';
import type { SampleChoices } from '../model/pageState.ts';
import { overLayers } from '../model/ranking.ts';
import type { RowColumn, RowFilter } from '../model/rowTable.ts';
import { samplesOf } from '../samples.ts';
import { useSelection } from '../selection.ts';
import type { TabProps } from '../tabProps.ts';
import { Select } from './controls.tsx';
import { pending, sourceKey } from './LayerDetail.tsx';
import { RowActions } from './RowActions.tsx';
import { RowTable } from './RowTable.tsx';
import { SignedBar } from './SignedBar.tsx';
import { influencesOf } from './TokenInfluenceMap.tsx';
import { tokensOf } from './TokenMap.tsx';

/** In place of a layer. */
const ALL_LAYERS = 'all';

export function SamplesTab({ rescored: { result }, scores, running, choices, change }: TabProps) {
  const { taskPlace, task, layer, found } = useSelection(result, choices);
  if (!task || layer === null)
    return (
      <p class="empty">
        {running ? 'Samples appear with the first finished layer.' : 'No layer was scored before the run ended.'}
      </p>
    );
  const choose = (part: Partial<SampleChoices>) => change({ samples: { ...choices.samples, ...part } });
  const { allLayers, side } = choices.samples;
  const over = allLayers ? `over ${task.layers.length} layers` : `at layer ${layer}`;
  return (
    <section aria-labelledby="samples-heading">
      <div class="section-head">
        <h2 id="samples-heading">
          {side === 'train' ? `Training samples ${over}` : 'Validation samples'}
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
          <Select
            label="Split"
            value={side}
            options={[
              { id: 'train', name: 'training' },
              { id: 'validation', name: 'validation' },
            ]}
            onChange={(id) => choose({ side: id })}
          />
          {side === 'train' && (
            <Select
              label="Layer"
              value={allLayers ? ALL_LAYERS : String(layer)}
              options={[
                { id: ALL_LAYERS, name: 'All layers' },
                ...task.layers.map(({ index }) => ({ id: String(index), name: `Layer ${index}` })),
              ]}
              onChange={(id) => {
                choose({ allLayers: id === ALL_LAYERS });
                if (id !== ALL_LAYERS) change({ layer: Number(id) });
              }}
            />
          )}
        </div>
      </div>
      {side === 'train' && !allLayers && !found ? (
        <p class="empty">{pending(running, task.task)}</p>
      ) : (
        <Samples
          key={`${task.task} ${side} ${allLayers ? ALL_LAYERS : layer}`}
          result={result}
          task={task}
          taskPlace={taskPlace}
          side={side}
          row={allLayers ? null : (found?.row ?? null)}
          scores={scores?.scores ?? null}
        />
      )}
    </section>
  );
}

/** @param row of the layer in the influences; null for all layers */
function Samples(props: {
  result: Result;
  task: ResultTask;
  taskPlace: number;
  side: SampleChoices['side'];
  row: number | null;
  scores: ScoresFile | null;
}) {
  const { result, task, taskPlace, side, row, scores } = props;
  const [ticked, setTicked] = useState<ReadonlySet<number>>(new Set());
  const source = sourceKey(result);
  const influenced = side === 'train' ? influenceColumns(task, taskPlace, row) : [];
  const { rows, loss } = task[side];
  return (
    <>
      <p class="caption">
        {side === 'validation'
          ? 'Influence is that of the training samples; these are what it is measured on.'
          : row === null
            ? `Mean rank: 1 is the least influence in every layer, ${rows.length} the most. Influence: sum over the layers; positive = helps validation.`
            : 'Influence: positive = helps validation.'}
      </p>
      <RowActions
        places={rows}
        ticked={ticked}
        source={source}
        without={side === 'train' ? (samples) => ({ what: 'rowsWithout', params: { task: task.task, samples } }) : null}
        onClear={() => setTicked(new Set())}
      />
      <RowTable
        label={`${side === 'train' ? 'Training' : 'Validation'} samples of ${task.task}`}
        places={rows}
        source={samplesOf(source, task.task, side)}
        columns={[
          ...influenced.slice(0, 1),
          {
            id: 'loss',
            name: 'Loss',
            title: 'Mean loss in nats per counted token',
            value: (at) => loss[at] ?? null,
            show: (at) => formatNumber(loss[at]),
          },
          ...influenced.slice(1),
          { id: 'tokens', name: 'Tokens', value: (at) => rows[at]?.tokens ?? null },
        ]}
        first={
          side === 'train' ? { column: influenced[0]!.id, descending: false } : { column: 'loss', descending: true }
        }
        filters={filtersOf(task, side, influenced)}
        ticked={ticked}
        onTick={setTicked}
        note={(at) => (rows[at]?.truncated ? 'cut: longer than max_length, only the first tokens were scored' : '')}
        more={
          side === 'validation'
            ? influencesOf(task.task, rows, source)
            : scores && tokensOf(rowTables(scores), rows, `${source}\n${scores.provenance.date}`)
        }
      />
    </>
  );
}

function influenceColumns(task: ResultTask, taskPlace: number, row: number | null): RowColumn[] {
  const all = overLayers(row === null ? task.influence : [task.influence[row]!]);
  const largest = Math.max(0, ...all.sums.map(Math.abs));
  const influence: RowColumn = {
    id: 'influence',
    name: 'Influence',
    value: (at) => all.sums[at]!,
    show: (at) => (
      <div class="influence-cell">
        <SignedBar
          share={largest > 0 ? finite(all.sums[at]) / largest : 0}
          task={taskPlace}
          width={64}
          height={12}
          twoSided
        />
        <span class="number">{formatSigned(all.sums[at])}</span>
      </div>
    ),
  };
  if (row !== null) return [influence];
  return [
    {
      id: 'mean-rank',
      name: 'Mean rank',
      value: (at) => all.meanRanks[at]!,
      show: (at) => formatNumber(all.meanRanks[at]),
    },
    influence,
    { id: 'harms', name: 'Harms in', title: 'In how many layers it harms validation', value: (at) => all.harms[at]! },
  ];
}

function filtersOf(task: ResultTask, side: SampleChoices['side'], influenced: readonly RowColumn[]): RowFilter[] {
  const { rows } = task[side];
  const sum = influenced.find(({ id }) => id === 'influence');
  const signed = (sign: number) => (at: number) => Math.sign(Number(sum?.value(at) ?? 0)) === sign;
  return [
    {
      id: 'show',
      name: 'Show',
      options: [
        ...(sum
          ? [
              { id: 'harmful', name: 'those that harm validation', test: signed(-1) },
              { id: 'helpful', name: 'those that help validation', test: signed(1) },
            ]
          : []),
        { id: 'cut', name: 'those that were cut', test: (at) => rows[at]?.truncated === true },
      ],
    },
  ];
}
