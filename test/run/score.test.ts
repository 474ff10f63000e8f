/** Whole runs on a tiny checkpoint, through the real engine process. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { LayerifError } from '../../protocol/errors.ts';
import type { RunEvent } from '../../protocol/run.ts';
import { readSafetensors } from '../../server/src/checkpoints/safetensors.ts';
import { EnginePool } from '../../server/src/run/machine/enginePool.ts';
import { machine, numbersOf, score, tinyWorkspace } from './workspace.ts';

const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);

test('a run writes a complete result whose numbers belong together', async (t) => {
  const { experiment, folder } = tinyWorkspace(t);
  const { result, resultFile, events } = await score(experiment);
  assert.deepEqual(JSON.parse(fs.readFileSync(resultFile, 'utf8')), JSON.parse(JSON.stringify(result)));
  assert.match(path.relative(folder, resultFile), /^runs\/tiny\/\d{8}T\d{6}Z-[0-9a-f]{6}\/tiny\.layerif-result\.json$/);
  assert.equal(result.status, 'complete');
  assert.equal(result.model.coverage, 1);
  assert.equal(result.provenance.device, 'cpu');
  assert.deepEqual(Object.keys(result.provenance.dataSha256), ['data/reviews.jsonl', 'data/capitals.jsonl']);
  assert.equal(fs.existsSync(path.join(path.dirname(resultFile), 'partial')), false);

  for (const task of result.tasks) {
    assert.deepEqual(
      task.layers.map((l) => l.index),
      [0, 1, 2],
    );
    assert.equal(task.train.samples, 8);
    assert.equal(task.train.rows[3].line, 4);
    assert.ok(task.train.loss.every((loss) => loss > 0 && Number.isFinite(loss)));
    task.layers.forEach((layer, row) => {
      const influence = task.influence[row];
      assert.ok(Math.abs(layer.sum - sum(influence)) <= 1e-9 * Math.abs(layer.sum));
      assert.ok(Math.abs(layer.positive - sum(influence.filter((b) => b > 0))) <= 1e-9 * layer.positive);
      assert.equal(layer.score, layer.positive, 'the default aggregation');
      assert.ok(layer.top25 <= layer.positive);
    });
  }

  const grams = readSafetensors(path.join(path.dirname(resultFile), 'grams.safetensors'));
  const K = grams.tensor('sentiment/1.mlp.up_proj.K') as Float64Array;
  const C = grams.tensor('sentiment/1.mlp.up_proj.C') as Float64Array;
  assert.equal(K.length, 64);
  assert.equal(C.length, 32);
  const modules = result.model.modules;
  const squared = (i: number) => sum(modules.map((m) => (grams.tensor(`sentiment/1.${m}.K`) as Float64Array)[i * 9]));
  for (let i = 0; i < 8; i++) {
    assert.ok(Math.abs(result.tasks[0].train.gradientSquaredNorm[1][i] - squared(i)) < 1e-9 * squared(i));
  }

  assert.equal(events[0].type, 'started');
  assert.equal(events.at(-1)?.type, 'finished');
  assert.equal(events.filter((e) => e.type === 'layers').length, 6);
  const shares = events.flatMap((e) => (e.type === 'progress' ? [e.done / e.total] : []));
  assert.ok(
    shares.every((share, i) => share >= (shares[i - 1] ?? 0)),
    'progress never goes backwards',
  );
  assert.equal(shares.at(-1), 1);
});

test('dot: influence is the sum over validation samples of inner products, from the stored Grams', async (t) => {
  const { experiment } = tinyWorkspace(t, { estimator: 'dot' });
  const { result, resultFile } = await score(experiment, { tasks: ['capital'] });
  assert.equal(result.tasks.length, 1);
  assert.deepEqual(
    result.experiment.tasks.map((task) => task.task),
    ['capital'],
  );
  const grams = readSafetensors(path.join(path.dirname(resultFile), 'grams.safetensors'));
  const [n, m] = [8, 4];
  for (let layer = 0; layer < 3; layer++) {
    for (let i = 0; i < n; i++) {
      const right = sum(
        result.model.modules.flatMap((module) => {
          const C = grams.tensor(`capital/${layer}.${module}.C`) as Float64Array;
          return [...C.subarray(i * m, (i + 1) * m)];
        }),
      );
      assert.ok(Math.abs(result.tasks[0].influence[layer][i] - right) <= 1e-9 * Math.abs(right) + 1e-15);
    }
  }
  assert.deepEqual(
    result.tasks[0].damping[0],
    result.model.modules.map(() => null),
  );
});

test('some layers and some modules: the others are not scored and the coverage says so', async (t) => {
  const { experiment, edit } = tinyWorkspace(t);
  const all = await score(experiment, { tasks: ['sentiment'] });
  edit('  estimator: datainf\n', '  estimator: datainf\n  layers: "1-2"\n  modules: ["self_attn.*"]\n');
  const part = await score(experiment, { tasks: ['sentiment'] });
  const task = part.result.tasks[0];
  assert.deepEqual(
    task.layers.map((l) => l.index),
    [1, 2],
  );
  assert.deepEqual(Object.keys(task.layers[0].modules), [
    'self_attn.q_proj',
    'self_attn.k_proj',
    'self_attn.v_proj',
    'self_attn.o_proj',
  ]);
  assert.ok(part.result.model.coverage > 0 && part.result.model.coverage < 0.5);
  const same = all.result.tasks[0].layers[2].modules['self_attn.k_proj'].score;
  assert.ok(Math.abs(task.layers[1].modules['self_attn.k_proj'].score - same) <= 1e-5 * Math.abs(same));
});

for (const boundary of [1, 2, 3, 4, 5, 6]) {
  test(`killed after layer ${boundary} of 6: the resumed run gives the uninterrupted result`, async (t) => {
    const { experiment } = tinyWorkspace(t);
    const whole = await score(experiment, { outputDir: 'elsewhere' });
    const engine = new EnginePool();
    t.after(() => engine.dispose());
    const { pid } = await engine.start(machine);
    let seen = 0;
    const onEvent = (event: { type: string }) => {
      if (event.type === 'layers' && ++seen === boundary) process.kill(pid, 'SIGKILL');
    };
    const killed = score(experiment, { engine, onEvent, checkpointSeconds: 0 });
    // After the last layer there is nothing left that could die: the run may just finish.
    const outcome = await killed.then(
      () => 'finished',
      (error: LayerifError) => error.code,
    );
    if (boundary < 6) assert.equal(outcome, 'engineDied');
    if (outcome === 'finished') return;
    const resumed = await score(experiment, { engine, checkpointSeconds: 0 });
    const [started] = resumed.events;
    assert.ok(started.type === 'started' && started.resumed, 'the run was resumed');
    assert.deepEqual(numbersOf(resumed.result), numbersOf(whole.result));
    assert.deepEqual(fs.readdirSync(path.dirname(resumed.resultFile)).sort(), [
      'grams.safetensors',
      'tiny.layerif-result.json',
    ]);
  });
}

test('a cancelled run keeps a partial result and is resumed', async (t) => {
  const { experiment } = tinyWorkspace(t);
  const whole = await score(experiment, { outputDir: 'elsewhere' });
  const abort = new AbortController();
  let resultFile = '';
  const onEvent = (event: { type: string; resultFile?: string }) => {
    if (event.type === 'started') resultFile = event.resultFile!;
    if (event.type === 'layers') abort.abort();
  };
  await assert.rejects(score(experiment, { signal: abort.signal, onEvent, checkpointSeconds: 0 }), {
    code: 'cancelled',
  });
  const partial = JSON.parse(fs.readFileSync(resultFile, 'utf8')) as { status: string };
  assert.equal(partial.status, 'partial');
  const resumed = await score(experiment);
  assert.equal(resumed.resultFile, resultFile);
  assert.deepEqual(numbersOf(resumed.result), numbersOf(whole.result));
});

test('a complete run is not resumed, and earlier results stay', async (t) => {
  const { experiment } = tinyWorkspace(t);
  const engine = new EnginePool();
  t.after(() => engine.dispose());
  const first = await score(experiment, { engine, tasks: ['capital'] });
  const before = fs.readFileSync(first.resultFile, 'utf8');
  await new Promise((resolve) => setTimeout(resolve, 1100)); // run ids count seconds
  const second = await score(experiment, { engine, tasks: ['capital'] });
  assert.notEqual(second.resultFile, first.resultFile);
  assert.equal(fs.readFileSync(first.resultFile, 'utf8'), before);
  assert.deepEqual(numbersOf(second.result), numbersOf(first.result));
});

test('a smaller plan gives the same scores', async (t) => {
  const { experiment } = tinyWorkspace(t);
  const full = await score(experiment, { tasks: ['sentiment'] });
  const limit = full.events.find((e) => e.type === 'started')!.estimate.memoryBytes - 1;
  const smaller = await score(experiment, { tasks: ['sentiment'], machine: { ...machine, memoryBytes: limit } });
  const plan = smaller.events.find((e) => e.type === 'started')!.estimate.plan;
  assert.notDeepEqual(plan, full.events.find((e) => e.type === 'started')!.estimate.plan);
  full.result.tasks[0].layers.forEach((layer, i) => {
    const other = smaller.result.tasks[0].layers[i].score;
    assert.ok(Math.abs(other - layer.score) <= 1e-4 * Math.abs(layer.score), `${other} for ${layer.score}`);
  });
});

test('activations in files and projected gradients at full rank: the scores of a run in memory', async (t) => {
  const { experiment, edit } = tinyWorkspace(t, { train: 16 });
  const exact = await score(experiment, { tasks: ['sentiment'] });
  assert.equal(exact.result.score.projection, null);
  edit('estimator: datainf', 'estimator: datainf\n  projection: 1024');
  const projected = await score(experiment, { tasks: ['sentiment'] });
  const { rank, seed, error } = projected.result.score.projection!;
  assert.deepEqual([rank, seed], [1024, 0]);
  assert.deepEqual(
    error.map(({ task, spearman, estimator }) => [task, spearman, estimator]),
    [['sentiment', 1, 'datainf']],
  );
  assert.ok(error[0].train >= 8 && error[0].validation >= 4 && error[0].largestGramError < 1e-5);
  // The smallest memory at which it starts at all.
  const needs = (events: RunEvent[]) => events.find((e) => e.type === 'started')!.estimate;
  let limit = needs(projected.events).memoryBytes - 1;
  let smallest = projected;
  for (;;) {
    try {
      smallest = await score(experiment, { tasks: ['sentiment'], machine: { ...machine, memoryBytes: limit } });
      limit = needs(smallest.events).memoryBytes - 1;
    } catch (error_) {
      assert.equal((error_ as LayerifError).code, 'notEnoughMemory');
      break;
    }
  }
  const { plan } = needs(smallest.events);
  assert.deepEqual([plan.weights, plan.boundaries, plan.projection], ['streamed', 'files', 1024]);
  for (const other of [projected, smallest]) {
    exact.result.tasks[0].layers.forEach(({ score: right }, i) => {
      const found = other.result.tasks[0].layers[i].score;
      assert.ok(Math.abs(found - right) <= 1e-4 * Math.abs(right), `${found} for ${right}`);
    });
  }
});
