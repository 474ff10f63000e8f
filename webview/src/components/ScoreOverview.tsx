/**
 * All scores beside each other: which layers each puts first as cells, their values in small charts, the same numbers
 * as a table; layers in their own order or in that of one score.
 */
import { formatNumber, formatTick } from '../model/format.ts';
import { layerName, layerOrder, rankChart, sharedDomain, smallSeries } from '../model/scoreOverview.ts';
import type { ScoreLine } from '../model/scoreOverview.ts';
import { LinkButton, Select } from './controls.tsx';
import { ScoreHeatMap } from './ScoreHeatMap.tsx';
import { SeriesChart } from './SeriesChart.tsx';

interface OverviewProps {
  lines: readonly ScoreLine[];
  layers: number;
  /** Key of the line that orders the layers; empty for their own order. */
  sort: string;
  onSort: (key: string) => void;
  onSelect: (key: string) => void;
}

export function ScoreOverview({ lines, layers, sort, onSort, onSelect }: OverviewProps) {
  const order = layerOrder(lines, layers, sort);
  const cellWords = (at: number) => {
    const line = lines[Math.floor(at / order.length)]!;
    return [
      line.name,
      `${layerName(line, order[at % order.length]!)}: ${rankWords(line, order[at % order.length]!)}`,
      line.direction,
    ];
  };
  return (
    <section aria-labelledby="overview-heading">
      <h2 id="overview-heading">Scores beside each other</h2>
      <p class="caption">
        Ranks of the layers: 1 is the layer that a score speaks most for keeping, or where it gives no direction the one
        with the highest value. Scores that answer different questions need not agree.
      </p>
      <div class="controls">
        <Select
          label="Layers by"
          value={lines.some(({ key }) => key === sort) ? sort : ''}
          options={[{ id: '', name: 'their place in the model' }, ...lines.map(({ key, name }) => ({ id: key, name }))]}
          onChange={onSort}
        />
      </div>
      <ScoreHeatMap
        name="Ranks of the layers by score"
        chart={rankChart(lines, order)}
        words={cellWords}
        scale="The deeper the colour, the nearer to rank 1; crossed out where undefined."
      />
      <ul class="small-multiples">
        {lines.map((line) => {
          const { key, name, direction, reference } = line;
          return (
            <li key={key}>
              <h3>
                <LinkButton onClick={() => onSelect(key)} title={`Show ${name} below`}>
                  {name}
                </LinkButton>
              </h3>
              <p class="caption">{direction}</p>
              <SeriesChart
                name={`${name}, values`}
                axis="Layer"
                height={130}
                slots={order.map(String)}
                series={smallSeries(line, order)}
                domain={sharedDomain(line, lines)}
                format={formatTick}
                {...(typeof reference === 'number' ? { reference } : {})}
                blank={order.flatMap((layer, slot) => (line.values[layer] === null ? [slot] : []))}
              />
            </li>
          );
        })}
      </ul>
      <RankTable lines={lines} order={order} sort={sort} onSort={onSort} />
    </section>
  );
}

function RankTable({
  lines,
  order,
  sort,
  onSort,
}: Pick<OverviewProps, 'lines' | 'sort' | 'onSort'> & { order: readonly number[] }) {
  const head = (key: string, name: string) => (
    <th key={key} scope="col" class={key === '' ? '' : 'number'} aria-sort={sort === key ? 'ascending' : 'none'}>
      <button type="button" class="sort" onClick={() => onSort(key)} title={`Layers by ${name}`}>
        {name}
      </button>
    </th>
  );
  return (
    <div class="table-scroll tall" tabIndex={0} role="region" aria-label="Values and ranks as a table">
      <table class="data rank-rows">
        <caption class="spoken">Value and rank of each layer by each score</caption>
        <thead>
          <tr>
            {head('', 'layer')}
            {lines.map(({ key, name }) => head(key, name))}
          </tr>
        </thead>
        <tbody>
          {order.map((layer) => (
            <tr key={layer}>
              <th scope="row">{layer}</th>
              {lines.map((line) => (
                <td key={line.key} class="number">
                  {line.values[layer] === null ? 'undefined' : formatNumber(line.values[layer])}{' '}
                  <span class="faint">{line.ranks[layer] === null ? '' : `#${String(line.ranks[layer])}`}</span>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function rankWords({ values, ranks }: ScoreLine, layer: number): string {
  const [value, rank] = [values[layer] ?? null, ranks[layer] ?? null];
  if (value === null || rank === null) return 'undefined';
  return `rank ${String(rank)} of ${ranks.filter((one) => one !== null).length}, ${formatNumber(value)}`;
}
