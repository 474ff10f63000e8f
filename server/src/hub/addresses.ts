/**
 * Which addresses are asked, and which of them may see the token: the configured endpoint's own origin (scheme, host
 * and port) and no other, whatever an answer's headers say. Redirects are followed here, one by one, because `Location`
 * is the server's word.
 */
import { LayerifError } from '../../../protocol/errors.ts';
import { hubEndpoint, hubToken } from './environment.ts';

/** The hub sends from a moved repository to the new one, from there to its cache and to a CDN. */
const MOST_REDIRECTS = 10;
const redirects: readonly number[] = [301, 302, 303, 307, 308];

/** @throws LayerifError for an HF_ENDPOINT that is no address */
export function hubOrigin(): string {
  const endpoint = hubEndpoint();
  const url = URL.parse(endpoint);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new LayerifError(
      'badRequest',
      `HF_ENDPOINT "${endpoint}" is no address of a hub: write https://HOST or http://HOST:PORT, or unset it for https://huggingface.co`,
    );
  return url.origin;
}

/**
 * An address that a page of the hub names as the next one.
 * @throws LayerifError for another origin: pages are the hub's own
 */
export function requireHub(address: string): void {
  const origin = hubOrigin();
  if (URL.parse(address)?.origin === origin) return;
  throw new LayerifError(
    'failed',
    `${origin} names ${quoted(address)} as the next page of a listing, which is another host: it is not asked, and gets no token; see that HF_ENDPOINT is a hub that you trust`,
  );
}

/**
 * One request that is sent on as often as the answers say. The token goes along while the address is the hub's, and
 * never again once it was another.
 * @throws LayerifError for a redirect to nowhere, to another kind of address, from https to http, and for too many
 */
export async function follow(address: string, init: RequestInit): Promise<Response> {
  const origin = hubOrigin();
  const token = hubToken()?.token;
  let at = new URL(address);
  let isHub = true;
  for (let step = 0; step <= MOST_REDIRECTS; step++) {
    isHub &&= at.origin === origin;
    const headers = new Headers(init.headers);
    headers.delete('authorization');
    headers.set('user-agent', 'layerif');
    if (isHub && token) headers.set('authorization', `Bearer ${token}`);
    const answer = await fetch(at.href, { ...init, headers, redirect: 'manual' });
    if (!redirects.includes(answer.status)) return answer;
    await answer.body?.cancel();
    at = nextAddress(at, answer.headers.get('location'));
  }
  throw new LayerifError(
    'failed',
    `${address} is sent on more than ${MOST_REDIRECTS} times: something is wrong with ${origin}; try again later or take another HF_ENDPOINT`,
  );
}

function nextAddress(from: URL, location: string | null): URL {
  const to = location === null ? null : URL.parse(location, from.href);
  const fault =
    to === null
      ? 'which is no address'
      : !/^https?:$/.test(to.protocol)
        ? 'which is neither http nor https'
        : from.protocol === 'https:' && to.protocol === 'http:'
          ? 'which is not encrypted, from one that is'
          : to.username !== '' || to.password !== ''
            ? 'which carries a login'
            : null;
  if (to !== null && fault === null) return to;
  throw new LayerifError(
    'failed',
    `${from.origin}${from.pathname} is sent on to ${location === null ? 'no address at all' : `${quoted(location)}, ${fault}`}: it is not followed; see that HF_ENDPOINT is a hub that you trust`,
  );
}

/** What a server wrote, on one line and not without end. */
function quoted(text: string): string {
  const line = text.replace(/\p{C}+/gu, ' ');
  return JSON.stringify(line.length > 200 ? `${line.slice(0, 200)}\u2026` : line);
}
