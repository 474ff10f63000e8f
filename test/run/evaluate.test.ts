/**
 * `layerif evaluate` against lm-evaluation-harness (test/reference/evaluation/make.py), whose task files stand here
 * verbatim.
 */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { LayerifError } from '../../protocol/errors.ts';
import { evaluateExperiment } from '../../server/src/run/evaluate/evaluate.ts';
import type { EvaluateOptions } from '../../server/src/run/evaluate/evaluate.ts';
import { engine, machine } from './workspace.ts';

const reference = path.join(import.meta.dirname, '../reference/evaluation');
const tasks = fs
  .readdirSync(path.join(reference, 'tasks'))
  .map((file) => path.parse(file).name)
  .sort();

interface Expected {
  results: Record<string, Record<string, number | string>>;
  /** Task -> document -> candidate -> [[log-likelihood, greedy]], texts as strings; rolling: the number alone. */
  samples: Record<string, [[string | number, string | boolean] | string | number][][]>;
}
const expected = JSON.parse(fs.readFileSync(path.join(reference, 'reference.json'), 'utf8')) as Expected;

/** A copy of the reference folder with an experiment in it. */
function workspace(t: TestContext, text: string): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-evaluate-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  fs.cpSync(reference, folder, { recursive: true });
  const file = path.join(folder, 'e.layerif.yaml');
  fs.writeFileSync(file, `version: 1\nmodel: { path: ./model }\n${text}\n`);
  return file;
}

const included = tasks.map((name) => `  - include: tasks/${name}.yaml`).join('\n');

const evaluate = (file: string, options: Partial<EvaluateOptions> = {}) =>
  evaluateExperiment({ file, machine, engine, logSamples: true, ...options });

test('every candidate of every document has the harness’ log-likelihood, every metric its value', async (t) => {
  const { evaluation, evaluationFile } = await evaluate(workspace(t, `tasks:\n${included}`));
  assert.deepEqual(Object.keys(evaluation.results).sort(), tasks);
  let compared = 0;
  for (const name of tasks) {
    const documents = evaluation.samples![name];
    assert.equal(documents.length, expected.samples[name].length, name);
    for (const [d, candidates] of expected.samples[name].entries()) {
      assert.equal(documents[d].candidates.length, candidates.length);
      for (const [c, [answer]] of candidates.entries()) {
        const [logLikelihood, greedy] = Array.isArray(answer) ? answer : [answer, null];
        const ours = documents[d].candidates[c];
        const difference = Math.abs(ours.logLikelihood - Number(logLikelihood));
        assert.ok(difference < 1e-4, `${name}, document ${d}, candidate ${c}: differs by ${difference}`);
        if (greedy !== null) assert.equal(String(ours.greedy).toLowerCase(), String(greedy).toLowerCase());
        compared++;
      }
    }
    for (const [key, value] of Object.entries(expected.results[name])) {
      const ours = evaluation.results[name][key];
      if (typeof value !== 'number' || key === 'perplexity_stderr,none') continue; // the harness resamples
      assert.ok(
        Math.abs(Number(ours) - value) <= 2e-5 * Math.abs(value) + 1e-9,
        `${name} ${key}: ${ours}, not ${value}`,
      );
    }
  }
  assert.ok(compared > 70, `${compared} candidates`);
  assert.deepEqual(JSON.parse(fs.readFileSync(evaluationFile, 'utf8')), evaluation);
});

test('batches, threads and streamed weights change nothing', async (t) => {
  const file = workspace(t, `tasks:\n${included}`);
  const one = await evaluate(file);
  const other = await evaluate(file, { machine: { device: 'cpu', threads: 2, memoryBytes: 1000 } });
  for (const name of tasks) {
    const numbers = ({ evaluation }: typeof one) =>
      evaluation.samples![name].flatMap((s) => s.candidates.map((c) => c.logLikelihood));
    numbers(one).forEach((value, i) => assert.ok(Math.abs(value - numbers(other)[i]) < 1e-4));
  }
});

test('perplexity: consecutive windows over the joined texts, and the texts by themselves', async (t) => {
  const file = workspace(
    t,
    `datasets: { texts: { path: data/texts.jsonl, field_mapping: { text: page } } }
evaluate: { perplexity: { dataset: texts, split: train } }
tasks:\n  - include: tasks/rolling.yaml`,
  );
  const { evaluation } = await evaluate(file);
  const values = evaluation.results['perplexity:texts'];
  for (const metric of ['word_perplexity,none', 'byte_perplexity,none', 'bits_per_byte,none']) {
    const harness = Number(expected.results.rolling[metric]);
    assert.ok(Math.abs(Number(values[metric]) / harness - 1) < 2e-5, metric);
  }
  assert.ok(Number(values['perplexity,none']) > 1 && Number.isFinite(values['perplexity_stderr,none']));
  assert.deepEqual(Object.keys(evaluation.results), ['perplexity:texts'], 'only what `evaluate` names');
});

test('a limit takes the first documents; another model takes the place of the experiment’s', async (t) => {
  const file = workspace(t, `tasks:\n  - include: tasks/arc_form.yaml`);
  const { evaluation } = await evaluate(file, { limit: 2 });
  assert.deepEqual(evaluation['n-samples'].arc_form, { original: 3, effective: 2 });
  const other = path.join(import.meta.dirname, '../reference/llama/biases');
  assert.equal((await evaluate(file, { model: other })).evaluation.model.name, 'biases');
});

test('what cannot be evaluated is refused with its place', async (t) => {
  const cases: [string, RegExp][] = [
    [
      `evaluate: { max_length: 65 }\ntasks:\n  - include: tasks/arc_form.yaml`,
      /max_length: 65 is more than the 64 positions/,
    ],
    [
      `evaluate: { tasks: [quiz] }\ntasks:\n  - include: tasks/arc_form.yaml`,
      /there is no task "quiz": tasks are arc_form/,
    ],
    [
      `datasets: { arc: { path: data/arc.jsonl } }\ntasks: [{ task: a, output_type: multiple_choice, doc_to_text: question, doc_to_target: answerKey, validation_split: train }]`,
      /doc_to_choice is missing: output_type multiple_choice needs it/,
    ],
    [
      `datasets: { arc: { path: data/arc.jsonl } }\ntasks: [{ task: a, output_type: multiple_choice, doc_to_text: question, doc_to_target: 0, doc_to_choice: ['x', ''], target_delimiter: '', validation_split: train }]`,
      /row 0: the answer "" gives no token of its own/,
    ],
    [
      `datasets: { arc: { path: data/arc.jsonl } }\ntasks: [{ task: a, output_type: multiple_choice, doc_to_text: question, doc_to_target: 0, doc_to_choice: ['x', 'y'], validation_split: train, metric_list: [{ metric: bleu }] }]`,
      /metric "bleu" is not available for output_type multiple_choice; available: acc, acc_norm, acc_bytes, exact_match/,
    ],
    [
      `datasets: { arc: { path: data/arc.jsonl } }\nevaluate: { perplexity: { dataset: arc, split: train } }\ntasks: [{ task: a, output_type: loglikelihood_rolling, doc_to_target: question }]`,
      /row 0 of dataset "arc" has no column "text"/,
    ],
  ];
  for (const [text, message] of cases) {
    await assert.rejects(evaluate(workspace(t, text)), (error: Error) => {
      assert.ok(error instanceof LayerifError, String(error));
      assert.match(error.message, message);
      return true;
    });
  }
});

test('of a metric by a Python function evaluate leaves out that metric alone', async (t) => {
  const metrics =
    '[{ metric: acc, aggregation: mean }, { metric: acc_norm, aggregation: !function utils.mean }, { metric: !function utils.f }]';
  const { evaluation } = await evaluate(
    workspace(t, `tasks:\n  - include: tasks/arc_form.yaml\n    metric_list: ${metrics}`),
  );
  assert.equal(evaluation.results.arc_form['acc,none'], expected.results.arc_form['acc,none']);
  assert.equal('acc_norm,none' in evaluation.results.arc_form, false);
  const available = 'available for output_type multiple_choice: acc, acc_norm, acc_bytes, exact_match';
  assert.deepEqual(
    evaluation.skipped?.map(({ metric, reason }) => [
      metric,
      reason.slice(0, reason.indexOf(available) + available.length),
    ]),
    [
      [
        'acc_norm',
        `aggregation of metric_list is a Python function (!function utils.mean), which evaluate does not run; ${available}`,
      ],
      [
        '!function utils.f',
        `metric of metric_list is a Python function (!function utils.f), which evaluate does not run; ${available}`,
      ],
    ],
  );
});
