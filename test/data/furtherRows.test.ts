/** Which rows a task is given beside those of its slices. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Dataset, Task } from '../../protocol/experiment.ts';
import { countFurther, furtherRows } from '../../server/src/data/furtherRows.ts';
import { datasetOf, loadTask, slicesOf } from '../../server/src/data/loadTask.ts';
import { folder } from './files.ts';
import { aTask, letters } from './tasks.ts';

const lines = (count: number, more: (i: number) => object = () => ({})) =>
  Array.from({ length: count }, (_, i) => `${JSON.stringify({ text: `t${i}`, label: `l${i}`, ...more(i) })}\n`).join(
    '',
  );

async function further(
  t: TestContext,
  files: Record<string, string>,
  dataset: Dataset,
  keys: Partial<Task>,
  wanted: { train: number; validation: number },
) {
  const task = aTask({ output_type: 'generate_until', doc_to_text: 'text', doc_to_target: 'label', ...keys });
  const source = { task, datasets: { set: dataset }, baseDir: folder(t, files) };
  const opened = await datasetOf(source);
  const slices = await slicesOf(task, opened);
  const found = await furtherRows(task, opened, slices, wanted);
  const numbers = (rows: typeof found.train) => rows.map(({ row }) => row);
  return {
    room: await countFurther(task, opened, slices),
    train: numbers(found.train),
    validation: numbers(found.validation),
    load: (sides: typeof wanted) =>
      loadTask({ ...source, maxLength: 64, loss: 'all', tokenizer: letters, further: sides }),
  };
}

test('splits of their own: behind the slice first, then before it', async (t) => {
  const files = { 'd/train.jsonl': lines(10), 'd/test.jsonl': lines(6) };
  const keys = { training_split: 'train[4:6]', validation_split: 'test[:2]' };
  const { room, train, validation } = await further(t, files, { path: 'd' }, keys, { train: 6, validation: 9 });
  assert.deepEqual(room, { train: 8, validation: 4 });
  assert.deepEqual(train, [6, 7, 8, 9, 0, 1]);
  assert.deepEqual(validation, [2, 3, 4, 5]);
});

test('one split for both: shared in proportion, and no row on both sides, however many are asked for', async (t) => {
  const files = { 'a.jsonl': lines(30) };
  const keys = { training_split: 'train[:8]', validation_split: 'train[8:12]' };
  const all = await further(t, files, { path: 'a.jsonl' }, keys, { train: 100, validation: 100 });
  assert.deepEqual(all.room, { train: 12, validation: 6 });
  assert.deepEqual([all.train.length, all.validation.length], [12, 6]);
  assert.deepEqual(
    [...all.train, ...all.validation].sort((a, b) => a - b),
    Array.from({ length: 18 }, (_, i) => 12 + i),
  );
  for (const count of [1, 3, 6]) {
    const some = await further(t, files, { path: 'a.jsonl' }, keys, { train: 2 * count, validation: count });
    assert.deepEqual(some.train, all.train.slice(0, 2 * count));
    assert.deepEqual(some.validation, all.validation.slice(0, count));
  }
});

test('a split column, and rows that are all taken', async (t) => {
  const files = { 'a.jsonl': lines(9, (i) => ({ part: i % 3 === 0 ? 'dev' : 'train' })) };
  const dataset = { path: 'a.jsonl', split_column: 'part' };
  const keys = { training_split: 'train[:2]', validation_split: 'dev' };
  const { room, train, validation } = await further(t, files, dataset, keys, { train: 9, validation: 9 });
  assert.deepEqual(room, { train: 4, validation: 0 });
  assert.deepEqual([train, validation], [[4, 5, 7, 8], []]);
});

test('few-shot examples of a slice of their own are neither; the first samples stay as they were, examples too', async (t) => {
  const files = { 'a.jsonl': lines(40) };
  const keys = {
    training_split: 'train[:6]',
    validation_split: 'train[6:9]',
    fewshot_split: 'train[20:30]',
    num_fewshot: 2,
  };
  const { room, train, validation, load } = await further(t, files, { path: 'a.jsonl' }, keys, {
    train: 100,
    validation: 100,
  });
  assert.deepEqual(room, { train: 14, validation: 7 });
  assert.ok([...train, ...validation].every((row) => row >= 9 && (row < 20 || row >= 30)));
  for (const split of ['train[20:30]', undefined]) {
    const own = await further(
      t,
      files,
      { path: 'a.jsonl' },
      { ...keys, fewshot_split: split },
      { train: 0, validation: 0 },
    );
    const [few, many] = [await own.load({ train: 0, validation: 0 }), await own.load({ train: 10, validation: 5 })];
    assert.deepEqual([many.train.length, many.validation.length], [16, 8]);
    for (const side of ['train', 'validation'] as const)
      few[side].forEach(({ tokens }, i) => assert.deepEqual(many[side][i].tokens, tokens));
  }
  await load({ train: 1, validation: 0 });
});
