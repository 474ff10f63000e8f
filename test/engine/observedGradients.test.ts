/**
 * Every observation of gradients equals float64 PyTorch, however the texts go through the model: together and padded, one by one, with
 * streamed weights, with activations in files, two layers at a time, beside Grams or without, and continued after an interruption.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { CollectRequest } from '../../protocol/engine.ts';
import type { Tensors } from '../../protocol/scores.ts';
import { collect } from '../../server/src/engine/grams/collect.ts';
import { gradientReducers } from '../../server/src/engine/grams/gradientReducers.ts';
import { Runtime } from '../../server/src/engine/runtime/runtime.ts';
import { Model } from '../../server/src/engine/sweep/model.ts';
import { shapeOf } from '../../server/src/engine/sweep/observedShape.ts';
import { Random } from '../../server/src/random/random.ts';
import { observations } from '../../server/src/scores/observations.ts';
import { findScore } from '../../server/src/scores/scores.ts';
import { gradientCases, gradientFamilies, gradientsReference } from './gradientCases.ts';
import type { GradientFamily } from './gradientCases.ts';
import { casesFolder, relativeError, samplesOf } from './reference.ts';

const reference = gradientsReference();

function open(t: TestContext, family: GradientFamily) {
  const modelPath = path.join(casesFolder, family);
  const model = Model.open(new Runtime('cpu', 1), modelPath);
  const workDir = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-gradients-'));
  t.after(() => fs.rmSync(workDir, { recursive: true, force: true }));
  const train = samplesOf(family);
  const { architecture } = model;
  const layers = Array.from({ length: architecture.layers }, (_, layer) => layer);
  const request: CollectRequest = {
    modelPath,
    layers,
    modules: architecture.modules(0).map(({ name }) => name),
    train,
    validation: [],
    observations: gradientCases.map(({ of, options }, i) => ({ name: String(i), of, options })),
    grams: false,
    plan: {
      segmentLength: 1,
      weights: 'resident',
      batches: { train: [train.map((_, i) => i)], validation: [] },
      gradientTile: 1 << 16,
      boundaries: 'memory',
      projection: null,
      check: null,
      headRows: 5,
      checkpointSeconds: 0,
    },
    workDir,
  };
  return { model, request, train };
}

function requireRight(family: GradientFamily, found: Record<string, Tensors>) {
  assert.deepEqual(
    Object.keys(found),
    gradientCases.map((_, i) => String(i)),
  );
  for (const [i, { of, options, expected }] of gradientCases.entries()) {
    const numbers = expected(reference[family]);
    assert.deepEqual(Object.keys(found[i]).sort(), Object.keys(numbers).sort());
    for (const [name, values] of Object.entries(numbers)) {
      const error = relativeError(found[i][name].data, values);
      assert.equal(found[i][name].data.length, values.length);
      assert.ok(error < 2e-5, `${family} ${of} ${JSON.stringify(options)} ${name}: relative error ${error}`);
    }
  }
}

test('every observation of gradients has a reducer and a case', () => {
  const ids = Object.entries(observations).flatMap(([id, { reads }]) => (reads === 'gradients' ? [id] : []));
  assert.deepEqual(Object.keys(gradientReducers).sort(), ids.sort());
  assert.deepEqual([...new Set(gradientCases.map(({ of }) => of))].sort(), ids.sort());
});

for (const family of gradientFamilies) {
  test(`${family}: padded, alone, streamed, from files, two layers at a time, beside Grams`, async (t) => {
    const { model, request, train } = open(t, family);
    const { plan } = request;
    const alone = { ...plan.batches, train: train.map((_, i) => [i]) };
    const changes: Partial<CollectRequest>[] = [
      {},
      { plan: { ...plan, batches: alone } },
      { plan: { ...plan, weights: 'streamed' } },
      { plan: { ...plan, boundaries: 'files' } },
      { plan: { ...plan, segmentLength: 2, batches: alone } },
      { grams: true },
      { grams: true, validation: train.slice(1), plan: { ...plan, batches: { ...alone, validation: [[0, 1]] } } },
    ];
    for (const change of changes) {
      fs.rmSync(request.workDir, { recursive: true });
      requireRight(family, (await collect(model, { ...request, ...change }, () => undefined)).observations);
    }
    await model.release();
  });

  test(`${family}: continued after an interruption at each layer; what was not observed then is left out`, async (t) => {
    const { model, request } = open(t, family);
    let announced = 0;
    for (const end of [1, 2]) {
      fs.rmSync(request.workDir, { recursive: true });
      announced = 0;
      const stop = collect(model, request, ({ type }) => {
        if (type === 'segment' && ++announced === end) throw new Error('interrupted');
      });
      await assert.rejects(stop, /interrupted/);
      const { observations: found } = await collect(model, request, () => undefined);
      requireRight(family, found);
    }
    fs.rmSync(request.workDir, { recursive: true });
    announced = 0;
    const without = { ...request, observations: request.observations!.slice(1) };
    await assert.rejects(
      collect(model, without, ({ type }) => {
        if (type === 'segment' && ++announced === 1) throw new Error('interrupted');
      }),
    );
    const { observations: found, resumedSegments } = await collect(model, request, () => undefined);
    assert.equal(resumedSegments, 1);
    assert.deepEqual(Object.keys(found), Object.keys(request.observations!).slice(1));
    await model.release();
  });

  test(`${family}: scores of gradients by PyTorch's`, async (t) => {
    const { model, request, train } = open(t, family);
    const shape = shapeOf(model, train.length);
    const { observations: found } = await collect(model, request, () => undefined);
    const names = (layer: number) => shape.modules(layer).map(({ name }) => `${layer}.${name}`);
    const sum = (values: Record<string, number>) =>
      request.layers.map((layer) => names(layer).reduce((total, name) => total + values[name], 0));
    const mean = (all: readonly number[]) => all.reduce((a, b) => a + b, 0) / all.length;
    const { whole, snip, norms } = reference[family];
    const traces = Object.fromEntries(Object.entries(norms).map(([name, all]) => [name, mean(all)]));
    const rows = [
      ['taylor', { batches: 2 }, sum(whole)],
      ['snip', { batches: 2 }, sum(snip)],
      ['fisher_trace', { per_weight: false }, sum(traces)],
    ] as const;
    for (const [id, options, expected] of rows) {
      const score = findScore(id);
      const [[need, { of }]] = Object.entries(score.needs(options as never, shape));
      const at = gradientCases.findIndex((one) => one.of === of);
      const { values, intervals } = score.score({ [need]: found[at] }, options as never, {
        model: shape,
        random: new Random(0, 'test'),
      });
      assert.ok(relativeError(values as number[], expected) < 2e-5, id);
      intervals!.forEach((interval, layer) =>
        assert.ok(interval![0] <= values[layer]! && values[layer]! <= interval![1], `${id} layer ${layer}`),
      );
    }
    // A mean gradient is never longer than the gradients are on average.
    Object.entries(reference[family].square).forEach(([name, square]) => assert.ok(square <= traces[name]));
    await model.release();
  });
}
