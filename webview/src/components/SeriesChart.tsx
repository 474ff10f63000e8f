/**
 * A chart of series over ordered places. One tab stop: arrows, Home and End move a cursor, whose values are spoken and
 * shown; Enter or a click selects the place where the page wants that.
 */
import { useEffect, useId, useMemo, useRef, useState } from 'preact/hooks';
import { describeSeries, placeWords } from '../model/series.ts';
import type { Series } from '../model/series.ts';
import { useWidth } from '../size.ts';
import { MARGIN, slotAt, slotLeft, slotWidth } from './layerPlot.ts';
import { LineSwatch, Swatch } from './patterns.tsx';
import { seriesPlot } from './seriesPlot.ts';

export interface SeriesChartProps {
  /** Name of the chart, for screen readers. */
  name: string;
  series: readonly Series[];
  slots: readonly string[];
  /** What the places are, such as "Layer". */
  axis: string;
  format: (value: number) => string;
  domain?: readonly [number, number];
  reference?: number;
  height?: number;
  /** Places that are shaded, and places without a value. */
  marked?: readonly number[];
  blank?: readonly number[];
  /** Lines after the values, such as the explanation of a layer. */
  more?: (place: number) => string;
  selected?: number | null;
  onSelect?: (place: number) => void;
}

export function SeriesChart(props: SeriesChartProps) {
  const { series, slots, format } = props;
  const height = props.height ?? 220;
  const area = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLDivElement>(null);
  const width = useWidth(area);
  const help = useId();
  const [cursor, setCursor] = useState<number | null>(null);
  const [hover, setHover] = useState<number | null>(null);
  const last = slots.length - 1;

  const svg = useMemo(() => {
    if (width < 100) return null;
    const label = describeSeries(props.name, series, format);
    const { domain, reference } = props;
    return seriesPlot({ series, slots, format, domain, reference, width, height, label });
  }, [series, slots.join('\n'), props.domain?.join(), props.reference, width, height]);
  useEffect(() => {
    canvas.current?.replaceChildren(...(svg ? [svg] : []));
  }, [svg]);

  const move = (event: KeyboardEvent) => {
    const at = cursor ?? Math.max(0, props.selected ?? 0);
    const places: Record<string, number> = {
      ArrowRight: Math.min(last, cursor === null ? at : at + 1),
      ArrowLeft: Math.max(0, cursor === null ? at : at - 1),
      Home: 0,
      End: last,
    };
    if (event.key in places) setCursor(places[event.key]!);
    else if ((event.key === 'Enter' || event.key === ' ') && cursor !== null && props.onSelect) props.onSelect(cursor);
    else if (event.key === 'Escape') setCursor(null);
    else return;
    event.preventDefault();
  };
  const place = (event: MouseEvent) => {
    const box = area.current?.getBoundingClientRect();
    return box ? slotAt(event.clientX - box.left, width, slots.length) : null;
  };
  const shown = hover ?? cursor;
  const words = (at: number) => placeWords(series, at, format);
  return (
    <div class="chart">
      <div
        ref={area}
        class="chart-area"
        tabIndex={0}
        role="application"
        aria-roledescription="chart"
        aria-label={props.name}
        aria-describedby={help}
        onKeyDown={move}
        onFocus={() => setCursor((old) => old ?? Math.max(0, props.selected ?? 0))}
        onBlur={() => setCursor(null)}
        onMouseMove={(event) => setHover(place(event))}
        onMouseLeave={() => setHover(null)}
        onClick={(event) => {
          const at = place(event);
          if (at !== null) props.onSelect?.(at);
        }}
      >
        {props.selected !== undefined && props.selected !== null && props.selected >= 0 && (
          <SlotBand class="band selected" slot={props.selected} width={width} slots={slots.length} height={height} />
        )}
        {(['marked', 'blank'] as const).flatMap((kind) =>
          (props[kind] ?? []).map((slot) => (
            <SlotBand
              key={`${kind} ${slot}`}
              class={`band ${kind}`}
              slot={slot}
              width={width}
              slots={slots.length}
              height={height}
            />
          )),
        )}
        {hover !== null && (
          <SlotBand class="band hover" slot={hover} width={width} slots={slots.length} height={height} />
        )}
        <div ref={canvas} class="chart-canvas" style={{ minHeight: `${height}px` }} />
        <span class="axis-name" aria-hidden="true">
          {props.axis}
        </span>
        {cursor !== null && (
          <SlotBand class="band cursor" slot={cursor} width={width} slots={slots.length} height={height} />
        )}
        {shown !== null && (
          <div
            class="tooltip"
            style={tipPlace(slotLeft(shown, width, slots.length) + slotWidth(width, slots.length) / 2, width)}
            aria-hidden="true"
          >
            <strong>
              {props.axis} {slots[shown]}
            </strong>
            {words(shown).map((line) => (
              <div key={line}>{line}</div>
            ))}
            {props.more?.(shown) && <div class="faint">{props.more(shown)}</div>}
          </div>
        )}
      </div>
      <p id={help} class="spoken">
        Arrow keys move along the axis{props.onSelect ? ', Enter selects' : ''}.
      </p>
      <div class="spoken" role="status">
        {cursor === null
          ? ''
          : [
              `${props.axis} ${slots[cursor]}`,
              ...words(cursor),
              ...(props.more?.(cursor) ? [props.more(cursor)] : []),
            ].join('; ')}
      </div>
    </div>
  );
}

const tipPlace = (x: number, width: number): Record<string, string> =>
  x > width / 2 ? { right: `${width - x + 14}px` } : { left: `${x + 14}px` };

function SlotBand(props: { class: string; slot: number; width: number; slots: number; height: number }) {
  const style = {
    left: `${slotLeft(props.slot, props.width, props.slots)}px`,
    width: `${slotWidth(props.width, props.slots)}px`,
    top: `${MARGIN.top}px`,
    height: `${props.height - MARGIN.top - MARGIN.bottom}px`,
  };
  return <div class={props.class} style={style} aria-hidden="true" />;
}

export function SeriesLegend({ series }: { series: readonly Series[] }) {
  return (
    <ul class="series-legend">
      {series.map(({ name, style, mark }) => (
        <li key={name}>
          {mark === 'bars' ? <Swatch task={style} /> : <LineSwatch task={style} />} {name}
        </li>
      ))}
    </ul>
  );
}
