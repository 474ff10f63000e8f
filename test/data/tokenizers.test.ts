/**
 * Ids of every part of a tokenizer.json, over texts full of traps, against those of Python
 * (test/reference/tokenizers/make.py).
 */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { LayerifError } from '../../protocol/errors.ts';
import { createTokenizer } from '../../server/src/data/tokenizer.ts';
import { filled, idsOf, reference, texts } from '../reference/tokenizers/cases.ts';

type Json = Record<string, unknown>;

const parts = reference('parts.json') as Record<string, { tokenizer: Json; ids: string[] }>;

for (const [name, { tokenizer: json, ids }] of Object.entries(parts)) {
  test(`${name}: ids are those of Python`, () => {
    const tokenizer = createTokenizer({ tokenizerJson: filled(json) as Json, tokenizerConfig: {} });
    assert.equal(ids.length, texts.length);
    texts.forEach((text, i) => assert.deepEqual([...tokenizer.encode(text)], idsOf(ids[i]), JSON.stringify(text)));
  });
}

const word = { type: 'WordLevel', unk_token: '<unk>', vocab: { '<unk>': 0, a: 1, b: 2 } };
const made = (json: Json) => createTokenizer({ tokenizerJson: { model: word, ...json }, tokenizerConfig: {} });
const refused = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof LayerifError);
    return error.message;
  }
  return 'nothing';
};

test('a normaliser that grows its text without end is refused in one sentence', () => {
  const double = { type: 'Replace', pattern: { String: 'a' }, content: 'aa' };
  const grows: Json[] = [
    { type: 'Sequence', normalizers: Array.from({ length: 60 }, () => double) },
    { type: 'Replace', pattern: { Regex: '.' }, content: 'a'.repeat(1_000_000) },
    { type: 'Sequence', normalizers: [{ type: 'Prepend', prepend: 'a'.repeat(20_000) }] },
  ];
  for (const normalizer of grows)
    assert.match(
      refused(() => made({ normalizer }).encode('a'.repeat(50))),
      /^the tokenizer cannot be used: its normalizer makes \d+ or more characters of a text of 50; at most 15000 are allowed; /,
    );
  assert.deepEqual(
    [...made({ normalizer: double, pre_tokenizer: { type: 'FixedLength', length: 1 } }).encode('ab')],
    [1, 1, 2],
  );
});

test('half a pair of surrogates is one unknown character', () => {
  const json = { pre_tokenizer: { type: 'FixedLength', length: 1 } };
  assert.deepEqual([...made(json).encode('a\ud83db')], [1, 0, 2]);
  assert.deepEqual([...made({ normalizer: { type: 'NFC' }, ...json }).encode('\udc00')], [0]);
});

test('added tokens have the ids of the vocabulary, or the next free ones, whatever the file gives', () => {
  // As Python's tokenizers numbers them: {"b": 2, "new": 3, "other": 4}.
  const added_tokens = [
    { id: 7, content: 'b' },
    { id: 90, content: 'new' },
    { id: 50, content: 'other' },
  ];
  assert.deepEqual(
    [...made({ added_tokens, pre_tokenizer: { type: 'Whitespace' } }).encode('a b new other')],
    [1, 2, 3, 4],
  );
});

/** What a tokenizer.json asks for that is not known -> what is said. */
const unknown: Record<string, [Json, RegExp]> = {
  model: [{ model: { type: 'Neural' } }, /its model is "Neural"; known: BPE, WordPiece, WordLevel, Unigram;/],
  'model of an object': [{ model: { type: 'toString' } }, /its model is "toString"/],
  'model without vocabulary': [{ model: { type: 'BPE' } }, /its model has no vocabulary/],
  normalizer: [{ normalizer: { type: 'Emoji' } }, /its normalizer is "Emoji"; known: Sequence, NFC/],
  'a text as normalizer': [{ normalizer: 'NFC' }, /its normalizer is "NFC", without a type; known: Sequence, NFC/],
  'a list as pre-tokenizer': [{ pre_tokenizer: [null] }, /its pre_tokenizer is \[null\], without a type; known: /],
  'a number as post-processor': [{ post_processor: 2.5 }, /its post_processor is 2\.5, without a type; known: Templ/],
  'pre-tokenizer': [{ pre_tokenizer: { type: 'UnicodeScripts' } }, /its pre_tokenizer is "UnicodeScripts"; known: /],
  behavior: [
    { pre_tokenizer: { type: 'Split', pattern: { String: ' ' }, behavior: 'Doubled' } },
    /its pre_tokenizer has the behavior "Doubled"/,
  ],
  'post-processor': [{ post_processor: { type: 'Chat' } }, /its post_processor is "Chat"; known: TemplateProcessing/],
  dropout: [
    { model: { type: 'BPE', vocab: { a: 0 }, merges: [], dropout: 0.1 } },
    /has dropout 0\.1, which makes tokens at random/,
  ],
  merge: [
    { model: { type: 'BPE', vocab: { a: 0, b: 1 }, merges: ['a b'] } },
    /its merge 0 joins "a" and "b", and the vocabulary lacks/,
  ],
  'added token': [{ added_tokens: [{ id: 4 }] }, /its added_tokens hold \{"id":4\}, which has no content/],
};

for (const [what, [json, message]] of Object.entries(unknown)) {
  test(`refused by name: ${what}`, () =>
    assert.match(
      refused(() => made(json)),
      message,
    ));
}
