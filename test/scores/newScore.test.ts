/**
 * A score that nobody knew before is one row: with a temporary row in the table it is in the schema, in completion and
 * hover, in the list and the reference page, is measured on a model, and has its report, its chart and its file,
 * without a line about it anywhere else.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { MarkupContent } from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { parseFile } from '../../protocol/files/read.ts';
import { scores } from '../../server/src/scores/scores.ts';
import { defineScore, total } from '../../server/src/scores/types.ts';
import type { Score } from '../../server/src/scores/types.ts';
import { chartOf, columnsOf, directionText, factsOf } from '../../webview/src/model/scoreTable.ts';
import { csvOf } from '../../webview/src/model/scoreExport.ts';

/** Sum of the eigenvalues of all matrices of a layer, times a factor: the squared Frobenius norm. */
const brightness = defineScore({
  id: 'brightness',
  version: 1,
  title: 'Brightness of a layer',
  question: 'explain',
  subject: 'layer',
  unit: 'lux',
  higherMeans: null,
  formula: 'gain * sum of the eigenvalues of W W^T',
  source: 'this test',
  status: 'ours',
  options: { gain: { type: 'number', default: 1, above: 0, words: 'Factor.' } },
  needs: () => ({ spectra: { of: 'weight_spectra', options: {} } }),
  score: ({ spectra }, { gain }, { model }) => {
    const parts = Object.values(spectra).map(({ shape, data }) =>
      Array.from({ length: model.layers }, (_, layer) => {
        const width = data.length / shape[0];
        return gain * total(data.subarray(layer * width, (layer + 1) * width));
      }),
    );
    const values = Array.from({ length: model.layers }, (_, layer) => total(parts.map((part) => part[layer])));
    return {
      values,
      reference: { value: 2, words: 'a dim layer' },
      marks: [{ at: [1], words: 'the middle' }],
      notes: [],
    };
  },
});
// Before the schema and the lists are made from the table.
(scores as Score[]).push(brightness);
const { engine, machine, tinyWorkspace } = await import('../run/workspace.ts');
const { experimentJsonSchemaText } = await import('../../server/src/config/jsonSchema.ts');
const { parseExperiment } = await import('../../server/src/config/experiment.ts');
const { completionAt } = await import('../../server/src/lsp/completion.ts');
const { hoverAt } = await import('../../server/src/lsp/hover.ts');
const { listOf } = await import('../../server/src/run/inputs/lists.ts');
const { generatedParts } = await import('../../server/src/cli/documents.ts');
const { scoresReport } = await import('../../server/src/cli/scoreTables.ts');
const { runExperiment } = await import('../../server/src/run/influence/runExperiment.ts');

test('a row alone: schema, completion, hover, list, reference page', async (t) => {
  const schema = experimentJsonSchemaText();
  assert.match(schema, /Brightness of a layer: gain \* sum of the eigenvalues/);
  assert.match(schema, /Factor\. Default 1; a number above 0\./);
  assert.match(
    listOf('scores').find(({ id }) => id === 'brightness')!.title,
    /^what the layers do: Brightness of a layer/,
  );
  assert.match(
    generatedParts().scores,
    /\| `brightness` \| what the layers do: Brightness of a layer: .* \| this test \|/,
  );

  const { experiment } = tinyWorkspace(t);
  const text = fs.readFileSync(experiment, 'utf8').replace(/score:\n[\s\S]*/, '');
  const opened = (last: string) => {
    const document = TextDocument.create(pathToFileURL(experiment).href, 'yaml', 1, `${text}${last}`);
    const parsed = parseExperiment(document.getText(), experiment);
    const open = { ...parsed, uri: document.uri, file: experiment, baseDir: path.dirname(experiment), document };
    return { open: { ...open, lastRaw: parsed.raw }, end: document.positionAt(text.length + last.length) };
  };
  const word = opened('scores:\n  - bright');
  assert.ok((await completionAt(word.open, word.end)).some(({ label }) => label === 'brightness'));
  const option = opened('scores:\n  - brightness:\n      ');
  assert.deepEqual(
    (await completionAt(option.open as never, option.end)).map(({ label }) => label),
    ['gain', 'texts', 'task'],
  );
  const named = opened('scores: [brightness]');
  const hover = await hoverAt(named.open, { line: named.end.line, character: named.end.character - 3 });
  assert.match(
    (hover!.contents as MarkupContent).value,
    /\*\*brightness\*\*: what the layers do: Brightness of a layer/,
  );
  const bad = parseExperiment(`${text}scores: [{ brightness: { gain: 0 } }]`, experiment);
  assert.deepEqual(
    bad.problems.map(({ message }) => message),
    ['scores[0].brightness.gain is 0: expected a number above 0'],
  );
});

test('measured on a model: table, report, file, chart, rows and CSV', async (t) => {
  const { experiment } = tinyWorkspace(t);
  const text = fs
    .readFileSync(experiment, 'utf8')
    .replace(/score:\n[\s\S]*/, 'scores: [{ brightness: { gain: 2 } }, brightness]\n');
  fs.writeFileSync(experiment, text);
  const { scores: file, scoresFile } = await runExperiment({ file: experiment, machine, engine });
  const [twice, once] = file!.tables;
  assert.deepEqual([twice.options, once.options], [{ gain: 2 }, { gain: 1 }]);
  once.values.forEach((value, at) => assert.ok(Math.abs(twice.values[at]! - 2 * value!) < 1e-9 * value!));
  assert.match(
    scoresReport(file!, scoresFile!, { width: 100, colour: false } as never),
    /Brightness of a layer \(lux\), .*what the layers do[\s\S]*our formula[\s\S]*gain 2[\s\S]*the middle: 1/,
  );

  const [read] = parseFile('scores', fs.readFileSync(scoresFile!, 'utf8')).value!.tables;
  const chart = chartOf(read);
  assert.ok(chart.kind === 'series');
  assert.deepEqual([chart.series[0].values, chart.reference, chart.marked], [twice.values, 2, [1]]);
  assert.match(directionText(read), /^what the layers do: a high value speaks neither/);
  assert.deepEqual(Object.fromEntries(factsOf(read)).Options, 'gain 2');
  assert.deepEqual(
    columnsOf(read).map(({ name }) => name),
    ['layer', 'score', 'reference', 'marked'],
  );
  assert.equal(csvOf(read).split('\r\n')[2], `1,${twice.values[1]},2,the middle`);
});
