/**
 * A score that nobody knew before is one file and one row: with a temporary file and its row in the table it is in the
 * schema, in completion and hover, in the list and the reference page, is measured on a model, and has its report in
 * the terminal, its chart, its place beside the others, its exports and its comparison, without a line about it
 * anywhere else.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { MarkupContent } from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { parseFile } from '../../protocol/files/read.ts';
import { scores } from '../../server/src/scores/scores.ts';
import type { Score } from '../../server/src/scores/types.ts';
import { chartOf, columnsOf, directionText, factsOf } from '../../webview/src/model/scoreTable.ts';
import { ranksOf, scoreLines } from '../../webview/src/model/scoreOverview.ts';
import { csvOf } from '../../webview/src/model/scoreExport.ts';

/** As in `server/src/scores/`, but for where its imports lie. */
const source = `
import { defineScore, total } from ${JSON.stringify(new URL('../../server/src/scores/types.ts', import.meta.url).href)};

/** Sum of the eigenvalues of all matrices of a layer, times a factor: the squared Frobenius norm. */
export const brightness = defineScore({
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
`;
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-new-score-'));
after(() => fs.rmSync(folder, { recursive: true }));
fs.writeFileSync(path.join(folder, 'brightness.ts'), source);
const { brightness } = (await import(pathToFileURL(path.join(folder, 'brightness.ts')).href)) as { brightness: Score };
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
const { exportScores } = await import('../../server/src/run/decide/exportScores.ts');
const { allocateResult } = await import('../../server/src/run/decide/allocate.ts');
const { compareScores } = await import('../../server/src/run/influence/compareScores.ts');
const { scoresComparisonReport } = await import('../../server/src/cli/compareScoresReport.ts');

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
    const whole = { ...open, lastRaw: parsed.raw };
    const typed = { document, baseDir: open.baseDir, rawBeside: () => parsed.raw, parsed: whole };
    return { open: whole, typed, end: document.positionAt(text.length + last.length) };
  };
  const word = opened('scores:\n  - bright');
  assert.ok((await completionAt(word.typed, word.end)).some(({ label }) => label === 'brightness'));
  const option = opened('scores:\n  - brightness:\n      ');
  assert.deepEqual(
    (await completionAt(option.typed, option.end)).map(({ label }) => label),
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

test('beside other scores: the terminal, exports, comparison and allocation', async (t) => {
  const { experiment } = tinyWorkspace(t);
  const list = 'scores: [brightness, magnitude, { brightness: { gain: 3 } }]\n';
  fs.writeFileSync(experiment, fs.readFileSync(experiment, 'utf8').replace(/score:\n[\s\S]*/, list));
  const { scores: file, scoresFile } = await runExperiment({ file: experiment, machine, engine });
  const [own, other] = file!.tables;
  const values = own.values as number[];

  // In the terminal each layer has its value, its reference and a bar as long as its share of the highest.
  const report = scoresReport(file!, scoresFile!, { width: 100, colour: false } as never).split('\n');
  const head = report.findIndex((line) => /^layer\s+score\s+reference/.test(line));
  const bars = values.map((_, layer) => /[█▏▎▍▌▋▊▉]+/.exec(report[head + 1 + layer])?.[0].length ?? 0);
  const longest = Math.max(...bars);
  values.forEach((value, layer) => {
    assert.match(report[head + 1 + layer], new RegExp(`^\\s*${layer}\\s+[\\d.,]+\\s+2`));
    assert.ok(Math.abs(bars[layer] - (longest * value) / Math.max(...values)) <= 1, `bar of layer ${layer}`);
  });

  const exported = (to: string) => exportScores({ scoresFile: scoresFile!, to, by: 'brightness' });
  const lines = (exported('csv').content as string).split('\r\n');
  // Of two tables of one score the newest.
  assert.deepEqual(
    lines.slice(1, 1 + values.length).map((line) => Number(line.split(',')[1])),
    file!.tables[2].values,
  );
  assert.match(path.basename(exported('csv').file), /\.brightness\.csv$/);
  const markdown = exported('markdown').content as string;
  assert.match(markdown, /## Brightness of a layer \(lux\)[\s\S]*this test[\s\S]*gain/);
  const bytes = exported('npy').content as Uint8Array;
  assert.deepEqual([...new Float64Array(bytes.slice(-8 * values.length).buffer)], file!.tables[2].values);

  const compared = await compareScores([scoresFile!], { by: ['brightness', 'magnitude'] });
  const labels = compared.series.map(({ label }) => label);
  assert.ok(labels.some((label) => label.startsWith('brightness')) && labels.includes('magnitude'), labels.join());
  const text = scoresComparisonReport(compared);
  assert.match(text, /brightness/);
  assert.ok(compared.pairs.every(({ spearman }) => spearman.value !== null));

  const lined = scoreLines(file!.tables, values.length);
  assert.deepEqual(
    lined.map(({ name, ranks }) => [name, ranks]),
    [
      ['Brightness of a layer, gain 1', ranksOf(values, false)],
      ['Brightness of a layer, gain 3', ranksOf(values, false)],
      [other.title, ranksOf(other.values, other.higherMeans === 'remove')],
    ],
  );

  // It says so where its direction does not fit.
  const request = { kind: 'sparsity', by: 'brightness', ratio: 0.5, epsilon: 0.1 } as const;
  await assert.rejects(
    allocateResult({ resultFile: scoresFile!, request }),
    /^LayerifError: Brightness of a layer says of no layer that it matters more: nothing can be shared out by it$/,
  );
});
