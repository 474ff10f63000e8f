/**
 * Tasks of `generate_until` against lm-evaluation-harness (test/reference/generation/harness.py), whose task files
 * stand here verbatim.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { matchOptions, exactMatch } from '../../server/src/evaluation/exactMatch.ts';
import { pipelinesOf } from '../../server/src/evaluation/filters.ts';
import { unfollowed } from '../../server/src/generation/harness.ts';
import { evaluateExperiment } from '../../server/src/run/evaluate/evaluate.ts';
import type { EvaluateOptions } from '../../server/src/run/evaluate/evaluate.ts';
import { engine, machine } from './workspace.ts';

const reference = path.join(import.meta.dirname, '../reference/generation');
interface Expected {
  results: Record<string, Record<string, number | string>>;
  /** `resps`: per document the answers; `filtered`: by filter and document what the filter makes of them. */
  samples: Record<string, { resps: string[][]; filtered: Record<string, (string | string[])[]> }>;
}
const expected = JSON.parse(fs.readFileSync(path.join(reference, 'harness.json'), 'utf8')) as Expected;
const tasks = Object.keys(expected.results);

function workspace(t: TestContext, text: string): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-written-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  for (const part of ['model', 'tasks', 'data'])
    fs.cpSync(path.join(reference, part), path.join(folder, part), { recursive: true });
  const file = path.join(folder, 'e.layerif.yaml');
  fs.writeFileSync(file, `version: 1\nmodel: { path: ./model }\n${text}\n`);
  return file;
}

const evaluate = (file: string, options: Partial<EvaluateOptions> = {}) =>
  evaluateExperiment({ file, machine, engine, logSamples: true, ...options });

test('every answer, filter and exact_match of the harness', async (t) => {
  const included = tasks.map((name) => `  - include: tasks/${name}.yaml`).join('\n');
  const { evaluation } = await evaluate(workspace(t, `tasks:\n${included}`));
  assert.equal(evaluation.skipped, undefined);
  let positive = 0;
  for (const name of tasks) {
    const { resps, filtered } = expected.samples[name];
    const documents = evaluation.samples![name].map(({ generated }) => generated!);
    assert.deepEqual(
      documents.map(({ answers }) => answers),
      resps,
      name,
    );
    for (const [filter, answers] of Object.entries(filtered)) {
      assert.deepEqual(
        documents.map((d) => d.filtered[filter]),
        answers,
        `${name} ${filter}`,
      );
    }
    for (const [key, value] of Object.entries(expected.results[name])) {
      if (typeof value !== 'number') continue;
      assert.ok(Math.abs(Number(evaluation.results[name][key]) - value) < 1e-12, `${name} ${key}: ${value}`);
      if (value > 0) positive++;
    }
  }
  assert.ok(positive >= 6, `${positive} metrics above 0`);
  // Without metric_list also the answer as a continuation, which the harness does not have.
  assert.deepEqual(Object.keys(evaluation.results.until), [
    'alias',
    'exact_match,none',
    'exact_match_stderr,none',
    'acc,none',
    'acc_stderr,none',
    'perplexity,none',
    'perplexity_stderr,none',
  ]);
  assert.deepEqual(Object.keys(evaluation.results.written), ['alias', 'exact_match,none', 'exact_match_stderr,none']);
});

test('little memory changes no answer; drawn repeats differ and are the same for the same seed', async (t) => {
  const drawn = '{ do_sample: true, temperature: 1.5, max_gen_toks: 6, seed: 3 }';
  const file = workspace(
    t,
    `tasks:\n  - include: tasks/written.yaml\n  - include: tasks/votes.yaml\n    task: drawn\n    generation_kwargs: ${drawn}`,
  );
  const answersOf = async (options: Partial<EvaluateOptions>): Promise<Record<string, string[][]>> => {
    const { evaluation } = await evaluate(file, options);
    const entries = Object.entries(evaluation.samples!);
    return Object.fromEntries(entries.map(([name, list]) => [name, list.map(({ generated }) => generated!.answers)]));
  };
  const one = await answersOf({});
  assert.deepEqual(one.written, expected.samples.written.resps);
  assert.ok(
    one.drawn.some((repeats) => new Set(repeats).size > 1),
    'repeats are drawn apart',
  );
  assert.deepEqual(await answersOf({}), one);
});

test('answers that leave no room are left out and named; options that are not there leave the metric or task out', async (t) => {
  const file = workspace(
    t,
    `tasks:
  - include: tasks/written.yaml
  - { include: tasks/written.yaml, task: long, generation_kwargs: { max_gen_toks: 64 } }
  - { include: tasks/written.yaml, task: beams, generation_kwargs: { num_beams: 4, max_gen_toks: 4 } }
  - { include: tasks/written.yaml, task: other, metric_list: [{ metric: exact_match, ignore_spaces: true }] }
  - { include: tasks/written.yaml, task: filter, filter_list: [{ name: a, filter: [{ function: stem }] }] }
  - { include: tasks/written.yaml, task: letters, filter_list: [{ name: a, filter: [{ function: multi_choice_regex, ignore_case: 1 }] }] }`,
  );
  const { evaluation } = await evaluate(file);
  assert.deepEqual(Object.keys(evaluation.results), ['written']);
  const said = evaluation.skipped!.map(({ task, metric, reason }) => [task, metric, reason] as const);
  assert.deepEqual(
    said.map(([task]) => task),
    ['long', 'beams', 'other', 'filter', 'letters'],
  );
  assert.match(said[0][2], /answers of 64 tokens leave no room for a prompt in the 64 positions.*max_gen_toks/);
  assert.match(said[1][2], /generation_kwargs asks for num_beams 4, which is not followed; followed are until/);
  assert.match(said[2][2], /exact_match has the options ignore_case.*asks for \{"ignore_spaces":true\}/);
  assert.match(
    said[3][2],
    /filter_list asks for the filter "stem"; available: regex, multi_choice_regex, regex_pos, format_span, /,
  );
});

interface FilterCase {
  function: string;
  options: Record<string, unknown>;
  choices?: string[];
  answers: string[];
  filtered: (string | string[])[];
}

test('multi_choice_regex, regex_pos and format_span of the harness (test/reference/generation/filters.py)', () => {
  const { cases } = JSON.parse(fs.readFileSync(path.join(reference, 'filters.json'), 'utf8')) as {
    cases: FilterCase[];
  };
  for (const { function: name, options, choices, answers, filtered } of cases) {
    const [{ apply }] = pipelinesOf([
      { name: 'x', filter: [{ function: name, ...options }, { function: 'take_first' }] },
    ]);
    answers.forEach((answer, i) => {
      assert.deepEqual(apply([answer], { choices }), filtered[i], `${name} ${JSON.stringify(options)} ${answer}`);
    });
  }
  const letters = pipelinesOf([{ name: 'x', filter: [{ function: 'multi_choice_regex' }] }])[0];
  assert.throws(() => letters.apply(['A'], { text: '' }), /reads the answers .* column "choices".*columns: text/);
  assert.throws(
    () => letters.apply(['A'], { choices: new Array(27).fill('x') }),
    /letters for 26 choices, a row has 27/,
  );
  assert.throws(
    () => pipelinesOf([{ name: 'x', filter: [{ function: 'regex_pos' }, { function: 'lowercase' }] }])[0].apply(['A']),
    /regex_pos makes lists of tags, which only take_first and take_first_k take/,
  );
});

test('a filter of letters without choices: said with file and line', async (t) => {
  const file = workspace(
    t,
    `tasks:\n  - { include: tasks/written.yaml, filter_list: [{ name: a, filter: [{ function: multi_choice_regex }] }] }`,
  );
  const data = path.join(path.dirname(file), 'data/questions.jsonl');
  fs.writeFileSync(data, fs.readFileSync(data, 'utf8').replaceAll('"choices"', '"options"'));
  await assert.rejects(evaluate(file), (error: Error & { place?: { file: string; line?: number } }) => {
    assert.match(error.message, /^row \d+: the filter multi_choice_regex reads the answers to choose from/);
    assert.ok(error.place?.file.endsWith('.jsonl') && error.place.line !== undefined);
    return true;
  });
});

test('filters: groups, the last match, votes, and what is refused', () => {
  const apply = (filter: unknown[], answers: string[]) => pipelinesOf([{ name: 'x', filter }])[0].apply(answers);
  const regex = (options: object) => [{ function: 'regex', ...options }, { function: 'take_first' }];
  assert.equal(apply(regex({}), ['so #### 1,200.']), '1,200.');
  assert.equal(apply(regex({ regex_pattern: '(\\d+)', group_select: -1 }), ['1 and 23']), '23');
  assert.equal(apply(regex({ regex_pattern: '(a)|(b)' }), ['xb']), 'b');
  assert.equal(apply(regex({ regex_pattern: '\\d', fallback: 'none' }), ['x']), 'none');
  const map = [{ function: 'map', mapping_dict: { A: 1 }, default_value: 'no' }];
  assert.deepEqual(apply(map, ['A', 'B']), ['1', 'no']);
  assert.deepEqual(apply([{ function: 'majority_vote' }], ['a', 'b', 'b', 'a']), ['a']);
  assert.throws(
    () => apply([{ function: 'take_first' }, { function: 'lowercase' }], ['A']),
    /goes on behind take_first/,
  );
  assert.throws(
    () => pipelinesOf([{ name: 'x', filter: [{ function: 'take_first_k' }] }]),
    /has the options k \(a whole number from 1\); given is \{\}/,
  );
  assert.throws(() => pipelinesOf([{ filter: [] }]), /needs name and filter/);
});

test('exact_match: what its options take out of answer and right answer', () => {
  const match = (answer: string, target: string, entry: Record<string, unknown>) =>
    exactMatch({ answer, targets: [target] }, matchOptions(entry)!);
  assert.equal(match('Yes.', 'yes', { ignore_case: true, ignore_punctuation: true }), 1);
  assert.equal(match('Yes.', 'yes', { ignore_case: true }), 0);
  assert.equal(match('so #### 12', '12', { regexes_to_ignore: ['(?s).*#### '] }), 1);
  assert.equal(match('a1', 'a2', { ignore_numbers: true }), 1);
  assert.equal(exactMatch({ answer: ['a', 'b'], targets: ['a'] }, {}), 0.5);
  assert.equal(exactMatch({ answer: 'b', targets: ['a', 'b'] }, {}), 1);
  assert.equal(matchOptions({ ignore_case: 'yes' }), null);
  assert.equal(unfollowed({ until: ['a'], do_sample: false, temperature: 0, use_cache: true, top_p: null }), null);
  assert.match(unfollowed({ max_gen_toks: 0 })!, /max_gen_toks is 0; needed is a whole number from 1/);
});
