/** Byte-level BPE from a list of ranks (tiktoken): a token's merges are all ways to cut it into two other tokens. */

type Json = Record<string, unknown>;

/**
 * `model` of a tokenizer.json.
 * @param ranks a character for each byte -> rank
 * @param first id of rank 0
 */
export function ofByteRanks(ranks: ReadonlyMap<string, number>, first = 0): Json {
  const merges: [string, string][] = [];
  for (const [token] of [...ranks].sort(([, a], [, b]) => a - b)) {
    const splits: { pair: [string, string]; left: number; right: number }[] = [];
    for (let i = 1; i < token.length; i += 1) {
      const pair: [string, string] = [token.slice(0, i), token.slice(i)];
      const left = ranks.get(pair[0]);
      const right = left === undefined ? undefined : ranks.get(pair[1]);
      if (left !== undefined && right !== undefined) splits.push({ pair, left, right });
    }
    splits.sort((a, b) => a.left - b.left || a.right - b.right);
    for (const { pair } of splits) merges.push(pair);
  }
  const shown = byteAlphabet();
  const written = (token: string): string => {
    let text = '';
    for (let i = 0; i < token.length; i += 1) text += shown[token.charCodeAt(i)];
    return text;
  };
  return {
    type: 'BPE',
    vocab: Object.fromEntries([...ranks].map(([token, rank]) => [written(token), first + rank])),
    merges: merges.map(([left, right]) => [written(left), written(right)]),
    fuse_unk: false,
    ignore_merges: true,
  };
}

/** Words as `pattern` finds them, then their bytes. */
export function byteWords(pattern: string): Json {
  return {
    type: 'Sequence',
    pretokenizers: [
      { type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false },
      { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
    ],
  };
}

export const byteDecoder: Json = { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true };

/**
 * The 256 characters that stand for bytes in byte-level BPE: printable ones for themselves, the others from U+0100 on.
 */
function byteAlphabet(): string[] {
  const printable = (byte: number): boolean =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : next++));
}
