/** Where the header of a file is read from: a disk, or what has arrived of a file of a hub (`hub/ranges.ts`). */

export interface ByteSource {
  /** Path or address, for messages. */
  readonly name: string;
  /** Bytes of the whole file. */
  readonly size: number;
  /** Fills `into` with the bytes from `at` on. @returns how many; fewer only at the end of the file */
  read(into: Uint8Array, at: number): number;
}
