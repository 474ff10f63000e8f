/**
 * Special tokens that stand in a text, found before the text is split otherwise, as the `tokenizers` library of Hugging
 * Face finds them: first those that are matched in the text as it is (`normalized: false`), then, in the normalised
 * rest, the others. At one place the longest wins. `single_word` asks for no word character beside it; `lstrip` and
 * `rstrip` take the white space along.
 */
import { nth } from '../../lists/nth.ts';

export interface AddedToken {
  id: number;
  content: string;
  single_word: boolean;
  lstrip: boolean;
  rstrip: boolean;
  normalized: boolean;
  special: boolean;
}

/**
 * The tokens with the ids that they have: of a token of the vocabulary its own, else the next free one, whatever `id`
 * the file gives; of tokens with the same content the last.
 */
export function addedTokens(listed: readonly unknown[], vocab: ReadonlyMap<string, number>): AddedToken[] {
  const tokens = new Map<string, AddedToken>();
  let next = vocab.size;
  for (const item of listed) {
    const { content, ...flags } = (item ?? {}) as Partial<AddedToken>;
    if (typeof content !== 'string')
      throw new Error(`its added_tokens hold ${JSON.stringify(item)?.slice(0, 80)}, which has no content`);
    if (content === '') continue;
    const id = vocab.get(content) ?? tokens.get(content)?.id ?? next;
    next = Math.max(next, id + 1);
    const special = flags.special === true;
    tokens.set(content, {
      id,
      content,
      single_word: flags.single_word === true,
      lstrip: flags.lstrip === true,
      rstrip: flags.rstrip === true,
      normalized: flags.normalized ?? !special,
      special,
    });
  }
  return [...tokens.values()];
}

/** A piece of a text: a token, or text that is still to be tokenised. */
export type Piece = { token: number } | { text: string; start: number };

const endsWithWord = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]$/u;
const startsWithWord = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u;
const space = /^\p{White_Space}$/u;

type Node = Map<string, Node> & { match?: { token: AddedToken; content: string } };

/** Finds tokens by what they look like in the text (`contents`, one per token). */
export class TokenFinder {
  readonly #root: Node = new Map() as Node;
  readonly #splits: boolean;

  /** @param splits whether special tokens are passed by, as the text that they are */
  constructor(tokens: readonly AddedToken[], contents: readonly string[], splits = false) {
    this.#splits = splits;
    tokens.forEach((token, i) => {
      const content = nth(contents, i);
      if (content === '') return;
      let node = this.#root;
      for (const unit of content.split('')) {
        let next = node.get(unit);
        if (!next) node.set(unit, (next = new Map() as Node));
        node = next;
      }
      node.match ??= { token, content };
    });
  }

  /** Tokens and the text between them, in order. */
  split(text: string): Piece[] {
    if (this.#root.size === 0) return text === '' ? [] : [{ text, start: 0 }];
    const pieces: Piece[] = [];
    let done = 0;
    for (let at = 0; at < text.length;) {
      const match = this.#longestAt(text, at);
      if (!match) {
        at++;
        continue;
      }
      const { token, content } = match;
      let [start, stop] = [at, at + content.length];
      at = stop;
      if (this.#splits && token.special) continue;
      if (token.single_word && (endsWithWord.test(before(text, start)) || startsWithWord.test(after(text, stop))))
        continue;
      if (token.lstrip) {
        while (start > 0 && space.test(text.charAt(start - 1))) start--;
        start = Math.max(start, done);
      }
      if (token.rstrip) while (stop < text.length && space.test(text.charAt(stop))) stop++;
      if (done < start) pieces.push({ text: text.slice(done, start), start: done });
      pieces.push({ token: token.id });
      done = stop;
    }
    if (done < text.length) pieces.push({ text: text.slice(done), start: done });
    return pieces;
  }

  #longestAt(text: string, at: number): Node['match'] {
    let node: Node | undefined = this.#root;
    let found: Node['match'];
    for (let i = at; i < text.length; i++) {
      node = node.get(text.charAt(i));
      if (!node) break;
      found = node.match ?? found;
    }
    return found;
  }
}

/** The character before and after a place, both halves of one outside the basic plane. */
const before = (text: string, at: number): string => text.slice(Math.max(0, at - 2), at);
const after = (text: string, at: number): string => text.slice(at, at + 2);
