/** Allocation and export of a real result of a tiny model, and every way a result can be wrong. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { AllocationFile } from '../../protocol/allocation.ts';
import { GRAMS_FILE } from '../../protocol/result.ts';
import type { Result } from '../../protocol/result.ts';
import type { ScoresFile } from '../../protocol/scores.ts';
import { allocationReport } from '../../server/src/cli/allocate.ts';
import { allocateResult, allocationFile, saveAllocation } from '../../server/src/run/decide/allocate.ts';
import { exportResult, writeExport } from '../../server/src/run/decide/export.ts';
import { ranges } from '../../server/src/run/decide/resultScores.ts';
import { drawnScoresOf } from '../../server/src/run/decide/spread.ts';
import { writeTinyWorkspace } from '../tinyLlama.ts';
import { commandLine } from '../cli/commandLine.ts';
import { engine, machine, score } from './workspace.ts';

let folder = '';
let resultFile = '';
let result: Result;
before(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-allocate-'));
  const { experiment } = writeTinyWorkspace(folder);
  ({ result, resultFile } = await score(experiment));
});
after(() => fs.rmSync(folder, { recursive: true, force: true }));

/** A copy of the result with a change, beside the original. */
function changed(change: (copy: Result) => void): string {
  const copy = structuredClone(result);
  change(copy);
  const file = path.join(folder, 'changed.layerif-result.json');
  fs.writeFileSync(file, JSON.stringify(copy));
  return file;
}
const experts = (file = resultFile, rest: object = {}) =>
  allocateResult({ resultFile: file, request: { kind: 'experts' }, ...rest });

const cli = (...words: string[]) => commandLine(folder, words);

test('experts of a result: one task by its scores, all tasks by their mean, every layer named and sized', async () => {
  const one = await experts(resultFile, { tasks: [result.tasks[0].task] });
  assert.deepEqual(
    one.layers.map((layer) => layer.score),
    result.tasks[0].layers.map((layer) => layer.score),
  );
  assert.equal(one.total, 5 * result.model.layers);
  assert.equal(
    one.layers.reduce((sum, layer) => sum + layer.parameters, 0),
    result.model.scoredParameters,
  );
  assert.deepEqual(
    one.layers.map((layer) => layer.name),
    result.tasks[0].layers.map((layer) => layer.name),
  );
  const all = await experts();
  assert.deepEqual(
    all.provenance.tasks,
    result.tasks.map(({ task }) => task),
  );
  assert.ok(all.layers.every((layer) => layer.score! >= 0 && layer.score! <= 1));
  const top = await experts(resultFile, {
    request: { kind: 'experts', aggregation: 'top25' },
    tasks: [result.tasks[0].task],
  });
  assert.deepEqual(
    top.layers.map((layer) => layer.score),
    result.tasks[0].layers.map((layer) => layer.top25),
  );
});

test('layers get their range on drawn samples: from Grams alone, of rules over influence, never outside of the value', async () => {
  const grams = path.join(path.dirname(resultFile), GRAMS_FILE);
  const request = { kind: 'experts', total: 30 } as const;
  const one = await allocateResult({ resultFile, request });
  assert.equal(one.spread!.level, 0.9);
  for (const { spread, value } of one.layers) {
    assert.ok(spread![0] <= value && value <= spread![1], `${value} in ${spread!.join(' to ')}`);
    assert.deepEqual(spread!.map(Number.isInteger), [true, true]);
  }
  assert.ok(
    one.layers.some(({ spread }) => spread![0] < spread![1]),
    'few samples settle nothing',
  );
  assert.match(
    allocationReport(one),
    /On other samples of this kind \(90\u00a0% of \d+ draws\) \d of 3 layers may get/,
  );
  assert.match(allocationReport(one), /layer +score +experts +90 % of draws +top-k +why/);
  const map = await allocateResult({ resultFile, request: { kind: 'sparsity', ratio: 0.4 } });
  for (const { spread, value, terms } of map.layers) {
    assert.ok(spread![0] <= value && value <= spread![1]);
    assert.deepEqual(Object.keys(terms!), ['smoothed', 't']);
  }
  const uniform = await allocateResult({ resultFile, request: { kind: 'experts', rule: 'uniform' } });
  assert.equal(uniform.spread, undefined, 'a rule without scores depends on no sample');
  fs.renameSync(grams, `${grams}.away`);
  try {
    const without = await allocateResult({ resultFile, request });
    assert.equal(without.spread, undefined);
    assert.deepEqual(
      without.layers,
      one.layers.map(({ spread: _, ...layer }) => layer),
    );
  } finally {
    fs.renameSync(`${grams}.away`, grams);
  }
});

/** Gradients of validation the other way round: the sign bit of every number of C. */
function turnInfluence(grams: string): void {
  const bytes = fs.readFileSync(grams);
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, start)) as Record<
    string,
    { dtype: string; data_offsets: number[] }
  >;
  for (const [name, { dtype, data_offsets: [from, to] = [] }] of Object.entries(header)) {
    if (!name.endsWith('.C')) continue;
    const size = Number(dtype.slice(1)) / 8;
    for (let at = start + from + size - 1; at < start + to; at += size) bytes[at] ^= 0x80;
  }
  fs.writeFileSync(grams, bytes);
}

test('scores of drawn samples: sums may lie below zero, parts of an influence do not', async () => {
  const grams = path.join(path.dirname(resultFile), GRAMS_FILE);
  const tasks = [result.tasks[0].task];
  const drawn = async (aggregation: 'positive' | 'sum') =>
    (await drawnScoresOf(result, resultFile, { tasks, aggregation }))!.flat();
  const kept = fs.readFileSync(grams);
  const before = await drawn('positive');
  try {
    turnInfluence(grams);
    // Of influence that is negative throughout nothing is left; its sum is what it was, turned.
    assert.ok(before.every((value) => value > 1e-6));
    assert.deepEqual(new Set(await drawn('positive')), new Set([0]));
    const sums = await drawn('sum');
    sums.forEach((value, i) => assert.ok(Math.abs(value + before[i]) < 1e-6 * before[i], `${value}`));
  } finally {
    fs.writeFileSync(grams, kept);
  }
  // One training sample can be drawn in one way alone.
  const few = structuredClone(result);
  few.tasks[0].train.samples = 1;
  few.provenance.date = 'another';
  assert.equal(await drawnScoresOf(few, resultFile, { tasks, aggregation: 'positive' }), null);
  assert.equal(await drawnScoresOf({ ...result, status: 'partial' }, resultFile, { tasks, aggregation: 'sum' }), null);
});

test('tail exponents are measured once, kept beside the result, and continued; observations of another model are not used', async () => {
  const progress: string[] = [];
  const request = { kind: 'experts', rule: 'alphalora' } as const;
  await assert.rejects(
    allocateResult({ resultFile, request }),
    /is not measured beside this result yet: layerif allocate/,
  );
  const onProgress = ({ message }: { message: string }) => void progress.push(message);
  const first = await allocateResult({ resultFile, request, machine, engine, onProgress });
  assert.match(progress.at(-1)!, /observing weight_spectra: layer 3 of 3/);
  const seen = progress.length;
  // The other fit reads the same spectra: no machine is needed.
  const peak = await allocateResult({ resultFile, request: { ...request, fit: 'peak' } });
  assert.notDeepEqual(
    peak.layers.map(({ score }) => score),
    first.layers.map(({ score }) => score),
  );
  const again = await allocateResult({ resultFile, request, machine, engine, onProgress });
  assert.deepEqual([again.layers, progress.length], [first.layers, seen]);
  const map = await allocateResult({ resultFile, request: { kind: 'sparsity', rule: 'alphapruning', unit: 'matrix' } });
  assert.ok(Math.abs(map.total - 0.5) < 1e-9);
  assert.equal(Object.keys(map.layers[0].modules!).length, 7);
  const tables = resultFile.replace('.layerif-result.json', '.layerif-scores.json');
  const kept = JSON.parse(fs.readFileSync(tables, 'utf8')) as ScoresFile;
  assert.deepEqual(
    kept.tables.map(({ score, options }) => [score, options.fit]),
    [
      ['alpha_hill', 'mid'],
      ['alpha_hill', 'peak'],
    ],
  );
  fs.rmSync(tables);
  const [file] = fs.readdirSync(path.join(path.dirname(resultFile), 'observations'));
  const observation = path.join(path.dirname(resultFile), 'observations', file);
  const bytes = fs.readFileSync(observation);
  fs.writeFileSync(
    observation,
    Buffer.from(bytes.toString('latin1').replace(result.model.sha256, '0'.repeat(64)), 'latin1'),
  );
  await allocateResult({ resultFile, request, machine, engine, onProgress });
  assert.ok(progress.length > seen, 'spectra of another model are observed again');
});

test('any layer score can be allocated by: its direction is heeded and said', async () => {
  const request = { kind: 'drop', by: 'block_influence', count: 1 } as const;
  const drop = await allocateResult({ resultFile, request, machine, engine });
  const { tables } = JSON.parse(
    fs.readFileSync(resultFile.replace('-result.json', '-scores.json'), 'utf8'),
  ) as ScoresFile;
  const { values } = tables.find(({ score }) => score === 'block_influence')!;
  assert.deepEqual(
    drop.layers.map(({ score }) => score),
    values,
  );
  const lowest = values.indexOf(Math.min(...(values as number[])));
  assert.equal(drop.layers[lowest].value, 1);
  assert.match(drop.notes.join(), /by Block Influence, on .* texts/);
  // A high tail exponent speaks for removing a layer: it is turned over.
  const tune = await allocateResult({
    resultFile,
    request: { kind: 'tune', by: 'alpha_hill', count: 1 },
    machine,
    engine,
  });
  const exponents = JSON.parse(
    fs.readFileSync(resultFile.replace('-result.json', '-scores.json'), 'utf8'),
  ) as ScoresFile;
  const alpha = exponents.tables.find(({ score }) => score === 'alpha_hill')!.values as number[];
  assert.equal(tune.layers[alpha.indexOf(Math.min(...alpha))].value, 1);
  assert.equal(tune.quantity?.name, 'Tail exponent of the weight spectra, turned over');
  assert.match(
    tune.notes.join('\n'),
    /Tail exponent of the weight spectra tells which layers lose weights, which is another question than where adapters help/,
  );
  assert.ok(!/another question/.test(drop.notes.join()), 'Block Influence is about blocks');
  // Other than a mean of modules: the share of a layer is that of all its weights.
  const spider = await allocateResult({
    resultFile,
    request: { kind: 'rank', by: 'spider', total: 24 },
    machine,
    engine,
  });
  const after = JSON.parse(fs.readFileSync(resultFile.replace('-result.json', '-scores.json'), 'utf8')) as ScoresFile;
  assert.deepEqual(
    spider.layers.map(({ score }) => score),
    after.tables.find(({ score }) => score === 'spider')!.values,
  );
  assert.ok(!/another question/.test(spider.notes.join()));
  await assert.rejects(
    allocateResult({ resultFile, request: { kind: 'drop', by: 'taylor_plus', count: 1 }, machine, engine }),
    /Taylor importance with protected ends is undefined for layers 0, 1, 2 \(all 3 layers are among the protected/,
  );
  await assert.rejects(
    allocateResult({ resultFile, request: { kind: 'tune', by: 'nothing' }, machine, engine }),
    /no score "nothing"/,
  );
});

test('sparsity by matrix follows the scores of modules; owl needs outlier ratios', async () => {
  const map = await allocateResult({ resultFile, request: { kind: 'sparsity', unit: 'matrix', ratio: 0.3 } });
  assert.ok(Math.abs(map.total - 0.3) < 1e-9);
  const request = { kind: 'sparsity', rule: 'owl' } as const;
  await assert.rejects(allocateResult({ resultFile, request }), /--outliers FILE/);
  const owl = await allocateResult({ resultFile, request, outliers: () => Promise.resolve([1, 2, 3]) });
  assert.ok(owl.layers[0].value > owl.layers[1].value && owl.layers[1].value > owl.layers[2].value);
  await assert.rejects(
    allocateResult({ resultFile, request, outliers: () => Promise.resolve([1, 2]) }),
    /2 values of outlier ratio in % for 3 layers/,
  );
});

test('outlier ratios are measured on the calibration texts, the same for every run, once', async () => {
  const request = { kind: 'sparsity', rule: 'owl' } as const;
  const scores = ({ layers }: { layers: { score: number | null }[] }) => layers.map((layer) => layer.score!);
  const first = scores(await allocateResult({ resultFile, request, machine, engine }));
  assert.equal(first.length, 3);
  assert.ok(
    first.every((percent) => percent > 0 && percent < 10),
    first.join(),
  );
  // Kept beside the result: now without a machine too.
  assert.deepEqual(scores(await allocateResult({ resultFile, request })), first);
  fs.rmSync(path.join(path.dirname(resultFile), 'observations'), { recursive: true });
  fs.rmSync(resultFile.replace('-result.json', '-scores.json'));
  const { code, out } = await cli(
    'allocate',
    resultFile,
    '--kind',
    'sparsity',
    '--rule',
    'owl',
    '--device',
    'cpu',
    '--json',
  );
  assert.equal(code, 0);
  assert.deepEqual(scores(JSON.parse(out) as { layers: { score: number }[] }), first);
});

test('the allocate section of the experiment gives defaults, a request wins, parameters of another rule do not leak', async () => {
  const file = changed((copy) => {
    copy.experimentFile = path.join(folder, 'gone.layerif.yaml');
    copy.experiment.model.path = path.join(folder, 'model');
    copy.experiment.allocate = { experts: { total: 12, beta: 7, minimum: 2, rule: 'layerif' } };
  });
  const asked = await experts(file);
  assert.deepEqual([asked.total, asked.settings.beta, asked.settings.minimum], [12, 7, 2]);
  const other = await experts(file, { request: { kind: 'experts', rule: 'released', total: 15 } });
  assert.deepEqual([other.total, other.settings.beta, other.settings.minimum], [15, 2.5, 2]);
});

test('the file keeps the latest allocation of each kind and replaces nothing else', async () => {
  const file = allocationFile(resultFile);
  fs.rmSync(file, { force: true });
  saveAllocation(await experts(), file);
  saveAllocation(await allocateResult({ resultFile, request: { kind: 'drop', count: 1 } }), file);
  saveAllocation(await experts(resultFile, { request: { kind: 'experts', total: 9 } }), file);
  const { allocations } = JSON.parse(fs.readFileSync(file, 'utf8')) as AllocationFile;
  assert.deepEqual([Object.keys(allocations).sort(), allocations.experts?.total], [['drop', 'experts'], 9]);
  const before = fs.readFileSync(resultFile, 'utf8');
  const experts9 = allocations.experts!;
  assert.throws(
    () => saveAllocation(experts9, resultFile),
    /is not a LayerIF file of allocations of version 1 .*: it is a LayerIF result; choose another --output/,
  );
  assert.equal(fs.readFileSync(resultFile, 'utf8'), before);
});

/** Layers with their rows of every matrix, as a result that lacks them has it. */
function removeLayers({ tasks }: Result, task: number, at: number, count: number): void {
  const { layers, influence, damping, train, validation } = tasks[task];
  for (const rows of [layers, influence, damping, train.gradientSquaredNorm, validation.gradientSquaredNorm])
    rows.splice(at, count);
}

test('wrong results: partial with the missing layers, tasks that are not there, other files, a model that is gone', async () => {
  assert.equal(ranges([0, 1, 2, 5, 7, 8]), '0-2, 5, 7-8');
  const partial = changed((copy) => {
    copy.status = 'partial';
    removeLayers(copy, 1, 0, 2);
  });
  await assert.rejects(
    experts(partial),
    new RegExp(`partial result: task ${result.tasks[1].task} lacks layers 0-1; run layerif score again`),
  );
  assert.equal((await experts(partial, { tasks: [result.tasks[0].task] })).layers.length, 3);
  const begun = changed((copy) => {
    copy.status = 'partial';
    copy.tasks = copy.tasks.slice(0, 1);
  });
  await assert.rejects(experts(begun), /is not scored yet, all 3 layers are missing/);
  await assert.rejects(experts(resultFile, { tasks: ['nobody'] }), /has no task "nobody": it has/);
  const some = changed((copy) => removeLayers(copy, 0, 1, 1));
  await assert.rejects(experts(some), /was scored without layers 1/);
  const nan = changed((copy) => void (copy.tasks[0].layers[1].positive = null as unknown as number));
  await assert.rejects(experts(nan), /tasks\[0\]\.layers\[1\]\.positive is null; it should be a number/);
  await assert.rejects(experts(path.join(folder, 'none.json')), /cannot read the result/);
  const gone = changed((copy) => void (copy.experiment.model.path = 'elsewhere'));
  const fallback = await experts(gone);
  assert.match(fallback.notes.join(), /the model could not be opened .*sizes of layers are the mean/);
  await assert.rejects(allocateResult({ resultFile: gone, request: { kind: 'sparsity' } }), /elsewhere/);
});

test('exports of a real result; kinds that a target cannot take are refused; nothing half-written stays', async () => {
  const { content, file } = await exportResult({ resultFile, to: 'peft', request: { kind: 'experts' } });
  const config = JSON.parse(content as string) as { rank_pattern: Record<string, number> };
  const allocation = await experts();
  for (const [key, rank] of Object.entries(config.rank_pattern)) {
    const layer = Number(/layers\\\.(\d+)/.exec(key)![1]);
    assert.equal(rank, 8 * allocation.layers[layer].value, key);
  }
  assert.equal(file, resultFile.replace('.layerif-result.json', '.peft/adapter_config.json'));
  await assert.rejects(
    exportResult({ resultFile, to: 'mola', request: { kind: 'rank' } }),
    /target mola takes experts, not rank/,
  );
  await assert.rejects(
    exportResult({ resultFile, to: 'alphapruning', request: { kind: 'sparsity' } }),
    /takes scores, no allocation/,
  );
  assert.throws(() => writeExport('x', path.join(folder, 'missing', 'a.txt')), /cannot write/);
});

test('layerif allocate and layerif export on the command line', async () => {
  const json = await cli('allocate', resultFile, '--json', '--total', '10');
  assert.deepEqual([json.code, json.err], [0, '']);
  assert.equal((JSON.parse(json.out) as { total: number }).total, 10);
  const table = await cli('allocate', resultFile, '--kind', 'sparsity', '--ratio', '0.4');
  assert.match(table.out, /40\.0000 % of the weights[\s\S]*Layer 2 loses .* because[\s\S]*Written to /);
  const moe = await cli('export', resultFile, '--to', 'mola', '--total', '9', '--output', '-');
  assert.match(moe.out, /^--number_experts "\d,\d,\d"/);
  const npy = await cli('export', resultFile, '--to', 'layerif-npy', '--output', 'scores.npy');
  assert.deepEqual([npy.code, npy.out], [0, 'Written to scores.npy\n']);
  assert.equal(fs.readFileSync(path.join(folder, 'scores.npy')).length % 8, 0);
  for (const [words, message] of [
    [['allocate', resultFile, '--total', '2'], /a total of 2 is too small for 3 layers/],
    [['allocate', resultFile, '--total', 'many'], /--total "many" is not a number/],
    [
      ['allocate', resultFile, '--kind', 'sparsity', '--beta', '3'],
      /--beta does nothing for --kind sparsity, which reads --ratio, --epsilon, --lambda, --unit, --structure, --paper, --outliers/,
    ],
    [
      ['allocate', resultFile, '--ratio', '0.5'],
      /--ratio does nothing for --kind experts, which reads --total, --beta,/,
    ],
    [
      ['allocate', resultFile, '--kind', 'drop', '--total', '3'],
      /--total does nothing for --kind drop, which reads --count/,
    ],
    [['allocate', resultFile, '--kind', 'rank', '--paper'], /--paper does nothing for --kind rank,/],
    [
      ['allocate', resultFile, '--kind', 'sparsity', '--outliers', 'o.json'],
      /--outliers is read by the rule owl alone/,
    ],
    [['allocate', resultFile, '--kind', 'expert'], /--kind "expert" is unknown: use one of experts/],
    [['export', resultFile], /needs --to TARGET/],
  ] as const) {
    const { code, err } = await cli(...words);
    assert.equal(code, 2);
    assert.match(err, message);
    assert.equal(err.trimEnd().split('\n').length, 1);
  }
});

test('an allocation file is exported as it was made; the newest of the kinds that the target takes', async () => {
  const file = path.join(folder, 'made.layerif-allocation.json');
  const rank = await allocateResult({
    resultFile,
    request: { kind: 'rank', total: 90, step: 2, rule: 'random', seed: 5 },
  });
  saveAllocation({ ...rank, provenance: { ...rank.provenance, date: '2030-01-01T00:00:00.000Z' } }, file);
  saveAllocation(await experts(), file);
  const { content } = await exportResult({ resultFile: file, to: 'csv', request: { kind: 'rank' } });
  const column = (content as string).trim().split('\r\n').slice(1);
  assert.deepEqual(
    column.map((line) => Number(line.split(',')[4])),
    rank.layers.map(({ value }) => value),
  );
  const newest = await exportResult({ resultFile: file, to: 'csv', request: {} });
  assert.equal(newest.content, content);
  assert.equal(newest.file, resultFile.replace('.layerif-result.json', '.csv'));
  await assert.rejects(exportResult({ resultFile: file, to: 'peft', request: { total: 3 } }), /total cannot be chosen/);
  await assert.rejects(
    exportResult({ resultFile: file, to: 'mergekit', request: {} }),
    /holds .*no allocation of drop/,
  );
  await assert.rejects(exportResult({ resultFile: file, to: 'layerif-npy', request: {} }), /takes scores/);
});

test('an order that cannot be read is warned of with its figures, unless the rule looks at no scores', async () => {
  const unsure = changed((copy) => {
    for (const task of copy.tasks)
      task.uncertainty = {
        level: 0.9,
        replicates: 200,
        seed: 0,
        curvature: 'resampled',
        halves: { splits: 10, median: -0.09, low: -0.3, high: 0.2 },
        unstable: task.layers.length,
      };
  });
  const warned = await experts(unsure);
  assert.match(
    warned.notes[0],
    /^Warning: the order of layers is not readable in task \w+: (\d+) of \1 layers are unstable, .* of \u22120\.09; .*--rule uniform/,
  );
  const uniform = await allocateResult({ resultFile: unsure, request: { kind: 'experts', rule: 'uniform' } });
  assert.doesNotMatch(uniform.notes.join(), /not readable/);
});
