/** The first answer: one line a task above its chart, with a badge that says how far the order can be read. */
import type { Badge } from '../../../protocol/readability.ts';
import type { Result } from '../../../protocol/result.ts';
import { verdictOf } from '../../../protocol/verdict.ts';

const names: Readonly<Record<Badge, string>> = { solid: 'solid', rough: 'rough', unreadable: 'not readable' };

export function BadgeMark({ badge }: { badge: Badge | null }) {
  const name = badge === null ? 'not known' : names[badge];
  return (
    <span
      class={`badge badge-${badge ?? 'unknown'}`}
      title={`On other samples of the same kind: ${name}. The tab Trust says what else the order depends on.`}
    >
      {name}
    </span>
  );
}

export function VerdictLines({ result, changed }: { result: Result; changed: boolean }) {
  const complete = result.status === 'complete';
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
          </p>
        );
      })}
      {changed && <p class="note">This is said of the run{'\u2019'}s own scores, not of the view below.</p>}
    </section>
  );
}
