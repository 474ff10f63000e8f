/**
 * What a subcommand is and what it may touch. To add one, imitate `list.ts` and add a row in `commands.ts`.
 */
import type { Machine } from '../../../protocol/run.ts';
import type { OptionName, OptionWords } from './options.ts';

/** The world outside, so that tests need no process. */
export interface Terminal {
  /** Standard output. */
  out(text: string): void;
  /** Standard error. */
  err(text: string): void;
  /** Width of standard output in characters. */
  columns: number;
  /**
   * Whether standard output is a terminal: lists are fitted to its width there; in files and pipes they have one row a
   * line.
   */
  fitted: boolean;
  /** Whether standard error is a terminal that can redraw a line. */
  interactive: boolean;
  /** What relative paths on the command line are relative to. */
  baseDir: string;
  /** Aborted by the first Ctrl-C. */
  signal: AbortSignal;
}

export interface Options {
  task: string[];
  /** Of `--set`. */
  set?: string[];
  output?: string;
  json: boolean;
  verbose: boolean;
  help: boolean;
  version: boolean;
  machine: Machine;
  /**
   * The last value of every option with a value that was given, as written: for options that one command alone takes.
   */
  values: Partial<Record<OptionName, string>>;
  /** All values of every option with a value that was given, in their order. */
  all: Partial<Record<OptionName, readonly string[]>>;
  /** Options without a value that were given. */
  flags: ReadonlySet<OptionName>;
  /** Arguments behind the first one, of a command that takes several. */
  more: readonly string[];
}

export interface Command {
  name: string;
  /** The one positional argument, as written in the help. */
  argument: string;
  /** Whether it takes several arguments; the others are `options.more`. */
  several?: boolean;
  /** What stands for the argument when it is left out. */
  without?: string;
  /** One line of help. */
  summary: string;
  /** What the argument may be, and what the command prints. */
  details: string;
  options: readonly OptionName[];
  /** Options that mean something of their own here. */
  words?: OptionWords;
  /** Takes one task, so that a second `--task` is refused. */
  oneTask?: boolean;
  /** Heeds `terminal.signal` by itself and may need a while; the others are left at once when it aborts. */
  cooperative?: boolean;
  /** @returns the exit code. Failures are thrown. */
  run(argument: string, options: Options, terminal: Terminal): Promise<number> | number;
}

export interface Page {
  /** Characters of a line. */
  width: number;
  /** Shown paths are relative to this folder when they lie below it. */
  baseDir: string;
}
