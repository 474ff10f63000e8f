/**
 * A text as its tokens come: pieces that can be shown at once, and whether a stop string is in it. A piece waits while
 * it may still change: the first bytes of a character, or the beginning of a stop string.
 */
import type { TextTokenizer } from '../../data/tokenizer.ts';
import { nth } from '../../lists/nth.ts';

/** A text ends before the first of each of these, one after the other, as lm-evaluation-harness cuts it. */
export function cutAt(text: string, stops: readonly string[]): string {
  return stops.reduce((rest, stop) => (stop === '' ? rest : nth(rest.split(stop, 1), 0)), text);
}

export class GrowingText {
  readonly #tokenizer: TextTokenizer;
  readonly #stops: readonly string[];
  readonly tokens: number[] = [];
  /** Whether a stop string is there; tokens that come later are not taken. */
  stopped = false;
  /** Decoded so far; the end may be the first bytes of a character. */
  #text = '';
  #shown = 0;
  /** Tokens from `#from` are decoded together, of which those before `#settled` are in the text for good. */
  #from = 0;
  #settled = 0;
  #settledLength = 0;

  constructor(tokenizer: TextTokenizer, stops: readonly string[]) {
    this.#tokenizer = tokenizer;
    this.#stops = stops;
  }

  /** @returns what can be shown now */
  push(token: number): string {
    if (this.stopped) return '';
    this.tokens.push(token);
    // A token's text may depend on the one before it (spaces), so a few are decoded together and what is known of them
    // is cut off.
    const known = this.#tokenizer.decodeText(this.tokens.slice(this.#from, this.#settled)).length;
    const added = this.#tokenizer.decodeText(this.tokens.slice(this.#from)).slice(known);
    this.#text = this.#text.slice(0, this.#settledLength) + added;
    if (added !== '' && !added.endsWith('\ufffd')) {
      this.#from = this.#settled;
      this.#settled = this.tokens.length;
      this.#settledLength = this.#text.length;
    }
    this.stopped = this.#stops.some((stop) => stop !== '' && this.#text.includes(stop, this.#shown));
    return this.stopped ? this.#show(cutAt(this.#text, this.#stops).length) : this.#show(this.#certain());
  }

  /** What has not been shown yet, when no more tokens come. */
  rest(): string {
    const whole = cutAt(this.#text, this.#stops);
    return this.#show(whole.length);
  }

  /** The whole text. */
  get text(): string {
    return cutAt(this.#tokenizer.decodeText(this.tokens), this.#stops);
  }

  /** Characters that neither an unfinished character nor a beginning stop string can take back. */
  #certain(): number {
    let end = this.#text.length;
    while (end > this.#shown && this.#text[end - 1] === '\ufffd') end--;
    for (const stop of this.#stops) {
      for (let length = Math.min(stop.length - 1, end - this.#shown); length > 0; length--) {
        if (!stop.startsWith(this.#text.slice(end - length, end))) continue;
        end -= length;
        break;
      }
    }
    return end;
  }

  #show(end: number): string {
    const piece = this.#text.slice(this.#shown, end);
    this.#shown = Math.max(this.#shown, end);
    return piece;
  }
}
