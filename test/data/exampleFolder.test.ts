import { test } from 'node:test';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Dataset, Task } from '../../protocol/experiment.ts';
import { loadTask } from '../../server/src/data/loadTask.ts';
import { openDataset } from '../../server/src/data/splits.ts';
import { aTask, letters } from './tasks.ts';

const examples = join(import.meta.dirname, '../../examples');

test('the datasets are the ones that their README describes', async () => {
  const readme = readFileSync(join(examples, 'data/README.md'), 'utf8');
  const rows: Record<string, number> = {
    'sentiment.jsonl': 2400,
    'capitals.csv': 243,
    'facts.jsonl': 486,
    'supersense.parquet': 2500,
  };
  const files = readdirSync(join(examples, 'data')).filter((name) => /\.(jsonl|csv|parquet)$/.test(name));
  assert.deepEqual(files.sort(), Object.keys(rows).sort());
  for (const name of files) {
    const hash = createHash('sha256')
      .update(readFileSync(join(examples, 'data', name)))
      .digest('hex');
    assert.ok(readme.includes(`\`${name}\` | \`${hash}\``), name);
    const dataset = await openDataset(name, { path: `data/${name}`, split_column: 'split' }, examples);
    assert.equal((await dataset.count('train')) + (await dataset.count('test')), rows[name]);
    for (const column of dataset.columns)
      assert.ok(readme.includes(`\`${column}\``) || column.startsWith('choice_'), `${name}: ${column}`);
  }
});

test('every example experiment loads: no warning, no truncation beyond its limit', async () => {
  const names = readdirSync(examples).filter((name) => name.endsWith('.layerif.yaml'));
  const readme = readFileSync(join(examples, 'README.md'), 'utf8');
  const described = [...readme.matchAll(/^\| `([\w-]+\.layerif\.yaml)`/gm)].map(([, name]) => name);
  assert.deepEqual(names.sort(), described.sort(), 'each has a row in the README');
  for (const name of names) {
    const experiment = parse(readFileSync(join(examples, name), 'utf8')) as {
      datasets: Record<string, Dataset>;
      tasks: Partial<Task>[];
    };
    for (const keys of experiment.tasks) {
      const task = aTask(keys);
      const loaded = await loadTask({
        task,
        datasets: experiment.datasets,
        baseDir: examples,
        maxLength: 4096,
        loss: 'target',
        tokenizer: letters,
      });
      assert.deepEqual(loaded.warnings, []);
      assert.ok(loaded.train.length >= 32 && loaded.validation.length >= 12);
      for (const sample of loaded.train) assert.ok(sample.countedFrom > 1 && sample.countedFrom < sample.tokens.length);
    }
  }
});
