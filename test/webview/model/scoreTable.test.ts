/** What the tab Scores draws and says of a table, and its two exports. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ScoredRows, ScoreTable } from '../../../protocol/scores.ts';
import { csvOf, markdownOf } from '../../../webview/src/model/scoreExport.ts';
import {
  chartOf,
  columnsOf,
  directionText,
  factsOf,
  orderOf,
  placeText,
  tableName,
} from '../../../webview/src/model/scoreTable.ts';
import { heatTable, layerTable } from '../scoreTables.ts';

test('one axis: bars with intervals, a reference for each place as a line, marks as places, gaps where undefined', () => {
  const chart = chartOf(layerTable);
  assert.ok(chart.kind === 'series');
  assert.deepEqual(chart.slots, ['0', '1', '2', '3']);
  assert.equal(chart.axis, 'Layer');
  const [bars, line] = chart.series;
  assert.deepEqual([bars.mark, bars.values, bars.intervals], ['bars', [2, null, -1, 12345.678], layerTable.intervals]);
  assert.deepEqual([line.name, line.mark, line.values], ['reference: by chance', 'lines', [1, 1, 1, null]]);
  assert.deepEqual([chart.reference, chart.marked, chart.undefinedAt], [undefined, [0, 2], [1]]);
  const one = chartOf({ ...layerTable, reference: { value: 0.5, words: 'half' } });
  assert.ok(one.kind === 'series');
  assert.deepEqual([one.reference, one.series.length], [0.5, 1]);
  // A part has no interval, reference or mark of its own.
  const part = chartOf(layerTable, 'mean');
  assert.ok(part.kind === 'series');
  assert.deepEqual(
    [part.series.length, part.series[0].intervals, part.marked, part.series[0].values],
    [1, undefined, [], [1, 2, 3, 4]],
  );
});

test('two axes: a heat map, row by row; more: rows alone', () => {
  const chart = chartOf(heatTable);
  assert.ok(chart.kind === 'heat');
  assert.deepEqual([chart.rows, chart.columns, chart.limit], [['0', '1'], ['a', 'b', 'c'], 4]);
  assert.equal(placeText(heatTable, 5), 'layer 1, token c');
  const zero = chartOf({ ...heatTable, values: [0, 0, 0, 0, 0, null] });
  assert.equal(zero.kind === 'heat' && zero.limit, 1);
  const axes = [...heatTable.axes, { name: 'head', labels: [0] }];
  assert.equal(chartOf({ ...heatTable, axes }).kind, 'rows');
});

test('question, direction, source, status, options and texts are always said', () => {
  assert.equal(directionText(layerTable), 'which blocks can go: a high value speaks for removing the layer');
  assert.match(directionText({ ...layerTable, higherMeans: 'keep', subject: 'layer_pair' }), /keeping the layer pair$/);
  assert.match(directionText({ ...layerTable, higherMeans: null }), /neither for keeping nor for removing$/);
  assert.match(directionText({ ...layerTable, question: 'a_newer_one' as never }), /^a_newer_one: /);
  assert.deepEqual(factsOf(layerTable), [
    ['Formula', 'a | b'],
    ['Source', 'Nobody 2026; our formula, not a published one'],
    ['Options', 'epsilon 0.1, way peak'],
    ['Texts', 'train[:2] of x: 2 texts'],
    ['Intervals', 'on other texts of the same kind, at 90 %'],
    ['Reference', 'by chance'],
  ]);
  const bare = factsOf(heatTable);
  assert.deepEqual(bare.slice(1), [
    ['Source', 'Nobody 2026'],
    ['Options', 'none'],
    ['Texts', 'none: weights alone'],
  ]);
});

test('sorting by any column: undefined last either way, ties in the order of the table', () => {
  assert.deepEqual(orderOf(layerTable, null), [0, 1, 2, 3]);
  assert.deepEqual(orderOf(layerTable, { column: 'score', descending: true }), [3, 0, 2, 1]);
  assert.deepEqual(orderOf(layerTable, { column: 'score', descending: false }), [2, 0, 3, 1]);
  assert.deepEqual(orderOf(layerTable, { column: 'layer', descending: true }), [3, 2, 1, 0]);
  assert.deepEqual(orderOf(layerTable, { column: 'reference', descending: true }), [0, 1, 2, 3]);
  assert.deepEqual(orderOf(layerTable, { column: 'gone', descending: true }), [0, 1, 2, 3]);
});

test('two tables of one score are told apart by options, and by texts where these differ', () => {
  const other: ScoreTable = { ...layerTable, options: { epsilon: 0.2 } };
  assert.equal(tableName(layerTable, [layerTable, heatTable]), 'Test score');
  assert.equal(tableName(other, [layerTable, other]), 'Test score, epsilon 0.2');
  assert.match(tableName({ ...layerTable, texts: 'y' }, [layerTable, { ...layerTable, texts: 'y' }]), /peak, y$/);
});

test('CSV keeps all digits and quotes what needs it; Markdown says what the numbers are', () => {
  assert.equal(
    csvOf(layerTable),
    [
      'layer,score,low,high,reference,mean,"var, ""all""",marked',
      '0,2,1.5,2.5,1,1,0.1,"low, watch it"',
      '1,,,,1,2,,',
      '2,-1,-2,0,1,3,0.3,"low, watch it"',
      '3,12345.678,12000,13000,,4,0.4,',
      '',
    ].join('\r\n'),
  );
  const markdown = markdownOf(layerTable).split('\n');
  assert.equal(markdown[0], '## Test score (nats)');
  assert.ok(markdown.includes('- Formula: a | b'));
  assert.ok(markdown.includes('| 3 | 12,346 | 12,000 | 13,000 | \u2013 | 4.00 | 0.400 |  |'));
  assert.ok(markdown.includes('| 1 | \u2013 | \u2013 | \u2013 | 1.00 | 2.00 | \u2013 |  |'));
  assert.ok(markdown.includes('Note: layer 1: no token is left'));
  assert.equal(
    columnsOf(heatTable)
      .map(({ name }) => name)
      .join(),
    'layer,token,score,marked',
  );
  assert.equal(csvOf(heatTable).split('\r\n')[6], '1,c,,');
});

test('rows of a dataset: no picture, where each of them stands, and what their marks say', () => {
  const rows: ScoredRows = {
    ...{ dataset: 'x', split: 'train', task: 'a', sha256: {}, tokenizer: null },
    files: ['data/x.jsonl', 'data/y.parquet'],
    file: [0, 0, 1, 1],
    row: [0, 1, 0, 1],
    line: [1, 2, null, null],
  };
  const table: ScoreTable = { ...layerTable, subject: 'sample', axes: [{ name: 'row', labels: [0, 1, 2, 3] }], rows };
  assert.deepEqual(chartOf(table), { kind: 'rows' });
  const of = (name: string) => columnsOf(table).find((column) => column.name === name)?.cells;
  assert.deepEqual(of('file'), ['data/x.jsonl', 'data/x.jsonl', 'data/y.parquet', 'data/y.parquet']);
  assert.deepEqual([of('row in file'), of('line')], [rows.row, rows.line]);
  assert.deepEqual(of('marked'), ['low, watch it', '', 'low, watch it', '']);
  assert.match(csvOf(table), /^row,file,row in file,line,score,/);
});
