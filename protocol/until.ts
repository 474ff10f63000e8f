/** How rows were added to a task until its order was settled, in a sentence. Pure. */
import type { ResultTask, ResultUntil } from './result.ts';

const percent = (share: number) => `${Math.round(100 * share)}\u00a0%`;

const endings: Readonly<Record<NonNullable<ResultUntil['ended']>, (until: ResultUntil) => string>> = {
  settled: () => '',
  rows: ({ rows }) => `the limit of ${rows.toLocaleString('en-US')} training samples (score.until.rows) is reached`,
  split: () => 'the splits have no further rows',
  memory: () => 'more rows do not fit into the memory or on the disk',
};

/** Null for a task to which no rows were to be added. */
export function untilSentence({ until, layers }: Pick<ResultTask, 'until' | 'layers'>): string | null {
  const last = until?.looks.at(-1);
  if (!until || !last) return null;
  const samples = `${last.train} \u00d7 ${last.validation} samples (look ${until.looks.length} of at most ${until.planned})`;
  const open = `the ranks of ${last.open} of ${layers.length} layers may span more than ${percent(until.rankInterval)} of the layers on other samples`;
  if (until.ended === 'settled')
    return `The order is settled: with ${samples} ${open}, which is a third of them at most.`;
  const why =
    until.ended === null
      ? 'more rows were being added when the run ended, and the same command goes on'
      : endings[until.ended](until);
  return `The order is not settled: with ${samples} ${open}, which is more than a third of them; ${why}.`;
}
