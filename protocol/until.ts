/** How rows were added to a task until its order was settled, in a sentence. Pure. */
import type { ResultTask, ResultUntil } from './result.ts';

/** `layers` may span no more ranks than this share of them. */
const percent = (share: number) => `${Math.round(100 * share)}\u00a0%`;

const endings: Readonly<Record<NonNullable<ResultUntil['ended']>, (until: ResultUntil) => string>> = {
  settled: () => '',
  rows: ({ rows }) => `the limit of ${rows.toLocaleString('en-US')} training samples (score.until.rows) is reached`,
  split: () => 'the splits have no further rows',
  memory: () => 'more rows do not fit into the memory or on the disk',
};

/** Null for a task to which no rows were to be added. */
export function untilSentence({ until }: Pick<ResultTask, 'until'>): string | null {
  const last = until?.looks.at(-1);
  if (!until || !last) return null;
  const samples = `${last.train} \u00d7 ${last.validation} samples (look ${until.looks.length} of at most ${until.planned})`;
  const asked = `${percent(until.rankInterval)} of the layers`;
  if (until.ended === 'settled')
    return `The order is settled: with ${samples} the rank of no layer spans more than ${asked} on other samples.`;
  const widest = `the widest rank of a layer still spans ${percent(last.widest)} of the layers with ${samples}, and ${asked} were asked for`;
  if (until.ended === null)
    return `The order is not settled: ${widest}; more rows were being added when the run ended, and the same command goes on.`;
  return `The order is not settled: ${widest}; ${endings[until.ended](until)}.`;
}
