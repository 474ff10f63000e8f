/** Mistakes in model, datasets and tasks. */
import { small } from './files.ts';
import { inTask, testMistakes } from './mistakes.ts';

const noPython =
  'LayerIF runs no Python; apply it once and save the rows as a dataset file, then use doc_to_text and doc_to_target';

testMistakes([
  {
    name: 'max_length that is text',
    text: small.replace('  path: ./models/tiny', '  path: m\n  max_length: long'),
    says: ['4:15: model.max_length is "long": expected a whole number of at least 2'],
  },
  {
    name: 'max_length that is too small',
    text: small.replace('  path: ./models/tiny', '  path: m\n  max_length: 1'),
    says: ['4:15: model.max_length is 1: expected a whole number of at least 2'],
  },
  {
    name: 'two words for one thing',
    text: small.replace('  path: ./models/tiny', '  path: m\n  max_length: 9\n  cutoff_len: 9'),
    says: ['5:3: model.cutoff_len says the same as max_length: keep one of them'],
  },
  {
    name: 'no datasets',
    text: small.replace(/datasets:\n.*\n.*\n/, ''),
    says: ['1:1: datasets is missing: expected a mapping such as {"reviews":{"path":"data/reviews.jsonl"}}'],
  },
  {
    name: 'empty datasets',
    text: small.replace(/datasets:\n.*\n.*\n/, 'datasets: {}\n'),
    says: ['4:1: datasets is empty: name at least one, for example reviews: { path: data/reviews.jsonl }'],
  },
  {
    name: 'a dataset without data',
    text: small.replace('path: data/reviews.jsonl', 'ds_type: json'),
    says: [
      '5:3: datasets.reviews has no data: give it a path (a file, a folder or a glob), data_files, or arrays (.npy files)',
    ],
  },
  {
    name: 'a dataset with two places',
    text: small.replace('    path: data/reviews.jsonl', '    path: a.csv\n    data_files: b.csv'),
    says: ['7:5: datasets.reviews.data_files says the same as path: keep one of them'],
  },
  {
    name: 'a dataset of an unknown type',
    text: small.replace('    path: data/reviews.jsonl', '    path: a\n    ds_type: jsonl'),
    says: [
      '7:14: datasets.reviews.ds_type is "jsonl": expected one of json, csv, tsv, parquet, arrow, text; did you mean "json"?',
    ],
  },
  {
    name: 'no tasks',
    text: small.replace(/tasks:\n[\s\S]*/, ''),
    says: ['1:1: tasks is missing: expected a list with at least one item'],
  },
  {
    name: 'empty tasks',
    text: small.replace(/tasks:\n[\s\S]*/, 'tasks: []\n'),
    says: ['7:8: tasks is []: expected a list with at least one item'],
  },
  {
    name: 'a task without name',
    text: small.replace('task: sentiment\n    ', ''),
    says: ['8:5: tasks[0].task is missing: expected text'],
  },
  {
    name: 'a task name twice',
    text: `${small}  - task: sentiment\n    doc_to_text: text\n`,
    says: ['12:11: the task name "sentiment" is already taken by tasks[0]: give each task its own'],
  },
  {
    name: 'an unknown dataset, alike',
    text: inTask('    dataset: revews\n'),
    says: ['12:14: there is no dataset "revews"; did you mean "reviews"?'],
  },
  {
    name: 'an unknown dataset',
    text: inTask('    dataset: capitals\n'),
    says: ['12:14: there is no dataset "capitals": datasets are reviews'],
  },
  {
    name: 'no dataset among several',
    text: small.replace('tasks:', '  more: { path: x.csv }\ntasks:'),
    says: ['9:5: tasks[0] does not say which dataset: datasets are reviews, more'],
  },
  {
    name: 'a builder without files',
    text: inTask('    dataset_path: json\n'),
    says: ['12:19: dataset_path "json" needs dataset_kwargs.data_files: the files to read'],
  },
  {
    name: 'no text',
    text: small.replace(/ {4}doc_to_text: .*\n {4}doc_to_target: .*\n/, ''),
    says: [
      '8:5: tasks[0].doc_to_text is missing: expected a Jinja template such as "Review: {{text}}" or the name of a column',
    ],
  },
  {
    name: 'choices missing',
    text: small.replace(/ {4}doc_to_choice: .*\n/, '    output_type: multiple_choice\n'),
    says: ['8:5: tasks[0].doc_to_choice is missing: output_type multiple_choice needs it'],
  },
  {
    name: 'choices that are true and false',
    text: small.replace('[negative, positive]', '[true, false]'),
    says: [
      '11:20: tasks[0].doc_to_choice is [true,false]: expected a list such as ["negative","positive"] or text such as "choices" or a mapping',
    ],
  },
  {
    name: 'a split that is no slice',
    text: inTask('    training_split: train[:300\n'),
    says: [
      '12:21: tasks[0].training_split is "train[:300": expected text such as "train[:300]", "train[80%:]", "train"',
    ],
  },
  {
    name: 'a slice without rows',
    text: inTask('    training_split: train[300:300]\n'),
    says: [
      '12:21: training_split "train[300:300]" holds no row: the end is exclusive and must be larger than the start',
    ],
  },
  {
    name: 'a negative number of examples',
    text: inTask('    num_fewshot: -1\n'),
    says: ['12:18: tasks[0].num_fewshot is -1: expected a whole number of at least 0'],
  },
  {
    name: 'process_docs',
    text: inTask('    process_docs: !function utils.f\n'),
    says: [`12:5: process_docs is a Python function: ${noPython}`],
  },
  {
    name: 'a function elsewhere',
    text: inTask('    gen_prefix: !function utils.g\n'),
    says: [`12:27: gen_prefix: !function utils.g is a Python function: ${noPython}`],
  },
  {
    name: 'a function within a key that makes texts',
    text: inTask('    fewshot_config: { samples: !function utils.g }\n'),
    says: [`12:42: samples: !function utils.g is a Python function: ${noPython}`],
  },
  {
    name: 'a few-shot sampler that the harness does not have',
    text: inTask('    fewshot_config: { sampler: balanced }\n'),
    says: ['12:32: tasks[0].fewshot_config.sampler is "balanced": expected one of default, first_n'],
  },
]);
