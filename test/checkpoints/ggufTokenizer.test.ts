import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openGgufFile } from '../../server/src/checkpoints/gguf.ts';
import { Metadata } from '../../server/src/checkpoints/ggufMetadata.ts';
import { preTokenizers, rebuildTokenizer } from '../../server/src/checkpoints/ggufTokenizer.ts';
import { createTokenizer } from '../../server/src/data/tokenizer.ts';
import { folder } from '../data/files.ts';
import { complaint, file, ggufBytes } from './files.ts';
import type { GgufParts } from './files.ts';

const reference = join(import.meta.dirname, '../reference/gguf');
const demoModel = join(import.meta.dirname, '../../examples/models/SmolLM2-135M-Instruct.Q4_1.gguf');

type Row = { text: string; ids: number[] };
const rows = (name: string) => JSON.parse(readFileSync(join(reference, name), 'utf8')) as unknown;
const ids = rows('ids.json') as Record<string, Row[]>;

const rebuilt = (path: string) => rebuildTokenizer(new Metadata(openGgufFile(path)));

for (const [name, cases] of Object.entries({ ...ids, 'the demo model': rows('demo-ids.json') as Row[] })) {
  test(`${name}: ids of the rebuilt tokenizer are those of Python`, () => {
    assert.ok(cases.length >= 8);
    const tokenizer = createTokenizer(rebuilt(name in ids ? join(reference, `${name}.gguf`) : demoModel));
    for (const { text, ids: expected } of cases)
      assert.deepEqual([...tokenizer.encode(text)], expected, JSON.stringify(text));
  });
}

test('byte-level and byte-fallback vocabularies give every text back', () => {
  for (const [name, cases] of Object.entries(ids)) {
    const tokenizer = createTokenizer(rebuilt(join(reference, `${name}.gguf`)));
    const first = tokenizer.encode('').length;
    for (const { text } of cases) {
      const said = tokenizer.decode(tokenizer.encode(text).subarray(first));
      assert.equal(said, ['qwen2', 'stablelm2'].includes(name) ? text.normalize('NFC') : text, name);
    }
  }
});

test('every pre-tokenizer has reference ids or is another name of one that has', () => {
  const covered = new Set(Object.keys(ids).map((name) => preTokenizers[name]?.split));
  for (const [name, { split }] of Object.entries(preTokenizers)) assert.ok(covered.has(split), name);
});

const vocabulary = {
  'tokenizer.ggml.model': 'gpt2',
  'tokenizer.ggml.tokens': { texts: ['<s>', 'a', 'b', 'ab', '</s>'] },
  'tokenizer.ggml.merges': { texts: ['a b'] },
};

function rebuild(root: string, metadata: GgufParts['metadata']) {
  return rebuilt(file(root, 't.gguf', ggufBytes({ metadata })));
}

test('tokens before and behind a text as the file says', (t) => {
  const root = folder(t, {});
  const special = { 'tokenizer.ggml.bos_token_id': { u32: 0 }, 'tokenizer.ggml.eos_token_id': { u32: 4 } };
  const encode = (metadata: GgufParts['metadata']) => [
    ...createTokenizer(rebuild(root, { ...vocabulary, ...special, ...metadata })).encode('ab'),
  ];
  assert.deepEqual(encode({}), [3]);
  assert.deepEqual(encode({ 'tokenizer.ggml.add_bos_token': true }), [0, 3]);
  assert.deepEqual(encode({ 'tokenizer.ggml.add_bos_token': true, 'tokenizer.ggml.add_eos_token': true }), [0, 3, 4]);
  // llama.cpp's rule for Llama 3 when the file does not say.
  assert.deepEqual(encode({ 'tokenizer.ggml.pre': 'llama-bpe' }), [0, 3]);
  assert.deepEqual(encode({ 'tokenizer.ggml.pre': 'llama-bpe', 'tokenizer.ggml.add_bos_token': false }), [3]);
});

test('the settings name the special tokens and carry the chat template as text', (t) => {
  const { tokenizerConfig } = rebuild(folder(t, {}), {
    ...vocabulary,
    'tokenizer.ggml.eos_token_id': { u32: 4 },
    'tokenizer.chat_template': '{% include "/etc/passwd" %}',
  });
  assert.deepEqual(
    [tokenizerConfig.eos_token, tokenizerConfig.bos_token, tokenizerConfig.chat_template],
    ['</s>', null, '{% include "/etc/passwd" %}'],
  );
});

/** What is wrong -> metadata that differ and what is said. */
const refused: Record<string, [Record<string, unknown>, RegExp]> = {
  'no tokenizer': [{ 'tokenizer.ggml.model': undefined }, /its metadata lack tokenizer\.ggml\.model/],
  'another vocabulary': [
    { 'tokenizer.ggml.model': 't5' },
    /the vocabulary "t5", which cannot be rebuilt \(known: gpt2, llama\); take the Hugging Face folder/,
  ],
  'another way of splitting': [
    { 'tokenizer.ggml.pre': 'bloom' },
    /the pre-tokenizer "bloom", which cannot be rebuilt \(known: default, gpt-2, phi-2, .*, tekken\); take the Hugging Face folder/,
  ],
  'a name that every object has': [{ 'tokenizer.ggml.pre': 'toString' }, /the pre-tokenizer "toString"/],
  'no merges': [{ 'tokenizer.ggml.merges': undefined }, /its metadata lack tokenizer\.ggml\.merges/],
  'a merge of one part': [
    { 'tokenizer.ggml.merges': { texts: ['ab'] } },
    /merge "ab" of its tokenizer has no space between two parts/,
  ],
  'tokens that are numbers': [
    { 'tokenizer.ggml.tokens': { i32s: [1] } },
    /give tokenizer\.ggml\.tokens as a list of 1; a list of texts is needed/,
  ],
  'kinds of other tokens': [{ 'tokenizer.ggml.token_type': { i32s: [1, 1] } }, /it has 5 tokens and 2 token types/],
  'a special token outside': [
    { 'tokenizer.ggml.bos_token_id': { u32: 5 } },
    /give tokenizer\.ggml\.bos_token_id as 5; a whole number below 5 is needed/,
  ],
  'pieces without scores': [{ 'tokenizer.ggml.model': 'llama' }, /its metadata lack tokenizer\.ggml\.scores/],
  'some bytes only': [
    {
      'tokenizer.ggml.model': 'llama',
      'tokenizer.ggml.scores': { f32s: [0, 0, 0, 0, 0] },
      'tokenizer.ggml.token_type': { i32s: [3, 1, 1, 1, 6] },
    },
    /its tokenizer has pieces for 1 bytes; all 256 or none/,
  ],
};

for (const [what, [changes, message]] of Object.entries(refused)) {
  test(`refused: ${what}`, (t) => {
    const root = folder(t, {});
    const metadata = Object.entries({ ...vocabulary, ...changes }).filter(([, value]) => value !== undefined);
    assert.match(
      complaint(() => rebuild(root, metadata), root),
      message,
    );
  });
}
