/**
 * The theme as the pages see it. Marks in SVG use CSS variables and follow by themselves; pixels of a canvas do not, so canvases
 * draw again when VS Code changes the body's class or the variables in the style of <html>.
 */
import { useEffect, useState } from 'preact/hooks';
import { parseRgb } from './model/colour.ts';
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

export const isHighContrast = () => document.body.classList.contains('vscode-high-contrast');

/** The channels of a CSS variable of ours or of the theme; `fallback` where it is not set. */
export function themeRgb(variable: string, fallback: Rgb): Rgb {
  const probe = document.createElement('span');
  probe.style.color = `var(${variable})`;
  probe.hidden = true;
  document.body.append(probe);
  const rgb = getComputedStyle(document.documentElement).getPropertyValue(variable)
    ? parseRgb(getComputedStyle(probe).color)
    : null;
  probe.remove();
  return rgb ?? fallback;
}
