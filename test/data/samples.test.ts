import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sampleOf } from '../../server/src/data/samples.ts';
import { createTokenizer } from '../../server/src/data/tokenizer.ts';
import type { Example } from '../../server/src/data/types.ts';
import { refusal } from './files.ts';
import { aRow, letters } from './tasks.ts';

const row = aRow({}, 3);

function example(prompt: string, answer: string): Example {
  return { row, prompt, answer };
}

/** Tokens as text, `^` for the begin token, with `|` before the first counted one. */
function shown(prompt: string, answer: string, maxLength: number, loss: 'all' | 'target'): string {
  const { tokens, countedFrom, truncated } = sampleOf(example(prompt, answer), letters, { maxLength, loss });
  const text = Array.from(tokens, (id) => (id === 0 ? '^' : String.fromCodePoint(id)));
  return [...text.slice(0, countedFrom), '|', ...text.slice(countedFrom), truncated ? ' (cut)' : ''].join('');
}

test('loss all counts every token but the first and keeps the first ones', () => {
  assert.equal(shown('Q: ', 'yes', 64, 'all'), '^|Q: yes');
  assert.equal(shown('Q: ', 'yes', 7, 'all'), '^|Q: yes');
  assert.equal(shown('Q: ', 'yes', 5, 'all'), '^|Q: y (cut)');
});

test('loss target counts the answer; trailing white space of the prompt belongs to it', () => {
  assert.equal(shown('Q: ', 'yes', 64, 'target'), '^Q:| yes');
  assert.equal(shown('Q:\n\n', 'yes', 64, 'target'), '^Q:|\n\nyes');
  assert.equal(shown('Q:', 'yes', 64, 'target'), '^Q:|yes');
});

test('loss target cuts a long prompt from the left, then a long answer at its end', () => {
  assert.equal(shown('abcdef ', 'yes', 7, 'target'), 'def| yes (cut)');
  assert.equal(shown('abcdef ', 'yes', 5, 'target'), 'f| yes (cut)');
  assert.equal(shown('abcdef ', 'yes', 3, 'target'), 'f| y (cut)');
});

test('a text without prompt counts from its second token', () => {
  assert.equal(shown('', 'text', 64, 'target'), '^|text');
  assert.equal(shown('  ', 'text', 64, 'target'), '^|  text');
});

test('the boundary is the token count of the prompt, with a real tokenizer', () => {
  const folder = join(import.meta.dirname, '../reference/tokenizer');
  for (const name of ['byte_level', 'llama', 'wordpiece']) {
    const tokenizerJson = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as Record<string, unknown>;
    const tokenizer = createTokenizer({ tokenizerJson, tokenizerConfig: {} });
    const sample = sampleOf(example('The capital of France is ', 'Paris'), tokenizer, {
      maxLength: 64,
      loss: 'target',
    });
    const answer = tokenizer.decode(sample.tokens.slice(sample.countedFrom)).replace(' [SEP]', '');
    assert.equal(answer.toLowerCase().trim(), 'paris', name);
    const cut = sampleOf(example('The capital of France is ', 'Paris'), tokenizer, { maxLength: 10, loss: 'target' });
    assert.deepEqual(cut.tokens, sample.tokens.slice(-10));
    assert.deepEqual(cut.tokens.slice(cut.countedFrom), sample.tokens.slice(sample.countedFrom));
  }
});

test('a sample without counted token is an error with file and row', async () => {
  const say = (prompt: string, answer: string, maxLength: number, loss: 'all' | 'target'): Promise<string> =>
    refusal(() => sampleOf(example(prompt, answer), letters, { maxLength, loss }));
  assert.equal(
    await say('', '', 64, 'all'),
    '/data/rows.jsonl:4: row 3 has no token to count a loss on: the text has 1 token, and the first is never predicted; remove the row or change the template',
  );
  assert.match(
    await say('Q', 'a', 1, 'all'),
    /the text has 1 token, and the first is never predicted \(max_length is 1\)/,
  );
  assert.match(
    await say('Q:', '', 64, 'target'),
    /row 3 has no token to count a loss on: the answer "" gives no token of its own;/,
  );
});

test('a text that the tokenizer refuses is placed', async () => {
  const model = { type: 'Unigram', unk_id: null, vocab: [['x', -1]] };
  const tokenizer = createTokenizer({ tokenizerJson: { model }, tokenizerConfig: {} });
  assert.match(
    await refusal(() => sampleOf(example('xx', 'y'), tokenizer, { maxLength: 64, loss: 'target' })),
    /^\/data\/rows\.jsonl:4: row 3: the tokenizer cannot be used: its model has no unknown token for "y";/,
  );
});
