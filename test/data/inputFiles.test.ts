import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Dataset } from '../../protocol/experiment.ts';
import { datasetFiles } from '../../server/src/data/inputFiles.ts';
import { folder, refusal } from './files.ts';

async function splits(dataset: Dataset, root: string): Promise<Record<string, string[]>> {
  const found = await datasetFiles('reviews', dataset, root);
  return Object.fromEntries(
    [...found].map(([split, files]) => [split, files.map((file) => relative(root, file.path))]),
  );
}

interface Tree {
  files: string[];
  splits: Record<string, string[]>;
}

test('a folder has the splits that Hugging Face datasets finds in it', async (t) => {
  const trees = JSON.parse(readFileSync(join(import.meta.dirname, '../reference/data/splits.json'), 'utf8')) as Tree[];
  for (const tree of trees) {
    const root = folder(t, Object.fromEntries(tree.files.map((file) => [`set/${file}`, 'a\n1\n'])));
    const prefixed = Object.fromEntries(
      Object.entries(tree.splits).map(([split, files]) => [split, files.map((file) => `set/${file}`)]),
    );
    const files = tree.files.filter((file) => !file.endsWith('.parquet'));
    if (files.length !== tree.files.length) assert.equal(files.length, 0);
    assert.deepEqual(await splits({ path: 'set' }, root), prefixed, tree.files.join(' '));
  }
});

test('a single file is train whatever its name; globs follow the rule of folders', async (t) => {
  const root = folder(t, {
    'd/test.csv': 'a\n',
    'd/train.csv': 'a\n',
    'd/x-1.jsonl': '',
    'd/x-2.jsonl': '',
    'd/sub/x-3.jsonl': '',
  });
  assert.deepEqual(await splits({ path: 'd/test.csv' }, root), { train: ['d/test.csv'] });
  assert.deepEqual(await splits({ path: './d/*.csv' }, root), { train: ['d/train.csv'], test: ['d/test.csv'] });
  assert.deepEqual(await splits({ path: 'd/**/*.jsonl' }, root), {
    train: ['d/sub/x-3.jsonl', 'd/x-1.jsonl', 'd/x-2.jsonl'],
  });
  assert.deepEqual(await splits({ path: join(root, 'd/x-1.jsonl') }, '/'), {
    train: [relative('/', join(root, 'd/x-1.jsonl'))],
  });
});

test('data_files names its splits itself', async (t) => {
  const root = folder(t, { 'a.jsonl': '', 'b.jsonl': '', 'c.csv': 'a\n' });
  const found = await splits({ data_files: { train: ['a.jsonl', 'b.jsonl'], dev: 'c.csv' } }, root);
  assert.deepEqual(found, { train: ['a.jsonl', 'b.jsonl'], dev: ['c.csv'] });
});

test('ds_type reads a file whose ending tells nothing; hidden and descriptive files are no data', async (t) => {
  const root = folder(t, {
    'd/rows.log': '{"a":1}\n',
    'e/.hidden/a.csv': 'a\n',
    'e/dataset_info.json': '{}',
    'e/README.md': '#',
    'e/a.csv': 'a\n',
  });
  assert.deepEqual([...(await datasetFiles('r', { path: 'd/rows.log', ds_type: 'json' }, root)).values()][0], [
    { path: join(root, 'd/rows.log'), format: 'json' },
  ]);
  assert.deepEqual(await splits({ path: 'e' }, root), { train: ['e/a.csv'] });
});

test('a subset is a folder of the dataset', async (t) => {
  const root = folder(t, {
    'arc/ARC-Easy/train-0.csv': 'a\n',
    'arc/ARC-Challenge/test-0.csv': 'a\n',
    'flat/a.csv': 'a\n',
  });
  assert.deepEqual(await splits({ path: 'arc', name: 'ARC-Easy' }, root), { train: ['arc/ARC-Easy/train-0.csv'] });
  assert.deepEqual(await splits({ path: 'flat', name: 'default' }, root), { train: ['flat/a.csv'] });
  assert.equal(
    await refusal(() => splits({ path: 'arc', name: 'ARC-easy' }, root), root),
    'dataset "reviews": the folder "arc" has no subset "ARC-easy"; folders in it: ARC-Challenge, ARC-Easy (did you mean "ARC-Easy"?)',
  );
});

test('a folder whose README.md names subsets is read as the hub has them', async (t) => {
  const configs =
    '---\nconfigs:\n- config_name: one\n  data_files: rows/one-*.jsonl\n- config_name: two\n  data_files: [{ split: test, path: rows/two.jsonl }]\n---\n';
  const root = folder(t, {
    'set/README.md': configs,
    'set/rows/one-1.jsonl': '',
    'set/rows/one-2.jsonl': '',
    'set/rows/two.jsonl': '',
  });
  assert.deepEqual(await splits({ path: 'set', name: 'one' }, root), {
    train: ['set/rows/one-1.jsonl', 'set/rows/one-2.jsonl'],
  });
  assert.deepEqual(await splits({ path: 'set', name: 'two' }, root), { test: ['set/rows/two.jsonl'] });
  assert.equal(
    await refusal(() => splits({ path: 'set' }, root), root),
    'dataset "reviews": has several subsets; choose one with name: one, two',
  );
});

test('what cannot be found is said with what can', async (t) => {
  const root = folder(t, {
    'data/reviews.jsonl': '',
    'data/other.csv': 'a\n',
    'mixed/a.csv': 'a\n',
    'mixed/b.jsonl': '',
    'none/a.pdf': '',
    'table.xlsx': '',
  });
  const say = (dataset: Dataset): Promise<string> => refusal(() => splits(dataset, root), root);
  assert.equal(
    await say({ path: 'data/revews.jsonl' }),
    'dataset "reviews": the file "data/revews.jsonl" does not exist in <root> (did you mean "reviews.jsonl"?)',
  );
  assert.equal(
    await say({ path: 'data/zzzzzzzzzz.csv' }),
    'dataset "reviews": the file "data/zzzzzzzzzz.csv" does not exist in <root>; data files in data: other.csv, reviews.jsonl',
  );
  assert.equal(
    await say({ path: 'dta/reviews.jsonl' }),
    'dataset "reviews": the file "dta/reviews.jsonl" does not exist in <root>: there is no folder dta',
  );
  assert.equal(
    await say({ path: 'stanfordnlp/imdb' }),
    'dataset "reviews": "stanfordnlp/imdb" is neither a file nor a folder here, nor in the Hugging Face cache; layerif score downloads it, as "hf download --repo-type dataset stanfordnlp/imdb" does',
  );
  assert.equal(
    await say({ path: 'data/*.parquet' }),
    'dataset "reviews": no file matches the pattern "data/*.parquet" in <root>',
  );
  assert.equal(
    await say({ path: 'nowhere/*.csv' }),
    'dataset "reviews": the folder nowhere of the pattern "nowhere/*.csv" does not exist in <root>',
  );
  assert.equal(
    await say({ path: 'mixed' }),
    'dataset "reviews": "mixed" holds files of several formats (csv, json); name one file, or use a glob such as "mixed/*.csv"',
  );
  assert.equal(
    await say({ path: 'none' }),
    'dataset "reviews": "none" holds no data file (a.pdf); endings that are read: .jsonl .ndjson .json .csv .tsv .parquet .arrow .txt',
  );
  assert.equal(
    await say({ path: 'table.xlsx' }),
    'dataset "reviews": the ending of table.xlsx does not tell its format; endings that do: .jsonl .ndjson .json .csv .tsv .parquet .arrow .txt; else give ds_type: json, csv, tsv, parquet, arrow or text',
  );
  assert.equal(await say({}), 'dataset "reviews": has neither path nor data_files; give one of them');
});
