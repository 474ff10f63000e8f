/**
 * A small part of `run.ts`, whose whole is in `validation.json`: nothing is better than anything, and verdicts must not
 * say so.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { protocolNames, simulate } from './validation.ts';

const REPEATS = 40;

for (const protocol of protocolNames) {
  // Alike samples are the hard case; independent ones are beside it where subsets are shared.
  for (const alike of protocol === 'lds' ? [0, 0.95] : [0.95]) {
    test(`${protocol}, ${alike === 0 ? 'independent' : 'alike'} samples: unrelated predictors are neither better nor beyond chance`, () => {
      const sizes = protocol === 'retrieval' ? { n: 40, m: 10 } : { n: 24, m: 6 };
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
    const rates = simulate({ protocol: 'lds', alike, skill: 0.6, n: 24, m: 6, units: 12 }, REPEATS, 8, 39);
    assert.ok(rates.falseBeatsDot * REPEATS <= 6 && rates.falseWorse * REPEATS <= 6, JSON.stringify(rates));
    assert.ok(rates.coverage >= 0.92 && rates.width < 1.6, JSON.stringify(rates));
  }
});
