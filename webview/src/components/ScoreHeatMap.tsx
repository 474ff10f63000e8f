/**
 * A table of two axes as cells of one colour scale: the deeper, the larger; negative ones are hatched too, undefined
 * ones are crossed out. One tab stop: arrows move a cursor, whose value is spoken and shown.
 */
import { useId, useRef, useState } from 'preact/hooks';
import { formatNumber } from '../model/format.ts';
import { labelStep } from '../model/layers.ts';
import type { HeatScoreChart } from '../model/scoreTable.ts';
import { useWidth } from '../size.ts';
import { negativeFill } from './patterns.tsx';

/** Room for the labels of the rows: at least so much, more for long ones. */
const LABELS = 62;
const PER_LETTER = 6.6;
const RIGHT = 12;
const BOTTOM = 20;

interface ScoreHeatMapProps {
  name: string;
  chart: HeatScoreChart;
  words: (at: number) => string[];
  /** What the colours say; default: the values. */
  scale?: string;
  /** A click or Enter on a cell. */
  onSelect?: (at: number) => void;
}

export function ScoreHeatMap(props: ScoreHeatMapProps) {
  const { rows, columns, values, limit, marked } = props.chart;
  const area = useRef<HTMLDivElement>(null);
  const left = Math.max(LABELS, Math.ceil(12 + PER_LETTER * Math.max(0, ...rows.map(({ length }) => length))));
  const width = Math.max(0, useWidth(area) - left - RIGHT);
  const cellWidth = width / Math.max(1, columns.length);
  const cellHeight = Math.max(8, Math.min(22, Math.floor(420 / Math.max(1, rows.length))));
  const height = cellHeight * rows.length;
  const help = useId();
  const [cursor, setCursor] = useState<number | null>(null);
  const [hover, setHover] = useState<number | null>(null);
  const shown = hover ?? cursor;
  const across = columns.length;

  const move = (event: KeyboardEvent) => {
    const at = cursor ?? 0;
    const [row, column] = [Math.floor(at / across), at % across];
    const places: Record<string, [number, number]> = {
      ArrowRight: [row, column + 1],
      ArrowLeft: [row, column - 1],
      ArrowDown: [row + 1, column],
      ArrowUp: [row - 1, column],
      Home: [row, 0],
      End: [row, across - 1],
    };
    if (event.key === 'Escape') setCursor(null);
    else if ((event.key === 'Enter' || event.key === ' ') && props.onSelect && cursor !== null) props.onSelect(cursor);
    else if (event.key in places) {
      const [r, c] = places[event.key]!;
      setCursor(clamp(r, rows.length) * across + clamp(c, across));
    } else return;
    event.preventDefault();
  };
  const place = (event: MouseEvent) => {
    const box = area.current?.getBoundingClientRect();
    if (!box || cellWidth <= 0) return null;
    const row = Math.floor((event.clientY - box.top) / cellHeight);
    const column = Math.floor((event.clientX - box.left - left) / cellWidth);
    return row < 0 || column < 0 || row >= rows.length || column >= across ? null : row * across + column;
  };
  const box = (at: number) => ({
    left: `${left + (at % across) * cellWidth}px`,
    top: `${Math.floor(at / across) * cellHeight}px`,
    width: `${cellWidth}px`,
    height: `${cellHeight}px`,
  });
  const rowStep = labelStep(cellHeight, 13);
  const columnStep = labelStep(cellWidth, 12 + 7 * Math.max(1, ...columns.map((label) => label.length)));
  const negative = values.some((value) => value !== null && value < 0);
  return (
    <div class="chart">
      <div
        ref={area}
        class="chart-area score-heat"
        style={{ height: `${height + BOTTOM}px` }}
        tabIndex={0}
        role="application"
        aria-roledescription="heat map"
        aria-label={props.name}
        aria-describedby={help}
        onKeyDown={move}
        onFocus={() => setCursor((old) => old ?? 0)}
        onBlur={() => setCursor(null)}
        onMouseMove={(event) => setHover(place(event))}
        onMouseLeave={() => setHover(null)}
        onClick={(event) => {
          const at = place(event);
          if (at !== null) props.onSelect?.(at);
        }}
      >
        {width > 0 && (
          <svg class="layerif-plot" width={width + left + RIGHT} height={height + BOTTOM} aria-hidden="true">
            {values.map((value, at) => (
              <HeatCell
                key={at}
                value={value}
                limit={limit}
                x={left + (at % across) * cellWidth}
                y={Math.floor(at / across) * cellHeight}
                width={cellWidth}
                height={cellHeight}
              />
            ))}
            {rows.map((label, row) =>
              row % rowStep === 0 ? (
                <text key={row} x={left - 6} y={(row + 0.5) * cellHeight + 4} text-anchor="end" fill="currentColor">
                  {label}
                </text>
              ) : null,
            )}
            {columns.map((label, column) =>
              column % columnStep === 0 ? (
                <text
                  key={column}
                  x={left + (column + 0.5) * cellWidth}
                  y={height + 15}
                  text-anchor="middle"
                  fill="currentColor"
                >
                  {label}
                </text>
              ) : null,
            )}
          </svg>
        )}
        {marked.map((at) => (
          <div key={at} class="cell sample" style={box(at)} aria-hidden="true" />
        ))}
        {cursor !== null && <div class="cell cursor" style={box(cursor)} aria-hidden="true" />}
        {hover !== null && <div class="cell hover" style={box(hover)} aria-hidden="true" />}
        {shown !== null && (
          <div class="tooltip" style={tipPlace(shown % across, across, cellWidth, left)} aria-hidden="true">
            {props.words(shown).map((line) => (
              <div key={line}>{line}</div>
            ))}
          </div>
        )}
      </div>
      <p class="scale faint">
        Down: {props.chart.rowAxis}; across: {props.chart.columnAxis}.{' '}
        {props.scale ??
          `${negative ? `${formatNumber(-limit)} to ` : '0 to '}${formatNumber(limit)}, the deeper the colour the larger${negative ? ', hatched where negative' : ''}; crossed out where undefined.`}
      </p>
      <p id={help} class="spoken">
        Arrow keys move between cells.
      </p>
      <div class="spoken" role="status">
        {cursor === null ? '' : props.words(cursor).join('; ')}
      </div>
    </div>
  );
}

function HeatCell(props: { value: number | null; limit: number; x: number; y: number; width: number; height: number }) {
  const { value, limit, ...box } = props;
  if (value === null)
    return (
      <path
        class="heat-undefined"
        d={`M${box.x} ${box.y}l${box.width} ${box.height}m0 ${-box.height}l${-box.width} ${box.height}`}
        stroke="var(--layerif-axis)"
      />
    );
  const share = Math.round(100 * Math.min(1, Math.abs(value) / limit));
  const colour = value < 0 ? '--layerif-negative' : '--layerif-positive';
  return (
    <>
      <rect
        class="heat-cell"
        {...box}
        fill={`color-mix(in oklab, var(${colour}) ${share}%, var(--vscode-editor-background))`}
      />
      {value < 0 && <rect {...box} fill={negativeFill(0)} />}
    </>
  );
}

const clamp = (value: number, count: number) => Math.max(0, Math.min(count - 1, value));
const tipPlace = (column: number, columns: number, cellWidth: number, left: number): Record<string, string> =>
  column >= columns / 2
    ? { right: `${RIGHT + (columns - column) * cellWidth + 8}px` }
    : { left: `${left + (column + 1) * cellWidth + 8}px` };
