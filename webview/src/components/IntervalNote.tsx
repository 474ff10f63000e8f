/** What the whiskers are, or why there are none. */
import type { ResultTask } from '../../../protocol/result.ts';
import { formatShare } from '../model/format.ts';

export function IntervalNote({ task, shown, changed }: { task: ResultTask; shown: boolean; changed: boolean }) {
  const { uncertainty } = task;
  if (!shown || !uncertainty) {
    return changed ? (
      <p class="note">Intervals belong to the run{'\u2019'}s own view and are not drawn over this one.</p>
    ) : null;
  }
  return (
    <p class="note">
      Whiskers: where the score lies on {formatShare(uncertainty.level)} of other samples of the same kind, as many as
      these, by {uncertainty.replicates} draws
      {uncertainty.curvature === 'fixed'
        ? ', with the curvature of all samples, so they are too narrow rather than too wide'
        : ''}
      .
    </p>
  );
}
