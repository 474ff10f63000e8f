/**
 * What can leave the page of results: every chart and table of every tab, and all of it as one file. The tabs are drawn
 * once more beside the page, out of sight and in colours for print, with the choices that the page has.
 */
import { render } from 'preact';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { ExportForm, ExportItem, FromWebview, ToWebview } from '../../protocol/webview.ts';
import { Patterns } from './components/patterns.tsx';
import { onMessage, send } from './host.ts';
import { gridCsv, gridMarkdown } from './model/grid.ts';
import { drawingOf } from './export/drawing.ts';
import { pngOf } from './export/raster.ts';
import { staticMarkup } from './export/staticMarkup.ts';
import { gridOf } from './export/tables.ts';

export interface Section {
  id: string;
  name: string;
  content: ComponentChildren;
}

type Made = string | Uint8Array;

/** Pixels: as wide as half of a screen, so that charts fit a page of paper. */
const WIDTH = 860;
const PATIENCE_MS = 30_000;
const STEP_MS = 60;
/** So many looks at the page without anything under way: charts measure and draw after their first one. */
const QUIET = 5;

/** @param sections null while there is nothing to take away */
export function useExports(sections: (() => readonly Section[]) | null): void {
  const now = useRef(sections);
  now.current = sections;
  useEffect(
    () =>
      onMessage((message) => {
        if (message.type === 'listExports') void answer(message.requestId, now.current, list);
        if (message.type === 'makeExport') void answer(message.requestId, now.current, (root) => made(root, message));
      }),
    [],
  );
}

type Answer = Omit<FromWebview & { type: 'exported' }, 'type' | 'requestId' | 'failure'>;

async function answer(
  requestId: number,
  sections: (() => readonly Section[]) | null,
  take: (root: HTMLElement) => Promise<Answer> | Answer,
): Promise<void> {
  const empty: Answer = { items: [], content: null };
  try {
    if (!sections) throw new Error('there is no result in this page yet');
    const found = await withSections(sections(), take);
    send({ type: 'exported', requestId, ...found, failure: null });
  } catch (error) {
    send({ type: 'exported', requestId, ...empty, failure: (error as Error).message });
  }
}

/** All sections laid out beside the page for as long as `take` needs them. */
async function withSections<T>(sections: readonly Section[], take: (root: HTMLElement) => Promise<T> | T): Promise<T> {
  const root = document.createElement('div');
  root.className = 'print-colours';
  root.inert = true;
  root.style.width = `${WIDTH}px`;
  document.body.append(root);
  try {
    render(
      <>
        <Patterns />
        {sections.map(({ id, name, content }) => (
          <section key={id} class="printed" data-section={id}>
            <h2 class="printed-name">{name}</h2>
            {content}
          </section>
        ))}
      </>,
      root,
    );
    await settled(root);
    return await take(root);
  } finally {
    render(null, root);
    root.remove();
  }
}

async function settled(root: HTMLElement): Promise<void> {
  for (let quiet = 0, waited = 0; quiet < QUIET && waited < PATIENCE_MS; waited += STEP_MS) {
    await new Promise((resolve) => setTimeout(resolve, STEP_MS));
    const busy =
      root.querySelector('[aria-busy="true"]') !== null || /(Computing|Loading)[^.]*\u2026/.test(root.innerText);
    quiet = busy ? 0 : quiet + 1;
  }
}

interface Found extends ExportItem {
  element: Element;
}

/** In the order of the page; the number in an id is the place among the charts or tables of the tab. */
function found(root: HTMLElement): Found[] {
  return [...root.querySelectorAll<HTMLElement>('[data-section]')].flatMap((section) => {
    const tab = section.querySelector('.printed-name')?.textContent ?? '';
    const of = (kind: ExportItem['kind'], selector: string) =>
      [...section.querySelectorAll(selector)].map((element, place): Found => {
        const id = `${section.dataset.section}/${kind}/${place}`;
        return { id, tab, kind, name: nameOf(element, kind), element };
      });
    const outside = (one: Found) => one.element.closest('.tooltip') === null;
    return [...of('chart', '.chart, .picture'), ...of('table', 'table')].filter(outside);
  });
}

/** Its own title, else that of the part of the page it stands in. */
function nameOf(element: Element, kind: ExportItem['kind']): string {
  const own =
    kind === 'chart'
      ? element.querySelector('[role=application]')?.getAttribute('aria-label')
      : element.querySelector('caption')?.textContent;
  const heading = element.closest('section')?.querySelector('h2, h3')?.textContent;
  return (own || element.closest('[aria-label]')?.getAttribute('aria-label') || heading || kind).trim();
}

function list(root: HTMLElement): Answer {
  return { items: found(root).map(({ element: _, ...item }) => item), content: null };
}

async function made(root: HTMLElement, { id, form }: ToWebview & { type: 'makeExport' }): Promise<Answer> {
  if (form === 'html') return { items: [], content: staticMarkup(root) };
  const item = found(root).find((one) => one.id === id);
  if (!item) throw new Error(`${id} is not on the page any more`);
  return { items: [], content: await forms[form](item, root) };
}

const forms: Readonly<Record<Exclude<ExportForm, 'html'>, (item: Found, root: HTMLElement) => Made | Promise<Made>>> = {
  svg: ({ element, name }, root) => drawing(element, name, root),
  png: ({ element, name }, root) => pngOf(drawing(element, name, root)),
  csv: ({ element, name }) => gridCsv(gridOf(element as HTMLTableElement, name)),
  md: ({ element, name }) => gridMarkdown(gridOf(element as HTMLTableElement, name)),
};

/** With the legend above it, if it has one. */
function drawing(chart: Element, name: string, root: HTMLElement): string {
  const before = chart.previousElementSibling;
  const legend = before?.matches('.legend, .series-legend') ? before : null;
  return drawingOf(chart, legend, name, root.querySelector('.patterns'));
}
