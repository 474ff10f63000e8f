import { test, type TestContext } from 'node:test';
import assert from 'node:assert/strict';
import { join, relative } from 'node:path';
import type { Dataset, Task } from '../../protocol/experiment.ts';
import { countTask, loadTask, type LoadedTask } from '../../server/src/data/loadTask.ts';
import { openDataset } from '../../server/src/data/splits.ts';
import { folder, refusal } from './files.ts';
import { aTask, letters } from './tasks.ts';

function jsonl(rows: unknown[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}

function numbered(count: number, more: (i: number) => object = () => ({})): string {
  return jsonl(Array.from({ length: count }, (_, i) => ({ text: `t${i}`, label: `l${i}`, ...more(i) })));
}

const generation: Partial<Task> = { output_type: 'generate_until', doc_to_text: 'text', doc_to_target: 'label' };

function load(root: string, dataset: Dataset, keys: Partial<Task>, maxLength = 64): Promise<LoadedTask> {
  const task = aTask({ ...generation, ...keys });
  return loadTask({ task, datasets: { set: dataset }, baseDir: root, maxLength, loss: 'all', tokenizer: letters });
}

async function rows(
  t: TestContext,
  files: Record<string, string>,
  dataset: Dataset,
  keys: Partial<Task>,
): Promise<{ train: string[]; validation: string[] }> {
  const root = folder(t, files);
  const { train, validation } = await load(root, dataset, keys);
  const where = (samples: LoadedTask['train']): string[] =>
    samples.map((sample) => `${relative(root, sample.file)}:${sample.row}`);
  const counts = await countTask({
    task: aTask({ ...generation, ...keys }),
    datasets: { set: dataset },
    baseDir: root,
  });
  assert.deepEqual(counts, { train: train.length, validation: validation.length });
  return { train: where(train), validation: where(validation) };
}

function span(file: string, from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => `${file}:${from + i}`);
}

test('the default validation split: the 50 rows after the training slice', async (t) => {
  const files = { 'a.jsonl': numbered(400) };
  const found = await rows(t, files, { path: 'a.jsonl' }, {});
  assert.deepEqual(found, { train: span('a.jsonl', 0, 300), validation: span('a.jsonl', 300, 350) });
  const half = await rows(t, files, { path: 'a.jsonl' }, { training_split: 'train[10%:50%]' });
  assert.deepEqual(half, { train: span('a.jsonl', 40, 200), validation: span('a.jsonl', 200, 250) });
  const rest = await rows(t, files, { path: 'a.jsonl' }, { training_split: 'train[:390]' });
  assert.deepEqual(rest.validation, span('a.jsonl', 390, 400));
});

test('the default validation split: validation[:50] where there is one', async (t) => {
  const files = { 'd/train.jsonl': numbered(5), 'd/dev.jsonl': numbered(60) };
  const found = await rows(t, files, { path: 'd' }, {});
  assert.deepEqual(found, { train: span('d/train.jsonl', 0, 5), validation: span('d/dev.jsonl', 0, 50) });
});

test('splits over several files, slices across their border, sums', async (t) => {
  const files = { 'a.jsonl': numbered(3), 'b.csv': 'text,label\nx,y\nz,w\n', 'c.jsonl': numbered(4) };
  const dataset = { data_files: { train: ['a.jsonl', 'b.csv', 'c.jsonl'], dev: 'c.jsonl' } };
  const found = await rows(t, files, dataset, { training_split: 'train[2:7]', validation_split: 'dev[-1:]+train[:1]' });
  assert.deepEqual(found, {
    train: ['a.jsonl:2', 'b.csv:0', 'b.csv:1', 'c.jsonl:0', 'c.jsonl:1'],
    validation: ['c.jsonl:3', 'a.jsonl:0'],
  });
});

test('split_column takes the splits from a column; rows keep their number in the file', async (t) => {
  const files = { 'a.jsonl': numbered(10, (i) => ({ split: i % 5 === 0 ? 'test' : 'train' })) };
  const found = await rows(
    t,
    files,
    { path: 'a.jsonl', split_column: 'split' },
    { training_split: 'train[1:3]', validation_split: 'test' },
  );
  assert.deepEqual(found, { train: ['a.jsonl:2', 'a.jsonl:3'], validation: ['a.jsonl:0', 'a.jsonl:5'] });
});

test('a column split that is not used, and rows on both sides, are warned of', async (t) => {
  const root = folder(t, { 'a.jsonl': numbered(10, () => ({ split: 'train' })) });
  const { warnings, files } = await load(
    root,
    { path: 'a.jsonl' },
    { training_split: 'train[:6]', validation_split: 'train[4:8]' },
  );
  assert.deepEqual(warnings, [
    'dataset "set" has a column "split" that is not used: its rows count as train; write split_column: split to take the splits from it',
    'task "quiz": 2 of the 4 validation samples are training samples too; influence on them measures memorising',
  ]);
  assert.deepEqual(files, [join(root, 'a.jsonl')]);
});

test('field_mapping gives columns a further name', async (t) => {
  const root = folder(t, { 'a.csv': 'review,sentiment\ngood,yes\nbad,no\n' });
  const dataset = { path: 'a.csv', field_mapping: { text: 'review', label: 'sentiment' } };
  const { train } = await load(root, dataset, { training_split: 'train[:1]', doc_to_text: '{{text}}={{review}}' });
  assert.equal(train[0].text, 'good=good yes');
  assert.deepEqual((await openDataset('set', dataset, root)).columns, ['review', 'sentiment', 'text', 'label']);
});

test('samples carry place, text, tokens and truncation', async (t) => {
  const root = folder(t, { 'a.jsonl': `\n${numbered(2)}` });
  const { train } = await load(root, { path: 'a.jsonl' }, { training_split: 'train[:1]' }, 4);
  assert.deepEqual(train, [
    {
      file: join(root, 'a.jsonl'),
      row: 0,
      line: 2,
      text: 't0 l0',
      tokens: Int32Array.from([0, 116, 48, 32]),
      countedFrom: 1,
      truncated: true,
    },
  ]);
});

test('few-shot examples come from fewshot_split, else from the training split', async (t) => {
  const root = folder(t, { 'a.jsonl': numbered(6), 'b.jsonl': numbered(2) });
  const dataset = { data_files: { train: 'a.jsonl', dev: 'b.jsonl' } };
  const own = await load(root, dataset, {
    training_split: 'train[1:4]',
    validation_split: 'train[4:5]',
    num_fewshot: 2,
    fewshot_config: { sampler: 'first_n' },
  });
  assert.equal(own.train[0].text, 't2 l2\n\nt3 l3\n\nt1 l1');
  assert.equal(own.validation[0].text, 't1 l1\n\nt2 l2\n\nt4 l4');
  const other = await load(root, dataset, {
    training_split: 'train[:1]',
    validation_split: 'dev',
    num_fewshot: 1,
    fewshot_split: 'dev',
    fewshot_config: { sampler: 'first_n' },
  });
  assert.deepEqual([other.train[0].text, other.validation[0].text], ['t0 l0\n\nt0 l0', 't1 l1\n\nt0 l0']);
});

test('faults of splits say what there is', async (t) => {
  const root = folder(t, { 'a.jsonl': numbered(7, (i) => (i === 5 ? {} : { part: 'train' })), 'empty.jsonl': '' });
  const say = (keys: Partial<Task>, dataset: Dataset = { path: 'a.jsonl' }): Promise<string> =>
    refusal(() => load(root, dataset, keys), root);
  assert.equal(
    await say({}),
    'dataset "set": no row is left for validation: train[:300] takes the last of the 7 rows of "train"; set training_split to fewer rows, such as train[:5], or give validation_split',
  );
  assert.equal(
    await say({ validation_split: 'trian[:2]' }),
    'dataset "set": has no split "trian"; it has train (did you mean "train"?)',
  );
  assert.equal(await say({ validation_split: 'test' }), 'dataset "set": has no split "test"; it has train');
  assert.equal(
    await say({ validation_split: 'train[7:]' }),
    'dataset "set": the split train[7:] is empty: "train" has 7 rows; choose a slice inside that',
  );
  assert.equal(
    await say({ validation_split: 'train' }, { path: 'empty.jsonl' }),
    'dataset "set": the split train[:300] is empty: "train" has 0 rows; choose a slice inside that',
  );
  assert.equal(
    await say({}, { path: 'a.jsonl', split_column: 'prt' }),
    'dataset "set": split_column "prt" is not a column; columns: text, label, part (did you mean "part"?)',
  );
  assert.equal(
    await say({}, { path: 'a.jsonl', split_column: 'part' }),
    'a.jsonl:6: row 5 has no value in the split_column "part"',
  );
  assert.equal(
    await say({}, { path: 'a.jsonl', field_mapping: { review: 'txt' } }),
    'dataset "set": field_mapping takes "review" from the column "txt", which is not there; columns: text, label, part (did you mean "text"?)',
  );
  assert.equal(
    await refusal(() =>
      loadTask({
        task: aTask({ dataset: 'sets' }),
        datasets: { set: {} },
        baseDir: root,
        maxLength: 8,
        loss: 'all',
        tokenizer: letters,
      }),
    ),
    'task "quiz": there is no dataset "sets"; datasets: set (did you mean "set"?)',
  );
});

test('a fault in a row comes with its line, and cancelling stops', async (t) => {
  const root = folder(t, { 'a.jsonl': '{"text":"a","label":"b"}\n{"text":"","label":""}\n{"text":"a"}\n' });
  const say = (training_split: string): Promise<string> =>
    refusal(
      () => load(root, { path: 'a.jsonl' }, { training_split, validation_split: 'train[:1]', target_delimiter: '' }),
      root,
    );
  assert.match(await say('train[:2]'), /^a\.jsonl:2: row 1 has no token to count a loss on: the text has 1 token/);
  assert.match(await say('train[2:]'), /^a\.jsonl:3: task "quiz": doc_to_target is empty on row 2$/);
  const signal = AbortSignal.abort();
  const options = {
    task: aTask({ ...generation, training_split: 'train[:1]', validation_split: 'train[:1]' }),
    datasets: { set: { path: 'a.jsonl' } },
    baseDir: root,
    maxLength: 8,
    loss: 'all' as const,
    tokenizer: letters,
    signal,
  };
  assert.equal(await refusal(() => loadTask(options)), 'reading the data was cancelled');
});
