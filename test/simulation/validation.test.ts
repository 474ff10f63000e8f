/**
 * A small part of `run.ts`, whose whole is in `validation.json`: nothing is better than anything, and verdicts must not
 * say so.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { protocolNames, simulate } from './validation.ts';
import type { Case, Rates } from './validation.ts';

const REPEATS = 40;

for (const protocol of protocolNames) {
  // Alike samples are the hard case; independent ones are beside it where subsets are shared.
  for (const alike of protocol === 'lds' ? [0, 0.95] : [0.95]) {
    test(`${protocol}, ${alike === 0 ? 'independent' : 'alike'} samples: unrelated predictors are neither better nor beyond chance`, () => {
      const sizes = protocol === 'retrieval' ? { n: 40, m: 10 } : { n: 20, m: 4 };
      const rates = simulate({ protocol, alike, skill: 0, units: 12, ...sizes }, REPEATS, 7, 39);
      // 5 % of 40 are 2; 7 or more happen with probability 0.003 where the rate is as stated.
      for (const [name, rate] of Object.entries({
        dot: rates.falseBeatsDot,
        worse: rates.falseWorse,
        controls: rates.falseBeatsControls,
        chance: rates.falseAboveChance!,
      })) {
        assert.ok(rate * REPEATS <= 6, `${name}: ${rate * REPEATS} of ${REPEATS}`);
      }
      assert.ok(rates.coverage >= 0.92, `95 % intervals hold the truth in ${rates.coverage}`);
      assert.ok(rates.differenceCoverage >= 0.95, `intervals of differences hold 0 in ${rates.differenceCoverage}`);
    });
  }
}

test('predictors that know equally much are not told apart, and what they know is seen', () => {
  for (const alike of [0, 0.95]) {
    const rates = simulate({ protocol: 'lds', alike, skill: 0.6, n: 20, m: 4, units: 12 }, REPEATS, 8, 39);
    assert.ok(rates.falseBeatsDot * REPEATS <= 6 && rates.falseWorse * REPEATS <= 6, JSON.stringify(rates));
    assert.ok(rates.coverage >= 0.92 && rates.width < 1.6, JSON.stringify(rates));
  }
});

test('the whole table: intervals are at their level, rather above it with few units, and verdicts at their rate', () => {
  const { rows } = JSON.parse(readFileSync(new URL('validation.json', import.meta.url), 'utf8')) as {
    rows: (Case & Rates)[];
  };
  const mean = (list: number[]) => list.reduce((sum, value) => sum + value, 0) / list.length;
  const few = (row: Case) => row.units === 8 || row.n === 24;
  assert.equal(rows.length, 90);
  for (const row of rows) {
    const least = (level: number, error: number) => level - 3 * Math.max(error, 0.01);
    assert.ok(row.coverage >= least(0.95, row.coverageError), JSON.stringify(row));
    assert.ok(row.coverage90 >= least(0.9, row.coverage90Error), JSON.stringify(row));
    // 9 of 60 happen with probability 0.003 where the rate is 5 %.
    for (const rate of [row.falseBeatsDot, row.falseWorse, row.falseBeatsControls, row.falseAboveChance ?? 0])
      assert.ok(rate <= 8 / 60 + 1e-3, JSON.stringify(row));
  }
  const many = rows.filter((row) => !few(row));
  for (const [level, of] of [
    [0.95, (row: Rates) => row.coverage],
    [0.9, (row: Rates) => row.coverage90],
  ] as const) {
    const center = mean(many.map(of));
    assert.ok(center >= level && center <= level + 0.02, `${level}: ${center}`);
    assert.ok(mean(rows.filter(few).map(of)) <= level + 0.05);
  }
  const blind = rows.filter(({ skill }) => skill === 0);
  assert.ok(mean(blind.map(({ falseBeatsDot }) => falseBeatsDot)) <= 0.05);
  assert.ok(mean(blind.map(({ falseWorse }) => falseWorse)) <= 0.05);
});
