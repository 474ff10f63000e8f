/** One row per mistake: the exact lines that the terminal prints. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { located } from '../../protocol/errors.ts';
import { parseExperiment } from '../../server/src/config/experiment.ts';
import { scoreExamples } from '../../server/src/config/scoresSchema.ts';
import { scores } from '../../server/src/scores/scores.ts';
import { small } from './files.ts';

const modelKeys = 'path, revision, adapter, max_length, sequence_len, cutoff_len, layers_pattern, output';
const estimators = 'datainf, fisher, dot, cosine, relatif, lissa, ekfac, tracin';
const ids = scores.map(({ id }) => id).join(', ');
const noPython =
  'LayerIF runs no Python; apply it once and save the rows as a dataset file, then use doc_to_text and doc_to_target';
/** Lines under a task. */
const inTask = (lines: string) => `${small}${lines}`;
const score = (lines: string) => `${small}score:\n${lines}`;

const rows: { name: string; text: string; says: string[] }[] = [
  {
    name: 'an empty file',
    text: '',
    says: ['1:1: the file is empty: an experiment needs version, model, datasets and tasks'],
  },
  {
    name: 'a list instead of a mapping',
    text: '- 1\n',
    says: [
      `1:1: the experiment is [1]: expected a mapping with the keys version, description, model, datasets, tasks, score, allocate, prune, evaluate, validate, scores, data_scores, train_experts, output_dir`,
    ],
  },
  {
    name: 'broken YAML, one problem per line',
    text: small.replace('[negative, positive]', '[negative, positive'),
    says: ['12:1: broken YAML: Flow sequence in block collection must be sufficiently indented and end with a ]'],
  },
  {
    name: 'a tab as indentation',
    text: 'version: 1\nmodel:\n\tpath: x\n',
    says: ['3:1: broken YAML: Tabs are not allowed as indentation'],
  },
  {
    name: 'two documents',
    text: `${small}---\n${small}`,
    says: ['12:1: broken YAML: A second document begins here; an experiment is one document'],
  },
  {
    name: 'an alias without anchor',
    text: small.replace('doc_to_target: label', 'doc_to_target: *label'),
    says: ['10:20: *label refers to an anchor &label that does not stand above it'],
  },
  {
    name: 'aliases that explode',
    text: bomb(),
    says: ['1:1: Excessive alias count indicates a resource exhaustion attack'],
  },
  {
    name: 'a duplicate key',
    text: small.replace('  path: ./models/tiny', '  path: a\n  path: b'),
    says: ['4:3: duplicate key "path", it already stands in line 3: remove one of the two'],
  },
  {
    name: 'a wrong version',
    text: small.replace('version: 1', 'version: 2'),
    says: ['1:10: version is 2: this program reads version 1'],
  },
  { name: 'no version', text: small.replace('version: 1\n', ''), says: ['1:1: version is missing: expected 1'] },
  {
    name: 'no model',
    text: small.replace('model:\n  path: ./models/tiny\n', ''),
    says: [`1:1: model is missing: expected a mapping with the keys ${modelKeys}`],
  },
  {
    name: 'a model without value',
    text: small.replace('model:\n  path: ./models/tiny\n', 'model:\n'),
    says: [`2:1: model has no value: expected a mapping with the keys ${modelKeys}`],
  },
  {
    name: 'a model that is a text',
    text: small.replace('model:\n  path: ./models/tiny\n', 'model: ./m\n'),
    says: [`2:8: model is "./m": expected a mapping with the keys ${modelKeys}`],
  },
  {
    name: 'no model path',
    text: small.replace('  path: ./models/tiny', '  revision: main'),
    says: ['2:1: model.path is missing: expected text such as "./models/SmolLM2-135M-Instruct"'],
  },
  {
    name: 'a misspelt section, not also missing',
    text: small.replace('model:', 'modle:'),
    says: ['2:1: unknown key "modle"; did you mean "model"?'],
  },
  {
    name: 'an unknown key without likeness',
    text: `${small}colour: red\n`,
    says: [
      '12:1: unknown key "colour": allowed are version, description, model, datasets, tasks, score, allocate, prune, evaluate, validate, scores, data_scores, train_experts, output_dir',
    ],
  },
  {
    name: 'camel case',
    text: small.replace('doc_to_text', 'docToText'),
    says: ['9:5: unknown key "docToText" in tasks[0]; did you mean "doc_to_text"?'],
  },
  {
    name: 'a misspelt estimator',
    text: score('  estimator: datinf\n'),
    says: [`13:14: score.estimator is "datinf": expected one of ${estimators}; did you mean "datainf"?`],
  },
  {
    name: 'an unlike estimator',
    text: score('  estimator: shapley\n'),
    says: [`13:14: score.estimator is "shapley": expected one of ${estimators}`],
  },
  {
    name: 'a fisher for another estimator',
    text: score('  estimator: dot\n  fisher: empirical\n'),
    says: ['14:3: score.fisher is for the estimator ekfac, this experiment uses "dot": remove the key'],
  },
  {
    name: 'an unknown fisher',
    text: score('  estimator: ekfac\n  fisher: exact\n'),
    says: ['14:11: score.fisher is "exact": expected one of true, empirical'],
  },
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
    name: 'damping twice',
    text: score('  damping_factor: 1\n  damping: { factor: 1 }\n'),
    says: ['14:3: score.damping says the same as damping_factor: keep one of them'],
  },
  {
    name: 'damping of zero',
    text: score('  damping_factor: 0\n'),
    says: ['13:19: score.damping_factor is 0: expected a number above 0'],
  },
  {
    name: 'damping that is not a number',
    text: score('  damping: { factor: .nan }\n'),
    says: ['13:22: score.damping.factor is NaN: expected a number above 0'],
  },
  {
    name: 'layers that are negative',
    text: score('  layers: [0, -1]\n'),
    says: ['13:15: score.layers[1] is -1: expected a whole number of at least 0'],
  },
  {
    name: 'layers that are a word',
    text: score('  layers: last\n'),
    says: ['13:11: score.layers is "last": expected all or a list such as [0,5,7] or text such as "8-15"'],
  },
  {
    name: 'layers that run backwards',
    text: score('  layers: "9-3"\n'),
    says: ['13:11: score.layers "9-3" runs backwards: write "3-9"'],
  },
  {
    name: 'no module',
    text: score('  modules: []\n'),
    says: ['13:12: score.modules is []: expected a list such as ["mlp.*"]'],
  },
  {
    name: 'a projection that is a word',
    text: score('  projection: sketch\n'),
    says: ['13:15: score.projection is "sketch": expected one of auto, none or a whole number of at least 1'],
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
  {
    name: 'an unknown calibration dataset',
    text: `${small}prune: { calibration: { dataset: review, split: train } }\n`,
    says: ['12:34: there is no dataset "review"; did you mean "reviews"?'],
  },
  {
    name: 'an unknown evaluated task',
    text: `${small}evaluate: { tasks: [sentiment, capitals] }\n`,
    says: ['12:32: there is no task "capitals": tasks are sentiment'],
  },
  {
    name: 'experts without a rank',
    text: `${small}train_experts: { rank: 0, seeds: 1.5 }\n`,
    says: [
      '12:24: train_experts.rank is 0: expected a whole number of at least 1',
      '12:34: train_experts.seeds is 1.5: expected a whole number of at least 1',
    ],
  },
  {
    name: 'an unknown key of train_experts',
    text: `${small}train_experts: { allocation: [layerif] }\n`,
    says: ['12:18: unknown key "allocation" in train_experts; did you mean "allocations"?'],
  },
  {
    name: 'an unknown key of a reserved section',
    text: `${small}allocate: { experts: { totl: 3 } }\n`,
    says: ['12:24: unknown key "totl" in allocate.experts; did you mean "total"?'],
  },
  {
    name: 'keys of JavaScript objects',
    text: `${small}constructor: 1\n__proto__: 2\n`,
    says: [
      '12:1: unknown key "constructor": allowed are version, description, model, datasets, tasks, score, allocate, prune, evaluate, validate, scores, data_scores, train_experts, output_dir',
      '13:1: unknown key "__proto__": allowed are version, description, model, datasets, tasks, score, allocate, prune, evaluate, validate, scores, data_scores, train_experts, output_dir',
    ],
  },
  {
    name: 'several mistakes at once, in the order of the text',
    text: small.replace('path: ./models/tiny', 'pth: x').replace('doc_to_target', 'doc_to_traget'),
    says: [
      '3:3: unknown key "pth" in model; did you mean "path"?',
      '10:5: unknown key "doc_to_traget" in tasks[0]; did you mean "doc_to_target"?',
    ],
  },
  {
    name: 'scores: an empty list',
    text: inTask('scores: []'),
    says: [`12:9: scores is []: expected a list such as ${JSON.stringify(scoreExamples)}`],
  },
  {
    name: 'scores: a word in place of a list',
    text: inTask('scores: owl'),
    says: [`12:9: scores is "owl": expected a list such as ${JSON.stringify(scoreExamples)}`],
  },
  {
    name: 'scores: a misspelt id',
    text: inTask('scores: [block_influnce]'),
    says: [
      `12:10: scores[0] is "block_influnce": expected one of ${ids} or a mapping with the keys ${ids}; did you mean "block_influence"?`,
    ],
  },
  {
    name: 'scores: a number',
    text: inTask('scores: [7]'),
    says: [`12:10: scores[0] is 7: expected one of ${ids} or a mapping with the keys ${ids}`],
  },
  {
    name: 'scores: two scores in one entry',
    text: inTask('scores: [{ owl: {}, avss: {} }]'),
    says: ['12:10: scores[0] is a mapping: one score for each entry of the list'],
  },
  {
    name: 'scores: an option that is not allowed',
    text: inTask('scores: [{ owl: { multiple: 0 } }]'),
    says: ['12:29: scores[0].owl.multiple is 0: expected a number above 0'],
  },
  {
    name: 'scores: an unknown option',
    text: inTask('scores: [{ owl: { many: 3 } }]'),
    says: ['12:19: unknown key "many" in scores[0].owl: allowed are multiple, texts'],
  },
  {
    name: 'scores: a misspelt choice',
    text: inTask('scores: [{ avss: { threshold: relativ } }]'),
    says: [
      '12:31: scores[0].avss.threshold is "relativ": expected one of relative, absolute; did you mean "relative"?',
    ],
  },
  {
    name: 'scores: no flag',
    text: inTask('scores: [{ block_influence: { skip_first_token: 1 } }]'),
    says: ['12:49: scores[0].block_influence.skip_first_token is 1: expected true or false'],
  },
  {
    name: 'scores: texts of no dataset',
    text: inTask('scores: [{ owl: { texts: { dataset: gone, split: train } } }]'),
    says: ['12:37: there is no dataset "gone": datasets are reviews'],
  },
];

for (const { name, text, says } of rows) {
  test(name, () => {
    const { experiment, problems } = parseExperiment(text, 'x.layerif.yaml');
    const lines = problems.map(({ message, file, line, column }) =>
      located({ message, place: { file, line, column } }),
    );
    assert.deepEqual(
      lines,
      says.map((line) => `x.layerif.yaml:${line}`),
    );
    assert.equal(experiment, null);
    for (const { line, column, endLine, endColumn } of problems) {
      assert.ok(endLine === line && endColumn >= column, 'a problem ends on its line, not before it begins');
    }
  });
}

function bomb(): string {
  const levels = Array.from({ length: 12 }, (_, i) => `l${i + 1}: &l${i + 1} [${Array(9).fill(`*l${i}`).join(', ')}]`);
  return `l0: &l0 [x]\n${levels.join('\n')}\n`;
}
