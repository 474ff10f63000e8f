import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { createTokenizer, type TextTokenizer } from '../../server/src/data/tokenizer.ts';
import { mayBacktrack } from '../../server/src/data/tokenizers/patterns.ts';
import { refusal } from './files.ts';

const folder = join(import.meta.dirname, '../reference/tokenizer');

interface Case {
  text: string;
  ids: number[];
  plain: number[];
  decoded: string;
}

function load(name: string): TextTokenizer {
  const tokenizerJson = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as Record<string, unknown>;
  return createTokenizer({ tokenizerJson, tokenizerConfig: {} });
}

const reference = JSON.parse(readFileSync(join(folder, 'ids.json'), 'utf8')) as Record<string, Case[]>;

for (const [name, cases] of Object.entries(reference)) {
  test(`${name}: ids and text as from Python`, () => {
    const tokenizer = load(name);
    for (const { text, ids, decoded } of cases) {
      assert.deepEqual(Array.from(tokenizer.encode(text)), ids, JSON.stringify(text));
      assert.equal(tokenizer.decode(ids), decoded, JSON.stringify(text));
    }
  });

  test(`${name}: a prompt's length counts special tokens in front, not behind`, () => {
    const tokenizer = load(name);
    const before = name === 'llama' || name === 'wordpiece' ? 1 : 0;
    for (const { text, plain } of cases)
      assert.equal(tokenizer.promptLength(text), plain.length + before, JSON.stringify(text));
  });

  test(`${name}: the start of a long text is the start of its ids`, () => {
    const tokenizer = load(name);
    const word = fc.constantFrom('the ', 'capital', ' of\n', 'Paris', ' 12', 'é', '🙂', '  ', ', ', 'x');
    fc.assert(
      fc.property(
        fc.array(word, { minLength: 1500, maxLength: 3000 }),
        fc.integer({ min: 1, max: 60 }),
        (words, limit) => {
          const text = words.join('');
          const all = tokenizer.encode(text);
          const start = tokenizer.encodeStart(text, limit);
          // The special token behind a text belongs to its end.
          assert.deepEqual(start.tokens, all.slice(0, limit));
          assert.equal(start.truncated, true);
        },
      ),
      { numRuns: 3, seed: 1 },
    );
    const short = tokenizer.encodeStart('the answer', 64);
    assert.deepEqual([short.tokens, short.truncated], [tokenizer.encode('the answer'), false]);
  });
}

test('a Unigram tokenizer takes a text of any length', () => {
  const tokenizer = load('unigram');
  const sentence = [...tokenizer.encodePlain('the city ')].slice(0, -1);
  const many = 60_000;
  // The last white space is a piece of its own.
  assert.deepEqual(
    [...tokenizer.encodePlain('the city '.repeat(many))].slice(0, -1),
    Array.from({ length: many }, () => sentence).flat(),
  );
  assert.equal(tokenizer.encodeStart('the '.repeat(50_000), 10).tokens.length, 10);
});

test('a file that is no tokenizer is a fault of the model', async () => {
  assert.match(
    await refusal(() => createTokenizer({ tokenizerJson: { model: { type: 'New' } }, tokenizerConfig: {} })),
    /^the tokenizer cannot be used: .*; tokenizer\.json must be a file of the Hugging Face tokenizers library$/,
  );
});

test('a pattern that backtracks ends by its time with the pattern, whatever part it stands in', () => {
  const tokenizerJson = JSON.parse(readFileSync(join(folder, 'llama.json'), 'utf8')) as Record<string, unknown>;
  const text = `${'a'.repeat(40)}!`;
  const parts = ['(a+)+$', '(a|aa)+$', '([a-z]*)*!!', 'a*a*a*a*a*a*a*a*a*a*a*a*a*b', '(?:a?){40}b'].flatMap((Regex) => [
    { pre_tokenizer: { type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false } },
    { normalizer: { type: 'Replace', pattern: { Regex }, content: ' ' } },
    {
      pre_tokenizer: {
        type: 'Sequence',
        pretokenizers: [{ type: 'Split', pattern: { Regex }, behavior: 'Removed', invert: true }],
      },
    },
  ]);
  for (const part of parts) {
    const tokenizer = createTokenizer({ tokenizerJson: { ...tokenizerJson, ...part }, tokenizerConfig: {} }, 0.1);
    assert.throws(
      () => tokenizer.encode(text),
      /^LayerifError: the tokenizer takes longer than 0 s for a text of 41 characters: a pattern of its normalizer or pre_tokenizer backtracks \(".+"\); write it without nested repetition/,
    );
    // The next text is cut as if nothing had been.
    assert.ok(tokenizer.encode('b').length > 0);
  }
});

test('which patterns are watched: nested repetition, choices that repeat, many repetitions; none of the usual ones', () => {
  for (const pattern of ['(a+)+', '(?:a|b)*', '((a{1,5})){2,6}', 'a*a*a*b*', '(?=(a*))+', '(\\s|\\S)*x'])
    assert.ok(mayBacktrack(pattern), pattern);
  // What may be left out counts, too: n of them fit in 2^n ways.
  for (const pattern of ['(?:a?){40}', '(?<n>a??){30}', `${'a?'.repeat(40)}b`, '(a?a?a?a?a?a?a?a?a?)b'])
    assert.ok(mayBacktrack(pattern), pattern);
  for (const pattern of [
    ' ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+',
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}",
    '(?:\\r?\\n)+',
    '[(a+)+]',
    '\\(a+\\)+',
    '(?:ab){3}',
    '(?<n>a)?b?(?=c)',
    "[^\\r\\n\\p{L}]?[\\p{Lu}]*[\\p{Ll}]+(?i:'s|'t|'re)?|\\p{N}{1,3}",
  ])
    assert.ok(!mayBacktrack(pattern), pattern);
});
