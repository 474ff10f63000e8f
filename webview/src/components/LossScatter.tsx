/** The two losses of each row against each other; a click on a point ticks its row in the table. */
import { useRef, useState } from 'preact/hooks';
import { formatNumber } from '../model/format.ts';
import { lossPoints } from '../model/dataChoice.ts';
import type { LossPoint, RowsTable } from '../model/dataChoice.ts';
import { SCATTER_HEIGHT, scatterPlot } from './dataPlots.ts';
import { Picture } from './Picture.tsx';

/** Pixels within which a pointer means a point. */
const NEAR = 12;

export function LossScatter(props: {
  table: RowsTable;
  losses: RowsTable;
  kept: ReadonlySet<number>;
  keep: number;
  name: (row: number) => string;
  onPick: (row: number) => void;
}) {
  const { table, losses, kept, name } = props;
  const area = useRef<HTMLDivElement>(null);
  const [hover, setHover] = useState<{ point: LossPoint; x: number; y: number } | null>(null);
  const points = lossPoints(table, losses, kept);
  const of = losses === table ? '' : `, losses of ${losses.title}`;
  const label = `${points.length} rows by their loss alone (across) and with the prompt (up), coloured by ${table.title}${of}.`;

  const nearest = (event: MouseEvent) => {
    const box = area.current?.getBoundingClientRect();
    if (!box) return null;
    const marks = [...area.current!.querySelectorAll<SVGElement>('.layerif-left > *, .layerif-kept > *')];
    const drawn = [...points.filter((point) => !point.kept), ...points.filter((point) => point.kept)];
    const near = marks.flatMap((mark, at) => {
      const own = mark.getBoundingClientRect();
      const [x, y] = [own.left + own.width / 2, own.top + own.height / 2];
      const distance = Math.hypot(event.clientX - x, event.clientY - y);
      const point = drawn[at];
      return point && distance < NEAR ? [{ point, distance, x: x - box.left, y: y - box.top }] : [];
    });
    return near.sort((a, b) => a.distance - b.distance)[0] ?? null;
  };
  return (
    <div
      ref={area}
      class="chart-area loss-scatter"
      onMouseMove={(event) => setHover(nearest(event))}
      onMouseLeave={() => setHover(null)}
      onClick={(event) => {
        const found = nearest(event);
        if (found) props.onPick(found.point.row);
      }}
    >
      <Picture
        draw={(width) => scatterPlot(points, width, label)}
        of={[table, losses, props.keep, kept]}
        height={SCATTER_HEIGHT}
      />
      {hover && (
        <div class="tooltip" style={{ left: `${hover.x + 10}px`, top: `${hover.y + 10}px` }} aria-hidden="true">
          <strong>{name(hover.point.row)}</strong>
          <div>score {formatNumber(hover.point.score)}</div>
          <div>
            loss {formatNumber(hover.point.prompt)} with prompt, {formatNumber(hover.point.alone)} alone
          </div>
          <div>{hover.point.kept ? 'kept' : 'left out'}</div>
        </div>
      )}
    </div>
  );
}
