import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openGgufFile } from '../../server/src/checkpoints/gguf.ts';
import { Metadata } from '../../server/src/checkpoints/ggufMetadata.ts';
import { preTokenizers } from '../../server/src/checkpoints/ggufPreTokenizers.ts';
import { rebuildTokenizer } from '../../server/src/checkpoints/ggufTokenizer.ts';
import { createTokenizer } from '../../server/src/data/tokenizer.ts';
import { folder } from '../data/files.ts';
import { idsOf, reference as reference_, texts } from '../reference/tokenizers/cases.ts';
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

const splits = reference_('pre.json') as Record<string, { ids: string[] }>;
const small = openGgufFile(join(import.meta.dirname, '../reference/tokenizers/bytelevel.gguf'));
const withPre = (name: string | null) => {
  const values = new Map(small.metadata);
  if (name !== null) values.set('tokenizer.ggml.pre', name);
  else values.delete('tokenizer.ggml.pre');
  return rebuildTokenizer(new Metadata({ file: 'small.gguf', metadata: values }));
};

for (const [name, { ids: expected }] of Object.entries(splits)) {
  test(`pre-tokenizer ${name}: ids are those of Python over texts full of traps`, () => {
    const { tokenizerJson, tokenizerConfig, warnings } = withPre(name);
    assert.deepEqual(warnings, []);
    const tokenizer = createTokenizer({ tokenizerJson, tokenizerConfig });
    texts.forEach((text, i) =>
      assert.deepEqual([...tokenizer.encodePlain(text)], idsOf(expected[i]), JSON.stringify(text)),
    );
  });
}

test('every pre-tokenizer has reference ids', () => {
  assert.deepEqual(Object.keys(splits).sort(), Object.keys(preTokenizers).sort());
});

test("a file without a pre-tokenizer is split by llama.cpp's default, and says so", () => {
  const { tokenizerJson, tokenizerConfig, warnings } = withPre(null);
  assert.equal(warnings.length, 1);
  assert.match(
    warnings[0],
    /^small\.gguf: its metadata lack tokenizer\.ggml\.pre, .*; "default" of llama\.cpp is taken, which is not that of Llama 3, Qwen and most others, so tokens and losses may be wrong; take a newer GGUF file/,
  );
  const tokenizer = createTokenizer({ tokenizerJson, tokenizerConfig });
  texts.forEach((text, i) => assert.deepEqual([...tokenizer.encodePlain(text)], idsOf(splits['default'].ids[i])));
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

test('tokens that look like control tokens are some, as in llama.cpp, and it is said', (t) => {
  const root = folder(t, {});
  const texts_ = ['<s>', '<', 'e', 'n', 'd', '>', '|', '<|end|>', '<PRE>', 'P', 'R', 'E'];
  const made = (metadata: GgufParts['metadata']) =>
    rebuild(root, {
      'tokenizer.ggml.model': 'gpt2',
      'tokenizer.ggml.tokens': { texts: texts_ },
      'tokenizer.ggml.merges': { texts: [] },
      ...metadata,
    });
  const ids = (metadata: GgufParts['metadata']) => [...createTokenizer(made(metadata)).encode('<|end|><PRE>')];
  const pre = { 'tokenizer.ggml.pre': 'gpt-2' };
  const normal = Array.from(texts_, () => 1);
  const typed = { ...pre, 'tokenizer.ggml.token_type': { i32s: normal } };
  for (const metadata of [pre, typed] as GgufParts['metadata'][]) {
    assert.deepEqual(ids(metadata), [7, 8]);
    assert.match(
      made(metadata).warnings[0],
      /t\.gguf: "<\|end\|>" \(7\), "<PRE>" \(8\) look like control tokens, which they are not by tokenizer\.ggml\.token_type/,
    );
  }
  // Where a key names another token for the place, the text does not make one.
  const named = { ...pre, 'tokenizer.ggml.fim_pre_token_id': { u32: 0 } };
  assert.deepEqual(ids(named), [7, 1, 9, 10, 11, 5]);
  const right = {
    ...pre,
    'tokenizer.ggml.token_type': { i32s: normal.map((kind, id) => (id > 6 && id < 9 ? 3 : kind)) },
  };
  assert.deepEqual([ids(right), made(right).warnings], [[7, 8], []]);
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
    { 'tokenizer.ggml.pre': 'gemma4' },
    /the pre-tokenizer "gemma4", which cannot be rebuilt \(known: default, gpt-2, phi-2, .*, chameleon\); take the Hugging Face folder/,
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

const pieces = {
  'tokenizer.ggml.model': 'llama',
  'tokenizer.ggml.tokens': { texts: ['<unk>', '<s>', '</s>', '<|end|>', '▁', 'a', 'b', '▁a', '▁▁', '<pad>'] },
  'tokenizer.ggml.scores': { f32s: [0, 0, 0, 0, -3, -4, -5, -1, -2, 0] },
  'tokenizer.ggml.token_type': { i32s: [2, 3, 3, 3, 1, 1, 1, 1, 1, 5] },
};

test('SentencePiece: ids of special tokens when the file gives none, spaces, and the tokens of Phi-3', (t) => {
  const root = folder(t, {});
  const ids_ = (text: string, metadata: GgufParts['metadata'] = {}) => [
    ...createTokenizer(rebuild(root, { ...pieces, ...metadata })).encode(text),
  ];
  assert.deepEqual(ids_('a  b'), [1, 7, 8, 6]);
  assert.deepEqual(ids_('  a   b '), [1, 8, 7, 8, 4, 6, 4]);
  // As SentencePiece: none at the ends, one between words.
  assert.deepEqual(ids_('  a   b ', { 'tokenizer.ggml.remove_extra_whitespaces': true }), [1, 7, 4, 6]);
  assert.deepEqual(ids_('a b', { 'tokenizer.ggml.add_space_prefix': false }), [1, 5, 4, 6]);
  // A control token is found, one that is unused is not.
  assert.deepEqual(
    ids_('a<|end|>  b</s> a<pad>', { 'tokenizer.ggml.add_bos_token': false }),
    [7, 3, 8, 4, 6, 2, 4, 7, 0, 5, 0],
  );
  for (const name of ['Phi-3-mini-4k-instruct', 'Phi 3.5 Mini', 'phi3'])
    assert.deepEqual(ids_('a<|end|> \n b</s>  a<s> a', { 'general.name': name }), [1, 7, 3, 4, 6, 2, 7, 1, 4, 7], name);
  assert.deepEqual(ids_('<|end|> a', { 'general.name': 'Phi-30' }), [1, 3, 4, 7]);
});

test('vocabularies of encoders and without merges are refused by name', (t) => {
  const root = folder(t, {});
  for (const name of ['bert', 't5', 'rwkv', 'plamo2', 'gemma4', 'no_vocab'])
    assert.match(
      complaint(() => rebuild(root, { ...vocabulary, 'tokenizer.ggml.model': name }), root),
      new RegExp(`the vocabulary "${name}", which cannot be rebuilt \\(known: gpt2, llama\\)`),
    );
});
