/**
 * Differences between ways to train: intervals and p by formulas written out elsewhere, and how often their words are
 * wrong where nothing is better than anything.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Comparison } from '../../protocol/validation.ts';
import { Random } from '../../server/src/random/random.ts';
import { sentences, wordOf } from '../../server/src/run/validate/validateComparison.ts';
import { updateNorm } from '../../server/src/linear/updateNorm.ts';
import { againstDraws, paired } from '../../server/src/validation/comparison.ts';
import { falseClaims } from '../simulation/paired.ts';

const near = (found: number, expected: number, tolerance = 1e-9) =>
  assert.ok(Math.abs(found - expected) < tolerance, `${found} is not ${expected}`);

test('of one sample a paired difference is a t-test over units, as scipy.stats.ttest_1samp', () => {
  const d = [0.3, -0.1, 0.45, 0.2, 0.05];
  const { difference, interval, p } = paired(
    d.map((value) => [value]),
    d.map(() => [0]),
    1,
  );
  near(difference, 0.18);
  near(p!, 0.13301194756747767);
  near(interval![0], -0.08558261221871735);
  near(interval![1], 0.4455826122187174);
});

test('units and samples both count: variances of the two-way table, t by Welch & Satterthwaite, as numpy and scipy', () => {
  const d = [
    [0.3, -0.1, 0.45, 0.2],
    [0.1, 0.05, 0.6, -0.2],
    [0.4, 0.2, 0.9, 0.1],
  ];
  const none = d.map((row) => row.map(() => 0));
  const one = paired(d, none, 1);
  near(one.difference, 0.25);
  near(one.interval![0], -0.16711159660759223, 1e-6);
  near(one.interval![1], 0.6671115966075922, 1e-6);
  near(one.p!, 0.17892797151589196, 1e-6);
  const three = paired(d, none, 3);
  near(three.interval![0], -0.3317198378384264, 1e-6);
  near(three.p!, 0.5367839145476758, 1e-6);
  // The choice's own scatter counts once more; no variance of samples is left, so two degrees of freedom are.
  const against = againstDraws(
    [0.2, 0.1, 0.5, 0.3],
    [
      [0.5, 0.4, 0.7, 0.6],
      [0.3, 0.5, 0.6, 0.45],
      [0.7, 0.2, 0.9, 0.5],
    ],
    2,
  );
  near(against.interval![0], -0.6774412730453909, 1e-6);
  near(against.interval![1], 0.16910793971205756, 1e-6);
  near(against.p!, 1 / 4);
});

test('two units on two samples, the other way with losses of its own, as numpy and scipy', () => {
  const own = [
    [1.2, 2.1],
    [1.0, 2.4],
  ];
  const other = [
    [1.3, 3.0],
    [1.2, 3.7],
  ];
  const one = paired(own, other, 1);
  near(one.difference, -0.625);
  near(one.interval![0], -5.250871280187414, 1e-6);
  near(one.interval![1], 4.000871280187414, 1e-6);
  near(one.p!, 0.39987328718122434, 1e-6);
  // Nine comparisons: p is no more than 1.
  const nine = paired(own, other, 9);
  assert.equal(nine.p, 1);
  near(nine.interval![0], -32.47298306935553, 1e-4);
});

test('a difference that is the same everywhere is certain, none is no difference', () => {
  const ones = [
    [1, 1],
    [1, 1],
  ];
  const none = ones.map((row) => row.map(() => 0));
  assert.deepEqual(paired(ones, none, 1), { difference: 1, interval: [1, 1], p: 0 });
  assert.deepEqual(paired(ones, ones, 1), { difference: 0, interval: [0, 0], p: 1 });
});

test('the norm of an update is that of the product, as numpy.linalg.norm', () => {
  near(
    updateNorm(
      [0.126, -0.132, 0.64, 0.105, -0.536, 0.362, 1.304, 0.947, -0.704, -1.265],
      [-0.623, 0.041, -2.325, -0.219, -1.246, -0.732, -0.544, -0.316],
      2,
      1.5,
    ),
    5.275271114459663,
    1e-9,
  );
});

test('p of a choice is its place among the draws; one draw, and equal losses, tell nothing', () => {
  const draws = [[1], [2], [3], [4]];
  near(againstDraws([0.5], draws, 1).p!, 1 / 5);
  near(againstDraws([1.5], draws, 1).p!, 2 / 5);
  near(againstDraws([4.5], draws, 1).p!, 1 / 5);
  near(againstDraws([1], draws, 1).p!, 2 / 5, 1e-12);
  assert.equal(againstDraws([0], [[1]], 1).interval, null);
  const same = againstDraws(
    [1, 1],
    [
      [1, 1],
      [1, 1],
    ],
    1,
  );
  assert.deepEqual([same.difference, same.p, wordOf(same, 'lower', 'seeds')], [0, 1, 'not told apart']);
});

/** Losses after training on something that is no better than random: `alike` is what all samples share. */
function world(random: Random, samples: number, alike: number, shape: (normal: number) => number) {
  const base = Array.from({ length: samples }, () => 2 * random.normal());
  return () => {
    const common = shape(random.normal());
    return base.map((value) => value + Math.sqrt(alike) * common + Math.sqrt(1 - alike) * random.normal());
  };
}

for (const [name, shape] of [
  ['normal', (z: number) => z],
  ['skewed', (z: number) => Math.exp(z) - Math.exp(0.5)],
  ['heavy', (z: number) => z ** 3 / 4],
] as const) {
  test(`random against random, ${name} scatter: a choice is said to beat and to be worse in at most one of twenty cases each`, () => {
    const cases = 1500;
    const random = new Random(5, name);
    for (const alike of [0, 0.5, 1]) {
      const said = { better: 0, worse: 0, 'not told apart': 0 };
      let family = 0;
      for (let i = 0; i < cases; i++) {
        const losses = world(random, 12, alike, shape);
        const draws = Array.from({ length: 19 }, losses);
        const words = Array.from({ length: 5 }, () => wordOf(againstDraws(losses(), draws, 5), 'lower', 'draws'));
        said[words[0]]++;
        if (words.some((word) => word !== 'not told apart')) family++;
      }
      // Three standard errors of one twentieth.
      const most = 0.05 + 3 * Math.sqrt((0.05 * 0.95) / cases);
      assert.ok(said.better / cases < most, `alike ${alike}: better ${said.better / cases}`);
      assert.ok(said.worse / cases < most, `alike ${alike}: worse ${said.worse / cases}`);
      if (name === 'normal') assert.ok(family / cases < most, `alike ${alike}: any of five ${family / cases}`);
    }
  });
}

test('a choice that is better by three deviations is found; nineteen draws are the fewest that find it', () => {
  const random = new Random(6, 'better');
  const found = (draws: number) => {
    let count = 0;
    for (let i = 0; i < 200; i++) {
      const losses = world(random, 12, 1, (z) => z);
      const own = losses().map((value) => value - 5);
      if (wordOf(againstDraws(own, Array.from({ length: draws }, losses), 1), 'lower', 'draws') === 'better') count++;
    }
    return count / 200;
  };
  assert.ok(found(19) > 0.9);
  assert.equal(found(18), 0);
});

test('paired ways without a difference are told apart in few cases', () => {
  const random = new Random(7, 'paired');
  for (const alike of [0, 0.5]) {
    const wrong = falseClaims({ scatter: 'normal', seeds: 3, samples: 24, alike }, 1500, random);
    assert.ok(wrong < 0.04, `alike ${alike}: ${wrong}`);
  }
});

test('sentences say who beats whom, in the direction of the measure, and where one seed cannot tell', () => {
  const way = (difference: number, interval: [number, number] | null, p: number | null) => ({
    ...{ way: 'ifd_ppl', control: false, value: 1, difference, interval, p },
  });
  const say = (better: 'lower' | 'higher', ...ways: Comparison['ways']) =>
    sentences({ name: 'Loss', better, baseline: 'random rows', ways }, 'draws');
  assert.deepEqual(say('lower', way(-0.2, [-0.3, -0.1], 0.05)), [
    'Loss: ifd_ppl beats random rows (difference -0.20 [-0.30, -0.10], p 0.050).',
  ]);
  assert.match(say('higher', way(-0.2, [-0.3, -0.1], 0.0001))[0], /ifd_ppl is worse than random rows .*p < 0\.001/);
  assert.match(say('lower', way(-0.2, [-0.3, -0.1], 0.1))[0], /does not beat random rows beyond chance/);
  assert.match(say('lower', way(0.2, [-0.1, 0.3], 0.01))[0], /does not beat random rows \(/);
  // Over seeds more is asked for.
  const overSeeds = (p: number) =>
    sentences({ name: 'Loss', better: 'lower', baseline: 'none', ways: [way(-0.2, [-0.3, -0.1], p)] }, 'seeds')[0];
  assert.match(overSeeds(0.02), /does not beat none beyond chance/);
  assert.match(overSeeds(0.01), /beats none/);
  assert.match(say('lower', way(-0.2, null, null))[0], /does not beat .*no interval from one seed/);
  assert.deepEqual(say('lower', { ...way(0, null, null), difference: null }), []);
});
