/**
 * The one error type that may reach a user, and the exit codes of the command line.
 *
 * A message says what was tried, with which value, what is allowed and what to do, in one line. `code` is stable: tests
 * and the editor switch over it. Anything that is not a `LayerifError` is a defect of ours and is shown with "please
 * report".
 */
export type ErrorCode =
  | 'badExperiment' // the experiment file: syntax, unknown key, wrong value
  | 'badData' // a dataset, a split, a row, a template
  | 'badModel' // a checkpoint: missing, truncated, unknown architecture, NaN
  | 'badRequest' // command line or message: unknown option, unknown id
  | 'notEnoughMemory'
  | 'notEnoughDisk'
  | 'cannotWrite' // output folder unreadable, disk full
  | 'deviceUnavailable'
  | 'engineDied'
  | 'cancelled'
  | 'failed';

export const exitCodes: Record<ErrorCode, number> = {
  badExperiment: 2,
  badData: 2,
  badModel: 2,
  badRequest: 2,
  notEnoughMemory: 3,
  notEnoughDisk: 3,
  cannotWrite: 1,
  deviceUnavailable: 1,
  engineDied: 1,
  cancelled: 130,
  failed: 1,
};

/** A place in a file; line and column count from 1. */
export interface Place {
  file: string;
  line?: number;
  column?: number;
}

export class LayerifError extends Error {
  readonly code: ErrorCode;
  readonly place: Place | undefined;

  constructor(code: ErrorCode, message: string, options: { place?: Place | undefined; cause?: unknown } = {}) {
    super(shortened(oneLine(message)), options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'LayerifError';
    this.code = code;
    this.place = options.place;
  }
}

/** Line breaks, escape sequences and marks of writing direction, which a terminal would carry out. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu;

/**
 * Names and values out of files stand in messages: whatever they hold, a message is one line that only says something.
 */
export function oneLine(message: string): string {
  return message.replace(UNPRINTABLE, (character) =>
    character === '\n'
      ? '\\n'
      : character === '\t'
        ? ' '
        : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** A message of this length is read as it is. */
const LONG = 1000;
/** Of a longer one: pieces that a file's value made so. A path has at most 255 characters between its slashes. */
const LONG_PIECES = /[^\s/\\"]{256,}|"(?:[^"\\]|\\.){256,}"/gu;
const KEPT = 80;

/** Values out of files stand in messages as far as they tell which is meant. */
function shortened(message: string): string {
  if (message.length <= LONG) return message;
  return message.replace(LONG_PIECES, (piece) => `${piece.slice(0, KEPT)}...${piece.endsWith('"') ? '"' : ''}`);
}

/** `file:line:column: message`, the form that terminals and editors turn into a link. */
export function located(error: { message: string; place?: Place | undefined }): string {
  if (!error.place) return error.message;
  const { file, line, column } = error.place;
  // A message about a file as a whole mostly names it already.
  if (line === undefined && error.message.includes(file)) return error.message;
  if (line === undefined && error.message.includes(file)) return error.message;
  const place = [file, line, line === undefined ? undefined : column].filter((part) => part !== undefined).join(':');
  return `${place}: ${error.message}`;
}
