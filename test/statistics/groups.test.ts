/** Groups of one row and of many, with ties and of two values alone (test/reference/analysis/groups.py). */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { levene, oneWayAnova, tukeyKramer } from '../../server/src/statistics/groups.ts';

const cases = JSON.parse(readFileSync(new URL('../reference/analysis/groups.json', import.meta.url), 'utf8')) as {
  kind: string;
  groups: number[][];
  f: number;
  p: number;
  eta: number;
  levene: [number, number] | null;
  pairs: [difference: number, low: number, high: number, p: number][];
}[];

for (const { kind, groups, f, p, eta, levene: spreads, pairs } of cases)
  test(`${kind}: groups of ${groups.map(({ length }) => length).join(', ')} rows`, () => {
    const near = (value: number, expected: number, tolerance: number) =>
      assert.ok(Math.abs(value - expected) <= tolerance, `${value}, expected ${expected}`);
    const found = oneWayAnova(groups)!;
    near(found.f, f, 1e-10 * f);
    near(found.p, p, 1e-11);
    near(found.etaSquared, eta, 1e-12);
    const spread = levene(groups);
    assert.equal(spread === null, spreads === null);
    if (spread && spreads) {
      near(spread.statistic, spreads[0], 1e-9 * spreads[0]);
      near(spread.p, spreads[1], 1e-10);
    }
    const all = tukeyKramer(groups, found, 0.95);
    assert.equal(all.length, pairs.length);
    all.forEach(({ difference, low, high, p: own }, i) => {
      const [expected, least, most, tail] = pairs[i];
      near(difference, expected, 1e-11);
      near(own, tail, 1e-10);
      // scipy solves for its intervals less exactly.
      near(low, least, 1e-5 * (most - least));
      near(high, most, 1e-5 * (most - least));
    });
  });
