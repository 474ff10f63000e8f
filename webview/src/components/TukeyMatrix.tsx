/** Every group less every other: difference, interval and p; pairs that differ are bold and starred. */
import type { GroupComparison } from '../../../protocol/analysis.ts';
import { pairAt, pairWords } from '../model/analysis.ts';

const SIGNIFICANT = 0.05;

export function TukeyMatrix({ comparison }: { comparison: GroupComparison }) {
  const names = comparison.groups.map(({ name }) => name);
  return (
    <div class="table-scroll" tabIndex={0} role="region" aria-label="Tukey matrix">
      <table class="data matrix">
        <caption class="spoken">
          Mean of the row{'\u2019'}s group less that of the column{'\u2019'}s, with Tukey-Kramer intervals and p
        </caption>
        <thead>
          <tr>
            <td />
            {names.map((name) => (
              <th key={name} scope="col">
                less {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {names.map((row) => (
            <tr key={row}>
              <th scope="row">{row}</th>
              {names.map((column) => {
                const pair = pairAt(comparison, row, column);
                if (!pair) return <td key={column}>{'\u2013'}</td>;
                const words = pairWords(pair);
                return <td key={column}>{pair.p < SIGNIFICANT ? <strong>{words} *</strong> : words}</td>;
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
