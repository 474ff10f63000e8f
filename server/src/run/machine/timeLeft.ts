/** How long work will still take, from how far it came in which time. */

/** Below this the speed says nothing yet. */
const SETTLED_SECONDS = 1;

export class TimeLeft {
  #start: { now: number; done: number; total: number } | null = null;

  /**
   * @param now milliseconds
   * @returns seconds, or null while nothing can be said
   */
  update({ done, total }: { done: number; total: number }, now: number): number | null {
    // What was done before, as by a run that is resumed, says nothing of the speed. Another total is other work, such
    // as a download in bytes before the run.
    if (this.#start?.total !== total) this.#start = { now, done, total };
    const { now: began, done: before } = this.#start;
    const seconds = (now - began) / 1000;
    const advanced = done - before;
    return advanced > 0 && done < total && seconds > SETTLED_SECONDS ? (seconds / advanced) * (total - done) : null;
  }
}

/** "about 3 minutes left"; '' while nothing can be said. */
export function leftWords(seconds: number | null): string {
  if (seconds === null) return '';
  if (seconds < 50) return `about ${Math.max(5, 5 * Math.round(seconds / 5))} seconds left`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `about ${minutes} ${minutes === 1 ? 'minute' : 'minutes'} left`;
  const hours = Math.round(minutes / 60);
  return `about ${hours} hours left`;
}
