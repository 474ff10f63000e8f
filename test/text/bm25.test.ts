import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bm25, words } from '../../server/src/text/bm25.ts';

test('BM25 agrees with the formula over scikit-learn word counts', () => {
  const documents = [
    'The cat sat on the mat',
    'A dog and a cat',
    'Birds fly; birds sing over the sea of birds',
    'nothing here',
  ].map(words);
  const queries = ['the cat', 'birds birds sea dog'].map(words);
  // CountVectorizer(token_pattern=r"[^\W_]+"), idf = log(1 + (N - df + .5) / (df + .5)), k = 1.2, b = 0.75
  const expected = [
    1.5976097391180135, 0, 0.7199211059892994, 1.2504781916174958, 0.5499725170344485, 4.285128124361557, 0, 0,
  ];
  bm25(documents, queries).forEach((score, at) => assert.ok(Math.abs(score - expected[at]) < 1e-12, `${at}: ${score}`));
});

test('words: letters, marks and digits of every script, in lower case', () => {
  assert.deepEqual(words("Don't STOP-2x café_naïve 東京 हिन्दी"), [
    'don',
    't',
    'stop',
    '2x',
    'café',
    'naïve',
    '東京',
    'हिन्दी',
  ]);
  assert.deepEqual(words(' .;'), []);
  assert.deepEqual([...bm25([[]], [['a']])], [0]);
});
