/** Plans and their memory for models that are not there: only names and shapes of tensors are needed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Checkpoint, TensorInfo } from '../../server/src/checkpoints/types.ts';
import type { Sample } from '../../server/src/data/types.ts';
import { architectureOf } from '../../server/src/models/families.ts';
import { weightBytes } from '../../server/src/run/machine/memory.ts';
import { planTask as planWithin, planTasks, secondsFor } from '../../server/src/run/influence/plan.ts';
import type { Prepared, PreparedTask } from '../../server/src/run/inputs/prepared.ts';
import { scopeOf } from '../../server/src/run/inputs/scope.ts';
import { batchesOf } from '../../server/src/run/machine/batching.ts';

const GIB = 2 ** 30;

interface Shape {
  layers: number;
  hidden: number;
  inner: number;
  heads: number;
  kv: number;
  vocabulary: number;
}

const smol: Shape = { layers: 30, hidden: 576, inner: 1536, heads: 9, kv: 3, vocabulary: 49152 };
const mistral7b: Shape = { layers: 32, hidden: 4096, inner: 14336, heads: 32, kv: 8, vocabulary: 32000 };

function prepared(shape: Shape, modules = ['*']): Prepared {
  const config = {
    model_type: 'llama',
    num_hidden_layers: shape.layers,
    hidden_size: shape.hidden,
    intermediate_size: shape.inner,
    vocab_size: shape.vocabulary,
    num_attention_heads: shape.heads,
    num_key_value_heads: shape.kv,
    tie_word_embeddings: true,
  };
  const tensors = new Map<string, TensorInfo>();
  const add = (name: string, ...size: number[]) =>
    tensors.set(name, { name, dtype: 'BF16', shape: size, file: 'x', offset: 0, byteLength: 0 });
  const model = architectureOf(config, { has: (name) => name !== 'lm_head.weight' });
  add('model.embed_tokens.weight', shape.vocabulary, shape.hidden);
  add('model.norm.weight', shape.hidden);
  for (let layer = 0; layer < shape.layers; layer++) {
    for (const m of model.modules(layer)) add(`${model.layerName(layer)}.${m.name}.weight`, m.rows, m.columns);
    add(`${model.layerName(layer)}.input_layernorm.weight`, shape.hidden);
  }
  const checkpoint = { path: 'x', tensors } as unknown as Checkpoint;
  const scope = scopeOf(checkpoint, model, { layers: 'all', modules });
  return {
    checkpoint,
    model,
    scope,
    experiment: { score: { seed: 0 } },
    estimator: { needs: [] },
  } as unknown as Prepared;
}

function task(train: number, validation: number, length: number): PreparedTask {
  const samples = (count: number) =>
    Array.from({ length: count }, () => ({ tokens: new Int32Array(length), countedFrom: 1 }) as Sample);
  return { task: {} as PreparedTask['task'], train: samples(train), validation: samples(validation) };
}

function planTask(model: Prepared, samples: PreparedTask, memoryBytes: number, rank: number | null = null) {
  return planWithin(model, samples, { memoryBytes, diskBytes: Infinity }, rank);
}

test('a small model stays in memory', () => {
  const plan = planTask(prepared(smol), task(64, 16, 128), 4 * GIB);
  assert.equal(plan.plan.weights, 'resident');
  assert.ok(plan.memoryBytes < 4 * GIB, `${plan.memoryBytes}`);
  assert.ok(Math.abs(plan.memoryParts.weights - 4 * 134_000_000) < 4 * 1_000_000);
});

test('a 7B model is streamed within 16 GiB, and its memory does not grow with the layers beyond the boundaries', () => {
  const parts = [8, 16, 32].map((layers) => planTask(prepared({ ...mistral7b, layers }), task(4, 2, 128), 3.5 * GIB));
  for (const plan of parts) assert.equal(plan.plan.weights, 'streamed');
  const fixed = parts.map((p) => p.memoryBytes - p.memoryParts.boundaries);
  assert.equal(fixed[0], fixed[1]);
  assert.equal(fixed[1], fixed[2]);
  // 6 samples x 128 tokens x 4096 numbers x 4 bytes = 12.6 MB for every further layer
  const perLayer = (parts[2].memoryParts.boundaries - parts[1].memoryParts.boundaries) / 16;
  assert.equal(perLayer, 6 * 128 * 4096 * 4);
  assert.ok(planTask(prepared(mistral7b), task(4, 2, 128), 16 * GIB).memoryBytes < 16 * GIB);
});

test('captures count an input that several modules share once', () => {
  const bytes = (modules: string[]) =>
    planTask(prepared(smol, modules), task(1, 1, 10), GIB).memoryParts.captures / (4 * 20);
  assert.equal(bytes(['self_attn.q_proj']), 576 + 576);
  assert.equal(bytes(['self_attn.[qkv]_proj']), 576 + 576 + 192 + 192);
  assert.equal(bytes(['*']), 576 + 576 + 192 + 192 + (576 + 576) + (576 + 1536 + 1536) + (1536 + 576));
});

test('when nothing fits the smallest plan is returned with what it would need', () => {
  const plan = planTask(prepared(mistral7b), task(300, 50, 2048), GIB);
  assert.ok(plan.memoryBytes > GIB);
  assert.equal(plan.plan.boundaries, 'files');
  const largest = Object.entries(plan.memoryParts).reduce((a, b) => (a[1] >= b[1] ? a : b))[0];
  assert.equal(largest, 'captures');
});

/** Several tasks under one experiment. */
function planned(model: Prepared, projection: 'auto' | 'none' | number, memoryBytes: number, diskBytes = Infinity) {
  const tasks = [task(4, 2, 64), task(300, 50, 512)];
  const experiment = { score: { seed: 3, projection } } as Prepared['experiment'];
  return planTasks({ ...model, tasks, experiment }, { memoryBytes, diskBytes });
}

test('auto projects only where exact gradients do not fit, and then every task', () => {
  const model = prepared(smol);
  for (const { plan } of planned(model, 'auto', 16 * GIB)) assert.equal(plan.projection, null);
  const projected = planned(model, 'auto', 1.2 * GIB);
  for (const { plan, memoryBytes, why } of projected) {
    assert.deepEqual(plan.projection, { rank: 64, seed: 3 });
    assert.ok(memoryBytes <= 1.2 * GIB);
    assert.match(why, /^exact gradients would need \d+\.\d+ GiB, so they are projected to rank 64; /);
    assert.ok(plan.check!.train.length > 0 && plan.check!.validation.length > 0);
  }
  assert.ok(planned(model, 'none', 1.2 * GIB)[1].memoryBytes > 1.2 * GIB, 'none stays exact and does not fit');
  for (const { plan } of planned(model, 16, 16 * GIB)) assert.equal(plan.projection!.rank, 16);
});

test('activations go to files where memory lacks and the disk has room', () => {
  const model = prepared(smol);
  const [, spilled] = planned(model, 64, 0.9 * GIB);
  assert.equal(spilled.plan.boundaries, 'files');
  // 30 boundaries of 350 samples of 512 tokens, and 3 that cotangents and hidden states take
  assert.ok(spilled.diskBytes > 33 * 4 * 350 * 512 * 576);
  const [, refused] = planned(model, 64, 0.9 * GIB, 10 * GIB);
  assert.ok(refused.memoryBytes > 0.9 * GIB || refused.diskBytes > 10 * GIB, 'neither memory nor disk would do');
});

test('the check of a projection takes a few samples, however many there are', () => {
  const { plan } = planTask(prepared(smol), task(300, 50, 128), 8 * GIB, 64);
  const samples = (split: 'train' | 'validation') => plan.check![split].flatMap((i) => plan.batches[split][i]).length;
  assert.ok(samples('train') >= 8 && samples('train') <= 12, `${samples('train')}`);
  assert.ok(samples('validation') >= 4 && samples('validation') <= 12, `${samples('validation')}`);
});

test('twice the samples take about twice the time of the sweeps, a faster machine less', () => {
  const model = prepared(smol);
  const one = planTask(model, task(32, 8, 128), 16 * GIB);
  const two = planTask(model, task(64, 16, 128), 16 * GIB);
  assert.ok(Math.abs(two.flops.sweeps / one.flops.sweeps - 2) < 1e-9);
  assert.ok(secondsFor(two, 2e11, 0) > secondsFor(two, 4e11, 0));
  // 80 x 128 tokens: forward 2, recomputed 2, backward 2, weight gradients 2 operations a weight and token, and the
  // head
  const tokens = 80 * 128;
  assert.ok(two.flops.sweeps > 6 * 106_168_320 * tokens && two.flops.sweeps < 9 * 106_168_320 * tokens);
  assert.equal(two.flops.gradients, 2 * 106_168_320 * tokens);
});

/** The same model with the estimator ekfac. */
function withEkfac(
  shape: Shape,
  projection: 'auto' | 'none' | number,
  fisher: 'true' | 'empirical' = 'true',
): Prepared {
  const score = { seed: 0, projection, fisher, damping: { rule: 'mean_square', factor: 0.1 } };
  const base = prepared(shape);
  return {
    ...base,
    experiment: { score },
    estimator: { needs: ['ekfac'] },
    tasks: [task(8, 2, 64)],
  } as unknown as Prepared;
}

test('EK-FAC is projected where matrices are wide, says so, and is exact where they are small or on request', () => {
  const limits = { memoryBytes: 16 * GIB, diskBytes: Infinity };
  const [wide] = planTasks(withEkfac(smol, 'auto'), limits);
  assert.equal(wide.plan.projection?.rank, 64);
  assert.match(
    wide.why,
    /^EK-FAC decomposes covariances, which are up to 1536 wide here, so gradients are projected to rank 64/,
  );
  const [exact] = planTasks(withEkfac(smol, 'none'), limits);
  assert.equal(exact.plan.projection, null);
  const [small] = planTasks(withEkfac({ ...smol, hidden: 128, inner: 512, heads: 2, kv: 1 }, 'auto'), limits);
  assert.equal(small.plan.projection, null);
  assert.equal(planTasks(withEkfac(smol, 16), limits)[0].plan.projection?.rank, 16);

  // A layer has inputs 576 (q, k, v), 576 (o), 576 (gate, up), 1536 (down) and outputs 576, 192, 192, 576, 1536, 1536,
  // 576.
  const cubes = 6 * 576 ** 3 + 2 * 192 ** 3 + 3 * 1536 ** 3;
  assert.ok(Math.abs(exact.seconds / (3e-9 * 30 * cubes) - 1) < 1e-9);
  assert.ok(wide.seconds < 1);
});

test('drawn labels cost a second backward sweep of the training samples, and EK-FAC its numbers on disk', () => {
  const plan = (model: Prepared) => planTask(model, task(32, 8, 128), 16 * GIB);
  const [drawn, empirical, grams] = [withEkfac(smol, 'none'), withEkfac(smol, 'none', 'empirical'), prepared(smol)].map(
    plan,
  );
  assert.equal(empirical.flops.sweeps, grams.flops.sweeps);
  const more = drawn.flops.sweeps / empirical.flops.sweeps;
  assert.ok(more > 1.4 && more < 1.7, `${more}`); // 32 of 40 samples, two thirds of their work
  assert.equal(empirical.diskBytes - grams.diskBytes, 2 * 8 * (7 * (32 * 8 + 1) + 1) * 210);
});

test('samples whose tables depend on their own length share a batch only with equals', () => {
  const model = { lengthMatters: (length: number) => length > 10 } as Prepared['model'];
  const lengths = [12, 5, 15, 12, 9, 15, 30];
  const groups = batchesOf(model, lengths, 1000);
  assert.deepEqual(
    [...groups.flat()].sort((a, b) => a - b),
    [0, 1, 2, 3, 4, 5, 6],
  );
  for (const group of groups) {
    const long = group.filter((i) => lengths[i] > 10);
    if (long.length > 0) assert.equal(new Set(group.map((i) => lengths[i])).size, 1);
  }
});

test('weights are float32 whatever they are stored as', () => {
  const { checkpoint, model } = prepared(smol);
  const bytes = weightBytes(checkpoint, model);
  assert.equal(bytes.embedding, 4 * 49152 * 576);
  assert.equal(bytes.layer, 4 * (3_538_944 + 576));
});
