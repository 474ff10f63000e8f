/**
 * Ids of Hugging Face folders against AutoTokenizer (test/reference/tokenizers/make.py): classes, files of special
 * tokens, no tokenizer.json.
 */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { folderTokenizer } from '../../server/src/checkpoints/folderTokenizer.ts';
import { createTokenizer } from '../../server/src/data/tokenizer.ts';
import { folder } from '../data/files.ts';
import { filled, idsOf, reference, texts } from '../reference/tokenizers/cases.ts';
import { complaint } from './files.ts';

type Json = Record<string, unknown>;

const cases = reference('folders.json') as Record<string, { files: Record<string, unknown>; ids: string[] }>;
const read = (file: string): Json => JSON.parse(fs.readFileSync(file, 'utf8')) as Json;

/** Written as files, the models filled in. */
function written(files: Record<string, unknown>): Record<string, string> {
  const whole = filled(files) as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(whole).map(([name, content]) => [
      name,
      typeof content === 'string' ? content : JSON.stringify(content),
    ]),
  );
}

const open = (root: string) => folderTokenizer(root, read(path.join(root, 'config.json')), read);

for (const [name, { files, ids }] of Object.entries(cases)) {
  test(`${name}: ids are those of AutoTokenizer`, (t) => {
    const opened = open(folder(t, written(files)));
    // A model that is written with it reads the same again.
    for (const tokenizer of [opened, { ...opened, tokenizerJson: structuredClone(opened.tokenizerJson) }].map(
      createTokenizer,
    ))
      texts.forEach((text, i) => assert.deepEqual([...tokenizer.encode(text)], idsOf(ids[i]), JSON.stringify(text)));
  });
}

test('names of special tokens come from the class where the files have none', (t) => {
  const { files } = cases['gpt2 without class'];
  const tokenizerConfig = { add_bos_token: true };
  const opened = open(folder(t, written({ ...files, 'tokenizer_config.json': tokenizerConfig })));
  // Not in the vocabulary: added behind it, as transformers does.
  const tokens = createTokenizer(opened);
  assert.equal(tokens.prefixText, '<|endoftext|>');
  assert.equal(tokens.prefix, 431);
  assert.equal(opened.tokenizerConfig['add_bos_token'], undefined);
});

test('a folder without a tokenizer that can be read says what it holds', (t) => {
  const config = JSON.stringify({ model_type: 'llama' });
  const refusals: [Record<string, string>, RegExp][] = [
    [{}, /^<root> has no tokenizer\.json; copy the one of the model/],
    [{ 'tokenizer.model': 'x' }, /^tokenizer\.model cannot be read: it is no SentencePiece model, or cut off; /],
    [
      { 'tekken.json': '{}' },
      /^tekken\.json cannot be read: config: Invalid input: .*; expected the tokenizer of a Mistral model, with config, vocab and special_tokens$/,
    ],
    [{ 'vocab.json': '{}', 'merges.txt': '' }, /has no tokenizer\.json but vocab\.json, which cannot be read alone/],
  ];
  for (const [files, message] of refusals) {
    const root = folder(t, { 'config.json': config, ...files });
    assert.match(
      complaint(() => open(root), root),
      message,
    );
  }
});

const tekken = reference('tekken.json') as {
  files: Record<'named' | 'older', { config: Json; vocab: Json[]; special_tokens?: Json[] }>;
  ids: Record<string, string[]>;
  found: Record<string, string>;
};

for (const [name, file] of Object.entries(tekken.files))
  test(`tekken.json alone, special tokens ${name}: ids are those of mistral-common`, (t) => {
    const root = folder(t, { 'config.json': '{"model_type":"mistral"}', 'tekken.json': JSON.stringify(file) });
    const tokenizer = createTokenizer(open(root));
    const special = tekkenSpecial(open(root).tokenizerJson);
    let compared = 0;
    texts.forEach((text, i) => {
      if (special.some((token) => text.includes(token))) return;
      compared += 1;
      assert.deepEqual([...tokenizer.encode(text)], idsOf(tekken.ids[name][i]), JSON.stringify(text));
    });
    assert.ok(compared > 50, `${compared} texts`);
  });

const tekkenSpecial = ({ added_tokens }: Json): string[] =>
  (added_tokens as { content: string }[]).map(({ content }) => content);

test('tekken.json alone: special tokens in a text are found as by transformers, the others are named by their place', (t) => {
  const root = folder(t, {
    'config.json': '{"model_type":"mistral"}',
    'tekken.json': JSON.stringify(tekken.files.named),
    'tokenizer.model': 'x', // is not looked at
  });
  const opened = open(root);
  const tokenizer = createTokenizer(opened);
  for (const [text, ids] of Object.entries(tekken.found))
    assert.deepEqual([...tokenizer.encode(text)], idsOf(ids), JSON.stringify(text));
  assert.equal(tekkenSpecial(opened.tokenizerJson).length, 30);
  assert.equal(tekkenSpecial(opened.tokenizerJson)[12], '<SPECIAL_12>');
  assert.equal(opened.tokenizerConfig['eos_token'], '</s>');
  const settings = JSON.stringify({ add_bos_token: false });
  const without = open(
    folder(t, {
      'config.json': '{}',
      'tekken.json': JSON.stringify(tekken.files.named),
      'tokenizer_config.json': settings,
    }),
  );
  assert.deepEqual([...createTokenizer(without).encode('the')], idsOf(tekken.ids.named[texts.indexOf('the')]).slice(1));
});

test('a tekken.json that contradicts itself is refused with the reason', (t) => {
  const { config, vocab, special_tokens: special = [] } = tekken.files.named;
  const refusals: [Json, RegExp][] = [
    [{ config: { ...config, default_vocab_size: 500 } }, /it says 470 tokens beside the special ones, and holds 420/],
    [{ config: { ...config, default_num_special_tokens: 3 } }, /it names 7 special tokens, and has 3 places/],
    [{ special_tokens: special.slice(1) }, /special_tokens: their ranks are not 0 to 5; 0 is missing or twice/],
    [{ vocab: [{ rank: 0, token_bytes: '*' }] }, /vocab\.0\.token_bytes: Invalid base64/],
  ];
  for (const [change, message] of refusals) {
    const root = folder(t, {
      'config.json': '{}',
      'tekken.json': JSON.stringify({ config, vocab, special_tokens: special, ...change }),
    });
    assert.match(
      complaint(() => open(root), root),
      message,
    );
  }
});

test('a line of merges.txt that is none is placed', (t) => {
  const root = folder(t, {
    'config.json': JSON.stringify({ model_type: 'gpt2' }),
    'vocab.json': '{"a":0}',
    'merges.txt': '#version: 0.2\na\n',
  });
  assert.match(
    complaint(() => open(root), root),
    /merges\.txt:2: "a" is no merge of two parts/,
  );
});
