/** Tables of scores as CSV, Markdown, .npy and lists of modules. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ScoreTable } from '../../protocol/scores.ts';
import { scoreTargets } from '../../server/src/export/scoreTables.ts';

const table: ScoreTable = {
  score: 'ila',
  version: 1,
  title: 'Masks',
  unit: '',
  source: 'a paper',
  formula: 's',
  status: 'ours',
  question: 'place_adapters',
  subject: 'layer',
  higherMeans: 'keep',
  options: { steps: 4 },
  texts: 'two texts',
  axes: [{ name: 'layer', labels: [0, 1] }],
  values: [2.5, null],
  parts: { 'self_attn.q_proj': [4, null], 'mlp.up_proj': [1, 3], gamma: [0.9, null] },
  intervals: [[2, 3], null],
  level: 0.9,
  reference: { value: [1, 2], words: 'by chance' },
  marks: [{ at: [0], words: 'tune | these' }],
  notes: ['layer 1: undefined'],
  needs: ['key'],
};

const make = (id: string, of: ScoreTable = table) =>
  scoreTargets.find((target) => target.id === id)!.make([of], () => null);

test('CSV: place, value, interval, reference and parts; undefined is empty', () => {
  assert.equal(
    make('csv'),
    'layer,ila,low,high,reference,self_attn.q_proj,mlp.up_proj,gamma\r\n0,2.5,2,3,1,4,1,0.9\r\n1,,,,2,,3,\r\n',
  );
});

test('Markdown: what the score is, options, marks, numbers and notes', () => {
  const text = make('markdown') as string;
  assert.match(
    text,
    /^## Masks\n\nwhere adapters help; a high value speaks for keeping it\.\n\n- Source: a paper; our formula/,
  );
  assert.match(text, /\n- steps: 4\n- Reference: by chance\n- low, high: on other texts of the same kind, at 90 %\n/);
  assert.match(text, /\n\| 1 \| - \| - \| - \| 2 \| - \| 3 \| - \|\n\nNote: layer 1: undefined\n$/);
});

test('.npy: the shape of the axes, NaN where undefined', () => {
  const pairs = {
    ...table,
    axes: [table.axes[0], { name: 'to', labels: ['a', 'b', 'c'] }],
    values: [1, 2, 3, 4, 5, null],
  };
  const bytes = make('npy', pairs) as Uint8Array;
  const header = Buffer.from(bytes).toString('latin1', 10, 128);
  assert.match(header, /'shape': \(2, 3\)/);
  assert.equal((bytes.length - 48) % 64, 0);
  const numbers = new Float64Array(bytes.slice(-48).buffer);
  assert.deepEqual([...numbers], [1, 2, 3, 4, 5, NaN]);
});

test('lists: a quarter of the changed modules, at least one, from the top or the bottom', () => {
  assert.equal(make('tune-list'), 'layers.0.self_attn.q_proj\n');
  assert.equal(make('freeze-list'), 'layers.0.mlp.up_proj\n');
});

test('no bits: what to do', () => {
  assert.throws(() => make('claimed-mask'), /observations beside the scores are gone: score again with/);
  const target = scoreTargets.find(({ id }) => id === 'claimed-mask')!;
  assert.throws(() => target.make([table], () => ({})), /the claimed weights were not kept: score with/);
});
