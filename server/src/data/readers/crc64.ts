/** The checksum that .xz files carry beside CRC-32 (ECMA-182). */

export interface Check {
  add(bytes: Buffer): void;
  /** As it stands in the file. */
  value(): Buffer;
}

/** ECMA-182, reversed; in halves of 32 bits. */
const crc64Table = Array.from({ length: 256 }, (_, byte) => {
  let value = BigInt(byte);
  for (let i = 0; i < 8; i++) value = (value & 1n) === 1n ? (value >> 1n) ^ 0xc96c5795d7870f42n : value >> 1n;
  return value;
});
const crc64Low = Int32Array.from(crc64Table, (value) => Number(BigInt.asIntN(32, value)));
const crc64High = Int32Array.from(crc64Table, (value) => Number(BigInt.asIntN(32, value >> 32n)));

/** CRC-64 of .xz blocks, eight bytes with the lowest first. */
export function crc64Check(): Check {
  let [low, high] = [-1, -1];
  return {
    add(bytes) {
      for (const byte of bytes) {
        const row = (low ^ byte) & 0xff;
        low = ((low >>> 8) | (high << 24)) ^ crc64Low[row];
        high = (high >>> 8) ^ crc64High[row];
      }
    },
    value() {
      const made = Buffer.alloc(8);
      made.writeInt32LE(~low);
      made.writeInt32LE(~high, 4);
      return made;
    },
  };
}
