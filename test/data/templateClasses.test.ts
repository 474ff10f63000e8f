/** Ten kinds of template tasks: what the generator promises, and that the example files are what it makes. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { templateClassNames, templateRows } from '../../server/src/data/templateClasses.ts';

const folder = path.join(import.meta.dirname, '../../examples/data/template-classes');

test('every kind has as many rows as asked for, no two alike, and none in both splits', () => {
  const [train, validation] = [templateRows(90, 0, 'train'), templateRows(10, 0, 'validation')];
  assert.equal(templateClassNames.length, 10);
  for (const name of templateClassNames) {
    assert.equal(train.filter((row) => row.class === name).length, 90);
    assert.equal(validation.filter((row) => row.class === name).length, 10);
  }
  assert.equal(new Set([...train, ...validation].map(({ text }) => text)).size, 1000);
  assert.deepEqual(templateRows(90, 0, 'train'), train);
  assert.notDeepEqual(templateRows(90, 1, 'train'), train);
});

test('the answers are right', () => {
  const rows = templateRows(3, 4, 'train');
  for (const { class: name, text, answer } of rows) {
    const sentence = text.slice(text.indexOf(': ') + 2);
    if (name === 'lengths')
      assert.equal(
        answer.split(' ').reduce((a, b) => a + Number(b), 0),
        sentence.replaceAll(' ', '').length,
      );
    if (name === 'reverse_words') assert.equal(answer.split(' ').reverse().join(' '), sentence);
    if (name === 'no_vowels') assert.ok(!/[aeiou]/i.test(answer) && answer.length < sentence.length);
    if (name === 'star_vowels') assert.equal(answer.length, sentence.length);
    if (name === 'sorted') assert.deepEqual(answer.split(' '), sentence.toLowerCase().split(' ').sort());
    assert.notEqual(answer, sentence);
  }
});

for (const [split, perClass] of [
  ['train', 90],
  ['validation', 10],
] as const) {
  test(`examples/data/template-classes/${split}.jsonl is what the generator makes with seed 0`, () => {
    const text = templateRows(perClass, 0, split)
      .map((row) => `${JSON.stringify(row)}\n`)
      .join('');
    const file = path.join(folder, `${split}.jsonl`);
    if (process.env.UPDATE_GOLDEN) fs.writeFileSync(file, text);
    assert.equal(fs.readFileSync(file, 'utf8'), text);
  });
}
