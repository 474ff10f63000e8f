/**
 * The tokens of a row, the deeper the colour and the thicker the line below the less the model expected them; those
 * that a mask leaves out of the loss are struck through. One tab stop: arrows move from token to token, the datum is
 * spoken; the same numbers as a table below.
 */
import { useId, useState } from 'preact/hooks';
import type { RowToken } from '../../../protocol/rowRequests.ts';
import { useAnswer } from '../ask.ts';
import type { RowsTable } from '../model/dataChoice.ts';
import { plural } from '../model/format.ts';
import {
  describeToken,
  SHADES,
  shadeOf,
  shadeWords,
  shownText,
  tokenCells,
  tokenColumns,
  tokenPlaces,
} from '../model/tokens.ts';
import type { TokenPlace } from '../model/tokens.ts';
import { PlainTable } from './PlainTable.tsx';
import { samplePlace } from './RowCells.tsx';
import type { RowPlace } from './RowCells.tsx';

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

/** For `RowTable.more`: null where no score of these tables reads tokens. @param source what the tokens depend on */
export function tokensOf(tables: readonly RowsTable[], places: readonly RowPlace[], source: string) {
  const at = tokenPlaces(tables);
  const found = places.map(({ file, row }) => at(file, row));
  if (found.every((place) => place === null)) return null;
  return {
    name: 'Tokens',
    of: (row: number) => {
      const place = found[row];
      return place ? <TokenMap source={source} place={place} name={samplePlace(places[row])} /> : null;
    },
  };
}

function TokenMap({ source, place, name }: { source: string; place: TokenPlace; name: string }) {
  const { answer, failure } = useAnswer(source, 'rowTokens', place, 0);
  const fault = failure ?? answer?.error?.message ?? null;
  if (fault !== null)
    return (
      <p class="message" role="alert">
        {fault}
      </p>
    );
  if (!answer?.tokens) return <p class="faint">{'Reading tokens\u2026'}</p>;
  if (answer.tokens.length === 0) return <p class="empty">No token of the answer can be predicted.</p>;
  return <Tokens tokens={answer.tokens} by={place.by} name={name} />;
}

function Tokens({ tokens, by, name }: { tokens: readonly RowToken[]; by: string; name: string }) {
  const help = useId();
  const [cursor, setCursor] = useState<number | null>(null);
  const [hover, setHover] = useState<number | null>(null);
  const first = Math.max(
    0,
    tokens.findIndex(({ perplexity }) => perplexity !== null),
  );
  const move = (event: KeyboardEvent) => {
    const step = MOVES.get(event.key);
    if (step === undefined) return;
    setCursor(Math.max(0, Math.min(tokens.length - 1, (cursor ?? first) + step)));
    event.preventDefault();
  };
  const counted = tokens.filter(({ perplexity }) => perplexity !== null).length;
  const masked = tokens.filter((token) => token.masked).length;
  const masks = tokens.some((token) => token.masked !== null);
  const shown = hover ?? cursor;
  return (
    <div class="token-map">
      <div
        class="token-text"
        dir="auto"
        tabIndex={0}
        role="application"
        aria-roledescription="token heat map"
        aria-label={`${plural(tokens.length, 'token')} of ${name}, ${counted} counted by ${by}${masks ? `, ${masked} masked` : ''}`}
        aria-describedby={help}
        onKeyDown={move}
        onFocus={() => setCursor((old) => old ?? first)}
        onBlur={() => setCursor(null)}
        onMouseLeave={() => setHover(null)}
      >
        {tokens.map((token, at) => (
          <span
            key={at}
            class={classOf(token, at === shown)}
            title={describeToken(token, at)}
            onMouseEnter={() => setHover(at)}
          >
            {shownText(token.text)}
          </span>
        ))}
      </div>
      <p id={help} class="spoken">
        Arrow keys move from token to token.
      </p>
      <p class="token-words" role="status">
        {shown === null
          ? `${counted} of ${plural(tokens.length, 'token')} are counted${masks ? `, ${masked} of them masked` : ''}.`
          : describeToken(tokens[shown]!, shown)}
      </p>
      <div class="token-legend">
        <span>Perplexity:</span>
        {Array.from({ length: SHADES.length + 1 }, (_, shade) => (
          <span key={shade} class={`token shade-${shade}`}>
            {shadeWords(shade)}
          </span>
        ))}
        <span class="token uncounted">not counted</span>
        {masks && <span class="token masked">masked</span>}
      </div>
      <details>
        <summary>As a table</summary>
        <PlainTable
          caption={`Tokens of ${name}`}
          columns={tokenColumns}
          rows={tokens.map(tokenCells)}
          numeric={(column) => column !== 1 && column !== 4}
        />
      </details>
    </div>
  );
}

function classOf(token: RowToken, current: boolean): string {
  const shade = shadeOf(token);
  return `token ${shade === null ? 'uncounted' : `shade-${shade}`}${token.masked ? ' masked' : ''}${current ? ' current' : ''}`;
}
