/** Task files of lm-evaluation-harness, inline and by `include`. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { located } from '../../protocol/errors.ts';
import { parseExperiment } from '../../server/src/config/experiment.ts';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-include-'));
after(() => fs.rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  const file = path.join(folder, name);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
  return file;
}

function parse(text: string) {
  const file = path.join(folder, 'x.layerif.yaml');
  const parsed = parseExperiment(text, file);
  const lines = parsed.problems
    .filter(({ severity }) => severity === 'error')
    .map(({ message, file, line, column }) =>
      located({ message, place: { file: path.relative(folder, file), line, column } }),
    );
  return { ...parsed, lines };
}

/** In the words and with the order of keys of the harness's own ARC task. */
const arc = `tag:
  - ai2_arc
task: arc_easy
dataset_path: allenai/ai2_arc
dataset_name: ARC-Easy
output_type: multiple_choice
training_split: train
validation_split: validation
test_split: test
doc_to_text: "Question: {{question}}\\nAnswer:"
doc_to_target: "{{choices.label.index(answerKey)}}"
doc_to_choice: "{{choices.text}}"
should_decontaminate: true
doc_to_decontamination_query: "Question: {{question}}\\nAnswer:"
metric_list:
  - metric: acc
    aggregation: mean
    higher_is_better: true
metadata:
  version: 1.0
`;
const indented = (text: string) => text.replace(/^(?=.)/gm, '    ').replace(/^ {4}/, '  - ');

test('a harness task stands verbatim in tasks and brings its dataset', () => {
  const { experiment, lines, problems } = parse(`version: 1\nmodel: { path: m }\ntasks:\n${indented(arc)}`);
  assert.deepEqual(lines, []);
  assert.deepEqual(experiment!.datasets, { 'allenai/ai2_arc:ARC-Easy': { path: 'allenai/ai2_arc', name: 'ARC-Easy' } });
  assert.deepEqual(experiment!.tasks, [
    {
      task: 'arc_easy',
      dataset: 'allenai/ai2_arc:ARC-Easy',
      training_split: 'train',
      validation_split: 'validation',
      test_split: 'test',
      doc_to_text: 'Question: {{question}}\nAnswer:',
      doc_to_target: '{{choices.label.index(answerKey)}}',
      doc_to_choice: '{{choices.text}}',
      target_delimiter: ' ',
      fewshot_delimiter: '\n\n',
      output_type: 'multiple_choice',
      num_fewshot: 0,
      metric_list: [{ metric: 'acc', aggregation: 'mean', higher_is_better: true }],
      ignored: ['doc_to_decontamination_query', 'metadata', 'should_decontaminate', 'tag'],
    },
  ]);
  const told = problems.filter(({ severity }) => severity === 'information');
  assert.deepEqual(
    told.map(({ line, message }) => [line, message.split(' ')[0]]),
    [
      [4, 'tag'],
      [16, 'should_decontaminate'],
      [17, 'doc_to_decontamination_query'],
      [22, 'metadata'],
    ],
  );
});

test('local files by dataset_kwargs, and nulls as the harness writes them', () => {
  const { experiment, lines } = parse(`version: 1
model: { path: m }
tasks:
  - task: quiz
    dataset_path: json
    dataset_name: null
    dataset_kwargs: { data_files: { train: q.jsonl, test: t.jsonl }, trust_remote_code: true }
    training_split: null
    fewshot_split: null
    doc_to_text: question
    doc_to_target: answer
`);
  assert.deepEqual(lines, []);
  assert.deepEqual(experiment!.datasets, {
    quiz: { data_files: { train: 'q.jsonl', test: 't.jsonl' }, ds_type: 'json' },
  });
  assert.equal(experiment!.tasks[0].dataset, 'quiz');
  assert.equal(experiment!.tasks[0].training_split, 'train[:300]');
  assert.deepEqual(experiment!.tasks[0].ignored, ['dataset_kwargs.trust_remote_code']);
});

test('arguments of load_dataset: those that change the rows are read or refused, the others ignored', () => {
  const task = (kwargs: string, more = 'dataset_path: org/set') =>
    parse(
      `version: 1\nmodel: { path: m }\ndatasets: { own: { path: a.csv } }\ntasks:\n  - task: t\n    ${more}\n    dataset_kwargs: ${kwargs}\n    num_fewshot: null\n    dataset_name: ''\n    doc_to_text: text\n`,
    );
  const refused = (key: string, column: number) =>
    `x.layerif.yaml:7:${column}: dataset_kwargs.${key} changes what load_dataset reads, and is not read here: save the rows that it gives as a file (dataset.to_json) and name that under datasets; read are data_files, data_dir, field and revision`;
  assert.deepEqual(task('{ header: 0 }').lines, [refused('header', 23)]);
  assert.deepEqual(task('{ streaming: true, column_names: [a], delimiter: ";" }').lines, [
    refused('column_names', 40),
    refused('delimiter', 59),
  ]);
  const harmless = task('{ verification_mode: no_checks, streaming: true, features: null }');
  assert.deepEqual(harmless.lines, []);
  assert.deepEqual(harmless.experiment!.tasks[0].ignored, [
    'dataset_kwargs.verification_mode',
    'dataset_kwargs.streaming',
  ]);
  assert.equal(harmless.experiment!.tasks[0].num_fewshot, 0);
  assert.deepEqual(task('{ revision: refs/pr/2 }').experiment!.datasets['org/set'], {
    path: 'org/set',
    revision: 'refs/pr/2',
  });
  // A task with rows of its own does not load that dataset.
  const own = task('{ header: 0, revision: x }', 'dataset: own');
  assert.deepEqual(own.lines, []);
  assert.deepEqual(own.experiment!.tasks[0].ignored, ['dataset_kwargs.revision', 'dataset_kwargs.header']);
});

test('filters are kept for evaluate, of log-likelihoods and of written answers', () => {
  const filters = (type: string) =>
    parse(
      `version: 1\nmodel: { path: m }\ndatasets: { own: { path: a.csv } }\ntasks:\n  - { task: t, output_type: ${type}, doc_to_text: a, doc_to_target: b, filter_list: [{ name: x, filter: [{ function: take_first }] }] }\n`,
    ).experiment!.tasks[0].filter_list;
  assert.deepEqual(filters('loglikelihood'), [{ name: 'x', filter: [{ function: 'take_first' }] }]);
  assert.deepEqual(filters('generate_until'), [{ name: 'x', filter: [{ function: 'take_first' }] }]);
});

test('dataset_path may be a name under datasets; equal datasets of two tasks are one, different ones keep apart', () => {
  const { experiment } = parse(`version: 1
model: { path: m }
datasets: { reviews: { path: r.jsonl } }
tasks:
  - { task: a, dataset_path: reviews, doc_to_text: text }
  - { task: b, dataset_path: hub/quiz, doc_to_text: text }
  - { task: c, dataset_path: hub/quiz, doc_to_text: text }
  - { task: reviews, dataset_path: csv, dataset_kwargs: { data_files: z.csv }, doc_to_text: text }
`);
  assert.deepEqual(
    experiment!.tasks.map(({ dataset }) => dataset),
    ['reviews', 'hub/quiz', 'hub/quiz', 'reviews-2'],
  );
  assert.deepEqual(Object.keys(experiment!.datasets), ['reviews', 'hub/quiz', 'reviews-2']);
});

test('include: own keys win, files include files, paths follow their file', () => {
  write(
    'tasks/base.yaml',
    'dataset_path: json\ndataset_kwargs: { data_files: { train: ../data/q.jsonl } }\ndoc_to_text: base\nnum_fewshot: 3\n',
  );
  write('tasks/sub/quiz.yaml', 'include: ../base.yaml\ntask: quiz\ndoc_to_text: question\ndoc_to_target: answer\n');
  const { experiment, lines } = parse(`version: 1
model: { path: m }
tasks:
  - include: tasks/sub/quiz.yaml
    num_fewshot: 1
  - include: [tasks/base.yaml, tasks/sub/quiz.yaml]
    task: again
  - include: [tasks/sub/quiz.yaml, tasks/base.yaml]
    task: reversed
`);
  assert.deepEqual(lines, []);
  assert.deepEqual(
    experiment!.tasks.map(({ task, doc_to_text, doc_to_target, num_fewshot }) => [
      task,
      doc_to_text,
      doc_to_target,
      num_fewshot,
    ]),
    [
      ['quiz', 'question', 'answer', 1],
      ['again', 'question', 'answer', 3],
      ['reversed', 'base', 'answer', 3],
    ],
  );
  assert.deepEqual(experiment!.datasets.quiz, { data_files: { train: 'data/q.jsonl' }, ds_type: 'json' });
});

test('an existing dataset_path of an included file is relative to that file, a Hub id stays', () => {
  write('tasks/local/rows.jsonl', '{}\n');
  write('tasks/local/task.yaml', 'task: local\ndataset_path: rows.jsonl\ndoc_to_text: text\n');
  write('tasks/local/hub.yaml', 'task: hub\ndataset_path: allenai/ai2_arc\ndoc_to_text: text\n');
  const { experiment } = parse(
    'version: 1\nmodel: { path: m }\ntasks:\n  - include: tasks/local/task.yaml\n  - include: tasks/local/hub.yaml\n',
  );
  assert.deepEqual(
    Object.values(experiment!.datasets).map((d) => d.path),
    ['tasks/local/rows.jsonl', 'allenai/ai2_arc'],
  );
});

test('a mistake in an included file is reported there', () => {
  write('tasks/bad.yaml', 'task: bad\n# a comment\ndoc_to_txt: question\noutput_type: multiple_chioce\n');
  const { lines, positions } = parse(
    'version: 1\nmodel: { path: m }\ndatasets: { a: { path: a.csv } }\ntasks:\n  - include: tasks/bad.yaml\n    num_fewshot: x\n',
  );
  assert.deepEqual(lines, [
    'x.layerif.yaml:6:18: tasks[0].num_fewshot is "x": expected a whole number of at least 0',
    `${path.join('tasks', 'bad.yaml')}:3:1: unknown key "doc_to_txt" in tasks[0]; did you mean "doc_to_text"?`,
    `${path.join('tasks', 'bad.yaml')}:4:14: tasks[0].output_type is "multiple_chioce": expected one of loglikelihood, loglikelihood_rolling, multiple_choice, generate_until; did you mean "multiple_choice"?`,
  ]);
  assert.equal(positions.key(['tasks', 0, 'task']).file, path.join(folder, 'tasks', 'bad.yaml'));
});

test('Python functions under metric_list, process_results and keys without effect refuse nothing, also in an included file', () => {
  const functions =
    '    metric_list:\n      - metric: !function utils.f\n      - { metric: acc, aggregation: !function utils.mean }\n    process_results: !function utils.results\n    filter_list: [{ filter: [{ function: !function utils.filter }] }]\n';
  const task = '    task: t\n    doc_to_text: text\n';
  write('tasks/python.yaml', (task + functions).replace(/^ {4}/gm, ''));
  for (const text of [`  - include: tasks/python.yaml\n`, `  -\n${task}${functions}`]) {
    const { experiment, lines } = parse(
      `version: 1\nmodel: { path: m }\ndatasets: { a: { path: a.csv } }\ntasks:\n${text}`,
    );
    assert.deepEqual(lines, []);
    assert.deepEqual(experiment!.tasks[0].metric_list, [
      { metric: '!function utils.f' },
      { metric: 'acc', aggregation: '!function utils.mean' },
    ]);
    assert.equal(experiment!.tasks[0].process_results, '!function utils.results');
  }
});

test('a group, inline or included, says which tasks to list instead, and nothing else', () => {
  write(
    'tasks/group.yaml',
    'group: both\ntask:\n  - arc_easy\n  - task: arc_other\n    num_fewshot: 2\naggregate_metric_list: []\n',
  );
  const head = 'version: 1\nmodel: { path: m }\ndatasets: { a: { path: a.csv } }\ntasks:\n';
  const says = (called: string, own = '') =>
    `tasks[0] is ${called}, which has no rows of its own: instead of it list its tasks, each as include: with the task's file: arc_easy, arc_other${own}`;
  assert.deepEqual(parse(`${head}  - include: tasks/group.yaml\n`).lines, [
    `${path.join('tasks', 'group.yaml')}:2:1: ${says('the group "both"', ' (with its num_fewshot)')}`,
  ]);
  assert.deepEqual(
    parse(`${head}  - { group: both, task: [arc_easy, arc_other], num_fewshot: 5, description: x }\n`).lines,
    [
      `x.layerif.yaml:5:20: ${says('the group "both"', '; beside each write what the group sets: num_fewshot, description')}`,
    ],
  );
  assert.deepEqual(parse(`${head}  - { group: both, task: [arc_easy, arc_other] }\n`).lines, [
    `x.layerif.yaml:5:20: ${says('the group "both"')}`,
  ]);
  assert.deepEqual(parse(`${head}  - task: [arc_easy, arc_other]\n`).lines, [
    `x.layerif.yaml:5:5: ${says('a group of tasks')}`,
  ]);
});

test('broken includes', () => {
  write('loop/a.yaml', 'include: b.yaml\n');
  write('loop/b.yaml', 'task: b\ninclude: a.yaml\n');
  write('tasks/list.yaml', '- 1\n');
  write('tasks/broken.yaml', 'task: "a\n');
  const rest = 'version: 1\nmodel: { path: m }\ndatasets: { a: { path: a.csv } }\ntasks:\n';
  const task = (include: string) => `${rest}  - task: t\n    doc_to_text: text\n    include: ${include}\n`;
  const cases: [string, string][] = [
    [
      'none.yaml',
      `x.layerif.yaml:7:14: include "none.yaml": there is no file ${path.join(folder, 'none.yaml')}; give its path from the folder of this file`,
    ],
    ['tasks/list.yaml', 'x.layerif.yaml:7:14: include "tasks/list.yaml": expected a task file, found [1]'],
    [
      'tasks/broken.yaml',
      `${path.join('tasks', 'broken.yaml')}:2:1: broken YAML: the text begins with a quote " and has none at its end; close it`,
    ],
    [
      'loop/a.yaml',
      `${path.join('loop', 'b.yaml')}:2:10: include "a.yaml" goes round in a circle: x.layerif.yaml -> a.yaml -> b.yaml -> a.yaml`,
    ],
    [
      'x.layerif.yaml',
      'x.layerif.yaml:7:14: include "x.layerif.yaml" goes round in a circle: x.layerif.yaml -> x.layerif.yaml',
    ],
    ['7', 'x.layerif.yaml:7:14: tasks[0].include is 7: expected the path of a task file'],
  ];
  for (const [include, line] of cases) assert.deepEqual(parse(task(include)).lines, [line]);
});
