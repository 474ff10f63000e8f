/**
 * Scores of all layers, tasks overlaid. One tab stop: arrows, Home and End move a cursor, whose datum is spoken and
 * shown; Enter or a click selects the layer for everything below. Ctrl/Cmd+click on a bar opens the task in the
 * experiment file.
 */
import { useEffect, useId, useMemo, useRef, useState } from 'preact/hooks';
import { describeChart, describeLayer, rankWords } from '../model/describe.ts';
import { formatNumber, formatShare } from '../model/format.ts';
import type { LayerValue } from '../model/layers.ts';
import { useWidth } from '../size.ts';
import { LineSwatch, Swatch } from './patterns.tsx';
import { CHART_HEIGHT, MARGIN, fittingMarks, layerPlot, slotAt, slotLeft, slotWidth } from './layerPlot.ts';

export interface LayerChartProps {
  values: readonly LayerValue[];
  layers: readonly number[];
  tasks: readonly string[];
  normalised: boolean;
  marks: 'auto' | 'bars' | 'lines';
  /** Tells which marks fit. */
  onMarks: (marks: 'bars' | 'lines') => void;
  selected: number | null;
  running: boolean;
  onSelect: (layer: number, task: number | null) => void;
  onReveal: (task: number) => void;
}

export function LayerChart(props: LayerChartProps) {
  const { values, layers, tasks, normalised } = props;
  const area = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLDivElement>(null);
  const width = useWidth(area);
  const [cursor, setCursor] = useState<number | null>(null);
  const [hover, setHover] = useState<number | null>(null);
  const help = useId();
  const pending = props.running ? 'not scored yet' : 'not scored';
  const marks = props.marks === 'auto' ? fittingMarks(width, layers.length, tasks.length) : props.marks;

  useEffect(() => {
    if (width > 0) props.onMarks(marks);
  }, [marks, width > 0]);

  const svg = useMemo(() => {
    if (width < 100) return null;
    const label = describeChart(values, layers.length, tasks);
    return layerPlot({ values, layers, tasks: tasks.length, normalised, marks, width, label });
  }, [values, layers.join(), tasks.join('\n'), normalised, marks, width]);
  useEffect(() => {
    canvas.current?.replaceChildren(...(svg ? [svg] : []));
  }, [svg]);

  const selectedSlot = props.selected === null ? -1 : layers.indexOf(props.selected);
  const shown = hover ?? cursor;
  const move = (event: KeyboardEvent) => {
    const at = cursor ?? Math.max(0, selectedSlot);
    const last = layers.length - 1;
    const places: Record<string, number> = {
      ArrowRight: Math.min(last, cursor === null ? at : at + 1),
      ArrowLeft: Math.max(0, cursor === null ? at : at - 1),
      PageDown: Math.min(last, at + 10),
      PageUp: Math.max(0, at - 10),
      Home: 0,
      End: last,
    };
    if (event.key in places) setCursor(places[event.key]!);
    else if ((event.key === 'Enter' || event.key === ' ') && cursor !== null) props.onSelect(layers[cursor]!, null);
    else if (event.key === 'Escape') setCursor(null);
    else return;
    event.preventDefault();
  };
  const place = (event: MouseEvent) => {
    const box = area.current?.getBoundingClientRect();
    return box ? slotAt(event.clientX - box.left, width, layers.length) : null;
  };
  const click = (event: MouseEvent) => {
    const slot = place(event);
    if (slot === null) return;
    const task = taskUnder(event, slot, values, width, layers.length, tasks.length);
    if (task !== null && (event.ctrlKey || event.metaKey)) props.onReveal(task);
    else props.onSelect(layers[slot]!, task);
  };

  return (
    <div class="chart">
      <div
        ref={area}
        class="chart-area"
        tabIndex={0}
        role="application"
        aria-roledescription="chart"
        aria-label="Layer scores"
        aria-describedby={help}
        onKeyDown={move}
        onFocus={() => setCursor((old) => old ?? Math.max(0, selectedSlot))}
        onBlur={() => setCursor(null)}
        onMouseMove={(event) => setHover(place(event))}
        onMouseLeave={() => setHover(null)}
        onClick={click}
      >
        {selectedSlot >= 0 && <Band class="band selected" slot={selectedSlot} width={width} layers={layers.length} />}
        {hover !== null && <Band class="band hover" slot={hover} width={width} layers={layers.length} />}
        <div ref={canvas} class="chart-canvas" />
        <span class="axis-name" aria-hidden="true">
          Layer
        </span>
        {cursor !== null && <Band class="band cursor" slot={cursor} width={width} layers={layers.length} />}
        {shown !== null && (
          <Tooltip
            layer={layers[shown]!}
            values={values}
            tasks={tasks}
            lines={marks === 'lines'}
            pending={pending}
            x={slotLeft(shown, width, layers.length) + slotWidth(width, layers.length) / 2}
            width={width}
          />
        )}
      </div>
      <p id={help} class="spoken">
        Arrow keys move between layers, Enter selects the layer for the details below.
      </p>
      <div class="spoken" role="status">
        {cursor === null ? '' : describeLayer(layers[cursor]!, values, tasks.length, pending)}
      </div>
    </div>
  );
}

/** The task whose bar lies under the pointer, by its horizontal place within the slot. */
function taskUnder(
  event: MouseEvent,
  slot: number,
  values: readonly LayerValue[],
  width: number,
  layers: number,
  tasks: number,
): number | null {
  const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
  const within = (event.clientX - box.left - slotLeft(slot, width, layers)) / slotWidth(width, layers);
  const task = Math.floor(((within - 0.1) / 0.8) * tasks);
  return values.some((value) => value.slot === slot && value.task === task) ? task : null;
}

function Band(props: { class: string; slot: number; width: number; layers: number }) {
  const left = slotLeft(props.slot, props.width, props.layers);
  const style = {
    left: `${left}px`,
    width: `${slotWidth(props.width, props.layers)}px`,
    top: `${MARGIN.top}px`,
    height: `${CHART_HEIGHT - MARGIN.top - MARGIN.bottom}px`,
  };
  return <div class={props.class} style={style} aria-hidden="true" />;
}

function Tooltip(props: {
  layer: number;
  values: readonly LayerValue[];
  tasks: readonly string[];
  lines: boolean;
  pending: string;
  x: number;
  width: number;
}) {
  const own = props.values.filter((value) => value.layer === props.layer);
  const right = props.x > props.width / 2;
  const style = right ? { right: `${props.width - props.x + 14}px` } : { left: `${props.x + 14}px` };
  return (
    <div class="tooltip" style={style} aria-hidden="true">
      <strong>Layer {props.layer}</strong>
      {own.length === 0 && <div>{props.pending}</div>}
      <table>
        <tbody>
          {own.map((value) => (
            <tr key={value.task}>
              <td>
                {props.lines ? (
                  <LineSwatch task={value.task} />
                ) : (
                  <Swatch task={value.task} negative={value.sign === 'negative'} />
                )}
              </td>
              <td class="name">{value.taskName}</td>
              <td class="number">{formatNumber(value.value)}</td>
              <td class="number">{formatShare(value.share)}</td>
              <td class="number">#{value.rank}</td>
              <td class="faint">
                {value.interval && `${formatNumber(value.interval[0])} to ${formatNumber(value.interval[1])}`}
                {rankWords(value).replace(/^, /, value.interval ? '; rank ' : 'rank ')}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
