/**
 * Data: a score of rows as a choice of rows. A threshold over its histogram, the two losses against each other, the
 * dataset that would be written, and the rows themselves.
 */
import { useMemo, useState } from 'preact/hooks';
import type { ScoresFile } from '../../../protocol/scores.ts';
import { keptRows, lossesOf, orderOf, rowLabel, rowTables } from '../model/dataChoice.ts';
import type { RowsTable } from '../model/dataChoice.ts';
import { capital, formatNumber } from '../model/format.ts';
import type { Choices, DataChoices } from '../model/pageState.ts';
import { directionText, markedCells, titleText } from '../model/scoreTable.ts';
import type { RowColumn, RowFilter } from '../model/rowTable.ts';
import type { TextSource } from '../samples.ts';
import type { TabProps } from '../tabProps.ts';
import { Checkbox, Select, TextField } from './controls.tsx';
import { LossScatter } from './LossScatter.tsx';
import { RowActions } from './RowActions.tsx';
import { samplePlace } from './RowCells.tsx';
import { RowTable, toggled } from './RowTable.tsx';
import { tokensOf } from './TokenMap.tsx';
import { ThresholdChart } from './ThresholdChart.tsx';
import { WritePreview } from './WritePreview.tsx';
import type { Wanted } from './WritePreview.tsx';

export function DataTab({ scores, choices, change }: TabProps) {
  if (scores?.fault)
    return (
      <p class="message" role="alert">
        {scores.fault}
      </p>
    );
  return <DataView file={scores?.scores ?? null} choices={choices} change={change} />;
}

export function DataView(props: {
  file: ScoresFile | null;
  choices: Choices;
  change: (part: Partial<Choices>) => void;
}) {
  const { file, choices } = props;
  const tables = file ? rowTables(file) : [];
  if (!file || tables.length === 0)
    return (
      <p class="empty">
        No row of the dataset is scored yet. Add a line such as <code>data_scores: [ifd_ppl, loss, length]</code> to the
        experiment and score it again: the finished run is kept, and only these scores are computed.
      </p>
    );
  const table = tables.find((one) => rowLabel(one, tables) === choices.data.score) ?? tables[0]!;
  const choose = (part: Partial<DataChoices>) => props.change({ data: { ...choices.data, ...part } });
  const label = rowLabel(table, tables);
  return (
    <>
      <div class="controls data-controls">
        <Select
          label="Score"
          value={label}
          options={tables.map((one) => ({ id: rowLabel(one, tables), name: rowLabel(one, tables) }))}
          onChange={(score) => choose({ score, keep: null })}
        />
        <Select
          label="Keep"
          value={choices.data.lowest ? 'lowest' : 'highest'}
          options={[
            { id: 'highest', name: 'the highest' },
            { id: 'lowest', name: 'the lowest' },
          ]}
          onChange={(which) => choose({ lowest: which === 'lowest' })}
        />
        <Checkbox
          label="Leave out doubles"
          checked={choices.data.dedup}
          title="Rows that say the same as a better one, but for white space"
          onChange={(dedup) => choose({ dedup })}
        />
        <TextField
          label="Balance by column"
          value={choices.data.balance}
          placeholder="none"
          onInput={(balance) => choose({ balance })}
        />
      </div>
      <Chosen
        key={label}
        file={file}
        tables={tables}
        table={table}
        label={label}
        chosen={choices.data}
        choose={choose}
      />
    </>
  );
}

function Chosen(props: {
  file: ScoresFile;
  tables: readonly RowsTable[];
  table: RowsTable;
  label: string;
  chosen: DataChoices;
  choose: (part: Partial<DataChoices>) => void;
}) {
  const { file, tables, table, label, chosen, choose } = props;
  const [ticked, setTicked] = useState<ReadonlySet<number>>(new Set());
  const order = orderOf(table, chosen.lowest);
  const keep = keptRows(order, chosen.keep);
  const kept = new Set(order.rows.slice(0, keep));
  const losses = lossesOf(table, tables);
  const places = placesOf(table);
  const marks = markedCells(table);
  const data = `${file.experimentFile}\n${file.provenance.date}\n${JSON.stringify(table.rows.sha256)}`;
  const tokens = useMemo(() => tokensOf(tables, places, data), [file, label]);
  const source: TextSource = {
    key: `${data}\n${label}\n`,
    request: (requestId, rows) => ({ type: 'rowTexts', requestId, by: label, rows }),
  };
  const wanted: Wanted = {
    what: 'selectRows',
    params: {
      by: label,
      keep: String(keep),
      lowest: chosen.lowest,
      dedup: chosen.dedup,
      ...(chosen.balance.trim() === '' ? {} : { balance: chosen.balance.trim() }),
    },
  };
  return (
    <>
      <section aria-labelledby="threshold-heading">
        <h2 id="threshold-heading">{titleText(table)}</h2>
        <p class="caption">{capital(directionText(table))}.</p>
        {order.rows.length === 0 ? (
          <p class="empty">The score leaves out all {table.values.length} rows: the table says why.</p>
        ) : (
          <ThresholdChart table={table} order={order} keep={keep} onKeep={(rows) => choose({ keep: rows })} />
        )}
      </section>
      <section aria-labelledby="losses-heading">
        <h2 id="losses-heading">Losses with the prompt and alone</h2>
        {losses ? (
          <>
            <LossScatter
              table={table}
              losses={losses}
              kept={kept}
              keep={keep}
              name={(row) => samplePlace(places[row])}
              onPick={(row) => setTicked(toggled(ticked, [row], !ticked.has(row)))}
            />
            <p class="note">
              Circles: rows that are kept, the deeper the colour the higher the score; crosses: rows that are not. On
              the dashed line the prompt changes nothing. A click selects the row.
              {losses !== table && ` The losses are those of ${rowLabel(losses, tables)}.`}
            </p>
          </>
        ) : (
          <p class="empty">
            The two losses come with <code>ifd_ppl</code>: add it to <code>data_scores</code> to see them.
          </p>
        )}
      </section>
      {keep > 0 && (
        <section aria-labelledby="subset-heading">
          <h2 id="subset-heading">The subset as a dataset</h2>
          <WritePreview wanted={wanted} source={data} label="the subset" />
        </section>
      )}
      <section aria-labelledby="rows-heading">
        <h2 id="rows-heading">Rows</h2>
        <RowActions
          places={places}
          ticked={ticked}
          source={data}
          without={(rows) => ({ what: 'selectRows', params: { by: label, without: rows } })}
          onClear={() => setTicked(new Set())}
        />
        <RowTable
          label={`Rows by ${table.title}`}
          places={places}
          source={source}
          columns={columnsOf(table)}
          first={{ column: 'score', descending: !chosen.lowest }}
          filters={filtersOf(table, kept)}
          ticked={ticked}
          onTick={setTicked}
          note={(row) => marks[row]!}
          more={tokens}
        />
      </section>
    </>
  );
}

const placesOf = ({ rows: { files, file, row, line } }: RowsTable) =>
  row.map((number, at) => ({ file: files[file[at]!]!, row: number, line: line[at]! }));

function columnsOf({ values, parts = {} }: RowsTable): RowColumn[] {
  return [
    {
      id: 'score',
      name: 'Score',
      value: (row) => values[row]!,
      show: (row) => (values[row] === null ? 'undefined' : formatNumber(values[row])),
    },
    ...Object.entries(parts).map(([name, cells]) => ({
      id: `part-${name.replaceAll(/\W+/g, '-')}`,
      name: capital(name),
      value: (row: number) => cells[row] ?? null,
    })),
  ];
}

function filtersOf({ marks = [] }: RowsTable, kept: ReadonlySet<number>): RowFilter[] {
  return [
    {
      id: 'kept',
      name: 'Show',
      options: [
        { id: 'kept', name: 'rows that are kept', test: (row) => kept.has(row) },
        { id: 'left', name: 'rows that are not', test: (row) => !kept.has(row) },
        ...marks.map(({ words, at }) => {
          const marked = new Set(at);
          return {
            id: `mark ${words}`,
            name: `marked: ${words} (${at.length})`,
            test: (row: number) => marked.has(row),
          };
        }),
      ],
    },
  ];
}
