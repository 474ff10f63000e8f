/**
 * Every observation of gradients equals float64 PyTorch, however the texts go through the model: together and padded,
 * one by one, with streamed weights, with activations in files, two layers at a time, beside Grams or without, and
 * continued after an interruption.
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
  for (const [i, { of, options, expected, within = {} }] of gradientCases.entries()) {
    const numbers = expected(reference[family]);
    assert.deepEqual(Object.keys(found[i]).sort(), Object.keys(numbers).sort());
    for (const [name, values] of Object.entries(numbers)) {
      const error = relativeError(found[i][name].data, values);
      assert.equal(found[i][name].data.length, values.length);
      assert.ok(
        error < (within[name.split('/')[0]] ?? 2e-5),
        `${family} ${of} ${JSON.stringify(options)} ${name}: relative error ${error}`,
      );
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

  test(`${family}: observations with other numbers of batches do not disturb each other`, async (t) => {
    const { model, request } = open(t, family);
    const all = gradientCases.map(({ of, options }, i) => ({ name: String(i), of, options }));
    const others = all.map(({ name, of, options }) => ({
      name: `${name} of 3`,
      of,
      options: { ...options, batches: 3 },
    }));
    const observations = all.flatMap((one, i) => [one, others[i]]);
    for (const grams of [false, true]) {
      fs.rmSync(request.workDir, { recursive: true, force: true });
      const { observations: found } = await collect(model, { ...request, grams, observations }, () => undefined);
      requireRight(family, Object.fromEntries(all.map(({ name }) => [name, found[name]])));
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
    const { whole, snip, norms, spider } = reference[family];
    const traces = Object.fromEntries(Object.entries(norms).map(([name, all]) => [name, mean(all)]));
    const size = (layer: number) =>
      shape.modules(layer).reduce((total, { rows, columns }) => total + rows * columns, 0);
    const claims = Object.entries(spider).map(([name, { claimed }]) => [name, claimed] as const);
    const shares = sum(Object.fromEntries(claims)).map((count, layer) => count / size(layer));
    const rows = [
      ['taylor', { batches: 2 }, sum(whole)],
      ['snip', { batches: 2 }, sum(snip)],
      ['fisher_trace', { per_weight: false }, sum(traces)],
      ['spider', { batches: 2, mask: false }, shares],
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

  test(`${family}: bits of the claimed weights, outputs as rows`, async (t) => {
    const { model, request } = open(t, family);
    const asked = [{ name: 'mask', of: 'claimed_weights', options: { batches: 2, mask: true } }];
    const { observations: found } = await collect(model, { ...request, observations: asked }, () => undefined);
    const stored = family.startsWith('gpt2'); // PyTorch's Conv1D has inputs as rows
    for (const [name, { which }] of Object.entries(reference[family].spider)) {
      const [layer, module] = [Number(name[0]), name.slice(2)];
      const { rows, columns } = model.architecture.modules(layer).find((m) => m.name === module)!;
      const bits = found.mask[`bits/${name}`].data;
      assert.ok(bits instanceof Uint8Array && bits.length === Math.ceil((rows * columns) / 8));
      const ours = Array.from({ length: rows * columns }, (_, i) => (bits[i >> 3] >> (7 - (i & 7))) & 1);
      const theirs = ours.map((_, i) => which[stored ? (i % columns) * rows + Math.floor(i / columns) : i]);
      assert.deepEqual(ours, theirs, name);
    }
    await model.release();
  });

  test(`${family}: GraSP by central differences is PyTorch's by a second backward pass; nothing is left of the moved weights`, async (t) => {
    const { model, request, train } = open(t, family);
    const { values: expected, without, norm } = reference[family].grasp;
    const shape = shapeOf(model, train.length);
    const options = { batches: 2, step: 0.01 };
    for (const weights of ['resident', 'streamed'] as const) {
      const products = { name: 'p', of: 'weight_products', options: { batches: 2 } };
      const sweep = async (folder: string, change: Partial<CollectRequest>) => {
        const workDir = path.join(request.workDir, weights, folder);
        const plan = { ...request.plan, weights };
        const own = { ...request, plan, observations: [products], workDir, ...change };
        return (await collect(model, own, () => undefined)).observations.p;
      };
      const kept = path.join(request.workDir, weights, 'kept');
      const first = await sweep('kept', { keepGradients: true });
      const squares = Object.entries(first).flatMap(([name, { data }]) =>
        name.startsWith('square/') ? [data[0]] : [],
      );
      const square = squares.reduce((a, b) => a + b, 0);
      assert.ok(Math.abs(Math.sqrt(square) - norm) < 1e-5 * norm);
      const step = options.step / square;
      const sides = {
        plus: await sweep('plus', { moved: { folder: kept, step } }),
        minus: await sweep('minus', { moved: { folder: kept, step: -step } }),
      };
      const moved = Object.fromEntries(
        Object.entries(sides).flatMap(([side, own]) =>
          Object.entries(own).map(([name, tensor]) => [name.replace('product', side), tensor] as const),
        ),
      );
      const one = (value: number) => ({ shape: [1], data: Float64Array.of(value) });
      const found = findScore('grasp').score(
        { moved: { ...moved, norm: one(norm), step: one(step) } },
        options as never,
        {
          model: shape,
          random: new Random(0, 'test'),
        },
      );
      const modules = Object.keys(expected).map((name) => found.parts![name.slice(2)][Number(name[0])]!);
      const error = relativeError(modules, Object.values(expected));
      assert.ok(error < 1e-3, `relative error ${error}`);
      // Two batches: the reach is Student's t with one degree, 6.3138, times half the distance of the values without
      // either.
      for (const layer of request.layers) {
        const [a, b] = [0, 1].map((batch) =>
          shape.modules(layer).reduce((sum, { name }) => sum + without[`${layer}.${name}`][batch], 0),
        );
        const reach = (found.intervals![layer]![1] - found.intervals![layer]![0]) / 2;
        assert.ok(Math.abs(reach / (6.313752 * Math.abs(a - b) * 0.5) - 1) < 5e-3, `${reach} for ${a} and ${b}`);
      }
      const again = await sweep('again', {});
      for (const [name, { data }] of Object.entries(first)) assert.deepEqual(again[name].data, data);
    }
    await model.release();
  });
}
