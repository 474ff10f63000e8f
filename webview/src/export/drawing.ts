/**
 * What is in sight of an element as one SVG that stands alone: its charts with their styles written out, its canvases
 * as images, and its texts and grounds at their places. No HTML inside, so that any program that reads SVG draws it.
 */

const SVG = 'http://www.w3.org/2000/svg';
/** Presentation attributes that style sheets may have set. */
const STYLED = [
  'fill',
  'fill-opacity',
  'stroke',
  'stroke-width',
  'stroke-opacity',
  'stroke-dasharray',
  'opacity',
  'font-family',
  'font-size',
  'font-weight',
  'text-anchor',
] as const;
/** Not a part of the picture: words for screen readers, what follows the pointer, controls. */
const UNSEEN =
  '.spoken, .tooltip, .band.selected, .band.hover, .band.cursor, .cell, .controls, vscode-button, vscode-checkbox';
const TITLE_HEIGHT = 30;
const MARGIN = 8;

/**
 * @param chart laid out in the document
 * @param legend drawn above it; null for none
 * @param patterns what the charts may be filled with, in the colours of the picture
 */
export function drawingOf(chart: Element, legend: Element | null, title: string, patterns: Element | null): string {
  const boxes = [chart, ...(legend ? [legend] : [])].map((part) => part.getBoundingClientRect());
  const [left, right] = [Math.min(...boxes.map((box) => box.left)), Math.max(...boxes.map((box) => box.right))];
  const [top, bottom] = [Math.min(...boxes.map((box) => box.top)), Math.max(...boxes.map((box) => box.bottom))];
  const width = Math.ceil(right - left) + 2 * MARGIN;
  const height = Math.ceil(bottom - top) + TITLE_HEIGHT + MARGIN;
  const picture = make('svg', { width, height, viewBox: `0 0 ${width} ${height}` });
  const defs = patterns?.querySelector('defs');
  if (defs) picture.append(styled(defs));
  const heading = { ...fontOf(getComputedStyle(chart)), 'font-weight': '600', 'font-size': '14px' };
  const body = make('g', { transform: `translate(${MARGIN - left} ${TITLE_HEIGHT - top})` });
  for (const part of legend ? [legend, chart] : [chart]) draw(part, body);
  picture.append(
    make('rect', { width: '100%', height: '100%', fill: groundOf(chart) }),
    textAt(title, MARGIN, 19, heading),
    body,
  );
  return new XMLSerializer().serializeToString(picture);
}

function draw(element: Element, into: Element): void {
  if (element.matches(UNSEEN)) return;
  const style = getComputedStyle(element);
  if (style.display === 'none' || style.visibility === 'hidden') return;
  const box = element.getBoundingClientRect();
  const place = { x: box.left, y: box.top, width: box.width, height: box.height };
  if (element instanceof SVGSVGElement) {
    const copy = styled(element);
    for (const [name, value] of Object.entries({ ...place, overflow: 'visible' }))
      copy.setAttribute(name, String(value));
    into.append(copy);
    return;
  }
  if (element instanceof HTMLCanvasElement) {
    if (element.width > 0) into.append(make('image', { ...place, href: element.toDataURL('image/png') }));
    return;
  }
  const colour = style.backgroundColor;
  if (!/^(transparent|rgba\(.*, 0\))$/.test(colour)) into.append(make('rect', { ...place, fill: colour }));
  for (const child of element.childNodes) {
    if (child instanceof Element) draw(child, into);
    else if (child instanceof Text) drawText(child, style, into);
  }
}

/** One <text> for each line that the layout broke the text into. */
function drawText(node: Text, style: CSSStyleDeclaration, into: Element): void {
  const range = document.createRange();
  const lines: { text: string; left: number; top: number }[] = [];
  for (let at = 0; at < node.data.length; at++) {
    range.setStart(node, at);
    range.setEnd(node, at + 1);
    const [box] = range.getClientRects();
    if (!box || box.width === 0) continue;
    const line = lines.at(-1);
    if (line && Math.abs(line.top - box.top) < 2) line.text += node.data[at];
    else lines.push({ text: node.data[at]!, left: box.left, top: box.top });
  }
  const ascent = ascentOf(style);
  for (const { text, left, top } of lines)
    if (text.trim()) into.append(textAt(text, left, top + ascent, { ...fontOf(style), fill: style.color }));
}

const fontOf = ({ fontFamily, fontSize, fontWeight, color }: CSSStyleDeclaration) => ({
  'font-family': fontFamily,
  'font-size': fontSize,
  'font-weight': fontWeight,
  fill: color,
});

/** Pixels from the top of a line's box to its baseline. */
function ascentOf({ fontWeight, fontSize, fontFamily }: CSSStyleDeclaration): number {
  const context = new OffscreenCanvas(1, 1).getContext('2d');
  if (!context) return 0.8 * parseFloat(fontSize);
  context.font = `${fontWeight} ${fontSize} ${fontFamily}`;
  return context.measureText('x').fontBoundingBoxAscent;
}

/** The first ground above an element that can be seen. */
function groundOf(element: Element): string {
  for (let at: Element | null = element; at; at = at.parentElement) {
    const { backgroundColor } = getComputedStyle(at);
    if (!/^(transparent|rgba\(.*, 0\))$/.test(backgroundColor)) return backgroundColor;
  }
  return 'white';
}

/** A copy with the styles of its parts as attributes, and without what only the page needs. */
export function styled<Of extends Element>(element: Of): Of {
  const copy = element.cloneNode(true) as Of;
  const originals = [element, ...element.querySelectorAll('*')];
  for (const [i, part] of [copy, ...copy.querySelectorAll('*')].entries()) {
    const style = getComputedStyle(originals[i]!);
    for (const name of STYLED) part.setAttribute(name, style.getPropertyValue(name));
    for (const name of ['class', 'style', 'tabindex', 'role']) part.removeAttribute(name);
  }
  return copy;
}

function textAt(text: string, x: number, y: number, attributes: Record<string, string>): Element {
  const made = make('text', { x, y, ...attributes });
  made.textContent = text;
  return made;
}

function make(name: string, attributes: Record<string, string | number>): Element {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}
