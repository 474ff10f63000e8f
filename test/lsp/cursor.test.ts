import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cursorAt } from '../../server/src/lsp/cursor.ts';

/** `|` marks the cursor. */
function at(marked: string) {
  const offset = marked.indexOf('|');
  const before = marked.slice(0, offset).split('\n');
  const { path, key, siblings, flow, word, wordStart, wordEnd, quote, template } = cursorAt(
    marked.slice(0, offset) + marked.slice(offset + 1),
    before.length - 1,
    before.at(-1)!.length,
  );
  return {
    place: [...path, ...(key === null ? [] : [`${key}:`])].join('/'),
    siblings,
    flow,
    word,
    columns: [wordStart, wordEnd],
    quote,
    template,
  };
}

const top = 'version: 1\nmodel:\n  path: m\n';
const task = 'tasks:\n  - task: a\n    dataset: d\n';
const cases: {
  name: string;
  text: string;
  place: string;
  word?: string;
  siblings?: string[];
  flow?: boolean;
  template?: string;
}[] = [
  { name: 'an empty text', text: '|', place: '', siblings: [] },
  { name: 'a key at the top', text: `${top}sco|`, place: '', word: 'sco', siblings: ['version', 'model'] },
  {
    name: 'a key at the top with others below',
    text: `sc|\n${top}`,
    place: '',
    word: 'sc',
    siblings: ['version', 'model'],
  },
  { name: 'an empty line in a section', text: `${top}  |`, place: 'model', siblings: ['path'] },
  { name: 'an empty line under a key without value', text: `${top}score:\n  |`, place: 'score', siblings: [] },
  { name: 'a key in a section', text: `${top}  max|\ndatasets:\n`, place: 'model', word: 'max', siblings: ['path'] },
  { name: 'a value', text: 'score:\n  estimator: dat|', place: 'score/estimator:', word: 'dat' },
  { name: 'a value in quotes', text: 'score:\n  estimator: "dat|"', place: 'score/estimator:', word: 'dat' },
  {
    name: 'an empty value',
    text: 'score:\n  estimator: |\n  loss: all',
    place: 'score/estimator:',
    word: '',
    siblings: ['loss'],
  },
  {
    name: 'a value that goes on behind the cursor',
    text: 'score:\n  estimator: da|tainf',
    place: 'score/estimator:',
    word: 'da',
  },
  { name: 'the first key of a list item', text: 'tasks:\n  - |', place: 'tasks/0', word: '' },
  { name: 'the second item', text: `${task}  - ta|`, place: 'tasks/1', word: 'ta' },
  {
    name: 'a further key of an item',
    text: `${task}    doc|`,
    place: 'tasks/0',
    word: 'doc',
    siblings: ['task', 'dataset'],
  },
  { name: 'a value of an item', text: `${task}    doc_to_text: te|`, place: 'tasks/0/doc_to_text:', word: 'te' },
  { name: 'a value beside the dash', text: 'tasks:\n  - dataset: re|', place: 'tasks/0/dataset:', word: 're' },
  {
    name: 'lists at the column of their key',
    text: 'tasks:\n- task: a\n- task: b\n  data|',
    place: 'tasks/1',
    word: 'data',
    siblings: ['task'],
  },
  { name: 'a key behind such a list', text: 'tasks:\n- task: a\nsc|', place: '', word: 'sc', siblings: ['tasks'] },
  {
    name: 'an item of a list of words',
    text: 'score:\n  modules:\n    - mlp.*\n    - self|',
    place: 'score/modules/1',
    word: 'self',
  },
  { name: 'nested lists', text: 'a:\n  - - x: 1\n    - y: 2\n      z|', place: 'a/0/1', word: 'z', siblings: ['y'] },
  { name: 'a key in braces', text: 'score: { lo|', place: 'score', word: 'lo', flow: true, siblings: [] },
  {
    name: 'a second key in braces',
    text: 'score: { loss: all, lay|',
    place: 'score',
    word: 'lay',
    flow: true,
    siblings: ['loss'],
  },
  { name: 'a value in braces', text: 'score: { loss: ta| }', place: 'score/loss:', word: 'ta', flow: true },
  {
    name: 'braces in braces',
    text: 'prune: { calibration: { dataset: r|',
    place: 'prune/calibration/dataset:',
    word: 'r',
    flow: true,
  },
  {
    name: 'an item in brackets',
    text: 'score:\n  modules: [mlp.*, "self|',
    place: 'score/modules/1',
    word: 'self',
    flow: true,
  },
  {
    name: 'a list item in braces',
    text: 'tasks:\n  - { task: a, data|',
    place: 'tasks/0',
    word: 'data',
    flow: true,
    siblings: ['task'],
  },
  {
    name: 'braces inside a text are text',
    text: `${task}    doc_to_text: "Review: {{te|`,
    place: 'tasks/0/doc_to_text:',
    word: 'Review: {{te',
    template: 'te',
  },
  {
    name: 'a template without quotes',
    text: `${task}    doc_to_text: Q {{ a.b + tr|`,
    place: 'tasks/0/doc_to_text:',
    word: 'Q {{ a.b + tr',
    template: 'tr',
  },
  {
    name: 'an attribute of a name in a template',
    text: `${task}    doc_to_text: "{{a.b|`,
    place: 'tasks/0/doc_to_text:',
    word: '{{a.b',
  },
  {
    name: 'a closed template',
    text: `${task}    doc_to_text: "{{a}} |`,
    place: 'tasks/0/doc_to_text:',
    word: '{{a}} ',
  },
  {
    name: 'a block scalar',
    text: `${task}    doc_to_text: >\n      key: {{re|`,
    place: 'tasks/0/doc_to_text:',
    word: '',
    template: 're',
  },
  {
    name: 'behind a block scalar',
    text: `${task}    doc_to_text: >\n      key: x\n      - y\n    num|`,
    place: 'tasks/0',
    word: 'num',
    siblings: ['task', 'dataset', 'doc_to_text'],
  },
  {
    name: 'comments and blank lines between',
    text: 'score:\n\n  # a comment:\n  loss: all\n\n  se|',
    place: 'score',
    word: 'se',
    siblings: ['loss'],
  },
  { name: 'quoted keys', text: 'datasets:\n  "my data":\n    pa|', place: 'datasets/my data', word: 'pa' },
];
for (const { name, text, place, word, siblings, flow, template } of cases) {
  test(`cursor: ${name}`, () => {
    const found = at(text);
    assert.equal(found.place, place);
    if (word !== undefined) assert.equal(found.word, word);
    if (siblings !== undefined) assert.deepEqual(found.siblings, siblings);
    assert.equal(found.flow, flow ?? false);
    assert.equal(found.template, template ?? null);
  });
}

test('the word ends where it ends, also behind the cursor', () => {
  assert.deepEqual(at('score:\n  estimator: da|tainf # x').columns, [13, 20]);
  assert.deepEqual(at('score:\n  estimator: "da|tainf"').columns, [14, 21]);
});
