import { test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { tinyReviews, writeTinyLlama, writeTinyWorkspace } from './tinyLlama.ts';

const temporary = (run: (folder: string) => void) => {
  const folder = mkdtempSync(join(tmpdir(), 'layerif-tiny-'));
  try {
    run(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
};
const json = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;

test('the same seed gives the same checkpoint, another seed another one', () => {
  temporary((folder) => {
    for (const [name, seed] of [
      ['a', 3],
      ['b', 3],
      ['c', 4],
    ] as const)
      writeTinyLlama(join(folder, name), { layers: 2, seed });
    const bytes = (name: string) => readFileSync(join(folder, name, 'model.safetensors'));
    assert.ok(bytes('a').equals(bytes('b')));
    assert.ok(!bytes('a').equals(bytes('c')));
  });
});

test('the tokenizer gives the ids that transformers gives, BOS first, and takes them back', () => {
  temporary((folder) => {
    writeTinyLlama(folder);
    const tokenizer = new Tokenizer(json(join(folder, 'tokenizer.json')), json(join(folder, 'tokenizer_config.json')));
    const text = 'Review: The film was a delight. é';
    const { ids } = tokenizer.encode(text);
    // transformers 5.23: AutoTokenizer.from_pretrained(folder)(text).input_ids
    assert.deepEqual(
      [...ids],
      [
        0, 84, 103, 120, 107, 103, 121, 60, 34, 86, 258, 277, 107, 110, 111, 270, 263, 289, 103, 110, 107, 105, 106,
        118, 48, 34, 197, 171,
      ],
    );
    assert.equal(tokenizer.decode([...ids], { skip_special_tokens: true }), text);
    assert.ok(Math.max(...ids) < (json(join(folder, 'config.json'))['vocab_size'] as number));
  });
});

test('the head is left out when it is tied, and every tensor lies inside the file', () => {
  temporary((folder) => {
    writeTinyLlama(folder, { tied: true, layers: 1 });
    const file = readFileSync(join(folder, 'model.safetensors'));
    const start = 8 + Number(file.readBigUInt64LE(0));
    const header = JSON.parse(file.subarray(8, start).toString()) as Record<
      string,
      { data_offsets?: [number, number] }
    >;
    assert.ok(!('lm_head.weight' in header));
    const ends = Object.values(header).flatMap((tensor) => (tensor.data_offsets ? [tensor.data_offsets[1]] : []));
    assert.equal(Math.max(...ends) + start, file.length);
  });
});

test('a workspace has as many rows as its slices ask for', () => {
  temporary((folder) => {
    const { experiment } = writeTinyWorkspace(folder, { train: 6 });
    assert.match(readFileSync(experiment, 'utf8'), /training_split: train\[:6\]\n {4}validation_split: train\[6:9\]/);
    assert.equal(readFileSync(join(folder, 'data/reviews.jsonl'), 'utf8').trim().split('\n').length, 9);
    assert.equal(new Set(tinyReviews(9).map(({ sentiment }) => sentiment)).size, 2);
  });
});
