/** Checks against the disk: one row per mistake, the exact line that the terminal prints, at both depths. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { checkExperiment } from '../../server/src/run/check/check.ts';
import { countTaskRows, describeDataset, describeModel } from '../../server/src/run/inputs/describe.ts';
import { dataScores } from '../../server/src/scores/dataScores.ts';
import { writeTinyWorkspace } from '../tinyLlama.ts';

const rowScores = dataScores.map(({ id }) => id).join(', ');

const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-check-')));
let file: string;
let good: string;
before(() => {
  ({ experiment: file } = writeTinyWorkspace(root));
  good = fs.readFileSync(file, 'utf8').replace(/score:\n[\s\S]*/, 'score:\n  estimator: datainf\n');
  fs.writeFileSync(path.join(root, 'data', 'broken.jsonl'), '{"review":"a","sentiment":"positive"}\n{"review":\n');
  fs.writeFileSync(
    path.join(root, 'data', 'late.jsonl'),
    Array.from({ length: 60 }, (_, i) => `{"review":"a b c","sentiment":"${i === 30 ? 'mixed' : 'positive'}"}\n`).join(
      '',
    ),
  );
  fs.writeFileSync(path.join(root, 'data', 'empty.jsonl'), '');
  fs.writeFileSync(
    path.join(root, 'data', 'parts.csv'),
    'review,sentiment,split\na,positive,train\nb,negative,train\nc,positive,test\n',
  );
  fs.cpSync(path.join(root, 'model'), path.join(root, 'mute'), { recursive: true });
  fs.rmSync(path.join(root, 'mute', 'tokenizer.json'));
});
after(() => fs.rmSync(root, { recursive: true }));

test('a URL where a path belongs is said to be one, whatever key it stands at', async () => {
  const url = 'https://example.org/a/b';
  const said = async (text: string): Promise<string> => (await lines(text, 'quick')).join('\n');
  const dataset = (was: string) => good.replace(/path: data\/reviews\.jsonl/, was);
  assert.match(await said(good.replace('./model', url)), /model https:\/\/example\.org\/a\/b is a URL; of a model on/);
  for (const other of [url, 's3://example.org/a/b', 'hf://datasets/a/b', `${url}/train.jsonl`]) {
    const expected = `"${other}" is a URL; of a dataset on the Hugging Face hub give the id org/name, of another download it and give its path`;
    assert.ok((await said(dataset(`path: ${other}`))).includes(expected), other);
    assert.ok((await said(dataset(`data_files: { train: "${other}" }`))).includes(expected), other);
  }
  assert.match(
    await said(good.replace('./model', `./model\n  adapter: ${url}`)),
    /adapter https:\/\/example\.org\/a\/b: it is a URL; download it and give its path/,
  );
  assert.match(
    await said(good.replace('tasks:', `output_dir: ${url}\ntasks:`)),
    /output_dir https:.*: it is a URL; give a folder/,
  );
  assert.match(
    await said(good.replace(/ {2}- task:/, `  - include: ${url}\n    task:`)),
    /include "https:.*": it is a URL; download/,
  );
});

test('links that form a circle are no defect: model, weights, tokenizer and data', async () => {
  fs.cpSync(path.join(root, 'model'), path.join(root, 'circle'), { recursive: true });
  const said = async (name: string, text: string): Promise<string> => {
    const at = path.join(root, name);
    const kept = fs.existsSync(at) ? fs.readFileSync(at) : null;
    fs.rmSync(at, { force: true });
    fs.symlinkSync(path.basename(at), at);
    const found = await lines(text, 'full');
    fs.rmSync(at);
    if (kept !== null) fs.writeFileSync(at, kept);
    return found.join('\n');
  };
  const model = good.replace('./model', './circle');
  for (const name of ['config.json', 'model.safetensors', 'tokenizer.json'])
    assert.match(await said(`circle/${name}`, model), /symbolic links form a circle|does not exist|has no/, name);
  assert.match(await said('loop', good.replace('./model', './loop')), /loop/);
  assert.match(await said('data/loop.jsonl', good.replace('reviews.jsonl', 'loop.jsonl')), /data\/loop\.jsonl/);
});

async function lines(text: string, depth: 'quick' | 'full'): Promise<string[]> {
  const { problems } = await checkExperiment(file, text, depth);
  return problems.map(
    ({ line, column, severity, message }) => `${line}:${column} ${severity}: ${message.replaceAll(root, 'ROOT')}`,
  );
}

/** Both tasks over one dataset, so that only its problems are seen. */
const only = (text: string) =>
  text.replace(/ {2}capitals:\n.*\n/, '').replace(/ {2}- task: capital\n[\s\S]*?(?=score:)/, '');
const reviews = (name: string) => only(good).replace('data/reviews.jsonl', name);
const slices = (train: string, validation: string) => (text: string) =>
  text.replace('train[:8]', train).replace('train[8:12]', validation);

/** A dataset of split test, and a task that names no other. */
const testAlone = (text: string) =>
  text
    .replace('path: data/reviews.jsonl', 'data_files: { test: data/reviews.jsonl }')
    .replace(/ {4}training_split: .*\n {4}validation_split: .*\n/, '    test_split: test\n');

const rows: { name: string; text: () => string; says: string[]; quick?: string[] }[] = [
  { name: 'a good experiment', text: () => good, says: [] },
  {
    name: 'no such model',
    text: () => only(good).replace('./model', './mdel'),
    says: ['4:9 error: model ROOT/mdel does not exist (did you mean "model"?)…'],
  },
  {
    name: 'a model without tokenizer',
    text: () => only(good).replace('./model', './mute'),
    says: ['4:9 error: ROOT/mute has no tokenizer.json…'],
  },
  {
    name: 'a task with test rows alone: refused once, as it cannot be scored',
    text: () => testAlone(only(good)),
    says: [
      '11:17 error: task "sentiment" can be evaluated, not scored: dataset "reviews" has no split "train", only test; to score it, name rows with training_split and validation_split',
    ],
  },
  {
    name: 'a task with test rows alone, in an experiment that only evaluates: a warning',
    text: () => testAlone(only(good)).replace(/score:\n[\s\S]*/, 'evaluate: {}\n'),
    says: [
      '11:17 warning: task "sentiment" can be evaluated, not scored: dataset "reviews" has no split "train", only test; to score it, name rows with training_split and validation_split',
    ],
  },
  {
    name: 'an output folder that nobody can make',
    text: () => `${only(good)}output_dir: /proc/layerif/runs\n`,
    says: [
      '19:13 error: output_dir /proc/layerif/runs: cannot write /proc/layerif/runs: no folder can be made there; choose another with output_dir or --output',
    ],
    quick: [],
  },
  {
    name: 'layers that the model does not have',
    text: () => `${only(good)}  layers: [1, 7]\n`,
    says: ['19:11 error: score.layers: layer 7 does not exist; the model has layers 0 to 2'],
  },
  {
    name: 'modules that the model does not have',
    text: () => `${only(good)}  modules: [attn.*]\n`,
    says: [
      '19:12 error: score.modules: ["attn.*"] matches no module; the model has self_attn.q_proj, self_attn.k_proj, self_attn.v_proj, self_attn.o_proj, mlp.gate_proj, mlp.up_proj, mlp.down_proj',
    ],
  },
  {
    name: 'factors of no adapter',
    text: () => `${only(good)}  params: lora\n`,
    says: [
      '19:11 error: score.params: "lora" scores the factors of an adapter, and model.adapter names none; add it or use "base"',
    ],
  },
  {
    name: 'an unknown score of rows',
    text: () => `${only(good)}data_scores: [noise]\n`,
    says: [
      `19:15 error: data_scores[0] is "noise": expected one of ${rowScores} or a mapping with the keys ${rowScores}`,
    ],
  },
  {
    name: 'an output folder that is a file',
    text: () => `${only(good)}output_dir: data/reviews.jsonl\n`,
    says: ['19:13 error: output_dir data/reviews.jsonl: ROOT/data/reviews.jsonl is a file; choose another folder'],
  },
  {
    name: 'no such data file',
    text: () => reviews('data/rviews.jsonl'),
    says: [
      '7:11 error: dataset "reviews": the file "data/rviews.jsonl" does not exist in ROOT (did you mean "reviews.jsonl"?)',
    ],
  },
  {
    name: 'a row that is not JSON',
    text: () => slices('train[:1]', 'train[1:2]')(reviews('data/broken.jsonl')),
    says: ['7:11 error: row 1 is not JSON…'],
  },
  {
    name: 'an empty file',
    text: () => reviews('data/empty.jsonl'),
    says: [
      '11:21 error: dataset "reviews": the split train[:8] is empty: "train" has 0 rows; choose a slice inside that',
      '12:23 error: dataset "reviews": the split train[8:12] is empty: "train" has 0 rows; choose a slice inside that',
    ],
  },
  {
    name: 'a renamed column that is not there',
    text: () => only(good).replace('data/reviews.jsonl', 'data/reviews.jsonl\n    field_mapping: { text: rview }'),
    says: [
      '8:20 error: dataset "reviews": field_mapping takes "text" from the column "rview", which is not there; columns: review, sentiment (did you mean "review"?)',
    ],
  },
  {
    name: 'a split column that is not there',
    text: () => only(good).replace('data/reviews.jsonl', 'data/reviews.jsonl\n    split_column: part'),
    says: ['8:19 error: dataset "reviews": split_column "part" is not a column; columns: review, sentiment'],
  },
  {
    name: 'a column named split that is not used',
    text: () => slices('train[:2]', 'train[2:]')(reviews('data/parts.csv')),
    says: [
      '7:11 warning: dataset "reviews" has a column "split" that is not used: its rows count as train; write split_column: split to take the splits from it',
    ],
  },
  {
    name: 'a split that is not there',
    text: () => slices('train[:8]', 'test[:2]')(only(good)),
    says: ['12:23 error: dataset "reviews": has no split "test"; it has train'],
  },
  {
    name: 'a slice that asks for more than there is',
    text: () => slices('train[:8]', 'train[8:99]')(only(good)),
    says: ['12:23 warning: train[8:99] asks for rows up to 99, "train" of dataset "reviews" has 12: 4 rows are used'],
  },
  {
    name: 'slices of other sections that ask for more than there is',
    text: () =>
      `${only(good).slice(0, only(good).indexOf('score:'))}scores:
  - probe: { texts: { dataset: reviews, split: "train[:8]", held_out: "train[8:90]", label: sentiment } }
  - avss: { texts: { dataset: reviews, split: "train[:900]" } }
data_scores: [{ loss: { texts: { dataset: reviews, split: "train[:13]" } } }]
prune: { method: magnitude, calibration: { dataset: reviews, split: "train[:12]" } }
train: { task: sentiment, training_split: "train[:40]", steps: 1 }
`,
    says: [
      '18:71 warning: train[8:90] asks for rows up to 90, "train" of dataset "reviews" has 12: 4 rows are used',
      '19:47 warning: train[:900] asks for rows up to 900, "train" of dataset "reviews" has 12: 12 rows are used',
      '20:59 warning: train[:13] asks for rows up to 13, "train" of dataset "reviews" has 12: 12 rows are used',
      '22:43 warning: train[:40] asks for rows up to 40, "train" of dataset "reviews" has 12: 12 rows are used',
    ],
  },
  {
    name: 'a slice behind the end',
    text: () => slices('train[:8]', 'train[90:99]')(only(good)),
    says: [
      '12:23 error: dataset "reviews": the split train[90:99] is empty: "train" has 12 rows; choose a slice inside that',
    ],
  },
  {
    name: 'no rows left for validation',
    text: () =>
      only(good)
        .replace(/ {4}validation_split.*\n/, '')
        .replace('train[:8]', 'train'),
    says: [
      '9:5 error: dataset "reviews": no row is left for validation: train takes the last of the 12 rows of "train"; set training_split to fewer rows, such as train[:9], or give validation_split',
    ],
  },
  {
    name: 'too few training samples for the estimator',
    text: () => slices('train[:1]', 'train[8:12]')(only(good)),
    says: [
      '11:21 error: task "sentiment" has 1 training sample, estimator datainf needs at least 2: add samples to training_split or use estimator fisher or dot',
    ],
  },
  {
    name: 'validation rows that are trained on',
    text: () => slices('train[:8]', 'train[6:12]')(only(good)),
    says: [
      '12:23 warning: task "sentiment": 2 of the 6 validation samples are training samples too; influence on them measures memorising',
    ],
    quick: [],
  },
  {
    name: 'a template with a column that is not there',
    text: () => only(good).replace('{{review}}', '{{text}}'),
    says: [
      '13:18 error: task "sentiment": doc_to_text uses "text", which is not a column of row 0; columns: review, sentiment (data/reviews.jsonl:1)',
    ],
  },
  {
    name: 'a template that is not Jinja',
    text: () => only(good).replace('{{review}}', '{{review'),
    says: ['13:18 error: task "sentiment": doc_to_text is not a valid Jinja template…'],
  },
  {
    name: 'a target outside the choices, in a late row',
    text: () => slices('train[:40]', 'train[40:]')(reviews('data/late.jsonl')),
    says: [
      '14:20 error: task "sentiment": doc_to_target gives "mixed" on row 30, which is none of the 2 choices ("negative", "positive"); it must be an index from 0 to 1, a letter from A to B or the text of a choice (data/late.jsonl:31)',
    ],
    quick: [],
  },
  {
    name: 'texts that are cut',
    text: () => only(good).replace('path: ./model', 'path: ./model\n  max_length: 20'),
    says: [
      '5:15 warning: task "sentiment": 12 of 12 samples are longer than max_length 20 and keep their first tokens',
    ],
    quick: [],
  },
];
/** A line that ends in `…` may go on: the rest belongs to who wrote it. */
function compare(found: string[], says: string[]): void {
  const cut = found.map((line, i) => (says[i]?.endsWith('…') ? `${line.slice(0, says[i].length - 1)}…` : line));
  assert.deepEqual(cut, says);
}

for (const { name, text, says, quick } of rows) {
  test(name, async () => {
    compare(await lines(text(), 'full'), says);
    compare(await lines(text(), 'quick'), quick ?? says);
  });
}

test('descriptions follow the files', async () => {
  const changing = path.join(root, 'data', 'changing.csv');
  fs.writeFileSync(changing, 'a,b\n1,2\n');
  const dataset = { path: 'data/changing.csv' };
  assert.deepEqual(await describeDataset('d', dataset, root), {
    files: [changing],
    columns: ['a', 'b'],
    splits: { train: 1 },
    rows: 1,
  });
  fs.writeFileSync(changing, 'a,c\n1,2\n3,4\n');
  assert.deepEqual(await describeDataset('d', dataset, root), {
    files: [changing],
    columns: ['a', 'c'],
    splits: { train: 2 },
    rows: 2,
  });
  fs.rmSync(changing);
  await assert.rejects(describeDataset('d', dataset, root), /does not exist/);

  const parts = await describeDataset('p', { path: 'data/parts.csv', split_column: 'split' }, root);
  assert.deepEqual(parts.splits, { train: 2, test: 1 });
  const { experiment } = await checkExperiment(file, good, 'quick');
  assert.deepEqual(await countTaskRows(experiment!.tasks[0], experiment!.datasets.reviews, root), {
    train: 8,
    validation: 4,
  });

  assert.equal((await describeModel('./model', root)).layers, 3);
  fs.rmSync(path.join(root, 'model', 'config.json'));
  await assert.rejects(describeModel('./model', root), /config\.json/);
});
