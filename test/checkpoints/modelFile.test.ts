/**
 * Folders with a tokenizer.model alone: ids are those of AutoTokenizer
 * (test/reference/tokenizers/sentencepiece_models.py).
 */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { folderTokenizer } from '../../server/src/checkpoints/folderTokenizer.ts';
import { modelFile } from '../../server/src/checkpoints/modelFile.ts';
import { sentencePieceModel } from '../../server/src/checkpoints/sentencePieceModel.ts';
import { createTokenizer } from '../../server/src/data/tokenizer.ts';
import { folder } from '../data/files.ts';
import { idsOf, reference, texts } from '../reference/tokenizers/cases.ts';
import { complaint } from './files.ts';

type Json = Record<string, unknown>;

const { models, folders } = reference('sentencepiece.json') as {
  models: Record<string, string>;
  folders: { name: string; files: Record<string, Json | string>; ids: string[] }[];
};
const read = (file: string): Json => JSON.parse(fs.readFileSync(file, 'utf8')) as Json;
const open = (root: string) => folderTokenizer(root, read(path.join(root, 'config.json')), read);
const bytesOf = (name: string): Buffer => Buffer.from(models[name], 'base64');

/** Written as files, the models filled in. */
function written(files: Record<string, Json | string>): Record<string, string | Buffer> {
  return Object.fromEntries(
    Object.entries(files).map(([name, content]) => [
      name,
      typeof content === 'string' ? bytesOf(content.slice(1)) : JSON.stringify(content),
    ]),
  );
}

for (const { name, files, ids } of folders) {
  test(`${name}: ids are those of AutoTokenizer`, (t) => {
    const tokenizer = createTokenizer(open(folder(t, written(files))));
    texts.forEach((text, i) => assert.deepEqual([...tokenizer.encode(text)], idsOf(ids[i]), JSON.stringify(text)));
  });
}

test('texts are read back from the ids of a SentencePiece model', (t) => {
  const files = written({ 'config.json': { model_type: 'mistral' }, 'tokenizer.model': '@bpe_user' });
  const tokenizer = createTokenizer(open(folder(t, files)));
  for (const text of ['The capital of France is Paris.', 'naïve 🙂 日本'])
    assert.equal(tokenizer.decode(tokenizer.encode(text)), text);
});

test('what a model file says of itself', () => {
  const model = sentencePieceModel(bytesOf('bpe_gemma'));
  assert.deepEqual(
    [model.modelType, model.byteFallback, model.addDummyPrefix, model.removeExtraWhitespaces, model.escapeWhitespaces],
    [2, true, false, false, true],
  );
  assert.deepEqual(
    [model.bos, model.eos, model.unknown],
    [
      { id: 2, piece: '<bos>' },
      { id: 1, piece: '<eos>' },
      { id: 3, piece: '<unk>' },
    ],
  );
  assert.deepEqual(
    model.pieces.slice(0, 5).map(({ piece, type }) => [piece, type]),
    [
      ['<pad>', 3],
      ['<eos>', 3],
      ['<bos>', 3],
      ['<unk>', 2],
      ['<mask>', 4],
    ],
  );
  assert.notEqual(sentencePieceModel(bytesOf('unigram_rules')).charsmap, '');
  // As protobuf writes -1: ten bytes.
  const noBos = Buffer.concat([
    Buffer.from([0x0a, 3, 0x0a, 1, 0x61, 0x12, 12, 0xc8, 0x02]),
    Buffer.alloc(9, 0xff),
    Buffer.from([1]),
  ]);
  assert.equal(sentencePieceModel(noBos).bos.id, -1);
});

test('a file that is neither, or cut off, or of another kind, and a class that does not read it, are refused by name', (t) => {
  const said = (files: Record<string, Buffer | string>): string => {
    const root = folder(t, { 'config.json': '{"model_type":"mistral"}', ...files });
    return complaint(() => open(root), root);
  };
  const expected = 'expected a SentencePiece model, or a list of base64 tokens with ranks (tiktoken)';
  const whole = bytesOf('unigram');
  assert.equal(
    said({ 'tokenizer.model': 'version https://git-lfs\n' }),
    `tokenizer.model cannot be read: it is no SentencePiece model, or damaged; ${expected}`,
  );
  assert.equal(
    said({ 'tokenizer.model': '' }),
    `tokenizer.model cannot be read: it holds no pieces of a SentencePiece model; ${expected}`,
  );
  assert.match(
    said({ 'tokenizer.model': whole.subarray(0, whole.length - 7) }),
    /^tokenizer\.model cannot be read: it is no SentencePiece model, or cut off; /,
  );
  assert.match(
    said({ 'tokenizer.model': 'YQ== 0\nYg== x\n' }),
    /cannot be read: its line 2 is no token in base64 with its rank; /,
  );
  // model_type 3: words.
  const words = Buffer.concat([whole, Buffer.from([0x12, 2, 0x18, 3])]);
  assert.match(said({ 'tokenizer.model': words }), /its model is one of words or characters; unigram and BPE are read/);
  assert.match(
    said({
      'config.json': '{"model_type":"llama"}',
      'tokenizer.model': whole,
      'tokenizer_config.json': '{"tokenizer_class":"T5Tokenizer"}',
    }),
    /has no tokenizer\.json but tokenizer\.model, which cannot be read alone for a T5Tokenizer; copy the one of the model/,
  );
});

test('ranks become merges in their order, the parts with the lower ranks first', () => {
  const ranks = ['a', 'b', 'ab', 'ba', 'aba', 'abab'].map(
    (token, rank) => `${Buffer.from(token).toString('base64')} ${rank}`,
  );
  const { json } = modelFile(Buffer.from(`${ranks.join('\n')}\n`), false, {});
  const model = json['model'] as { vocab: Record<string, number>; merges: string[][] };
  assert.deepEqual(model.vocab, { a: 0, b: 1, ab: 2, ba: 3, aba: 4, abab: 5 });
  assert.deepEqual(model.merges, [
    ['a', 'b'],
    ['b', 'a'],
    ['a', 'ba'],
    ['ab', 'a'],
    ['ab', 'ab'],
    ['aba', 'b'],
  ]);
});
