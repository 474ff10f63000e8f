/**
 * What stands under a file's name where a download or a copy went wrong, told by its first bytes: the reader of any
 * format would only say that its own is not there.
 */
interface Mistaken {
  what: string;
  advice: string;
}

/** First bytes that are looked at. */
export const HEAD_BYTES = 512;

const again = 'download it again';

const rows: readonly ({ test: (bytes: Uint8Array, text: string) => boolean } & Mistaken)[] = [
  { test: (bytes) => bytes.length === 0, what: 'it is empty', advice: again },
  {
    test: (_, text) => text.startsWith('version https://git-lfs'),
    what: 'it is a pointer of Git LFS and not the file itself',
    advice: 'fetch the file with: git lfs pull',
  },
  {
    test: (_, text) => /^\s*<(?:!doctype|html|\?xml)/i.test(text),
    what: 'it is a web page, as a server gives it in place of a file',
    advice: `${again} from the address of the file itself`,
  },
  {
    test: (bytes) => bytes.length >= 16 && bytes.every((byte) => byte === 0),
    what: 'it begins with zeros alone, as after a download that broke off',
    advice: again,
  },
  {
    test: (_, text) => /^(?:\xff\xfe|\xfe\xff)/.test(text),
    what: 'it is a text in UTF-16',
    advice: 'save it as UTF-8',
  },
];

/** Null where the bytes may be what they should be. */
export function mistakenFor(bytes: Uint8Array): Mistaken | null {
  const head = bytes.subarray(0, HEAD_BYTES);
  const text = Buffer.from(head).toString('latin1');
  return rows.find(({ test }) => test(head, text)) ?? null;
}

/** A clause with its advice: what was taken for the file, else `otherwise`. */
export function mistakenOr(bytes: Uint8Array, otherwise: string, advice: string): string {
  const found = mistakenFor(bytes);
  return found === null ? `${otherwise}; ${advice}` : `${found.what}; ${found.advice}`;
}
