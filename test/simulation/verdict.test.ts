/**
 * The first answer on simulated runs with a known order: a layer that is said to stand out is one of the highest third.
 * Seeded.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ResultTask } from '../../protocol/result.ts';
import { outstanding, verdictOf } from '../../protocol/verdict.ts';
import { simulatedTask } from './orderedRuns.ts';

const LAYERS = 30;
const third = LAYERS / 3;

/** Layers that are said to stand out, over seeded runs, and how many of them truly do. */
async function claims(runs: number, size: (layer: number) => number) {
  let [claimed, right, readable] = [0, 0, 0];
  const truth = new Set(
    Array.from({ length: LAYERS }, (_, layer) => layer)
      .sort((a, b) => size(b) - size(a))
      .slice(0, third),
  );
  for (let seed = 1; seed <= runs; seed++) {
    const task = await simulatedTask(seed, LAYERS, size);
    if (verdictOf(task).badge === 'unreadable') continue;
    readable += 1;
    for (const { index } of outstanding(task.layers)) {
      claimed += 1;
      if (truth.has(index)) right += 1;
    }
  }
  return { claimed, right, readable };
}

test('layers that differ by noise alone: in 95 of 100 runs nothing is said to stand out', async () => {
  const { readable } = await claims(60, () => 0);
  assert.ok(readable <= 3, `${readable}`);
});

for (const [what, steepness] of [
  ['a steep order', 3],
  ['an order that is half noise', 0.6],
] as const)
  test(`${what}: at least 95 of 100 layers that are said to stand out do`, async () => {
    const { claimed, right } = await claims(20, (layer) => (steepness * layer) / LAYERS);
    assert.ok(claimed >= 20, `${claimed}`);
    assert.ok(right / claimed >= 0.95, `${right} of ${claimed}`);
  });

test('words: layers with their ranks, what is not settled, and what is not known', async () => {
  const task = await simulatedTask(1, 6, (layer) => layer);
  const { badge, words } = verdictOf(task);
  assert.equal(badge, 'solid');
  assert.match(
    words,
    /^Layers 5 \(rank 1\), 4 \(rank 2\) stand out: on other samples each stays among the highest third/,
  );
  const unknown: ResultTask = { ...task };
  delete unknown.uncertainty;
  assert.deepEqual(verdictOf(unknown), {
    badge: null,
    words: 'How far this order holds on other samples is not known: there are no intervals.',
  });
  const noise = verdictOf(await simulatedTask(3, 6, () => 0));
  assert.equal(noise.badge, 'unreadable');
  assert.match(noise.words, /^These 24 × 8 samples do not tell which layers matter more: \d of 6 layers are unstable/);
});

test('words: how many samples would settle the order', async () => {
  const task = await simulatedTask(1, 6, (layer) => layer);
  const told = (samplesFactor: number | null) =>
    verdictOf({ ...task, uncertainty: { ...task.uncertainty!, samplesFactor } }).words;
  const { train, validation } = task;
  const size = `${(4 * train.samples).toLocaleString('en-US')} \u00d7 ${(4 * validation.samples).toLocaleString('en-US')}`;
  assert.ok(told(4).includes(`By extrapolation, about ${size} samples would settle two thirds of the places`));
  assert.match(told(null), /it takes at least 8 times as many samples/);
  assert.doesNotMatch(verdictOf(task).words, /extrapolation/);
});
