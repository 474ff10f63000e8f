/** Every layer's number beside what the rule made it from and those of the baselines. */
import type { Allocation, AllocationKind } from '../../../protocol/allocation.ts';
import { spreadText } from '../../../protocol/allocationSpread.ts';
import { valueText } from '../model/allocation.ts';
import { MISSING, capital, formatNumber } from '../model/format.ts';

export function AllocationTable(props: {
  allocation: Allocation;
  others: readonly { name: string; allocation: Allocation }[];
  selected: number | null;
  onSelect: (layer: number) => void;
}) {
  const { allocation, others } = props;
  const { kind, quantity, spread } = allocation;
  const terms = Object.keys(allocation.layers[0]?.terms ?? {});
  return (
    <div class="table-scroll tall" tabIndex={0} role="region" aria-label="Allocation as a table">
      <table class="data">
        <caption class="spoken">Allocation per layer</caption>
        <thead>
          <tr>
            <th scope="col">Layer</th>
            <th scope="col" class="number">
              {quantity ? capital(quantity.name) : 'Score'}
            </th>
            {terms.map((name) => (
              <th key={name} scope="col" class="number">
                {capital(name)}
              </th>
            ))}
            <th scope="col" class="number">
              {gets[kind]}
            </th>
            {spread && (
              <th scope="col" class="number" title="What this layer gets on other samples of the same kind">
                {Math.round(100 * spread.level)}
                {'\u00a0'}% of draws
              </th>
            )}
            {others.map(({ name }) => (
              <th key={name} scope="col" class="number">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {allocation.layers.map(({ index, name, score, value, why, group, ...layer }, place) => (
            <tr key={index} class={index === props.selected ? 'selected' : undefined} title={why}>
              <th scope="row" title={name}>
                <button
                  type="button"
                  class="link"
                  aria-pressed={index === props.selected}
                  onClick={() => props.onSelect(index)}
                >
                  {index}
                </button>
              </th>
              <td class="number" data-value={score ?? undefined}>
                {score === null ? MISSING : formatNumber(score)}
              </td>
              {terms.map((term) => (
                <td key={term} class="number" data-value={layer.terms?.[term]}>
                  {formatNumber(layer.terms?.[term] ?? NaN)}
                </td>
              ))}
              <td class="number">
                {valueText(kind, value)}
                {group && ` (${group.zeros} of ${group.of})`}
              </td>
              {spread && <td class="number">{spreadText(kind, layer.spread)}</td>}
              {others.map((other) => (
                <td key={other.name} class="number faint">
                  {other.allocation.layers[place] ? valueText(kind, other.allocation.layers[place].value) : MISSING}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const gets: Readonly<Record<AllocationKind, string>> = {
  experts: 'Experts',
  rank: 'Rank',
  freeze: 'Frozen',
  tune: 'Tuned',
  drop: 'Left out',
  sparsity: 'Sparsity',
};
