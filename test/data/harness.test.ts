/**
 * Task files of lm-evaluation-harness over made-up rows: the same contexts and continuations as lm_eval 0.4.13 builds.
 */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { folder } from './files.ts';
import { harnessRequests, type HarnessRequest } from './harnessRequests.ts';

interface Case {
  task: Record<string, unknown>;
  rows: Record<string, Record<string, unknown>[]>;
  requests: HarnessRequest[];
}

const cases = JSON.parse(readFileSync(join(import.meta.dirname, '../reference/harness/tasks.json'), 'utf8')) as Case[];

test('there are tasks of every output type, with and without few-shot examples', () => {
  assert.ok(cases.length >= 30, String(cases.length));
  assert.deepEqual([...new Set(cases.map(({ task }) => task['output_type'] ?? 'generate_until'))].sort(), [
    'generate_until',
    'loglikelihood',
    'loglikelihood_rolling',
    'multiple_choice',
  ]);
  assert.ok(cases.filter(({ task }) => Number(task['num_fewshot'] ?? 0) > 0).length >= 3);
});

for (const { task, rows, requests } of cases) {
  test(`${String(task['task'])} asks what lm_eval asks`, async (t) => {
    const files = Object.entries(rows).map(([split, list]) => [
      `${split}.jsonl`,
      list.map((row) => JSON.stringify(row)).join('\n'),
    ]);
    const experiment = {
      version: 1,
      model: { path: 'm' },
      datasets: { d: { data_files: Object.fromEntries(Object.keys(rows).map((split) => [split, `${split}.jsonl`])) } },
      tasks: [{ include: 'task.yaml', dataset: 'd' }],
    };
    const root = folder(t, {
      ...(Object.fromEntries(files) as Record<string, string>),
      'task.yaml': stringify(task, { version: '1.1' }), // read as PyYAML reads it
      'e.layerif.yaml': stringify(experiment),
    });
    assert.deepEqual(await harnessRequests(join(root, 'e.layerif.yaml')), requests);
  });
}
