/**
 * Verbs that take layer scores by id, from files of scores without a result: comparison, allocation, pruning, export.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { ScoresFile } from '../../protocol/scores.ts';
import { scoresComparisonReport } from '../../server/src/cli/compareScoresReport.ts';
import { allocateResult } from '../../server/src/run/decide/allocate.ts';
import { exportResult } from '../../server/src/run/decide/export.ts';
import { exportScores } from '../../server/src/run/decide/exportScores.ts';
import { compareScores } from '../../server/src/run/influence/compareScores.ts';
import { runExperiment } from '../../server/src/run/influence/runExperiment.ts';
import { pruneExperiment } from '../../server/src/run/prune/prune.ts';
import { spearman } from '../../server/src/statistics/rankCorrelation.ts';
import { jaccardOfTop } from '../../server/src/statistics/jaccard.ts';
import { machine, tinyWorkspace } from './workspace.ts';

async function scored(t: Parameters<typeof tinyWorkspace>[0], list: string) {
  const workspace = tinyWorkspace(t);
  const text = fs.readFileSync(workspace.experiment, 'utf8').replace(/score:\n[\s\S]*/, `scores: [${list}]\n`);
  fs.writeFileSync(workspace.experiment, text);
  const { scores, scoresFile } = await runExperiment({ file: workspace.experiment, machine });
  const values = (id: string) => scores!.tables.find(({ score }) => score === id)!.values as number[];
  return { ...workspace, scores: scores!, scoresFile: scoresFile!, values };
}

/** A table of a score that nobody knows, with values and intervals of our own. */
function table(score: string, values: (number | null)[], more: object = {}): ScoresFile['tables'][number] {
  return {
    score,
    version: 1,
    title: score,
    unit: '',
    source: 'this test',
    formula: '',
    status: 'ours',
    question: 'explain',
    subject: 'layer',
    higherMeans: 'keep',
    options: {},
    texts: null,
    axes: [{ name: 'layer', labels: values.map((_, layer) => layer) }],
    values,
    notes: [],
    needs: [],
    ...more,
  };
}

function written(t: Parameters<typeof tinyWorkspace>[0], name: string, tables: ScoresFile['tables']): string {
  const { folder } = tinyWorkspace(t);
  const file = path.join(folder, `${name}.layerif-scores.json`);
  const content: ScoresFile = {
    format: 'layerif-scores',
    version: 1,
    status: 'complete',
    experimentFile: path.join(folder, 'gone.layerif.yaml'),
    model: { name: 'm', family: 'llama', layers: tables[0].values.length, sha256: '' },
    tables,
    provenance: {
      layerif: '',
      onnxruntime: '',
      device: 'cpu',
      threads: 1,
      date: '',
      seconds: {},
      dataSha256: {},
      seed: 0,
      peakMemoryBytes: 0,
    },
  };
  fs.writeFileSync(file, JSON.stringify(content));
  return file;
}

test('tables of one run: texts of the same set are drawn together, directions are turned', async (t) => {
  const { scoresFile, values } = await scored(t, 'layer_drop, block_influence, alpha_hill, angular_distance');
  const compared = await compareScores([scoresFile]);
  assert.deepEqual(
    compared.series.map(({ label, scatter, turned }) => [label, scatter, turned]),
    [
      ['layer_drop', 'texts', false],
      ['block_influence', 'texts', false],
      ['angular_distance', 'texts', false],
      ['alpha_hill', null, true],
    ],
  );
  const pair = compared.pairs.find(({ a, b }) => a === 0 && b === 3)!;
  assert.equal(
    pair.spearman.value,
    spearman(
      values('layer_drop'),
      values('alpha_hill').map((value) => -value),
    ),
  );
  const [low, high] = compared.pairs[0].spearman.interval!;
  assert.ok(low <= compared.pairs[0].spearman.value! && compared.pairs[0].spearman.value! <= high);
  assert.equal(pair.moved, null, 'weights alone have no scatter');
  assert.match(scoresComparisonReport(compared), /Jaccard of the highest 1 of 3 layers; by chance 0\.33/);
  const same = await compareScores([scoresFile, scoresFile], { by: ['layer_drop'] });
  assert.deepEqual(
    [same.pairs[0].spearman.value, same.pairs[0].spearman.interval, same.pairs[0].sets[0].jaccard, same.pairs[0].moved],
    [1, [1, 1], 1, []],
  );
  await assert.rejects(
    compareScores([scoresFile], { by: ['layer_drop'] }),
    /nothing to compare: 1 of the score tables/,
  );
  await assert.rejects(
    compareScores([scoresFile, scoresFile], { by: ['nothing'] }),
    /has no score nothing with a value for each layer; it has layer_drop, block_influence, angular_distance, alpha_hill/,
  );
});

test('a score that this version does not know: ranks that moved beyond their intervals', async (t) => {
  const narrow = (values: number[]) => values.map((value): [number, number] => [value - 0.01, value + 0.01]);
  const [a, b] = [
    [4, 3, 2, 1, 0],
    [0, 3, 2, 1, 4],
  ];
  const files = [
    written(t, 'a', [table('unheard', a, { intervals: narrow(a), level: 0.9 })]),
    written(t, 'b', [table('unheard', b, { intervals: narrow(b), level: 0.9 })]),
  ];
  const { pairs, series } = await compareScores(files);
  assert.deepEqual(
    pairs[0].moved!.map(({ layer, ranks }) => [layer, ranks]),
    [
      [0, [1, 5]],
      [4, [5, 1]],
    ],
  );
  assert.equal(pairs[0].spearman.value, spearman(a, b));
  assert.deepEqual(
    series.map(({ scatter }) => scatter),
    ['intervals', 'intervals'],
  );
  const wide = a.map((value): [number, number] => [value - 9, value + 9]);
  files[1] = written(t, 'b', [table('unheard', b, { intervals: wide, level: 0.9 })]);
  assert.deepEqual((await compareScores(files)).pairs[0].moved, []);
  const short = written(t, 'c', [table('unheard', [1, 2, 3])]);
  await assert.rejects(
    compareScores([files[0], short]),
    /cannot be compared one by one: .* has 5, .* has 3; .*--by-depth/,
  );
  assert.equal((await compareScores([files[0], short], { byDepth: true })).layers, 3);
});

test('masks of two adapters: Jaccard of modules beside chance, at what is kept and what is tuned', async (t) => {
  const parts = (order: number[]) => ({
    'self_attn.q_proj': order.slice(0, 4),
    'mlp.up_proj': order.slice(4),
    gamma: [1, 1, 1, 1],
  });
  const a = [8, 7, 6, 5, 4, 3, 2, 1];
  const b = [8, 7, 1, 2, 6, 5, 4, 3];
  const file = (name: string, order: number[]) =>
    written(t, name, [table('ila', [1, 2, 3, 4], { parts: parts(order) })]);
  const [{ sets }] = (await compareScores([file('a', a), file('b', b)])).pairs;
  assert.deepEqual(
    sets.map(({ of, count, total, shared }) => [of, count, total, shared]),
    [
      ['modules', 6, 8, 4],
      ['modules', 2, 8, 2],
      ['layers', 1, 4, 1],
    ],
  );
  assert.deepEqual([sets[0].jaccard, sets[1].jaccard], [4 / 8, 1]);
  // Mean over all sets of 6 of 8: shared 4, 5 or 6 with 15, 12 and 1 of 28 ways.
  assert.ok(Math.abs(sets[0].chance - (15 * (4 / 8) + 12 * (5 / 7) + 1) / 28) < 1e-12);
});

test('chance of a Jaccard index: the values of a simulation with 210 modules', () => {
  const values = Array.from({ length: 210 }, (_, i) => i);
  assert.ok(Math.abs(jaccardOfTop(values, values, 157).chance - 0.598) < 0.002);
  assert.ok(Math.abs(jaccardOfTop(values, values, 52).chance - 0.142) < 0.002);
});

test('allocation, export and pruning by a score of a file of scores alone', async (t) => {
  const { experiment, scoresFile, values, folder } = await scored(t, 'block_influence, owl, alpha_hill, cka, probe');
  const lowest = (of: number[]) => of.indexOf(Math.min(...of));
  const drop = await allocateResult({
    resultFile: scoresFile,
    request: { kind: 'drop', by: 'block_influence', count: 1 },
  });
  assert.equal(
    drop.layers.findIndex(({ value }) => value === 1),
    lowest(values('block_influence')),
  );
  const pairs = await allocateResult({ resultFile: scoresFile, request: { kind: 'drop', by: 'cka', count: 1 } });
  assert.match(
    pairs.notes.join(),
    /CKA between depths tells what the layers do, which is another question than which blocks can go/,
  );

  // Outliers speak for keeping: the layer with most of them loses least. Exponents speak for removal.
  const sparsity = async (by: string, rule?: string) => {
    const made = await allocateResult({ resultFile: scoresFile, request: { kind: 'sparsity', by, rule, ratio: 0.5 } });
    return made.layers.map(({ value }) => value);
  };
  const [outliers, exponents] = [values('owl'), values('alpha_hill')];
  assert.ok(spearman(outliers, await sparsity('owl'))! < 0);
  assert.ok(spearman(outliers, await sparsity('owl', 'reversed'))! > 0, 'the control');
  assert.ok(spearman(exponents, await sparsity('alpha_hill'))! > 0);

  const csv = exportScores({ scoresFile, to: 'csv', by: 'cka' }).content as string;
  assert.match(csv, /^depth,other depth,cka\r\n0,0,1\r\n/);
  const list = await exportResult({
    resultFile: scoresFile,
    to: 'mergekit',
    request: { by: 'block_influence', count: 1 },
  });
  assert.match(String(list.content), /layer_range/);
  await assert.rejects(
    allocateResult({ resultFile: scoresFile, request: { kind: 'drop' } }),
    /holds no influence: name one of its scores with --by \(block_influence, owl, cka, alpha_hill/,
  );

  const output = path.join(folder, 'pruned');
  const pruned = await pruneExperiment({
    file: experiment,
    machine,
    output,
    by: 'block_influence',
    structure: 'layers',
    sparsity: 0.34,
  });
  assert.deepEqual(pruned.report.dropped, [lowest(values('block_influence'))]);
  assert.equal(pruned.report.scores!.score, 'block_influence');
  const masked = await pruneExperiment({
    file: experiment,
    machine,
    output: `${output}2`,
    by: 'cka',
    method: 'magnitude',
  });
  assert.match(masked.report.scores!.notes!.join(), /another question than which layers lose weights/);
  await assert.rejects(
    pruneExperiment({ file: experiment, machine, output: `${output}3`, by: 'cka', map: 'uniform' }),
    /the score cka would not be read: the map uniform needs no scores/,
  );
  fs.writeFileSync(experiment, fs.readFileSync(experiment, 'utf8') + 'prune: { by: owl, method: magnitude }\n');
  const section = await pruneExperiment({ file: experiment, machine, output: `${output}4` });
  assert.equal(section.report.scores!.score, 'owl');
  assert.ok(
    spearman(
      outliers,
      section.report.layers.map(({ achieved }) => achieved),
    )! < 0,
  );
});
