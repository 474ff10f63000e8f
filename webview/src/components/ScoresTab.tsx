/** Scores: the tables that lie beside the result, one at a time. Without any it says how to get them. */
import type { ScoresFile } from '../../../protocol/scores.ts';
import type { Choices } from '../model/pageState.ts';
import { chosenTable, tableKey, tableName } from '../model/scoreTable.ts';
import { resultKey } from '../rescored.ts';
import type { TabProps } from '../tabProps.ts';
import { scoreLines } from '../model/scoreOverview.ts';
import { Select } from './controls.tsx';
import { NoiseCheck } from './NoiseCheck.tsx';
import { ScoreOverview } from './ScoreOverview.tsx';
import { ScoreView } from './ScoreView.tsx';
import { WhatIf } from './WhatIf.tsx';

export function ScoresTab({ result, running, scores, choices, change }: TabProps) {
  if (scores?.fault)
    return (
      <p class="message" role="alert">
        {scores.fault}
      </p>
    );
  const whatIf = result.status === 'complete' && !running && (
    <>
      <WhatIf file={scores?.scores ?? null} source={{ key: resultKey(result), layers: result.model.layers }} />
      <NoiseCheck result={result} source={`${resultKey(result)} ${String(scores?.scores?.tables.length ?? 0)}`} />
    </>
  );
  if (!scores?.scores)
    return (
      <>
        <p class="empty">
          No scores lie beside this result. Add a line such as <code>scores: [block_influence, owl]</code> to the
          experiment and score it again: the finished run is kept, and only the scores are measured.
        </p>
        {whatIf}
      </>
    );
  return (
    <>
      <ScoreTables file={scores.scores} choices={choices} change={change} />
      {whatIf}
    </>
  );
}

export function ScoreTables({
  file,
  choices,
  change,
}: {
  file: ScoresFile;
  choices: Choices;
  change: (part: Partial<Choices>) => void;
}) {
  const { tables } = file;
  const table = chosenTable(tables, choices.scoreTable);
  const lines = scoreLines(tables, file.model.layers);
  return (
    <>
      {file.status === 'partial' && (
        <p class="recomputed" role="status">
          Not all scores are measured yet: {tables.length} so far.
        </p>
      )}
      {lines.length > 1 && (
        <ScoreOverview
          lines={lines}
          layers={file.model.layers}
          sort={choices.scoreSort}
          onSort={(scoreSort) => change({ scoreSort })}
          onSelect={(scoreTable) => change({ scoreTable })}
        />
      )}
      {tables.length > 1 && (
        <div class="controls">
          <Select
            label="Score"
            value={tableKey(table!)}
            options={tables.map((one) => ({ id: tableKey(one), name: tableName(one, tables) }))}
            onChange={(scoreTable) => change({ scoreTable })}
          />
        </div>
      )}
      {table ? <ScoreView key={tableKey(table)} table={table} /> : <p class="empty">There is no table yet.</p>}
    </>
  );
}
