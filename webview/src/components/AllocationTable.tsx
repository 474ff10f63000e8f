/** Every layer's number beside those of the baselines, with the sentence that explains it. */
import type { Allocation } from '../../../protocol/allocation.ts';
import { valueText } from '../model/allocation.ts';
import { MISSING, formatNumber } from '../model/format.ts';

export function AllocationTable(props: {
  allocation: Allocation;
  others: readonly { name: string; allocation: Allocation }[];
  selected: number | null;
  onSelect: (layer: number) => void;
}) {
  const { allocation, others } = props;
  const { kind, quantity } = allocation;
  return (
    <div class="table-scroll tall" tabIndex={0} role="region" aria-label="Allocation as a table">
      <table class="data">
        <caption class="spoken">Allocation per layer, with its reason</caption>
        <thead>
          <tr>
            <th scope="col">Layer</th>
            <th scope="col" class="number">
              {quantity ? capital(quantity.name) : 'Score'}
            </th>
            <th scope="col" class="number">
              Gets
            </th>
            {others.map(({ name }) => (
              <th key={name} scope="col" class="number">
                {name}
              </th>
            ))}
            <th scope="col">Why</th>
          </tr>
        </thead>
        <tbody>
          {allocation.layers.map(({ index, name, score, value, why, group }, place) => (
            <tr key={index} class={index === props.selected ? 'selected' : undefined}>
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
              <td class="number">{score === null ? MISSING : formatNumber(score)}</td>
              <td class="number">
                {valueText(kind, value)}
                {group && ` (${group.zeros} of ${group.of})`}
              </td>
              {others.map((other) => (
                <td key={other.name} class="number faint">
                  {other.allocation.layers[place] ? valueText(kind, other.allocation.layers[place].value) : MISSING}
                </td>
              ))}
              <td class="reason">{why}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
