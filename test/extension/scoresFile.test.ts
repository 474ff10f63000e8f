/** Files of scores as the editor reads them: whole, or one sentence that names what is wrong. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isScoresFile, scoresBeside } from '../../extension/src/scoresFile.ts';
import { parseFile } from '../../protocol/files/read.ts';
import { heatTable, layerTable, scoresFile } from '../webview/scoreTables.ts';

test('a file reads back unchanged; one without tables, or with more than this version knows, is read too', () => {
  const file = scoresFile();
  assert.deepEqual(parseFile('scores', JSON.stringify(file)).value, JSON.parse(JSON.stringify(file)));
  assert.deepEqual(parseFile('scores', JSON.stringify(scoresFile([]))).value?.tables, []);
  const newer = { ...file, colour: 1, tables: [{ ...layerTable, question: 'newer', more: [1] }] };
  assert.equal(parseFile('scores', JSON.stringify(newer)).value?.tables.length, 1);
});

test('every fault is one readable sentence', () => {
  const file = scoresFile();
  const table = (change: object) => JSON.stringify({ ...file, tables: [heatTable, { ...layerTable, ...change }] });
  const rows: [string, string][] = [
    ['', 'it is empty'],
    ['{"format": "layerif-', 'it is not JSON, perhaps cut off'],
    ['[]', 'it is no JSON object'],
    ['null', 'it is no JSON object'],
    [
      JSON.stringify({ ...file, format: 'layerif-result' }),
      '(format "layerif-result", version 1): it is a LayerIF result',
    ],
    [JSON.stringify({ ...file, version: 2 }), '(format "layerif-scores", version 2): it is of a newer LayerIF'],
    [JSON.stringify({ ...file, model: null }), 'model is null; it should be an object'],
    [JSON.stringify({ ...file, tables: {} }), 'tables is an object; it should be a list'],
    [JSON.stringify({ ...file, tables: [null] }), 'tables[0] is null; it should be an object'],
    [table({ title: 3 }), 'tables[1].title is 3; it should be a text'],
    [table({ options: [] }), 'tables[1].options is a list; it should be an object'],
    [table({ notes: [1] }), 'tables[1].notes[0] is 1; it should be a text'],
    [table({ axes: [] }), 'tables[1].axes has 0 entries; it should have 1 or more'],
    [table({ axes: [{ name: 'layer' }] }), 'tables[1].axes[0].labels is missing; it should be a list'],
    [
      table({ values: ['1', 2, 3, 4] }),
      'tables[1].values holds something else; it should be a list of numbers and nulls',
    ],
    [table({ values: [1, 2] }), 'tables[1].values has 2 values for 4 places'],
    [table({ parts: { mean: [1] } }), 'tables[1].parts.mean has 1 values for 4 places'],
    [table({ intervals: [null, null, null, [1]] }), 'tables[1].intervals[3] has 1 entries; it should have 2 or more'],
    [table({ p: [1] }), 'tables[1].p has 1 values for 4 places'],
    [table({ reference: { value: [1], words: 'x' } }), 'tables[1].reference.value has 1 values for 4 places'],
    [table({ reference: { value: 1 } }), 'tables[1].reference.words is missing; it should be a text'],
    [table({ marks: [{ at: [4], words: 'x' }] }), 'tables[1].marks[0].at names a place beyond the 4 values'],
    [
      table({ marks: [{ at: [0.5], words: 'x' }] }),
      'tables[1].marks[0].at holds something else; it should be a list of counts',
    ],
  ];
  for (const [text, words] of rows) assert.equal(parseFile('scores', text).fault?.words, words);
});

test('beside a result lies one file of its name', () => {
  assert.equal(scoresBeside('/a/x.layerif-result.json'), '/a/x.layerif-scores.json');
  assert.equal(scoresBeside('/a/x.json'), '/a/x.layerif-scores.json');
  assert.deepEqual(['x.layerif-scores.json', 'x.layerif-result.json'].map(isScoresFile), [true, false]);
});
