/** Group files of the harness: they hold no task but name several, each of which has a file of its own. */
import { dotted, shown } from './messages.ts';
import type { Finding } from './messages.ts';
import { isMapping } from './words.ts';

/** Names that a message lists. */
const MOST_NAMES = 12;

/** Keys of a group that say nothing about its tasks; any other counts for all of them. */
const groupKeys: ReadonlySet<string> = new Set([
  'aggregate_metric_list',
  'dataset',
  'group',
  'group_alias',
  'include',
  'metadata',
  'tag',
  'task',
  'task_list',
  'training_split',
  'validation_split',
]);

/** One finding for each group; what else is said about it follows from its being one. */
export function groupFindings(root: unknown): Finding[] {
  if (!isMapping(root) || !Array.isArray(root.tasks)) return [];
  return root.tasks.flatMap((task: unknown, index): Finding[] => {
    const members = isMapping(task) ? membersOf(task) : null;
    if (members === null) return [];
    const { group } = task as Record<string, unknown>;
    const path = ['tasks', index];
    const names = members.slice(0, MOST_NAMES).join(', ');
    const rest = members.length > MOST_NAMES ? ` and ${members.length - MOST_NAMES} more` : '';
    const called = typeof group === 'string' ? `the group ${shown(group)}` : 'a group of tasks';
    const own = Object.keys(task as Record<string, unknown>).filter((key) => !groupKeys.has(key));
    const also = own.length > 0 ? `; beside each write what the group sets: ${own.join(', ')}` : '';
    const message = `${dotted(path)} is ${called}, which has no rows of its own: instead of it list its tasks, each as include: with the task's file: ${names}${rest}${also}`;
    return [{ path: [...path, 'task'], at: 'key', message, severity: 'error' }];
  });
}

/** Names of the tasks and groups in a group; null for a task. */
function membersOf(task: Record<string, unknown>): string[] | null {
  const list = Array.isArray(task.task) ? (task.task as unknown[]) : task.task_list;
  if (!Array.isArray(list) || list.length === 0) return null;
  return (list as unknown[]).map((member) => {
    if (typeof member === 'string') return member;
    if (!isMapping(member)) return shown(member);
    const name = member.task ?? member.group ?? member.include;
    const own = Object.keys(member).filter((key) => !groupKeys.has(key));
    return (
      (typeof name === 'string' ? name : 'a task without a name') +
      (own.length > 0 ? ` (with its ${own.join(', ')})` : '')
    );
  });
}
