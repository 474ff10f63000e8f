/**
 * Layers x training samples. Pixels are painted by `model/heatmap.ts` onto one canvas; cursor, selection and tooltip
 * are elements over it. One tab stop: arrows move a cell cursor, Enter selects its layer and sample, the datum is
 * spoken.
 */
import { useEffect, useId, useMemo, useRef, useState } from 'preact/hooks';
import { divergingRamp } from '../model/colour.ts';
import { describeCell, signWords } from '../model/describe.ts';
import { formatNumber, formatSigned, plural } from '../model/format.ts';
import { cellAt, paint, rowHeight, saturation } from '../model/heatmap.ts';
import type { Rows } from '../model/heatmap.ts';
import { labelStep } from '../model/layers.ts';
import { useWidth } from '../size.ts';
import { isHighContrast, themeRgb, useThemeVersion } from '../theme.ts';

const LABELS = 62;
const RIGHT = 12;

export interface HeatMapProps {
  task: string;
  /** One entry per place on the layer axis; null = not finished. */
  rows: Rows;
  layers: readonly number[];
  /** Sample index per column. */
  order: readonly number[];
  /** "reviews.jsonl line 12", by sample index. */
  sampleName: (sample: number) => string;
  perLayer: boolean;
  selectedLayer: number | null;
  selectedSample: number | null;
  running: boolean;
  onSelect: (layer: number, sample: number) => void;
}

interface Cell {
  row: number;
  column: number;
}

export function HeatMap(props: HeatMapProps) {
  const { rows, layers, order } = props;
  const area = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const full = useWidth(area);
  const width = Math.max(0, full - LABELS - RIGHT);
  const cellHeight = rowHeight(layers.length);
  const height = cellHeight * layers.length;
  const theme = useThemeVersion();
  const help = useId();
  const [cursor, setCursor] = useState<Cell | null>(null);
  const [hover, setHover] = useState<Cell | null>(null);

  const limit = useMemo(() => {
    const common = saturation(rows);
    return rows.map((row) => (props.perLayer && row ? saturation([row], 1) : common));
  }, [rows, props.perLayer]);

  useEffect(() => {
    const own = canvas.current;
    const context = own?.getContext('2d');
    if (!own || !context || width <= 0 || height <= 0 || order.length === 0) return;
    const ratio = window.devicePixelRatio || 1;
    const pixels = { width: Math.round(width * ratio), height: Math.round(height * ratio) };
    context.canvas.width = pixels.width;
    context.canvas.height = pixels.height;
    const background = themeRgb('--vscode-editor-background', [255, 255, 255], own);
    const ramp = divergingRamp(
      themeRgb('--layerif-negative', [200, 60, 60], own),
      background,
      themeRgb('--layerif-positive', [40, 100, 220], own),
    );
    const blank = themeRgb('--layerif-blank', [128, 128, 128], own);
    const data = paint(rows, order, { ...pixels, rows: rows.length, columns: order.length }, limit, {
      ramp,
      blank,
      hatch: isHighContrast(own),
    });
    context.putImageData(new ImageData(data, pixels.width, pixels.height), 0, 0);
  }, [rows, order, limit, width, height, theme]);

  const shown = hover ?? cursor;
  const selected: Cell | null =
    props.selectedLayer === null
      ? null
      : {
          row: layers.indexOf(props.selectedLayer),
          column: props.selectedSample === null ? -1 : order.indexOf(props.selectedSample),
        };

  const at = (event: MouseEvent) => {
    const box = canvas.current?.getBoundingClientRect();
    if (!box) return null;
    return cellAt(event.clientX - box.left, event.clientY - box.top, {
      width,
      height,
      rows: layers.length,
      columns: order.length,
    });
  };
  const choose = (cell: Cell | null) => {
    if (cell && rows[cell.row]) props.onSelect(layers[cell.row]!, order[cell.column]!);
  };
  const move = (event: KeyboardEvent) => {
    const from = cursor ?? { row: Math.max(0, selected?.row ?? 0), column: Math.max(0, selected?.column ?? 0) };
    const to = (row: number, column: number) =>
      setCursor({ row: clamp(row, layers.length), column: clamp(column, order.length) });
    const page = Math.max(1, Math.floor(order.length / 10));
    switch (event.key) {
      case 'ArrowRight':
        to(from.row, from.column + 1);
        break;
      case 'ArrowLeft':
        to(from.row, from.column - 1);
        break;
      case 'ArrowDown':
        to(from.row + 1, from.column);
        break;
      case 'ArrowUp':
        to(from.row - 1, from.column);
        break;
      case 'PageDown':
        to(from.row, from.column + page);
        break;
      case 'PageUp':
        to(from.row, from.column - page);
        break;
      case 'Home':
        to(from.row, 0);
        break;
      case 'End':
        to(from.row, order.length - 1);
        break;
      case 'Enter':
      case ' ':
        choose(cursor);
        break;
      case 'Escape':
        setCursor(null);
        break;
      default:
        return;
    }
    event.preventDefault();
  };
  const words = (cell: Cell) => {
    const row = rows[cell.row];
    if (!row) return `Layer ${layers[cell.row]}: ${props.running ? 'not scored yet' : 'not scored'}`;
    const sample = order[cell.column]!;
    return describeCell(layers[cell.row]!, props.sampleName(sample), row[sample]!);
  };

  const step = labelStep(cellHeight, 13);
  const box = (cell: Cell, wide = false) => ({
    left: `${LABELS + (wide ? 0 : (cell.column * width) / order.length)}px`,
    width: `${wide ? width : Math.max(3, width / order.length)}px`,
    top: `${cell.row * cellHeight}px`,
    height: `${cellHeight}px`,
  });
  const finished = rows.filter((row) => row !== null).length;

  return (
    <div class="chart">
      <div
        ref={area}
        class="chart-area heat"
        style={{ height: `${height}px` }}
        tabIndex={0}
        role="application"
        aria-roledescription="heat map"
        aria-label={`Influence of ${plural(order.length, 'training sample')} of ${props.task} on ${plural(finished, 'layer')}`}
        aria-describedby={help}
        onKeyDown={move}
        onFocus={() =>
          setCursor(
            (old) => old ?? { row: Math.max(0, selected?.row ?? 0), column: Math.max(0, selected?.column ?? 0) },
          )
        }
        onBlur={() => setCursor(null)}
        onMouseMove={(event) => setHover(at(event))}
        onMouseLeave={() => setHover(null)}
        onClick={(event) => choose(at(event))}
      >
        <span class="axis-name" aria-hidden="true">
          Layer
        </span>
        {layers.map((layer, row) =>
          row % step === 0 ? (
            <span
              key={layer}
              class="row-label"
              style={{ top: `${row * cellHeight}px`, height: `${cellHeight}px` }}
              aria-hidden="true"
            >
              {layer}
            </span>
          ) : null,
        )}
        <canvas
          ref={canvas}
          style={{ left: `${LABELS}px`, width: `${width}px`, height: `${height}px` }}
          aria-hidden="true"
        />
        {selected && selected.row >= 0 && <div class="cell selected" style={box(selected, true)} aria-hidden="true" />}
        {selected && selected.row >= 0 && selected.column >= 0 && (
          <div class="cell sample" style={box(selected)} aria-hidden="true" />
        )}
        {cursor && <div class="cell cursor" style={box(cursor)} aria-hidden="true" />}
        {hover && <div class="cell hover" style={box(hover)} aria-hidden="true" />}
        {shown && (
          <CellTip
            row={rows[shown.row]!}
            layer={layers[shown.row]!}
            sample={order[shown.column]!}
            name={props.sampleName(order[shown.column]!)}
            pending={props.running ? 'not scored yet' : 'not scored'}
            x={LABELS + ((shown.column + 0.5) * width) / order.length}
            y={shown.row * cellHeight}
            width={full}
            height={height}
          />
        )}
      </div>
      <p id={help} class="spoken">
        Arrow keys move between cells, Enter selects the layer and the sample for the details below.
      </p>
      <div class="spoken" role="status">
        {cursor ? words(cursor) : ''}
      </div>
      <Scale limit={props.perLayer ? null : (limit[0] ?? 1)} />
    </div>
  );
}

const clamp = (value: number, count: number) => Math.max(0, Math.min(count - 1, value));

function CellTip(props: {
  row: readonly number[] | null;
  layer: number;
  sample: number;
  name: string;
  pending: string;
  x: number;
  y: number;
  width: number;
  height: number;
}) {
  const value = props.row?.[props.sample];
  const style: Record<string, string> =
    props.x > props.width / 2 ? { right: `${props.width - props.x + 12}px` } : { left: `${props.x + 12}px` };
  if (props.y > props.height / 2) style.bottom = `${props.height - props.y + 4}px`;
  else style.top = `${props.y + 20}px`;
  return (
    <div class="tooltip" style={style} aria-hidden="true">
      <strong>Layer {props.layer}</strong>
      <div class="name">{props.name}</div>
      {value === undefined ? (
        <div>{props.pending}</div>
      ) : (
        <div>
          {formatSigned(value)} · {signWords(value)}
        </div>
      )}
    </div>
  );
}

/** The colour scale with its three words. `limit` null: every row has its own. */
function Scale({ limit }: { limit: number | null }) {
  return (
    <div class="scale">
      <span>{limit === null ? 'hurts most' : `${formatNumber(-limit)} or less`}</span>
      <span class="scale-bar" aria-hidden="true" />
      <span>{limit === null ? 'helps most' : `${formatSigned(limit)} or more`}</span>
      <span class="faint">
        {limit === null ? 'each layer on its own scale' : `hurts ${'\u2190'} 0 ${'\u2192'} helps validation`}
      </span>
    </div>
  );
}
