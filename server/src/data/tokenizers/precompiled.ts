/**
 * SentencePiece's table of normalisations (`precompiled_charsmap`): a trie over bytes, stored as a double array, from
 * the beginning of a text to the place of its replacement among texts that end in a zero byte. Read as the Rust library
 * reads it: a cluster of characters below six bytes is looked up as a whole, else each character; the shortest entry
 * wins.
 */
type Lookup = (bytes: Uint8Array) => string | null;

/** @throws Error for a table that is cut short */
export function precompiled(base64: string): (text: string) => string {
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length < 4 || bytes.readUInt32LE(0) > bytes.length - 4)
    throw new Error('its normalizer has a precompiled_charsmap that is cut short');
  const size = bytes.readUInt32LE(0);
  const units = Uint32Array.from({ length: size >> 2 }, (_, i) => bytes.readUInt32LE(4 + 4 * i));
  const texts = bytes.subarray(4 + size);
  const lookup: Lookup = (key) => replacement(units, texts, key);
  const clusters = new Intl.Segmenter('en', { granularity: 'grapheme' });
  const utf8 = new TextEncoder();
  return (text) => {
    let out = '';
    for (const { segment } of clusters.segment(text)) {
      const key = utf8.encode(segment);
      const whole = key.length < 6 ? lookup(key) : null;
      if (whole !== null) out += whole;
      else for (const character of segment) out += lookup(utf8.encode(character)) ?? character;
    }
    return out;
  };
}

/** Bits of a unit: 0-7 and 31 label, 8 has a leaf, 9 wide offset, 10-30 offset. */
function replacement(units: Uint32Array, texts: Buffer, key: Uint8Array): string | null {
  const offset = (unit: number): number => (unit >>> 10) << ((unit & (1 << 9)) >>> 6);
  let at = offset(units[0] ?? 0);
  for (const byte of key) {
    if (byte === 0) return null;
    at ^= byte;
    const unit = units[at];
    if (unit === undefined || (unit & 0x800000ff) >>> 0 !== byte) return null;
    at ^= offset(unit);
    if ((unit >>> 8) & 1) {
      const from = (units[at] ?? 0) & 0x7fffffff;
      const end = texts.indexOf(0, from);
      return texts.toString('utf8', from, end < 0 ? texts.length : end);
    }
  }
  return null;
}
