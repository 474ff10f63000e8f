import { test } from 'node:test';
import assert from 'node:assert/strict';
import type { Task } from '../../protocol/experiment.ts';
import { exampleOf, requestsOf } from '../../server/src/data/context.ts';
import { choicesOf, docOf, rollingText, withGivenAnswer } from '../../server/src/data/examples.ts';
import type { Example, Row } from '../../server/src/data/types.ts';
import { fewshotOf } from '../../server/src/data/fewshot.ts';
import { refusal } from './files.ts';
import { aRow, aTask } from './tasks.ts';

const arcRow = aRow({
  question: 'Which gas do plants take in?',
  choices: { text: ['oxygen', 'carbon dioxide'], label: ['A', 'B'] },
  answerKey: 'B',
});
const arc: Partial<Task> = {
  doc_to_text: 'Question: {{question}}\nAnswer:',
  doc_to_target: '{{choices.label.index(answerKey)}}',
  doc_to_choice: '{{choices.text}}',
};
const winoRow = aRow({
  sentence: 'The cup did not fit since _ was big.',
  option1: 'the cup',
  option2: 'the bag',
  answer: '2',
});
const wino: Partial<Task> = {
  doc_to_text: '{{ answer|int - 1 }}',
  doc_to_target: "{{ sentence[sentence.find('_')+1:].strip() }}",
  doc_to_choice: "{{ [sentence[:sentence.index('_')] + option1, sentence[:sentence.index('_')] + option2] }}",
};

test('ARC', () => {
  assert.deepEqual(docOf(aTask(arc), arcRow), {
    text: 'Question: Which gas do plants take in?\nAnswer:',
    target: 'carbon dioxide',
    targets: ['carbon dioxide'],
    choices: ['oxygen', 'carbon dioxide'],
    gold: 1,
    golds: [1],
    choicesAreContexts: false,
  });
});

test('OpenBookQA: a column name as text, a padded letter as key', () => {
  const row = aRow({
    question_stem: 'The sun is responsible for',
    choices: { text: ['puppies', 'plants'], label: ['A', 'B'] },
    answerKey: 'B ',
  });
  const task = aTask({
    doc_to_text: 'question_stem',
    doc_to_target: '{{choices.label.index(answerKey.rstrip())}}',
    doc_to_choice: '{{choices.text}}',
  });
  assert.deepEqual(exampleOf(task, row), { row, prompt: 'The sun is responsible for ', answer: 'plants' });
});

test('BoolQ: an index column over fixed choices', () => {
  const task = aTask({
    doc_to_text: '{{passage}}\nQuestion: {{question}}?\nAnswer:',
    doc_to_target: 'label',
    doc_to_choice: ['no', 'yes'],
  });
  const row = aRow({ passage: 'P.', question: 'is it so', label: 1 });
  assert.deepEqual(exampleOf(task, row), { row, prompt: 'P.\nQuestion: is it so?\nAnswer: ', answer: 'yes' });
  assert.equal(docOf(task, aRow({ passage: 'P.', question: 'q', label: false })).target, 'no');
});

test('WinoGrande: the choices are contexts, the target is what follows them', () => {
  assert.deepEqual(docOf(aTask(wino), winoRow), {
    text: 'The cup did not fit since the bag',
    target: 'was big.',
    targets: ['was big.'],
    choices: ['The cup did not fit since the cup', 'The cup did not fit since the bag'],
    gold: 1,
    golds: [1],
    choicesAreContexts: true,
  });
  const example = exampleOf(aTask(wino), winoRow);
  assert.equal(example.prompt + example.answer, 'The cup did not fit since the bag was big.');
});

test('forms of a target', () => {
  const choices = ['10', 'B', 'yes'];
  const cases: [Partial<Task>, Record<string, unknown>, string][] = [
    [{ doc_to_target: 2 }, {}, 'yes'],
    [{ doc_to_target: 'y' }, { y: 0 }, '10'],
    [{ doc_to_target: 'y' }, { y: '2' }, 'yes'],
    [{ doc_to_target: 'y' }, { y: '10' }, '10'], // a column's text before its digits
    [{ doc_to_target: 'y' }, { y: ' yes ' }, 'yes'],
    [{ doc_to_target: 'y' }, { y: 'B' }, 'B'], // the choice, though it is a letter
    [{ doc_to_target: 'y' }, { y: 'C' }, 'yes'], // a letter, since no choice equals it
    [{ doc_to_target: 'y' }, { y: ['yes', 'B'] }, 'yes'], // the first of several
    [{ doc_to_target: '{{y}}' }, { y: 1 }, 'B'],
    [{ doc_to_target: '{{y}}' }, { y: 'yes' }, 'yes'],
    [{ doc_to_target: '{{ "A" if y else "C" }}' }, { y: true }, '10'],
    [{ doc_to_target: 'yes' }, {}, 'yes'],
  ];
  for (const [keys, values, target] of cases) {
    const doc = docOf(aTask({ ...keys, doc_to_text: 'Q:', doc_to_choice: choices }), aRow(values));
    assert.equal(doc.target, target, JSON.stringify([keys, values]));
    assert.equal(doc.gold, choices.indexOf(target));
  }
  // Rendered digits are an index before they are a text, as in the harness.
  const digits = aTask({ doc_to_text: 'Q:', doc_to_target: '{{y}}', doc_to_choice: ['1', '0'] });
  assert.equal(docOf(digits, aRow({ y: 1 })).target, '0');
});

test('an answer without a value is empty for whoever asks, a template with other words keeps them', () => {
  const given = (target: string, values: Record<string, unknown>) =>
    withGivenAnswer(aTask({ doc_to_target: target }), aRow(values)).values;
  for (const target of ['output', '{{output}}', ' {{ output }} '])
    assert.deepEqual(given(target, { output: null, other: null }), { output: '', other: null }, target);
  for (const [target, values] of [
    ['{{output}}', { output: 'None' }],
    ['Answer: {{output}}', { output: null }],
    ['{{output or "none"}}', { output: null }],
    ['None', { output: null }],
  ] as const)
    assert.deepEqual(given(target, values), values, target);
});

test('forms of choices', () => {
  const task = (doc_to_choice: Task['doc_to_choice']): Task =>
    aTask({ doc_to_text: 'Q:', doc_to_target: 0, doc_to_choice });
  const row = aRow({ list: ['a', 'b'], a: 'x', numbers: [1, 2] });
  assert.deepEqual(choicesOf(task(['p', 'q']), row), ['p', 'q']);
  assert.deepEqual(choicesOf(task('list'), row), ['a', 'b']);
  assert.deepEqual(choicesOf(task('numbers'), row), ['1', '2']);
  assert.deepEqual(choicesOf(task('{{[a, "y"]}}'), row), ['x', 'y']);
  assert.deepEqual(choicesOf(task("['{{a}}', 'z']"), row), ['x', 'z']);
  assert.equal(choicesOf(task(undefined), row), null);
});

test('tasks without choices: completion, generation, language modelling', () => {
  const row = aRow({ text: 'All of it.', answer: '42', many: ['a', 'b'] });
  const completion = (keys: Partial<Task>): string[] => {
    const { prompt, answer } = exampleOf(aTask({ doc_to_text: 'Q:', ...keys }), row);
    return [prompt, answer];
  };
  assert.deepEqual(completion({ output_type: 'generate_until', doc_to_target: 'answer' }), ['Q: ', '42']);
  assert.deepEqual(completion({ output_type: 'loglikelihood', doc_to_target: ' {{answer}}!', target_delimiter: '' }), [
    'Q:',
    ' 42!',
  ]);
  assert.deepEqual(completion({ output_type: 'generate_until', doc_to_target: 'many' }), ['Q: ', 'a']);
  assert.deepEqual(completion({ output_type: 'generate_until', doc_to_target: '{{many}}' }), ['Q: ', 'a']);
  // A generation may have choices and an answer that is none of them.
  const open = aTask({
    output_type: 'generate_until',
    doc_to_text: 'Q:',
    doc_to_target: 'answer',
    doc_to_choice: ['x', 'y'],
  });
  assert.deepEqual([docOf(open, row).target, docOf(open, row).gold], ['42', null]);
  const rolling = (keys: Partial<Task>): string =>
    rollingText(aTask({ output_type: 'loglikelihood_rolling', ...keys }), row);
  assert.equal(rolling({ doc_to_text: 'text' }), 'All of it.');
  assert.equal(rolling({ doc_to_text: '', doc_to_target: '{{text}}' }), 'All of it.');
  assert.equal(rolling({}), 'All of it.');
  const task = aTask({ output_type: 'loglikelihood_rolling', doc_to_text: 'text', description: 'D ', num_fewshot: 0 });
  assert.deepEqual(exampleOf(task, row), { row, prompt: '', answer: 'All of it.' });
});

test('description and few-shot examples stand in front, the row itself is no example', () => {
  const rows = [0, 1, 2].map((i) => aRow({ q: `q${i}`, a: `a${i}` }, i));
  const task = aTask({
    output_type: 'generate_until',
    doc_to_text: '{{q}}?',
    doc_to_target: 'a',
    num_fewshot: 2,
    fewshot_config: { sampler: 'first_n' },
    description: 'Answer {{q}}.\n',
  });
  const fewshot = fewshotOf(task, rows, true);
  const example = (row: Row): Example => exampleOf(task, row, fewshot(row));
  assert.equal(example(rows[0]).prompt, 'Answer q0.\nq1? a1\n\nq2? a2\n\nq0? ');
  assert.equal(example(rows[2]).prompt, 'Answer q2.\nq0? a0\n\nq1? a1\n\nq2? ');
  const contexts = exampleOf(aTask({ ...wino, num_fewshot: 1 }), { ...winoRow, row: 5 }, [winoRow]);
  assert.equal(
    contexts.prompt + contexts.answer,
    'The cup did not fit since the bag was big.\n\nThe cup did not fit since the bag was big.',
  );
});

const completionKeys: Partial<Task> = { output_type: 'generate_until', doc_to_text: 'text', doc_to_target: 'label' };

test('faults name task, key, file, row and what there is', async () => {
  const row = aRow({ text: 'x', label: 'maybe', n: 7, choices: ['a'] }, 4);
  const say = (keys: Partial<Task>): Promise<string> => refusal(() => exampleOf(aTask(keys), row));
  assert.equal(
    await say({ doc_to_text: '{{txt}}', doc_to_target: 0, doc_to_choice: ['a'] }),
    '/data/rows.jsonl:5: task "quiz": doc_to_text uses "txt", which is not a column of row 4; columns: text, label, n, choices (did you mean "text"?)',
  );
  assert.equal(
    await say({ doc_to_text: 'txt', doc_to_target: 0, doc_to_choice: ['a'] }),
    '/data/rows.jsonl:5: task "quiz": doc_to_text uses "txt", which is not a column of row 4; columns: text, label, n, choices (did you mean "text"?)',
  );
  assert.equal(
    await say({ doc_to_text: '{{text', doc_to_target: 0, doc_to_choice: ['a'] }).then((text) =>
      text.replace(/\(.*\)/, '(...)'),
    ),
    'task "quiz": doc_to_text is not a valid Jinja template (...): "{{text"',
  );
  assert.equal(
    await say({ doc_to_text: 'text', doc_to_target: 'label', doc_to_choice: ['yes', 'no'] }),
    '/data/rows.jsonl:5: task "quiz": doc_to_target gives "maybe" on row 4, which is none of the 2 choices ("yes", "no"); it must be an index from 0 to 1, a letter from A to B or the text of a choice',
  );
  assert.match(
    await say({ doc_to_text: 'text', doc_to_target: 'n', doc_to_choice: ['yes', 'no'] }),
    /doc_to_target gives 7 on row 4, which is none of the 2 choices/,
  );
  assert.match(
    await say({ doc_to_text: 'text', doc_to_target: 'lable', doc_to_choice: ['yes', 'no'] }),
    /doc_to_target uses "lable", which is not a column of row 4; .*did you mean "label"/,
  );
  assert.equal(
    await say({ doc_to_text: 'text', doc_to_target: 0, doc_to_choice: 'text' }),
    '/data/rows.jsonl:5: task "quiz": doc_to_choice gives x, which is not a list, on row 4; it must give the list of answers',
  );
  assert.match(
    await say({ doc_to_text: 'text', doc_to_target: 0, doc_to_choice: 'chioces' }),
    /doc_to_choice uses "chioces", which is not a column .*did you mean "choices"/,
  );
  assert.match(
    await say({ doc_to_text: '{{choices.index("z")}}', doc_to_target: 0, doc_to_choice: 'choices' }),
    /doc_to_text fails on row 4 \('z' is not in list\)/,
  );
  assert.equal(
    await say({ doc_to_text: 'text', doc_to_target: 0 }),
    'task "quiz": output_type multiple_choice needs doc_to_choice: a list of answers, a template or a list column',
  );
  assert.match(
    await say({ output_type: 'generate_until', doc_to_target: 'label' }),
    /doc_to_text is missing; give a template or one of the columns text, label, n, choices$/,
  );
  assert.match(
    await say({ output_type: 'generate_until', doc_to_text: 'text' }),
    /doc_to_target is missing; give a template, an index or one of the columns/,
  );
  assert.match(
    await say({ output_type: 'generate_until', doc_to_text: 'text', doc_to_target: 'labl' }),
    /doc_to_target uses "labl", which is not a column/,
  );
  assert.match(
    await refusal(() =>
      fewshotOf(
        aTask({ doc_to_text: 'text', doc_to_target: 0, doc_to_choice: ['a'], num_fewshot: 2 }),
        [row, aRow({ text: 'y' }, 1)],
        true,
      )(row),
    ),
    /num_fewshot is 2, and train\[:300\] has only 1 rows besides row 4$/,
  );
  assert.match(
    await refusal(() => exampleOf(aTask({ ...completionKeys }), aRow({ text: null, label: 'x' }))),
    /doc_to_text is empty on row 0$/,
  );
  assert.match(
    await refusal(() => exampleOf(aTask({ ...completionKeys }), aRow({ text: 'x', label: null }))),
    /doc_to_target is empty on row 0$/,
  );
  assert.match(
    await refusal(() => rollingText(aTask({ doc_to_text: 'text' }), aRow({ text: null }))),
    /doc_to_text is empty on row 0$/,
  );
  assert.match(
    await refusal(() => rollingText(aTask(), aRow({ body: 'x' }))),
    /there is neither doc_to_text nor a column "text"; columns: body$/,
  );
});

test('loglikelihood has no delimiter, gen_prefix begins the answer, several answers are right', () => {
  const row = aRow({ text: 'on the', word: 'boat', many: ['boat', 'ship'], gold: [2, 0] });
  const said = (keys: Partial<Task>): string[] => {
    const { prompt, answer } = exampleOf(aTask({ doc_to_text: 'text', doc_to_target: 'word', ...keys }), row);
    return [prompt, answer];
  };
  assert.deepEqual(said({ output_type: 'loglikelihood', doc_to_target: ' {{word}}' }), ['on the', ' boat']);
  assert.deepEqual(said({ output_type: 'generate_until', gen_prefix: 'A:' }), ['on the A: ', 'boat']);
  assert.deepEqual(said({ output_type: 'generate_until', gen_prefix: '\nA: ' }), ['on the\nA: ', 'boat']);
  assert.deepEqual(
    said({ doc_to_target: 0, output_type: 'multiple_choice', doc_to_choice: ['x', 'y'], gen_prefix: 'It is' }),
    ['on the It is ', 'x'],
  );
  const several = docOf(aTask({ doc_to_text: 'text', doc_to_target: 'gold', doc_to_choice: ['p', 'q', 'r'] }), row);
  assert.deepEqual([several.target, several.golds], ['r', [2, 0]]);
  const asked = requestsOf(
    aTask({ output_type: 'generate_until', doc_to_text: 'text', doc_to_target: 'many' }),
    row,
    [],
  );
  assert.deepEqual(asked.pairs, [
    ['on the', ' boat'],
    ['on the', ' ship'],
  ]);
});
