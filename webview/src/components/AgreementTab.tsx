/**
 * Agreement: how the scores of a run order the layers beside each other, first beside the one that is measured, then as
 * a matrix.
 */
import { useState } from 'preact/hooks';
import type { ScoreTable } from '../../../protocol/scores.ts';
import { agreementWith, besideOf, isAgreement, labelsOf } from '../model/agreement.ts';
import { formatNumber } from '../model/format.ts';
import { tableKey, tableName } from '../model/scoreTable.ts';
import type { TabProps } from '../tabProps.ts';
import { IntervalMark } from './IntervalMark.tsx';
import { ScoreView } from './ScoreView.tsx';
import { Select } from './controls.tsx';

export function AgreementTab({ scores }: TabProps) {
  const tables = (scores?.scores?.tables ?? []).filter(isAgreement);
  return <Agreement tables={tables} />;
}

export function Agreement({ tables }: { tables: readonly ScoreTable[] }) {
  const [chosen, setChosen] = useState('');
  const table = tables.find((one) => tableKey(one) === chosen) ?? tables.at(0);
  if (!table)
    return (
      <p class="empty">
        No agreement lies beside this result. Add <code>agreement</code> to the list <code>scores</code> of the
        experiment, best with <code>layer_drop</code>, which is measured, and score it again: what is there is kept.
      </p>
    );
  return (
    <>
      {tables.length > 1 && (
        <div class="controls">
          <Select
            label="Agreement"
            value={tableKey(table)}
            options={tables.map((one) => ({ id: tableKey(one), name: tableName(one, tables) }))}
            onChange={setChosen}
          />
        </div>
      )}
      <Beside table={table} />
      <ScoreView key={tableKey(table)} table={table} />
    </>
  );
}

/** One score against all others. */
function Beside({ table }: { table: ScoreTable }) {
  const [chosen, setChosen] = useState('');
  const beside = besideOf(table, chosen);
  const level = table.level === undefined ? null : Math.round(100 * table.level);
  return (
    <section aria-labelledby="beside-heading">
      <h2 id="beside-heading">Beside {beside}</h2>
      <p class="caption">
        1: the same order of the layers, -1: the opposite one, 0: nothing in common. A score that answers another
        question than <code>{beside}</code> need not agree with it.
        {level === null ? '' : ` Lines: where ${level} % of the correlations on texts that are drawn again fall.`}
      </p>
      <div class="controls">
        <Select
          label="Beside"
          value={beside}
          options={labelsOf(table).map((label) => ({ id: label, name: label }))}
          onChange={setChosen}
        />
      </div>
      <div class="table-scroll" tabIndex={0} role="region" aria-label={`Scores beside ${beside}`}>
        <table class="data agreement-rows">
          <caption class="spoken">Rank correlation of each score with {beside}</caption>
          <thead>
            <tr>
              <th scope="col">score</th>
              <th scope="col" class="number">
                correlation
              </th>
              <th scope="col" class="number">
                interval
              </th>
              <th scope="col">
                <span aria-hidden="true">-1 to 1</span>
                <span class="spoken">picture of the interval</span>
              </th>
            </tr>
          </thead>
          {agreementWith(table, beside).map(({ question, rows }) => (
            <tbody key={question}>
              <tr>
                <th scope="rowgroup" colSpan={4}>
                  {question}
                </th>
              </tr>
              {rows.map(({ label, value, interval }) => (
                <tr key={label}>
                  <th scope="row">{label}</th>
                  <td class="number">{value === null ? 'undefined' : formatNumber(value)}</td>
                  <td class="number">
                    {interval ? `${formatNumber(interval[0])} to ${formatNumber(interval[1])}` : 'not resampled'}
                  </td>
                  <td>
                    <IntervalMark value={value} interval={interval} chance={0} domain={[-1, 1]} />
                  </td>
                </tr>
              ))}
            </tbody>
          ))}
        </table>
      </div>
    </section>
  );
}
