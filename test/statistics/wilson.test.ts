import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normalQuantile, wilsonInterval } from '../../server/src/statistics/wilson.ts';

/** scipy.stats.binomtest(hits, trials).proportion_ci(level, method='wilson') */
const scipy: [hits: number, trials: number, level: number, low: number, high: number][] = [
  [0, 20, 0.95, 0.0, 0.16112515805281935],
  [20, 20, 0.95, 0.8388748419471808, 1.0],
  [1, 20, 0.95, 0.008881448800795402, 0.23613119344674205],
  [5, 20, 0.95, 0.11186170140766571, 0.468700877618744],
  [10, 20, 0.9, 0.32740376788515596, 0.672596232114844],
  [1, 1, 0.95, 0.20654931437723745, 1.0],
  [0, 1, 0.99, 0.0, 0.8690224567198142],
  [53, 210, 0.95, 0.19843972268713095, 0.3152186643555617],
  [3, 4, 0.5, 0.5837604460287515, 0.8651797430210169],
  [999, 1000, 0.999, 0.9873882793907752, 0.9999215580137805],
];

test("Wilson's interval agrees with scipy and holds the share", () => {
  for (const [hits, trials, level, low, high] of scipy) {
    const found = wilsonInterval(hits, trials, level)!;
    for (const [i, value] of [low, high].entries())
      assert.ok(Math.abs(found[i] - value) < 1e-12, `${hits} of ${trials} at ${level}: ${found[i]}, scipy ${value}`);
    assert.ok(found[0] <= hits / trials && hits / trials <= found[1]);
  }
  assert.equal(wilsonInterval(0, 0), null);
  assert.throws(() => wilsonInterval(3, 2), /3 hits in 2 trials/);
});

test('normal quantiles agree with scipy.stats.norm.ppf', () => {
  const known = { 0.5: 0, 0.75: 0.6744897501960817, 0.975: 1.959963984540054, 0.9995: 3.2905267314919255 };
  for (const [p, z] of Object.entries(known)) assert.ok(Math.abs(normalQuantile(Number(p)) - z) < 1e-12, p);
});
