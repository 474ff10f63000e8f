/** How many token ids a graph has embeddings for: from its table, through casts; null where nothing tells. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { embeddingRows } from '../../server/src/graphs/embedding.ts';
import { decodeModel, type DecodedModel, type DecodedNode } from '../../server/src/onnx/decode.ts';
import { folder } from './reference.ts';

const node = (op: string, inputs: string[], output: string): DecodedNode => ({
  name: output,
  op,
  inputs,
  outputs: [output],
  attributes: {},
  metadata: {},
});

function graph(nodes: DecodedNode[], tables: Record<string, number[]>): DecodedModel {
  return {
    irVersion: 9,
    producer: '',
    opsets: { '': 17 },
    functions: [],
    name: 'g',
    inputs: [{ name: 'input_ids', type: 'int64', shape: ['batch', 'sequence'] }],
    outputs: [],
    values: [],
    initializers: Object.entries(tables).map(([name, shape]) => ({ name, type: 'float32', shape })),
    sparse: [],
    nodes,
  } as unknown as DecodedModel;
}

test('graphs of both exporters: the 61 rows that make.py gives the models, a classifier too', () => {
  for (const model of ['llama', 'gpt2', 'bert'])
    for (const exporter of ['dynamo', 'torchscript']) {
      const bytes = fs.readFileSync(path.join(folder, `${model}-${exporter}.onnx`));
      assert.equal(embeddingRows(decodeModel(bytes)), 61, `${model}-${exporter}`);
    }
});

test('ids through Cast and Identity; the smaller of two tables; positions and other lookups do not count', () => {
  const through = [
    node('Cast', ['input_ids'], 'a'),
    node('Identity', ['a'], 'b'),
    node('Gather', ['words', 'b'], 'x'),
    node('Gather', ['places', 'position_ids'], 'y'),
  ];
  assert.equal(embeddingRows(graph(through, { words: [40, 8], places: [5, 8] })), 40);
  const two = [...through, node('Gather', ['other', 'input_ids'], 'z')];
  assert.equal(embeddingRows(graph(two, { words: [40, 8], places: [5, 8], other: [30, 8] })), 30);
  assert.equal(embeddingRows(graph([node('Gather', ['words', 'input_ids'], 'x')], { words: [40] })), null);
  assert.equal(embeddingRows(graph([node('OneHot', ['input_ids', 'n'], 'x')], { words: [40, 8] })), null);
});
