/** A part of the page as markup that stands alone: canvases as images, no controls, styles of charts written out. */
import { styled } from './drawing.ts';

/** What only works in the editor, or is there for screen readers while a chart is used. */
const LIVE = [
  '.tooltip',
  '.controls',
  '.band.cursor',
  '.band.hover',
  '.cell.cursor',
  '[role=status].spoken',
  'vscode-button',
  'vscode-single-select',
  'vscode-checkbox',
  'vscode-textfield',
  'input',
].join(', ');
/** Of elements that stay: without a page behind them these say what is not so. */
const WORDS = [
  'tabindex',
  'aria-pressed',
  'aria-describedby',
  'aria-labelledby',
  'aria-controls',
  'aria-busy',
  'id',
  'for',
];

export function staticMarkup(root: HTMLElement): string {
  const copy = root.cloneNode(true) as HTMLElement;
  const pairs = (selector: string) => {
    const originals = [...root.querySelectorAll(selector)];
    return [...copy.querySelectorAll(selector)].map((part, i) => [originals[i]!, part] as const);
  };
  for (const [original, part] of pairs('svg:not(.patterns)')) part.replaceWith(kept(original));
  for (const [original, part] of pairs('canvas')) {
    const image = document.createElement('img');
    image.src = (original as HTMLCanvasElement).toDataURL('image/png');
    image.alt = '';
    image.style.cssText = (original as HTMLElement).style.cssText;
    image.style.position = getComputedStyle(original).position;
    part.replaceWith(image);
  }
  for (const part of copy.querySelectorAll(LIVE)) part.remove();
  for (const button of copy.querySelectorAll('button')) {
    const words = document.createElement('span');
    words.className = button.className;
    words.append(...button.childNodes);
    button.replaceWith(words);
  }
  for (const part of copy.querySelectorAll('*'))
    for (const name of WORDS) if (!part.closest('svg')) part.removeAttribute(name);
  copy.querySelectorAll('[role=application]').forEach((part) => part.setAttribute('role', 'img'));
  return copy.innerHTML;
}

/** With its place on the page. */
function kept(svg: Element): Element {
  const copy = styled(svg);
  copy.setAttribute('class', svg.getAttribute('class') ?? '');
  copy.setAttribute('role', 'img');
  return copy;
}
