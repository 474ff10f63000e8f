/**
 * Progress of a run on standard error: one redrawn line with a bar on a terminal, else a plain line at most once a
 * second and at the start and end of every phase, so that logs stay short.
 */
import type { RunEvent } from '../../../protocol/run.ts';
import { TimeLeft, leftWords } from '../run/machine/timeLeft.ts';
import type { Terminal } from './types.ts';

/** A run's own event, or what another command says of itself. */
type ProgressEvent = Pick<Extract<RunEvent, { type: 'progress' }>, 'task' | 'done' | 'total' | 'message'> & {
  phase: string;
};

export interface ProgressTarget {
  write(text: string): void;
  interactive: boolean;
  columns: number;
  /** Milliseconds; injected by tests. */
  now(): number;
}

const barWidth = 24;

export class ProgressLine {
  readonly #target: ProgressTarget;
  #phase = '';
  readonly #left = new TimeLeft();
  #lastWrite = -Infinity;
  #drawn = false;

  constructor(target: ProgressTarget) {
    this.#target = target;
  }

  /** `done` of `total` counts over the whole run; phase and message tell what is under way. */
  update(event: ProgressEvent): void {
    const now = this.#target.now();
    const left = leftWords(this.#left.update(event, now));
    const phase = `${event.task} ${event.phase}`;
    const isNew = phase !== this.#phase;
    this.#phase = phase;
    const pause = this.#target.interactive ? 50 : 1000;
    if (!isNew && event.done < event.total && now - this.#lastWrite < pause) return;
    this.#lastWrite = now;

    const share = Math.min(1, event.done / Math.max(1, event.total));
    const numbers = [`${Math.floor(100 * share)} %`, left].filter(Boolean).join(', ');
    const words = event.message || phase;
    if (this.#target.interactive) this.#draw(`${bar(share)} ${numbers}  ${words}`);
    else this.#target.write(`${words} (${numbers})\n`);
  }

  /** A line of its own, above the bar. */
  note(text: string): void {
    this.clear();
    this.#target.write(`${text}\n`);
  }

  /** Takes the bar away. */
  clear(): void {
    if (this.#drawn) this.#target.write('\r\x1b[K');
    this.#drawn = false;
  }

  #draw(text: string): void {
    // A line that wraps could not be redrawn.
    this.#target.write(`\r\x1b[K${text.slice(0, Math.max(20, this.#target.columns - 1))}`);
    this.#drawn = true;
  }
}

/** On standard error of a terminal. */
export function progressOn({
  err,
  interactive,
  columns,
}: Pick<Terminal, 'err' | 'interactive' | 'columns'>): ProgressLine {
  return new ProgressLine({ write: (text) => err(text), interactive, columns, now: () => performance.now() });
}

function bar(share: number): string {
  const full = Math.round(share * barWidth);
  return '█'.repeat(full) + '░'.repeat(barWidth - full);
}
