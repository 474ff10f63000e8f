/** What a reader must know before an allocation is used: its direction, how far the order holds, how far it moves. */
import type { Allocation } from '../../../protocol/allocation.ts';
import { spreadSentence } from '../../../protocol/allocationSpread.ts';
import { directionSentence } from '../../../protocol/direction.ts';
import { badgeOf, badgeSentence } from '../../../protocol/readability.ts';
import type { Result } from '../../../protocol/result.ts';
import { BadgeMark } from './VerdictLines.tsx';

export function OrderDoubt({ result, allocation }: { result: Result; allocation: Allocation }) {
  const direction = directionSentence(allocation);
  const moves = spreadSentence(allocation);
  const { tasks } = allocation.provenance;
  const influence = allocation.quantity?.name === 'score';
  const used = influence ? result.tasks.filter(({ task }) => tasks.includes(task)) : [];
  if (direction === null) return null;
  return (
    <section aria-label="How far to rely on it" class="verdict">
      {used.map((task) => (
        <p key={task.task}>
          <BadgeMark badge={badgeOf(task)} /> {used.length > 1 && <strong>{task.task}: </strong>}
          {badgeSentence(task) ?? 'How far the order of layers holds on other samples is not known.'}
        </p>
      ))}
      {moves && <p>{moves}</p>}
      <p class="faint">{direction}</p>
    </section>
  );
}
