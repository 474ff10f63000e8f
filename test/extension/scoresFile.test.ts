/** Files of scores as the editor reads them: whole, or one sentence that names what is wrong. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isScoresFile, parseScores, scoresBeside } from '../../extension/src/scoresFile.ts';
import { heatTable, layerTable, scoresFile } from '../webview/scoreTables.ts';

test('a file reads back unchanged; one without tables, or with more than this version knows, is read too', () => {
  const file = scoresFile();
  assert.deepEqual(parseScores(JSON.stringify(file)), JSON.parse(JSON.stringify(file)));
  assert.deepEqual(parseScores(JSON.stringify(scoresFile([]))).tables, []);
  const newer = { ...file, colour: 1, tables: [{ ...layerTable, question: 'newer', more: [1] }] };
  assert.equal(parseScores(JSON.stringify(newer)).tables.length, 1);
});

test('every fault is one readable sentence', () => {
  const file = scoresFile();
  const table = (change: object) => JSON.stringify({ ...file, tables: [heatTable, { ...layerTable, ...change }] });
  const rows: [string, RegExp][] = [
    ['', /scores file is empty/],
    ['{"format": "layerif-', /not valid JSON/],
    ['[]', /holds no LayerIF scores/],
    ['null', /holds no LayerIF scores/],
    [JSON.stringify({ ...file, format: 'layerif-result' }), /"format" must be "layerif-scores"/],
    [JSON.stringify({ ...file, version: 2 }), /version 2; this LayerIF reads version 1/],
    [JSON.stringify({ ...file, model: null }), /"model" is missing/],
    [JSON.stringify({ ...file, tables: {} }), /"tables" is missing/],
    [JSON.stringify({ ...file, tables: [null] }), /"tables\[0\]" is no table/],
    [table({ title: 3 }), /"tables\[1\]" has no "title"/],
    [table({ options: [] }), /has no "options"/],
    [table({ notes: [1] }), /has no "notes"/],
    [table({ axes: [] }), /has no "axes"/],
    [table({ axes: [{ name: 'layer' }] }), /has no "axes"/],
    [table({ values: ['1', 2, 3, 4] }), /has no "values"/],
    [table({ values: [1, 2] }), /has 2 values for 4 places/],
    [table({ parts: { mean: [1] } }), /"parts" do not fit/],
    [table({ intervals: [null, null, null, [1]] }), /"intervals" do not fit/],
    [table({ p: [1] }), /"p" does not fit/],
    [table({ reference: { value: [1], words: 'x' } }), /"reference" does not fit/],
    [table({ reference: { value: 1 } }), /"reference" does not fit/],
    [table({ marks: [{ at: [4], words: 'x' }] }), /"marks" do not fit/],
    [table({ marks: [{ at: [0.5], words: 'x' }] }), /"marks" do not fit/],
  ];
  for (const [text, why] of rows)
    assert.throws(
      () => parseScores(text),
      (error: Error) => why.test(error.message) && !error.message.includes('\n'),
      `${why}`,
    );
});

test('beside a result lies one file of its name', () => {
  assert.equal(scoresBeside('/a/x.layerif-result.json'), '/a/x.layerif-scores.json');
  assert.equal(scoresBeside('/a/x.json'), '/a/x.layerif-scores.json');
  assert.deepEqual(['x.layerif-scores.json', 'x.layerif-result.json'].map(isScoresFile), [true, false]);
});
