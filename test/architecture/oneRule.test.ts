/** What is decided or made in one place of `run` stands there alone: a second place is a second rule. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, sourceFiles } from './sources.ts';

const rules: { what: string; words: RegExp; only: string[] }[] = [
  {
    what: 'the tokenizer of an experiment',
    words: /\bcreateTokenizer\(/,
    only: ['server/src/run/inputs/openExperiment.ts'],
  },
];

for (const { what, words, only } of rules) {
  test(`in one place: ${what}`, () => {
    const found = sourceFiles(['server/src/run']).filter((file) => words.test(readFileSync(join(root, file), 'utf8')));
    assert.deepEqual(found.sort(), [...only].sort());
  });
}
