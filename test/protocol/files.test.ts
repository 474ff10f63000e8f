/**
 * Our own files, sound and damaged: a schema for every kind, one sentence for every fault, and readers that never meet
 * a raw error.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { AllocationFile } from '../../protocol/allocation.ts';
import { LayerifError } from '../../protocol/errors.ts';
import { fileKinds } from '../../protocol/files/kinds.ts';
import type { FileContents, FileKind } from '../../protocol/files/kinds.ts';
import { faultSentence, parseFile } from '../../protocol/files/read.ts';
import { GRAMS_FILE } from '../../protocol/result.ts';
import { forPage, summarise } from '../../extension/src/resultFile.ts';
import { exportTargets } from '../../server/src/export/targets.ts';
import { analysisReport } from '../../server/src/cli/analysisReport.ts';
import { scoreReport } from '../../server/src/cli/report.ts';
import { scoresReport } from '../../server/src/cli/scoreTables.ts';
import { validationReport } from '../../server/src/cli/validateReport.ts';
import { allocateResult } from '../../server/src/run/decide/allocate.ts';
import { exportResult } from '../../server/src/run/decide/export.ts';
import { newestAllocation, readAllocation } from '../../server/src/run/decide/sparsityMap.ts';
import { readFileOf } from '../../server/src/run/files/readFile.ts';
import { compareRuns } from '../../server/src/run/influence/compare.ts';
import { rescore } from '../../server/src/run/influence/rescore.ts';
import { sweepDamping } from '../../server/src/run/influence/sweepDamping.ts';
import { sampleTexts } from '../../server/src/run/inputs/sampleText.ts';
import { againstUniformWords, mapSeries, metricsOf, qualityChart } from '../../webview/src/model/comparison.ts';
import { defaultLayer, findLayer, layerValues, moduleValues } from '../../webview/src/model/layers.ts';
import { orderSamples, totals } from '../../webview/src/model/ranking.ts';
import { runSettings, settingsWords } from '../../webview/src/model/rescore.ts';
import { csvOf, markdownOf } from '../../webview/src/model/scoreExport.ts';
import { chartOf, columnsOf, directionText, factsOf, tableName } from '../../webview/src/model/scoreTable.ts';
import { verdicts } from '../../webview/src/model/trust.ts';
import { damages } from './damage.ts';

const golden = path.join(import.meta.dirname, '../golden/files');
const kinds = Object.keys(fileKinds) as FileKind[];
/** Of each kind. By hand, 1,500 were tried with other seeds. */
const DAMAGES = 40;
const nameOf = (kind: FileKind) => {
  const { suffix } = fileKinds[kind];
  return suffix.startsWith('.') ? `tiny${suffix}` : suffix;
};
const soundText = (kind: FileKind) => fs.readFileSync(path.join(golden, nameOf(kind)), 'utf8');
const page = { width: 80, colour: false, unicode: true, baseDir: '/workspace' };

/** What the program does with a file of each kind once it is read: reports, pages, and the verbs that take it. */
const readers: { [K in FileKind]: (value: FileContents[K], file: string) => Promise<void> | void } = {
  result: async (result, file) => {
    summarise(result);
    const shown = forPage(result);
    for (const aggregation of ['positive', 'sum'] as const) {
      layerValues(shown, aggregation);
      const layer = defaultLayer(shown, aggregation);
      for (const task of shown.tasks) {
        totals(task);
        const found = layer === null ? null : findLayer(task, layer);
        for (const order of ['total', 'layer', 'file'] as const) orderSamples(task, order, found?.row ?? null);
        if (found) moduleValues(shown, found.layer);
      }
    }
    settingsWords(runSettings(shown));
    scoreReport(result, file, new Map(), page);
    const name = result.tasks[0]?.task ?? '';
    const verbs: (() => Promise<unknown>)[] = [
      () => rescore(file, { estimator: 'fisher' }),
      () => sweepDamping(file, undefined, { factors: [0.1] }),
      () => compareRuns([file], { estimators: ['dot', 'datainf'] }),
      () => sampleTexts(file, name, 'train', [0]),
      () => allocateResult({ resultFile: file, request: { kind: 'experts' } }),
      ...exportTargets.map(
        ({ id }) =>
          () =>
            exportResult({ resultFile: file, to: id, request: {} }),
      ),
    ];
    for (const verb of verbs) await orSentence(verb);
  },
  scores: (scores, file) => {
    for (const table of scores.tables) {
      for (const part of ['', ...Object.keys(table.parts ?? {})]) chartOf(table, part);
      columnsOf(table);
      factsOf(table);
      directionText(table);
      tableName(table, scores.tables);
      csvOf(table);
      markdownOf(table);
    }
    scoresReport(scores, file, page);
  },
  validation: (validation, file) => {
    verdicts(validation.protocols);
    validationReport(validation, file);
  },
  comparison: (comparison) => {
    for (const { id } of metricsOf(comparison)) qualityChart(comparison, id);
    mapSeries(comparison, 0.5);
    for (const { metrics } of comparison.prunings) metrics.forEach(againstUniformWords);
  },
  experts: () => undefined,
  allocation: async (_, file) => {
    await orSentence(() => readAllocation(file, 'sparsity'));
    await orSentence(() => newestAllocation(file, ['experts', 'rank']));
    for (const to of ['mola', 'peft', 'llm-compressor', 'markdown'])
      await orSentence(() => exportResult({ resultFile: file, to, request: {} }));
  },
  evaluation: () => undefined,
  analysis: (analysis) => void analysisReport(analysis, 'a.layerif-analysis.json', 80),
  pruning: () => undefined,
};

/** Runs what may refuse: an error is one of ours, in one line. */
async function orSentence(work: () => unknown): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof LayerifError)) throw error;
    assertSentence(error.message);
  }
}

function assertSentence(message: string): void {
  assert.doesNotMatch(message, /\p{Cc}|TypeError|RangeError|SyntaxError|undefined|\[object |Unexpected token/u);
  assert.ok(message.length < 1000, `${message.length} characters: ${message.slice(0, 200)}`);
}

function workFolder(t: TestContext): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-files-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  fs.copyFileSync(path.join(golden, GRAMS_FILE), path.join(folder, GRAMS_FILE));
  for (const kind of kinds) fs.copyFileSync(path.join(golden, nameOf(kind)), path.join(folder, nameOf(kind)));
  return folder;
}

test('what LayerIF writes follows the schema of its kind, field by field', () => {
  for (const kind of kinds) {
    const value = JSON.parse(soundText(kind)) as unknown;
    const { fault } = parseFile(kind, soundText(kind));
    assert.equal(fault, null, `${kind}: ${fault?.words}`);
    // The schema strips what it does not know: nothing that is written is unknown to it.
    assert.deepEqual(fileKinds[kind].schema.parse(value), value, kind);
  }
});

for (const [at, kind] of kinds.entries())
  test(`damaged at random, a ${fileKinds[kind].name} is read or refused in one sentence`, async (t) => {
    const folder = workFolder(t);
    const file = path.join(folder, nameOf(kind));
    const seen = { read: 0, refused: 0 };
    for (const { what, text } of damages(soundText(kind), DAMAGES, 100 + at)) {
      fs.writeFileSync(file, text);
      let value;
      try {
        value = readFileOf(kind, file);
        seen.read++;
      } catch (error) {
        assert.ok(error instanceof LayerifError, `${what}: ${String((error as Error).stack)}`);
        assertSentence(error.message);
        assert.ok(error.message.includes(file) && /; [a-z]+ /.test(error.message), error.message);
        seen.refused++;
        continue;
      }
      try {
        await (readers[kind] as (value: unknown, file: string) => Promise<void> | void)(value, file);
      } catch (error) {
        assert.fail(`${what}: ${String((error as Error).stack)}`);
      }
    }
    assert.ok(seen.refused > DAMAGES / 2 && seen.read > 0, JSON.stringify(seen));
  });

test('the sentence says what is wrong, where, and what to do', () => {
  const sound = JSON.parse(soundText('result')) as Record<string, unknown>;
  const say = (kind: FileKind, text: string) => faultSentence(kind, 'F', parseFile(kind, text).fault!);
  const rows: [FileKind, string, string][] = [
    ['result', ' \n', 'cannot read the result F: it is empty; write it again with layerif score'],
    [
      'scores',
      '{"a":',
      'cannot read the file of scores F: it is not JSON, perhaps cut off; write it again with layerif score --only scores',
    ],
    ['result', '[1]', 'cannot read the result F: it is no JSON object; write it again with layerif score'],
    [
      'result',
      '['.repeat(1e6),
      'cannot read the result F: it is nested more than 64 levels deep; write it again with layerif score',
    ],
    [
      'validation',
      JSON.stringify(sound),
      'F is not a LayerIF validation of version 1 (format "layerif-result", version 1): it is a LayerIF result; give a file *.layerif-validation.json',
    ],
    [
      'result',
      JSON.stringify({ ...sound, version: 2 }),
      'F is not a LayerIF result of version 1 (format "layerif-result", version 2): it is of a newer LayerIF; update this one',
    ],
    [
      'result',
      JSON.stringify({ format: 'x'.repeat(3e6) }),
      `F is not a LayerIF result of version 1 (format "${'x'.repeat(39)}...", version missing); give a file *.layerif-result.json`,
    ],
    [
      'result',
      JSON.stringify({ ...sound, model: { ...(sound.model as object), layers: 2.5 } }),
      'the result F is damaged: model.layers is 2.5; it should be a whole number; restore it or run layerif score again',
    ],
    [
      'allocation',
      JSON.stringify({
        ...(JSON.parse(soundText('allocation')) as AllocationFile),
        allocations: { '<b>\n': [] },
      }),
      'the allocation F is damaged: allocations["<b>\\n"] is a list; it should be an object; restore it or run layerif allocate again',
    ],
  ];
  for (const [kind, text, sentence] of rows) assert.equal(say(kind, text), sentence);
});

test('lists that belong together have one length', () => {
  const changes: [(result: FileContents['result']) => unknown, string][] = [
    [({ tasks }) => tasks[0].train.rows.pop(), 'tasks[0].train.rows has 9 entries for 10 samples'],
    [({ tasks }) => tasks[0].influence.pop(), 'tasks[0].influence has 2 rows for 3 layers'],
    [({ tasks }) => tasks[1].influence[2].pop(), 'tasks[1].influence[2] has 9 entries for 10 training samples'],
    [({ tasks }) => tasks[1].damping.pop(), 'tasks[1].damping has 2 rows for 3 layers'],
    [
      ({ tasks }) => tasks[0].validation.gradientSquaredNorm[0].pop(),
      'tasks[0].validation.gradientSquaredNorm[0] has 4 entries for 5 samples',
    ],
    [({ tasks }) => (tasks[0].task = 'other'), 'tasks[0].task is none of the tasks in experiment.tasks'],
    [
      ({ experiment }) => delete experiment.datasets.capitals,
      'experiment.tasks[1].dataset is none of experiment.datasets',
    ],
  ];
  for (const [change, words] of changes) {
    const result = JSON.parse(soundText('result')) as FileContents['result'];
    change(result);
    assert.deepEqual(parseFile('result', JSON.stringify(result)).fault, { kind: 'damaged', words });
  }
});
