/** Whole trainings of LoRA experts on a tiny model: the file, resume, cancel, refusals, the report, the command. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { LayerifError } from '../../protocol/errors.ts';
import type { ExpertsResult } from '../../protocol/experts.ts';
import { readSafetensors } from '../../server/src/checkpoints/safetensors.ts';
import { expertsReport } from '../../server/src/cli/trainExperts.ts';
import { allocateResult, saveAllocation } from '../../server/src/run/decide/allocate.ts';
import { evaluateExperiment } from '../../server/src/run/evaluate/evaluate.ts';
import { trainExpertsOf } from '../../server/src/run/experts/trainExperts.ts';
import type { TrainExpertsOptions } from '../../server/src/run/experts/trainExperts.ts';
import { engine, machine, score, tinyWorkspace } from './workspace.ts';

const section = (allocations: string, more = '') =>
  `train_experts: { allocations: [${allocations}], total: 7, rank: 2, alpha: 4, steps: 3, batch_size: 4, learning_rate: 0.02, seeds: 2${more} }\n`;

function workspace(t: TestContext, text: string) {
  const made = tinyWorkspace(t, { train: 8 });
  fs.appendFileSync(made.experiment, text);
  return made;
}

const run = (file: string, options: Partial<TrainExpertsOptions> = {}) =>
  trainExpertsOf({ file, machine, engine, ...options });

const refused = (code: string, message: RegExp) => (error: unknown) =>
  error instanceof LayerifError && error.code === code && message.test(error.message);

/** What two runs of the same experiment share. */
const numbers = (result: ExpertsResult) =>
  result.allocations.map(({ trainings, ...rest }) => ({
    ...rest,
    trainings: trainings.map(({ seconds, ...training }) => ({ ...training, seconds: typeof seconds })),
  }));

test('scores become experts, experts are trained with every seed, all are compared on the same documents', async (t) => {
  const { experiment } = workspace(t, section('layerif, uniform, mola_1-2-3'));
  const scored = await score(experiment);
  const { result, resultFile } = await run(experiment);
  assert.match(path.basename(resultFile), /^tiny\.layerif-experts\.json$/);
  assert.deepEqual(JSON.parse(fs.readFileSync(resultFile, 'utf8')), JSON.parse(JSON.stringify(result)));
  assert.equal(result.status, 'complete');
  assert.equal(result.scores, scored.resultFile);
  const request = { kind: 'experts', rule: 'layerif', total: 7 } as const;
  const expected = await allocateResult({ resultFile: scored.resultFile, tasks: ['sentiment'], request });
  const [layerif, uniform, mola] = result.allocations;
  assert.deepEqual(
    layerif.experts,
    expected.layers.map(({ value }) => value),
  );
  assert.deepEqual(uniform.experts, [3, 2, 2]);
  assert.deepEqual([mola.experts, mola.topK, mola.total], [[1, 2, 3], [1, 2, 2], 6]);
  assert.deepEqual(
    layerif.topK,
    layerif.experts.map((n) => Math.min(2, n)),
  );

  const { evaluation } = await evaluateExperiment({ file: experiment, tasks: ['sentiment'], machine, engine });
  assert.equal(result.untrained.acc, evaluation.results.sentiment['acc,none']);
  for (const { id, trainings, metrics, experts } of result.allocations) {
    assert.deepEqual(
      trainings.map(({ seed }) => seed),
      [0, 1],
    );
    assert.deepEqual(
      metrics.map(({ metric }) => metric),
      ['acc', 'acc_norm', 'answer_loss'],
    );
    for (const { metric, values, mean, standardError, againstFirst } of metrics) {
      assert.deepEqual(
        values,
        trainings.map((training) => training.metrics[metric]),
      );
      assert.ok(Math.abs(mean - (values[0] + values[1]) / 2) < 1e-12);
      assert.ok(Math.abs(standardError! - Math.abs(values[0] - values[1]) / 2) < 1e-12);
      assert.equal(againstFirst === null, id === 'layerif');
      if (againstFirst) {
        const first = layerif.metrics.find((m) => m.metric === metric)!;
        assert.ok(Math.abs(againstFirst.difference - (mean - first.mean)) < 1e-12);
        assert.ok(againstFirst.p > 0 && againstFirst.p <= 1);
      }
    }
    for (const { curve, balance, adapter } of trainings) {
      assert.equal(curve.length, 3);
      assert.ok(balance.every((value) => value > 0.5 && value <= Math.max(...experts)));
      const config = JSON.parse(
        fs.readFileSync(path.join(path.dirname(resultFile), adapter, 'experts_config.json'), 'utf8'),
      ) as { number_experts: number[] };
      assert.deepEqual(config.number_experts, experts);
      const saved = readSafetensors(path.join(path.dirname(resultFile), adapter, 'experts_model.safetensors'));
      assert.equal(
        [...saved.names()].length,
        experts.reduce((sum, n) => sum + 7 * (1 + 2 * n), 0),
      );
    }
  }
  // The trained experts make the answers more probable than the model alone.
  const loss = layerif.metrics.at(-1)!;
  assert.ok(loss.mean < result.untrained.answer_loss, `${loss.mean} ${result.untrained.answer_loss}`);
  assert.ok(!fs.existsSync(path.join(path.dirname(resultFile), 'partial')));

  const report = expertsReport(result, resultFile);
  assert.match(report, /allocation +experts +trained +by layer/);
  assert.match(report, /without experts/);
  assert.match(report, new RegExp(`mola_1-2-3 +6 .* 1 2 3`));
  assert.match(report, /acc ↑ .*less layerif/);
  assert.match(report, /answer_loss ↓/);
  assert.ok(!report.includes('NaN') && !report.includes('undefined'));
});

test('an interrupted run goes on with the next training and has the numbers of an uninterrupted one', async (t) => {
  const text = section('uniform, random');
  const whole = await run(workspace(t, text).experiment);
  const { experiment } = workspace(t, text);
  const abort = new AbortController();
  let started = '';
  const stop = run(experiment, {
    signal: abort.signal,
    onStarted: ({ resultFile }) => (started = resultFile),
    onProgress: ({ message }) => /^random, seed 0: step 2/.test(message) && abort.abort(),
  });
  await assert.rejects(stop, refused('cancelled', /cancelled/));
  const partial = JSON.parse(fs.readFileSync(started, 'utf8')) as ExpertsResult;
  assert.equal(partial.status, 'partial');
  assert.deepEqual(
    partial.allocations.map(({ trainings }) => trainings.length),
    [1, 0],
  );
  const again: string[] = [];
  let resumed = false;
  const { result, resultFile } = await run(experiment, {
    onStarted: (event) => (resumed = event.resumed),
    onProgress: ({ message }) => again.push(message),
  });
  assert.ok(resumed);
  assert.equal(resultFile, started);
  assert.ok(!again.some((m) => m.startsWith('uniform, seed 0')) && !again.some((m) => m.startsWith('without')));
  assert.ok(again.some((m) => m.startsWith('random, seed 0: step 1')));
  assert.deepEqual(numbers(result), numbers(whole.result));
  assert.equal(result.scores, null);
});

test('allocations with the same experts are trained once', async (t) => {
  const { experiment } = workspace(
    t,
    section('uniform, mola_222').replace('total: 7', 'total: 6').replace('seeds: 2', 'seeds: 1'),
  );
  const trained: string[] = [];
  const { result } = await run(experiment, { onProgress: ({ message }) => trained.push(message) });
  const [uniform, mola] = result.allocations;
  assert.ok(!trained.some((message) => message.startsWith('mola_222')));
  assert.deepEqual(mola.trainings, uniform.trainings);
  assert.deepEqual(mola.notes, ['the same experts as uniform, whose trainings these are']);
  assert.deepEqual([mola.metrics[0].againstFirst!.difference, mola.metrics[0].againstFirst!.p], [0, 1]);
  assert.equal(result.provenance.seconds, uniform.trainings[0].seconds);
});

test('an allocation file is an allocation too, with its own experts per token', async (t) => {
  const { experiment, folder } = workspace(
    t,
    section('uniform, mine.layerif-allocation.json', ', seeds: 1').replace('seeds: 2, ', ''),
  );
  const { resultFile } = await score(experiment, { tasks: ['sentiment'] });
  const request = { kind: 'experts', rule: 'layerif', total: 6, topK: 1 } as const;
  const allocation = await allocateResult({ resultFile, request });
  saveAllocation(allocation, path.join(folder, 'mine.layerif-allocation.json'));
  const { result } = await run(experiment);
  const [, mine] = result.allocations;
  assert.equal(mine.id, 'mine');
  assert.equal(mine.total, 6);
  assert.deepEqual(mine.topK, [1, 1, 1]);
  assert.equal(mine.metrics[0].standardError, null);
});

test('what cannot be trained or compared is refused before anything runs', async (t) => {
  const cases: [string, string, RegExp, (text: string) => string][] = [
    ['layerif', 'badRequest', /the allocation layerif reads a result, and .* holds no complete one/, (x) => x],
    ['uniform, uniform', 'badExperiment', /uniform is named twice/, (x) => x],
    ['fair', 'badRequest', /rule "fair" gives no experts or ranks: use one of layerif/, (x) => x],
    ['uniform', 'badRequest', /total/, (x) => x.replace('total: 7', 'total: 2')],
    [
      'uniform',
      'badExperiment',
      /train_experts\.modules: \["conv"\] matches no module/,
      (x) => x.replace('rank: 2', 'rank: 2, modules: [conv]'),
    ],
    [
      'uniform',
      'badExperiment',
      /4 of 4 documents \(train\[8:12\]\) are trained on, so accuracy would measure memory/,
      (x) => x.replace('rank: 2', 'rank: 2, training_split: train'),
    ],
    ['nowhere.json', 'badRequest', /cannot read the allocation/, (x) => x],
  ];
  for (const [allocations, code, message, change] of cases) {
    const { experiment } = workspace(t, change(section(allocations)));
    await assert.rejects(run(experiment), refused(code, message), `${allocations}: ${String(message)}`);
    assert.ok(!fs.existsSync(path.join(path.dirname(experiment), 'runs', 'tiny')), allocations);
  }
  const { experiment } = workspace(t, section('uniform'));
  await assert.rejects(
    run(experiment, { task: 'other' }),
    refused('badRequest', /has no task "other"; its tasks are sentiment, capital/),
  );
  const little = { ...machine, memoryBytes: 200 << 20 };
  await assert.rejects(
    run(experiment, { machine: little }),
    refused('notEnoughMemory', /numbers of experts needs about .* of memory, the limit is/),
  );
  const text = fs.readFileSync(experiment, 'utf8');
  fs.writeFileSync(experiment, text.replace('learning_rate: 0.02', 'learning_rate: 1.0e+30'));
  await assert.rejects(
    run(experiment),
    refused('failed', /diverged: the loss after step \d of 3 is not finite; lower train_experts\.learning_rate/),
  );
});
