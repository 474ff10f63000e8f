/**
 * The one way in which a text that a user names is read whole: a regular file of a sensible size, in UTF-8. To open a
 * pipe waits until somebody writes, a device such as /dev/zero never ends, and a text of gigabytes takes the memory of
 * everything else.
 */
import fs from 'node:fs';
import { encodingFault } from './utf8.ts';

const MiB = 2 ** 20;

/** Most bytes by kind of text; what real files of the kind take, with room. */
export const textLimits = {
  /** Experiments and task files. */
  yaml: MiB / 4,
  /** `config.json`, adapters' configurations, a dataset's README. */
  config: 16 * MiB,
  /** `tokenizer.json` of 250,000 tokens takes 17 MB; an index of shards far less. */
  tokenizer: 256 * MiB,
  /** Results hold an influence matrix a layer. Below JavaScript's longest string. */
  result: 500 * MiB,
} as const;

export type TextKind = keyof typeof textLimits;

/** What a path leads to when it is no file. */
const others: [test: (stat: fs.Stats) => boolean, name: string, code: string][] = [
  [(stat) => stat.isDirectory(), 'a folder', 'EISDIR'],
  [(stat) => stat.isFIFO(), 'a named pipe', 'ENOTFILE'],
  [(stat) => stat.isSocket(), 'a socket', 'ENOTFILE'],
  [(stat) => stat.isCharacterDevice() || stat.isBlockDevice(), 'a device', 'ENOTFILE'],
];

/** A path that leads to something else than a readable text; `code` is the system's where it has one. */
export class UnreadableFile extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** @throws UnreadableFile unless `file` is a regular file; the file system's error when it is not there */
export function requireRegularFile(file: string): fs.Stats {
  const stat = fs.statSync(file);
  const other = others.find(([test]) => test(stat));
  if (other) throw new UnreadableFile(other[2], `it is ${other[1]}, a regular file is needed`);
  return stat;
}

/**
 * @throws UnreadableFile for what is no regular file, too large or not UTF-8; the file system's error when it cannot be
 *   read
 */
export function readText(file: string, kind: TextKind): string {
  const whole = readBytes(file, kind);
  const fault = encodingFault(whole);
  if (fault !== null) throw new UnreadableFile('EENCODING', fault);
  return whole.toString('utf8');
}

/** The same of a file that is no text. */
export function readBytes(file: string, kind: TextKind): Buffer {
  const most = textLimits[kind];
  // The path is looked at before it is opened: opening a pipe already waits.
  requireRegularFile(file);
  const fd = fs.openSync(file, fs.constants.O_RDONLY | (fs.constants.O_NONBLOCK ?? 0));
  try {
    const { size } = fs.fstatSync(fd);
    if (size > most) throw tooLarge(size, most);
    // Files of /proc say 0 and a growing file says too little: what is read counts.
    const parts: Buffer[] = [];
    let bytes = 0;
    for (;;) {
      const part = Buffer.allocUnsafe(Math.max(1, Math.min(most + 1 - bytes, Math.max(size - bytes, 1 << 16))));
      const got = fs.readSync(fd, part, 0, part.length, null);
      if (got === 0) break;
      parts.push(part.subarray(0, got));
      bytes += got;
      if (bytes > most) throw tooLarge(bytes, most);
    }
    return Buffer.concat(parts, bytes);
  } finally {
    fs.closeSync(fd);
  }
}

function tooLarge(bytes: number, most: number): UnreadableFile {
  return new UnreadableFile('EFBIG', `it has ${bytes} bytes, at most ${most} are read`);
}
