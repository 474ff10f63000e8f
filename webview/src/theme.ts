/**
 * The theme as the pages see it. Marks in SVG use CSS variables and follow by themselves; pixels of a canvas do not, so
 * canvases draw again when VS Code changes the body's class or the variables in the style of <html>.
 */
import { useEffect, useState } from 'preact/hooks';
import type { Rgb } from './model/colour.ts';

/** A number that changes with the theme: put it into the dependencies of whatever reads colours. */
export function useThemeVersion(): number {
  const [version, setVersion] = useState(0);
  useEffect(() => {
    const observer = new MutationObserver(() => setVersion((v) => v + 1));
    observer.observe(document.documentElement, { attributes: true, attributeFilter: ['style', 'class'] });
    observer.observe(document.body, { attributes: true, attributeFilter: ['class', 'data-vscode-theme-id'] });
    return () => observer.disconnect();
  }, []);
  return version;
}

/** What is drawn for print has its own colours, whatever the theme. */
export const isHighContrast = (within: Element) =>
  within.closest('.print-colours') === null && document.body.classList.contains('vscode-high-contrast');

/**
 * The sRGB channels of a CSS variable of ours or of the theme; `fallback` where it is not set. Read back from a drawn
 * pixel, because the computed text of a colour has many forms (`rgb()`, `color(srgb ...)`, `oklab()`).
 *
 * @param within the part of the page whose colours are meant
 */
export function themeRgb(variable: string, fallback: Rgb, within: Element = document.body): Rgb {
  const context = new OffscreenCanvas(1, 1).getContext('2d');
  if (!context || !getComputedStyle(within).getPropertyValue(variable)) return fallback;
  const probe = document.createElement('span');
  probe.style.color = `var(${variable})`;
  within.append(probe);
  context.fillStyle = getComputedStyle(probe).color;
  probe.remove();
  context.fillRect(0, 0, 1, 1);
  const [red, green, blue] = context.getImageData(0, 0, 1, 1).data;
  return [red!, green!, blue!];
}
