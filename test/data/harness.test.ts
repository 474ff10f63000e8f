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

test('a column of choices may hold lists or texts that are lists, and an answer may be an index in a text', async (t) => {
  const pair = (choices: unknown, answer: unknown) => ({ prompt: 'Is it?', classes: choices, answer });
  const rows = [
    [' Yes', ' No'],
    [" It's", ' a "no"'],
  ].flatMap((list, i) => [pair(list, i), pair(`['${list[0].replace("'", "\\'")}', '${list[1]}']`, String(i))]);
  const root = folder(t, {
    'test.jsonl': rows.map((row) => JSON.stringify(row)).join('\n'),
    'task.yaml': stringify({
      ...{ task: 'inverse', output_type: 'multiple_choice', test_split: 'test', target_delimiter: '' },
      ...{ doc_to_text: 'prompt', doc_to_choice: 'classes', doc_to_target: '{{answer}}' },
    }),
    'e.layerif.yaml': stringify({
      ...{ version: 1, model: { path: 'm' }, datasets: { d: { data_files: { test: 'test.jsonl' } } } },
      tasks: [{ include: 'task.yaml', dataset: 'd' }],
    }),
  });
  const all = await harnessRequests(join(root, 'e.layerif.yaml'));
  assert.equal(all.length, 8);
  const asked = (row: number) => all.slice(2 * row, 2 * row + 2).map((request) => ({ ...request, doc: 0 }));
  assert.deepEqual(asked(0), asked(1));
  assert.deepEqual(asked(2), asked(3));
  assert.match(JSON.stringify(asked(2)), /a \\"no\\"/);
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
