/**
 * `check` over every task file of lm_eval 0.4.13, as test/reference/harness/checkAll.ts left it: nothing is refused
 * without a reason that is right.
 */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { explained, kindOf } from '../reference/harness/checkAll.ts';

interface Table {
  files: number;
  tasks: number;
  groups: number;
  rows: {
    reason: string;
    count: number;
    verb: string;
    lmEval: Record<string, number>;
    example: string;
    message: string;
  }[];
}

const { files, tasks, groups, rows } = JSON.parse(
  readFileSync(join(import.meta.dirname, '../reference/harness/checks.json'), 'utf8'),
) as Table;

test('every task file has an outcome, and every refusal a reason that is right', () => {
  assert.ok(files > 13_000 && tasks > 13_000 && groups > 800);
  assert.equal(
    rows.reduce((sum, { count }) => sum + count, 0),
    tasks,
  );
  for (const { reason } of rows)
    assert.ok(reason === 'passes' || explained.some(([pattern]) => pattern.test(reason)), reason);
});

test('what lm_eval builds without Python is taken by score, but for rows that have no answer', () => {
  const builds = (some: Table['rows']): number => some.reduce((sum, { lmEval }) => sum + (lmEval['builds'] ?? 0), 0);
  const refused = rows.filter(
    ({ verb, reason }) => verb === 'score' && !/is a Python function|names a Python class/.test(reason),
  );
  assert.ok(builds(refused) < 0.005 * builds(rows), `${builds(refused)} of ${builds(rows)}`);
});

test('a message is counted under its kind, without what is particular to a file', () => {
  assert.equal(
    kindOf(
      'task "a": doc_to_target gives "x" on row 3, which is none of the 2 choices ("b", "c"); it must be (d/e.jsonl:4)',
      'a',
    ),
    'task T: doc_to_target gives "..." on row N, which is none of the N choices ...',
  );
});
