/** Where in an experiment file a problem stands that was found elsewhere, and in which order problems are listed. */
import type { LayerifError } from '../../../../protocol/errors.ts';
import type { Path, Problem } from '../../config/experiment.ts';
import { nth } from '../../lists/nth.ts';

/** Errors of data and scope name the key they are about; the problem goes there. */
export function told(error: LayerifError, where: Path): { key: Path; message: string } {
  const scoped = /^(score|evaluate|prune|model|train|train_experts|validate)\.(\w+): /.exec(error.message);
  if (scoped) return { key: [nth(scoped, 1), nth(scoped, 2)], message: error.message };
  const field = /\b(doc_to_text|doc_to_target|doc_to_choice|num_fewshot|description)\b/.exec(error.message)?.[1];
  if (where[0] === 'tasks' && where[2] === 'doc_to_text' && field)
    return { key: [...where.slice(0, 2), field], message: error.message };
  return { key: where, message: error.message };
}

/** Of the file itself first. */
export function byPlace(file: string): (a: Problem, b: Problem) => number {
  const other = (problem: Problem) => (problem.file === file ? 0 : 1);
  return (a, b) => other(a) - other(b) || a.line - b.line || a.column - b.column;
}
