/** The first answer: one line a task above its chart, with a badge that says how far the order can be read. */
import type { Badge } from '../../../protocol/readability.ts';
import type { Result } from '../../../protocol/result.ts';
import { verdictOf } from '../../../protocol/verdict.ts';

const names: Readonly<Record<Badge, string>> = { solid: 'solid', rough: 'rough', unreadable: 'not readable' };

export function BadgeMark({ badge }: { badge: Badge | null }) {
  const name = badge === null ? 'not known' : names[badge];
  return (
    <span class={`badge badge-${badge ?? 'unknown'}`} title={`The order of layers is ${name}. The tab Trust says why.`}>
      {name}
    </span>
  );
}

export function VerdictLines({ result, changed }: { result: Result; changed: boolean }) {
  if (result.status !== 'complete') return null;
  const several = result.tasks.length > 1;
  return (
    <section aria-label="Verdict" class="verdict">
      {result.tasks.map((task) => {
        const { badge, words } = verdictOf(task);
        return (
          <p key={task.task}>
            <BadgeMark badge={badge} /> {several && <strong>{task.task}: </strong>}
            {words}
          </p>
        );
      })}
      {changed && <p class="note">This is said of the run{'\u2019'}s own scores, not of the view below.</p>}
    </section>
  );
}
