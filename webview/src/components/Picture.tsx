/** A picture of Observable Plot at the width of the page, with its text alternative. */
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { useWidth } from '../size.ts';

/** @param draw gives the figure for a width @param of what it depends on beside the width */
export function Picture({
  draw,
  of,
  height,
}: {
  draw: (width: number) => SVGSVGElement;
  of: readonly unknown[];
  height: number;
}) {
  const area = useRef<HTMLDivElement>(null);
  const width = useWidth(area);
  const svg = useMemo(() => (width < 100 ? null : draw(width)), [width, ...of]);
  useEffect(() => {
    area.current?.replaceChildren(...(svg ? [svg] : []));
  }, [svg]);
  return <div ref={area} class="chart-canvas" style={{ minHeight: `${height}px` }} />;
}
