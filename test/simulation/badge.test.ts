/**
 * The badge on simulated runs: layers in a true order, layers that only differ by noise, and what lies between. Seeded.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { badgeOf, badgeSentence, chanceLevel, type Badge } from '../../protocol/readability.ts';
import type { ResultTask } from '../../protocol/result.ts';
import { simulatedTask } from './orderedRuns.ts';

const badge = async (...run: Parameters<typeof simulatedTask>) => badgeOf(await simulatedTask(...run))!;

async function shares(runs: number, layers: number, size: (layer: number) => number): Promise<Record<Badge, number>> {
  const counts: Record<Badge, number> = { solid: 0, rough: 0, unreadable: 0 };
  for (let seed = 1; seed <= runs; seed++) counts[await badge(seed, layers, size)] += 1 / runs;
  return counts;
}

for (const layers of [6, 12, 30]) {
  test(`${layers} layers that differ by noise alone are not readable in at least 95 of 100 runs`, async () => {
    const { unreadable, solid } = await shares(100, layers, () => 0);
    assert.ok(unreadable >= 0.95, `${unreadable}`);
    assert.equal(solid, 0);
  });

  test(`${layers} layers in a true order are solid in most runs, and never unreadable`, async () => {
    const { solid, unreadable } = await shares(20, layers, (layer) => (3 * layer) / layers);
    assert.ok(solid >= 0.9, `${solid}`);
    assert.equal(unreadable, 0);
  });
}

test('an order that is half noise is rough in most runs', async () => {
  const { rough } = await shares(20, 30, (layer) => (0.6 * layer) / 30);
  assert.ok(rough >= 0.5, `${rough}`);
});

test('thresholds: both sides of each, and no order of three layers is beyond chance', () => {
  const of = (count: number, median: number | null, unstable: number) =>
    badgeOf({
      layers: Array.from<ResultTask['layers'][number]>({ length: count }),
      uncertainty: {
        level: 0.9,
        replicates: 200,
        seed: 0,
        curvature: 'resampled',
        halves: median === null ? null : { splits: 10, median, low: median, high: median },
        unstable,
      },
    });
  assert.equal(of(30, 0.7, 10), 'solid');
  assert.equal(of(30, 0.7, 11), 'rough');
  assert.equal(of(30, 0.69, 0), 'rough');
  assert.equal(of(30, 0.4, 30), 'rough');
  assert.equal(of(30, 0.39, 0), 'unreadable');
  assert.equal(of(30, null, 0), 'unreadable');
  // 1.645 / sqrt(11) = 0.496: of twelve layers more than 0.4 is needed.
  assert.equal(of(12, 0.49, 0), 'unreadable');
  assert.equal(of(12, 0.5, 0), 'rough');
  assert.ok(chanceLevel(3) > 1);
  assert.equal(of(3, 1, 0), 'unreadable');
  assert.equal(badgeOf({ layers: [] }), null);
  assert.equal(badgeSentence({ layers: [] }), null);
  const few = { uncertainty: { halves: { median: 1 }, unstable: 0 } as ResultTask['uncertainty'], layers: [{}, {}] };
  assert.match(badgeSentence(few as ResultTask)!, /not readable: of 2 layers no order can be told from chance/);
});
