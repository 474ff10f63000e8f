/**
 * Tokens of a text side by side, each with a class that says how much of something it has. One tab stop: arrows move
 * from token to token, the datum is spoken; the same numbers as a table below.
 */
import { useId, useState } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import { shownText } from '../model/tokens.ts';
import { PlainTable } from './PlainTable.tsx';

/** How far each key moves. */
const MOVES: ReadonlyMap<string, number> = new Map([
  ['ArrowRight', 1],
  ['ArrowDown', 1],
  ['ArrowLeft', -1],
  ['ArrowUp', -1],
  ['PageDown', 10],
  ['PageUp', -10],
  ['Home', -Infinity],
  ['End', Infinity],
]);

export interface HeatToken {
  text: string;
  /** Classes beside `token`. */
  look: string;
  /** What is said of it. */
  words: string;
  cells: string[];
}

export interface TokenHeatProps {
  tokens: readonly HeatToken[];
  /** For screen readers. */
  label: string;
  /** Said while no token is looked at. */
  summary: string;
  /** Of the token that keys go to first. */
  first: number;
  legend: ComponentChildren;
  table: { caption: string; columns: string[]; texts: readonly number[] };
  children?: ComponentChildren;
}

export function TokenHeat({ tokens, label, summary, first, legend, table, children }: TokenHeatProps) {
  const help = useId();
  const [cursor, setCursor] = useState<number | null>(null);
  const [hover, setHover] = useState<number | null>(null);
  const move = (event: KeyboardEvent) => {
    const step = MOVES.get(event.key);
    if (step === undefined) return;
    setCursor(Math.max(0, Math.min(tokens.length - 1, (cursor ?? first) + step)));
    event.preventDefault();
  };
  const shown = hover ?? cursor;
  return (
    <div class="token-map">
      {children}
      <div
        class="token-text"
        dir="auto"
        tabIndex={0}
        role="application"
        aria-roledescription="token heat map"
        aria-label={label}
        aria-describedby={help}
        onKeyDown={move}
        onFocus={() => setCursor((old) => old ?? first)}
        onBlur={() => setCursor(null)}
        onMouseLeave={() => setHover(null)}
      >
        {tokens.map(({ text, look, words }, at) => (
          <span
            key={at}
            class={`token ${look}${at === shown ? ' current' : ''}`}
            title={words}
            onMouseEnter={() => setHover(at)}
          >
            {shownText(text)}
          </span>
        ))}
      </div>
      <p id={help} class="spoken">
        Arrow keys move from token to token.
      </p>
      <p class="token-words" role="status">
        {shown === null ? summary : tokens[shown]!.words}
      </p>
      <div class="token-legend">{legend}</div>
      <details>
        <summary>As a table</summary>
        <PlainTable
          caption={table.caption}
          columns={table.columns}
          rows={tokens.map(({ cells }) => cells)}
          numeric={(column) => !table.texts.includes(column)}
        />
      </details>
    </div>
  );
}
