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
    [{ 'tekken.json': '{}' }, /has no tokenizer\.json but tekken\.json, which cannot be read alone/],
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
