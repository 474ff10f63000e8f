/** LoRA experts: the paper's worked example, the released lists, the other rules, and what holds for any scores. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { allocate } from '../../server/src/allocation/allocate.ts';
import { countRules } from '../../server/src/allocation/countRules.ts';
import { alphaLoraRounding, largestRemainders, minMax } from '../../server/src/allocation/rounding.ts';
import { groupSizes } from '../../server/src/allocation/molaCounts.ts';
import { inputOf, reference, type Released } from './inputs.ts';

const released = reference<Released>('released');
const experts = (values: readonly number[], rest: object = {}) =>
  allocate({ kind: 'experts', ...rest }, inputOf(values));
const counts = (values: readonly number[], rest: object = {}) =>
  experts(values, rest).layers.map((layer) => layer.value);

test("the paper's rule: own vector, every share and count", () => {
  const S = [5.01, 8.36, 7.99, 8.46, 8.16, 6, 3, 1];
  const { shares, counts: found } = largestRemainders(
    S.map((s) => s ** 3),
    40,
    1,
  );
  assert.deepEqual(
    shares.map((f) => Number(f.toFixed(4))),
    [1.54, 7.1555, 6.2468, 7.4153, 6.6541, 2.6453, 0.3307, 0.0122],
  );
  assert.deepEqual(found, [3, 8, 7, 8, 8, 4, 1, 1]);
  assert.deepEqual(counts(S, { total: 40 }), [3, 8, 7, 8, 8, 4, 1, 1]);
});

test("the paper's worked example: five of 32 layers, the rest chosen so that layer 0 has the printed share", () => {
  const { S, f, experts: printed } = released.appendix;
  // Only five scores are printed. The other 27 layers share what makes layer 0's share 1.12 of the 128 extra experts.
  const rest = ((S[0] ** 3 * 128) / 1.12 - S.reduce((sum, s) => sum + s ** 3, 0)) / 27;
  const all = [...S, ...Array.from({ length: 27 }, () => Math.cbrt(rest))];
  const { shares } = largestRemainders(
    all.map((s) => s ** 3),
    160,
    1,
  );
  f.forEach((share, l) => assert.ok(Math.abs(shares[l] - share) < 0.02, `layer ${l}: ${shares[l]} against ${share}`));
  // The counts follow from the printed shares: 2 and 4 have the large fractions.
  const bonus = printed.map((n, l) => n - Math.floor(f[l]) - 1);
  assert.deepEqual(bonus, [0, 0, 1, 0, 1]);
  assert.deepEqual(
    printed.map((_, l) => Math.floor(shares[l]) + 1 + bonus[l]),
    printed,
  );
  assert.ok(Math.abs((S[1] / S[0]) ** 3 - 4.646) < 5e-4);
});

test('the released lists do not follow the paper: its rule gives layer 0 two experts, every LayerIF list gives it one', () => {
  for (const [name, list] of Object.entries(released.lists)) {
    assert.equal(
      list.reduce((a, b) => a + b),
      160,
      name,
    );
    assert.equal(list[0], 1, name);
    assert.equal(Math.min(...list), 1, name);
  }
  assert.equal(released.appendix.experts[0], 2);
});

test("the released rule predicts the released CommonsenseQA counts of layers 1 to 4 from the appendix's scores", () => {
  const { S } = released.appendix;
  // Layer 0 has the lowest score of all in every released list, so min-max subtracts it; the divisor cancels.
  for (const [beta, list] of [
    [2.5, released.releasedCommonsense['exponent2.5']],
    [1.5, released.releasedCommonsense['exponent1.5']],
  ] as const) {
    const powers = S.map((s) => (s - S[0]) ** beta);
    const predicted = powers.slice(1).map((power) => Math.round((power / powers[1]) * list[0]));
    assert.deepEqual(predicted, list);
    // Raw scores with the same exponent do not.
    const raw = S.slice(1).map((s) => Math.round((s / S[1]) ** beta * list[0]));
    if (beta === 2.5) assert.notDeepEqual(raw, list);
  }
  // The main list differs by one in layer 3: 8, 6, 8, 7.
  assert.deepEqual(released.lists['mistral-commonsenseqa'].slice(1, 5), [8, 6, 8, 7]);
});

test('every released list, LayerIF and AlphaLoRA, is an outcome of the rule that is named after it', () => {
  for (const [name, list] of Object.entries(released.lists)) {
    const scores = list.map((n, l) => (l === 0 ? 0 : n ** (1 / 2.5)));
    assert.deepEqual(counts(scores, { rule: 'released', total: 160 }), list, name);
  }
  for (const [name, list] of Object.entries(released.alphalora)) {
    assert.deepEqual(
      counts(
        list.map((n) => n ** (1 / 2.5)),
        { rule: 'alphalora', total: 160 },
      ),
      list,
      name,
    );
  }
});

test("AlphaLoRA's rounding: vector, repair in both directions, minimum", () => {
  assert.deepEqual(alphaLoraRounding([1, 4, 9, 16], 20, 1).counts, [1, 3, 6, 10]);
  assert.deepEqual(counts([1, 2, 3, 4], { rule: 'alphalora', beta: 2, total: 20 }), [1, 3, 6, 10]);
  // Shares 1.4, 1.4, 1.4, 1.4, 1.4 round to 5 of 7: twice +1, to the smallest power - count; ties to the lower layer.
  assert.deepEqual(alphaLoraRounding([1, 1, 1, 1, 1], 7, 1).counts, [3, 1, 1, 1, 1]);
  assert.deepEqual(alphaLoraRounding([0, 0, 1], 4, 1).counts, [1, 1, 2]);
});

test('MoLA shapes: 32 and 28 layers as published, 30 layers with the first groups larger, lists, totals', () => {
  const on = (layers: number, rule: string) =>
    experts(
      Array.from({ length: layers }, () => 0),
      { rule },
    );
  assert.deepEqual(
    on(32, 'mola_2468').layers.map((l) => l.value),
    [2, 4, 6, 8].flatMap((n) => Array<number>(8).fill(n)),
  );
  assert.deepEqual(
    [
      on(32, 'mola_2468').total,
      on(32, 'mola_5555').total,
      on(32, 'mola_8642').total,
      on(32, 'mola_1234').total,
      on(32, 'mola_4-6-8-10').total,
    ],
    [160, 160, 160, 80, 224],
  );
  assert.equal(on(28, 'mola_3578').total, 7 * (3 + 5 + 7 + 8));
  assert.deepEqual(groupSizes(30, 4), [8, 8, 7, 7]);
  const uneven = on(30, 'mola_2468');
  assert.equal(uneven.total, 8 * 2 + 8 * 4 + 7 * 6 + 7 * 8);
  assert.match(uneven.notes.join(' '), /gives 146 in all on 30 layers, not 150.*8, 8, 7, 7/);
  assert.throws(() => on(3, 'mola_2468'), /4 groups, the model only 3 layers/);
  assert.throws(() => on(8, 'mola_0246'), /group 1 0 experts, less than the minimum 1/);
});

test('uniform and random: sums, the lower layers first, the same seed the same list', () => {
  assert.deepEqual(counts([9, 1, 1, 5], { rule: 'uniform', total: 10 }), [3, 3, 2, 2]);
  const first = counts(Array<number>(30).fill(0), { rule: 'random', seed: 3 });
  assert.deepEqual(first, counts(Array<number>(30).fill(0), { rule: 'random', seed: 3 }));
  assert.notDeepEqual(first, counts(Array<number>(30).fill(0), { rule: 'random', seed: 4 }));
  assert.equal(
    first.reduce((a, b) => a + b),
    150,
  );
});

const scores = fc.array(fc.double({ min: 0, max: 1e12, noNaN: true }), { minLength: 1, maxLength: 40 });

test('for any scores the sum is exact and the minimum holds, whatever the rule', () => {
  fc.assert(
    fc.property(
      scores,
      fc.nat(300),
      fc.integer({ min: 0, max: 3 }),
      fc.double({ min: 0.1, max: 20, noNaN: true }),
      (S, extra, minimum, beta) => {
        const total = S.length * minimum + extra;
        for (const rule of countRules.filter(({ id }) => !id.startsWith('mola'))) {
          const found = counts(S, { rule: rule.id, total, minimum, ...(rule.beta === null ? {} : { beta }) });
          assert.equal(
            found.reduce((a, b) => a + b),
            total,
            rule.id,
          );
          assert.ok(
            found.every((n) => Number.isInteger(n) && n >= minimum),
            `${rule.id}: ${found.join()}`,
          );
        }
      },
    ),
  );
});

test("the paper's rule is monotone in the score, and ties go to the lower layer", () => {
  fc.assert(
    fc.property(scores, fc.nat(300), fc.double({ min: 0.1, max: 6, noNaN: true }), (S, extra, beta) => {
      const found = counts(S, { total: S.length + extra, beta });
      const wrong: string[] = [];
      for (let a = 0; a < S.length; a++)
        for (let b = 0; b < S.length; b++) {
          const gap = found[a] - found[b];
          if (S[a] > S[b] && gap < 0) wrong.push(`${S[a]} gets ${found[a]}, ${S[b]} gets ${found[b]}`);
          if (S[a] === S[b] && a < b && gap !== 0 && gap !== 1)
            wrong.push(`tie of ${a} and ${b}: ${found[a]}, ${found[b]}`);
        }
      assert.deepEqual(wrong, []);
    }),
  );
});

test('top-k is what there is, at most two by default', () => {
  const { layers } = experts([0, 1, 5], { total: 9 });
  assert.deepEqual(
    layers.map((l) => [l.value, l.topK]),
    [
      [1, 1],
      [1, 1],
      [7, 2],
    ],
  );
  assert.deepEqual(
    experts([0, 1, 5], { total: 9, topK: 3 }).layers.map((l) => l.topK),
    [1, 1, 3],
  );
});

test('every layer is explained with its own numbers', () => {
  const S = [5.01, 8.36, 7.99, 8.46, 8.16, 6, 3, 1];
  assert.equal(
    experts(S, { total: 40 }).layers[4].why,
    'Layer 4 gets 8 experts because its score 8.16 to the power 3 is 20.8 % of the sum over layers: 6.65 of the 32 experts beyond the minimum, which is 6 in full, plus the 1 that every layer gets, plus 1 of the 3 left over, for its large fraction.',
  );
  for (const { id } of countRules) {
    for (const [l, layer] of experts(S, { rule: id, total: 40 }).layers.entries())
      assert.match(layer.why, new RegExp(`^Layer ${l} gets ${layer.value} experts? because .*\\.$`), id);
  }
});

test('bad input: totals, negative scores, NaN, unknown rules, exponents', () => {
  assert.throws(() => counts([1, 2, 3], { total: 2 }), /a total of 2 is too small for 3 layers with at least 1 each/);
  assert.throws(() => counts([1, 2, 3], { total: 3.5 }), /whole number/);
  assert.throws(() => counts([1, -2, 3]), /layer 1 has the score -2\.00: use --aggregation/);
  assert.deepEqual(counts([1, -2, 3], { rule: 'released', total: 9 }).length, 3);
  assert.throws(() => counts([1, NaN, 3]), /the score of layer 1 is NaN/);
  assert.throws(() => counts([1, 2], { rule: 'layrif' }), /use one of layerif, released/);
  assert.throws(() => counts([1, 2], { beta: 0 }), /beta 0 is not possible/);
  assert.throws(() => counts([1, 2], { minimum: -1 }), /minimum -1/);
});

test('one layer, equal scores and zero scores still add up', () => {
  assert.deepEqual(counts([7], { total: 5 }), [5]);
  assert.deepEqual(counts([3, 3, 3], { total: 8 }), [3, 3, 2]);
  assert.deepEqual(counts([0, 0, 0], { total: 8 }), [3, 3, 2]);
  assert.match(experts([0, 0]).notes.join(), /every score is 0/);
  assert.deepEqual(minMax([4, 4]), [0, 0]);
});
