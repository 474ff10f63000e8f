/** Histogram of a score with a threshold that is dragged, or moved by keys, one value at a time. */
import { useRef } from 'preact/hooks';
import { formatNumber, formatShare, plural } from '../model/format.ts';
import { histogramOf, keepFrom, moved, thresholdAt } from '../model/dataChoice.ts';
import type { Order, RowsTable } from '../model/dataChoice.ts';
import { useWidth } from '../size.ts';
import { HISTOGRAM_HEIGHT, SIDES, histogramPlot } from './dataPlots.ts';
import { Picture } from './Picture.tsx';

/** Different values that Page Up and Page Down pass over. */
const PAGE = 10;

export function ThresholdChart(props: {
  table: RowsTable;
  order: Order;
  keep: number;
  onKeep: (keep: number) => void;
}) {
  const { table, order, keep, onKeep } = props;
  const area = useRef<HTMLDivElement>(null);
  const width = useWidth(area);
  const histogram = histogramOf(table);
  const threshold = thresholdAt(order, keep);
  if (!histogram || threshold === null) return null;
  const { low, high, beyond } = histogram;
  const inner = Math.max(1, width - SIDES.left - SIDES.right);
  const left = SIDES.left + (inner * (Math.max(low, Math.min(high, threshold)) - low)) / (high - low);
  const all = table.values.length;
  const words = `${order.lowest ? 'up to' : 'from'} ${formatNumber(threshold)}: keeps ${keep} of ${all} rows (${formatShare(keep / all)})`;
  const label = `Histogram of ${table.title}: ${all} rows from ${formatNumber(low)} to ${formatNumber(high)}.`;

  const follow = (event: PointerEvent) => {
    const box = area.current?.getBoundingClientRect();
    if (box) onKeep(keepFrom(order, low + ((event.clientX - box.left - SIDES.left) / inner) * (high - low)));
  };
  /** Strict is to the right where high values are kept. */
  const right = order.lowest ? -1 : 1;
  const move = (event: KeyboardEvent) => {
    const places: Record<string, () => number> = {
      ArrowRight: () => moved(order, keep, right),
      ArrowUp: () => moved(order, keep, right),
      ArrowLeft: () => moved(order, keep, right === 1 ? -1 : 1),
      ArrowDown: () => moved(order, keep, right === 1 ? -1 : 1),
      PageUp: () => moved(order, keep, right, PAGE),
      PageDown: () => moved(order, keep, right === 1 ? -1 : 1, PAGE),
      Home: () => (order.lowest ? moved(order, keep, 1, all) : order.rows.length),
      End: () => (order.lowest ? order.rows.length : moved(order, keep, 1, all)),
    };
    if (!(event.key in places)) return;
    onKeep(places[event.key]!());
    event.preventDefault();
  };
  return (
    <div class="threshold-chart">
      <div
        ref={area}
        class="chart-area"
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          follow(event);
        }}
        onPointerMove={(event) => {
          if (event.currentTarget.hasPointerCapture(event.pointerId)) follow(event);
        }}
      >
        <Picture
          draw={(at) => histogramPlot(histogram, table.title, at, label)}
          of={[table]}
          height={HISTOGRAM_HEIGHT}
        />
        <div
          class="left-out"
          aria-hidden="true"
          style={
            order.lowest
              ? { left: `${left}px`, right: `${SIDES.right}px` }
              : { left: `${SIDES.left}px`, width: `${left - SIDES.left}px` }
          }
        />
        <div
          class="threshold"
          style={{ left: `${left}px` }}
          tabIndex={0}
          role="slider"
          aria-label={`Threshold of ${table.title}`}
          aria-orientation="horizontal"
          aria-valuemin={Math.min(order.values[0]!, order.values.at(-1)!)}
          aria-valuemax={Math.max(order.values[0]!, order.values.at(-1)!)}
          aria-valuenow={threshold}
          aria-valuetext={words}
          onKeyDown={move}
        />
      </div>
      <p class="caption threshold-words">
        Score {words}.{beyond > 0 && ` Beyond the ends, in the outer bars: ${plural(beyond, 'row')}.`}
        {order.rows.length < all && ` Hatched: ${plural(all - order.rows.length, 'row')} that the score leaves out.`}
      </p>
    </div>
  );
}
