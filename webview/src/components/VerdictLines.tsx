/** The first answer: one line a task above its chart, with a badge that says how far the order can be read. */
import { badgeNames } from '../../../protocol/readability.ts';
import type { Badge } from '../../../protocol/readability.ts';
import type { Result, ResultTask } from '../../../protocol/result.ts';
import { untilSentence } from '../../../protocol/until.ts';
import { verdictOf } from '../../../protocol/verdict.ts';
import { send } from '../host.ts';
import { Button } from './controls.tsx';

/** Whether further rows may settle the order: there are intervals, and nothing has said that there are no more. */
const canGrow = ({ uncertainty, until }: ResultTask) =>
  uncertainty !== undefined && uncertainty.unstable > 0 && until?.ended !== 'split' && until?.ended !== 'settled';

export function BadgeMark({ badge }: { badge: Badge | null }) {
  const name = badge === null ? 'not known' : badgeNames[badge];
  return (
    <span
      class={`badge badge-${badge ?? 'unknown'}`}
      title={`On other samples of the same kind: ${name}. The tab Trust says what else the order depends on.`}
    >
      {name}
    </span>
  );
}

const ADDING = 'Rows are being added.';

/**
 * @param running whether a run is under way, so that no other one can begin
 * @param fixed where nothing can be started
 */
export function VerdictLines(props: { result: Result; changed: boolean; running: boolean; fixed?: boolean }) {
  const { result, changed, running } = props;
  const complete = result.status === 'complete';
  const open = !props.fixed && complete && result.score.accumulate !== 'sums' && result.tasks.some(canGrow);
  const several = result.experiment.tasks.length > 1;
  return (
    <section aria-label="Verdict" class="verdict">
      {result.experiment.tasks.map(({ task }) => {
        const scored = complete ? result.tasks.find((own) => own.task === task) : undefined;
        const verdict = scored
          ? verdictOf(scored)
          : { badge: null, words: 'How far the order can be read is said once every layer is scored.' };
        return (
          <p key={task}>
            <BadgeMark badge={verdict.badge} /> {several && <strong>{task}: </strong>}
            {verdict.words}
            {scored?.until && ` ${running && scored.until.ended === null ? ADDING : untilSentence(scored)}`}
          </p>
        );
      })}
      {open && (
        <Button disabled={running} onClick={() => send({ type: 'command', command: 'addSamples' })}>
          Add Samples{'\u2026'}
        </Button>
      )}
      {changed && <p class="note">This is said of the run{'\u2019'}s own scores, not of the view below.</p>}
    </section>
  );
}
