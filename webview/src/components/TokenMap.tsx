/**
 * The tokens of a row, the deeper the colour and the thicker the line below the less the model expected them; those
 * that a mask leaves out of the loss are struck through.
 */
import type { RowToken } from '../../../protocol/rowRequests.ts';
import { useAnswer } from '../ask.ts';
import type { RowsTable } from '../model/dataChoice.ts';
import { plural } from '../model/format.ts';
import { describeToken, SHADES, shadeOf, shadeWords, tokenCells, tokenColumns, tokenPlaces } from '../model/tokens.ts';
import type { TokenPlace } from '../model/tokens.ts';
import { samplePlace } from './RowCells.tsx';
import type { RowPlace } from './RowCells.tsx';
import { TokenHeat } from './TokenHeat.tsx';

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
  const first = Math.max(
    0,
    tokens.findIndex(({ perplexity }) => perplexity !== null),
  );
  const counted = tokens.filter(({ perplexity }) => perplexity !== null).length;
  const masked = tokens.filter((token) => token.masked).length;
  const masks = tokens.some((token) => token.masked !== null);
  return (
    <TokenHeat
      tokens={tokens.map((token, at) => ({
        text: token.text,
        look: lookOf(token),
        words: describeToken(token, at),
        cells: tokenCells(token, at),
      }))}
      label={`${plural(tokens.length, 'token')} of ${name}, ${counted} counted by ${by}${masks ? `, ${masked} masked` : ''}`}
      summary={`${counted} of ${plural(tokens.length, 'token')} are counted${masks ? `, ${masked} of them masked` : ''}.`}
      first={first}
      legend={
        <>
          <span>Perplexity:</span>
          {Array.from({ length: SHADES.length + 1 }, (_, shade) => (
            <span key={shade} class={`token shade-${shade}`}>
              {shadeWords(shade)}
            </span>
          ))}
          <span class="token uncounted">not counted</span>
          {masks && <span class="token masked">masked</span>}
        </>
      }
      table={{ caption: `Tokens of ${name}`, columns: tokenColumns, texts: [1, 4] }}
    />
  );
}

function lookOf(token: RowToken): string {
  const shade = shadeOf(token);
  return `${shade === null ? 'uncounted' : `shade-${shade}`}${token.masked ? ' masked' : ''}`;
}
