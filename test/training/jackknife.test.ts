/** Scatter and critical values against formulas written out. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../server/src/random/random.ts';
import { studentQuantile } from '../../server/src/statistics/student.ts';
import { detection, leaveOut, linearDatamodeling, retrieval } from '../../server/src/validation/agreementMeasures.ts';
import type { Agreement } from '../../server/src/validation/agreementMeasures.ts';
import { criticalValue, Multipliers, valueInterval } from '../../server/src/validation/jackknife.ts';
import { Resampling } from '../../server/src/validation/resampling.ts';
import type { Spread } from '../../server/src/validation/resampling.ts';

const near = (a: number, b: number, within = 1e-12) => assert.ok(Math.abs(a - b) <= within, `${a}, expected ${b}`);

function spread(agreement: Agreement, values: Float64Array, seed = 1): Spread {
  const resampling = new Resampling(agreement.units, agreement.others, new Random(seed));
  return resampling.spread(resampling.of(agreement.of(values)))!;
}

/** A statistic from its values without each unit. */
function given(left: (number | null)[]): Spread | null {
  const resampling = new Resampling([{ name: 'a', count: left.length }], [], new Random(1));
  return resampling.spread(resampling.of({ value: () => 0, withoutEach: () => [left] }));
}

/** The members of a level that stay. */
const keep = (name: string, count: number, dropped: number) =>
  new Map([[name, Array.from({ length: count }, (_, i) => i !== dropped)]]);

test("the scatter of an AUC is DeLong's", () => {
  const positive = [0.9, 0.8, 0.35, 0.6];
  const negative = [0.5, 0.7, 0.1, 0.4, 0.2];
  const flipped = [...positive.map(() => true), ...negative.map(() => false)];
  const { error, degrees, parts } = spread(detection(flipped), Float64Array.from([...positive, ...negative]));
  near(error ** 2, 0.02875); // numpy: var of the placements / 4 + / 5
  assert.deepEqual(
    parts.map(({ level }) => level),
    ['changed', 'unchanged'],
  );
  near(degrees, 0.02875 ** 2 / (0.02 ** 2 / 3 + 0.00875 ** 2 / 4));
});

test('the scatter of a mean is s / sqrt(n); few defined values have none', () => {
  const values = [3, 5, 10, 2];
  const mean = values.reduce((a, b) => a + b) / 4;
  const left = values.map((v) => (4 * mean - v) / 3);
  const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / 3 / 4;
  const one = given(left)!;
  near(one.error ** 2, variance);
  near(one.degrees, 3);
  assert.equal(one.members, 4);
  assert.equal(given([1, null, null]), null);
  near(given([1, 3, null])!.error ** 2, (1 / 2) * ((1 - 2) ** 2 + (3 - 2) ** 2));
});

/** The mean of a table of units x others, whose variance is known: rows / units + columns / others + rest / cells. */
function tableMean(table: number[][]): Agreement {
  const [rows, columns] = [table.length, table[0].length];
  return {
    units: [{ name: 'rows', count: rows }],
    others: [{ name: 'columns', count: columns }],
    range: [-100, 100],
    shuffled: (random) => random.permutation(rows),
    of() {
      const mean = (dropped: number, kept?: readonly boolean[]) => {
        const cells = table.flatMap((row, i) => (i === dropped ? [] : row.filter((_, j) => !kept || kept[j])));
        return cells.reduce((sum, v) => sum + v, 0) / cells.length;
      };
      return {
        value: ({ halves } = {}) => mean(-1, halves?.get('columns')),
        withoutEach: (halves) => [table.map((_, i) => mean(i, halves?.get('columns')))],
      };
    },
  };
}

test('what units and others say together is counted once, not twice', () => {
  const random = new Random(12);
  const [rows, columns] = [20, 12];
  for (const [row, column, rest] of [
    [1, 1, 0],
    [0, 0, 5],
    [1, 0, 5],
    [0, 1, 5],
    [1, 2, 3],
  ]) {
    const truth = row ** 2 / rows + column ** 2 / columns + rest ** 2 / (rows * columns);
    let [seen, both] = [0, 0];
    const repeats = 150;
    for (let repeat = 0; repeat < repeats; repeat++) {
      const ofRow = Array.from({ length: rows }, () => row * random.normal());
      const ofColumn = Array.from({ length: columns }, () => column * random.normal());
      const table = ofRow.map((r) => ofColumn.map((c) => r + c + rest * random.normal()));
      seen += spread(tableMean(table), new Float64Array(0), repeat).error ** 2 / repeats;
      // Both jackknives added up, as it was.
      const grand = table.flat().reduce((sum, v) => sum + v, 0) / (rows * columns);
      const own = (list: number[][]) =>
        list.reduce((sum, l) => sum + (l.reduce((a, b) => a + b) / l.length - grand) ** 2, 0) /
        (list.length * (list.length - 1));
      both += (own(table) + own(ofColumn.map((_, j) => table.map((r) => r[j])))) / repeats;
    }
    assert.ok(Math.abs(seen / truth - 1) < 0.17, `${row} ${column} ${rest}: ${seen / truth} of the variance`);
    if (row + column === 0) assert.ok(both / truth > 1.8, `${both / truth}`);
  }
});

test('subsets, training samples and validation samples are all left out, each as if it had not been there', () => {
  const random = new Random(4);
  const [n, m] = [8, 3];
  const subsets = Array.from({ length: 7 }, () => random.subset(n, 4));
  const B = Float64Array.from({ length: n * m }, () => random.normal());
  const losses = subsets.map(() => Array.from({ length: m }, () => random.normal()));
  const lds = linearDatamodeling(n, m, subsets, losses);
  const drop = <T>(list: readonly T[], k: number) => list.filter((_, i) => i !== k);
  near(lds.of(B).withoutEach()[0][2]!, linearDatamodeling(n, m, drop(subsets, 2), drop(losses, 2)).of(B).value()!);
  const columns = (kept: number[]) =>
    Float64Array.from(
      { length: n * kept.length },
      (_, at) => B[Math.floor(at / kept.length) * m + kept[at % kept.length]],
    );
  const two = linearDatamodeling(
    n,
    2,
    subsets,
    losses.map((row) => drop(row, 1)),
  );
  const query = keep('validation', m, 1);
  near(lds.of(B).value({ halves: query })!, two.of(columns([0, 2])).value()!);
  near(lds.of(B).withoutEach(query)[0][2]!, two.of(columns([0, 2])).withoutEach()[0][2]!);
  // A training sample left out of the predictions counts as the mean one.
  const averaged = B.slice();
  for (let j = 0; j < m; j++) {
    let mean = 0;
    for (let i = 0; i < n; i++) mean += B[i * m + j] / n;
    averaged[5 * m + j] = mean;
  }
  const without = keep('training', n, 5);
  near(lds.of(B).value({ halves: without })!, lds.of(averaged).value()!);
  near(lds.of(B).withoutEach(without)[0][3]!, lds.of(averaged).withoutEach()[0][3]!);
  const groups = leaveOut(n, m, subsets, losses, 'pearson');
  near(groups.of(B).value({ halves: without })!, groups.of(averaged).value()!);
  near(groups.of(B).withoutEach(without)[0][3]!, groups.of(averaged).withoutEach()[0][3]!);
  near(groups.of(B).withoutEach()[0][0]!, leaveOut(n, m, drop(subsets, 0), drop(losses, 0), 'pearson').of(B).value()!);
  const fewer = leaveOut(
    n,
    2,
    subsets,
    losses.map((row) => drop(row, 1)),
    'pearson',
  );
  near(groups.of(B).value({ halves: query })!, fewer.of(columns([0, 2])).value()!);
  const flipped = [true, true, false, false, false, true, false, false];
  const harm = detection(flipped, m);
  near(
    harm.of(B).value({ halves: query })!,
    detection(flipped, 2)
      .of(columns([0, 2]))
      .value()!,
  );
  near(
    harm.of(B).withoutEach(query)[1][1]!,
    detection(drop(flipped, 3), 2)
      .of(columns([0, 2]).filter((_, at) => at >> 1 !== 3))
      .value()!,
  );
  assert.deepEqual(
    [...harm.units, ...harm.others].map(({ name, count }) => `${name} ${count}`),
    ['changed 3', 'unchanged 5', 'validation 3'],
  );
});

test('a class is left out, and changes places, as a whole', () => {
  const random = new Random(9);
  const names = ['a', 'b', 'c', 'd'];
  const classes = { train: names.flatMap((c) => [c, c, c]), validation: names.flatMap((c) => [c, c]) };
  const [n, m] = [12, 8];
  const B = Float64Array.from({ length: n * m }, () => random.normal());
  for (const measure of ['auc', 'recall'] as const) {
    const all = retrieval(n, classes, measure);
    assert.deepEqual([all.units, all.others], [[{ name: 'classes', count: 4 }], []]);
    const keep = (list: string[]) => list.flatMap((c, i) => (c === 'b' ? [] : [i]));
    const [rows, columns] = [keep(classes.train), keep(classes.validation)];
    const fewer = retrieval(
      9,
      { train: rows.map((i) => classes.train[i]), validation: columns.map((j) => classes.validation[j]) },
      measure,
    );
    const cut = Float64Array.from(rows.flatMap((i) => columns.map((j) => B[i * m + j])));
    near(all.of(B).withoutEach()[0][1]!, fewer.of(cut).value()!);
    const order = [2, 0, 3, 1];
    const moved = retrieval(
      n,
      { ...classes, validation: classes.validation.map((c) => names[order[names.indexOf(c)]]) },
      measure,
    );
    near(all.of(B).value({ order })!, moved.of(B).value()!);
  }
});

test('intervals hold their value, stay inside the range, and an extreme value is not taken for certain', () => {
  const of = (error: number, degrees: number, count = 10): Spread => ({
    error,
    degrees,
    members: count,
    parts: [{ level: 'a', deviations: new Float64Array(count) }],
  });
  const [low, high] = valueInterval(0.3, of(0.1, 9), [-1, 1], 0.95)!;
  const reach = studentQuantile(0.95, 9) * (0.1 / (1 - 0.09));
  near(low, Math.tanh(Math.atanh(0.3) - reach));
  near(high, Math.tanh(Math.atanh(0.3) + reach));
  const [a, b] = valueInterval(0.65, of(0.05, 9), [0, 1], 0.95)!; // 0.65 of 0..1 is 0.3 of -1..1
  near(a, (low + 1) / 2);
  near(b, (high + 1) / 2);
  const perfect = valueInterval(1, of(0, 9, 8), [0, 1], 0.95)!;
  near(perfect[0], 0.025 ** (1 / 8)); // Clopper-Pearson for 8 of 8
  assert.equal(perfect[1], 1);
  near(valueInterval(-1, of(0, 9, 8), [-1, 1], 0.95)![1], 1 - 2 * 0.025 ** (1 / 8));
  assert.deepEqual(valueInterval(0.5, of(0, 9), [0, 1], 0.95), [0.5, 0.5]);
  assert.equal(valueInterval(0.5, null, [0, 1], 0.95), null);
});

test('the critical value of several differences lies between that of one and Bonferroni', () => {
  const random = new Random(2);
  const part = (deviations: Float64Array) => {
    const error = Math.sqrt(deviations.reduce((sum, d) => sum + d * d, 0));
    return { error, degrees: 20, members: 200, parts: [{ level: 'a', deviations }] };
  };
  const normals = () => Float64Array.from({ length: 200 }, () => random.normal());
  const one = part(normals());
  const single = studentQuantile(0.95, 20);
  near(criticalValue([one], 0.95, new Multipliers(random)), single);
  const same = criticalValue([one, one, one], 0.95, new Multipliers(random)); // fully dependent
  assert.ok(same < single * 1.06, `${same} for the same difference three times, ${single} for one`);
  const five = criticalValue(
    Array.from({ length: 5 }, () => part(normals())),
    0.95,
    new Multipliers(random),
  );
  const bonferroni = studentQuantile(0.99, 20);
  assert.ok(five > single * 1.12 && five < bonferroni * 1.04, `${single} < ${five} < ${bonferroni}`);
  assert.equal(criticalValue([], 0.95, new Multipliers(random)), Infinity);
});

test('few defined values, a scatter of 1, differences that hang on one member', () => {
  assert.equal(given([1, 2, null, null, null]), null);
  assert.equal(given([1]), null);
  assert.equal(spread({ ...tableMean([[1], [2]]) }, new Float64Array(0)), null);
  const part = (deviations: number[], degrees = 1000): Spread => ({
    error: Math.hypot(...deviations),
    degrees,
    members: deviations.length,
    parts: [{ level: 'a', deviations: Float64Array.from(deviations) }],
  });
  const [low, high] = valueInterval(0.65, part([1]), [0, 1], 0.95)!;
  assert.ok(low < 0.1 && high > 0.9);
  const random = () => new Multipliers(new Random(5));
  const single = studentQuantile(0.95, 1000);
  // The larger of two independent ones: 2.24 (Šidák) instead of 1.96; also where their size is small.
  for (const size of [0.01, 1]) {
    const two = criticalValue([part([size, 0]), part([0, size])], 0.95, random());
    assert.ok(Math.abs(two - 2.24) < 0.1, `${two}`);
  }
  near(criticalValue([part([1, 1]), part([0, 0])], 0.95, random()), single);
  // Few degrees of freedom: the tail of the larger of two is heavier than of one.
  const few = criticalValue([part([1, 0], 1.5), part([0, 1], 1.5)], 0.95, random());
  assert.ok(few > 1.3 * studentQuantile(0.95, 1.5), `${few}`);
});

test('what is left out of one group per sample, and orders of chosen samples', () => {
  const random = new Random(8);
  const B = Float64Array.from({ length: 12 }, () => random.normal());
  const changes = [1, 5, 2, 4].map((c) => [c, c / 2]);
  const chosen = [[1], [2], [4], [5]];
  const single = leaveOut(6, 2, chosen, changes, 'spearman');
  assert.deepEqual([single.others.length, single.range], [1, [-1, 1]]);
  for (let draw = 0; draw < 20; draw++) {
    const order = single.shuffled(random);
    assert.deepEqual([order[0], order[3]], [0, 3], 'samples that were not chosen stay');
    assert.deepEqual([...order].sort(), [0, 1, 2, 3, 4, 5]);
  }
  const pairs = leaveOut(
    6,
    2,
    [
      [0, 1],
      [2, 3],
      [4, 5],
    ],
    changes.slice(0, 3),
    'pearson',
  );
  assert.equal(pairs.others.length, 2);
  assert.ok(Array.from({ length: 20 }, () => pairs.shuffled(random)[0]).some((first) => first !== 0));
  assert.throws(() => leaveOut(6, 2, [[0, 1], [2]], changes.slice(0, 2), 'pearson'), /groups of 2, 1 training samples/);
  const order = [5, 4, 3, 2, 1, 0];
  const turned = Float64Array.from(order.flatMap((i) => [B[2 * i], B[2 * i + 1]]));
  near(pairs.of(B).value({ order })!, pairs.of(turned).value()!);
  const lds = linearDatamodeling(
    6,
    2,
    [
      [0, 1],
      [2, 3],
      [4, 5],
      [0, 3],
    ],
    changes,
  );
  assert.deepEqual(lds.range, [-1, 1]);
  near(lds.of(B).value({ order })!, lds.of(turned).value()!);
  const first = { halves: keep('training', 6, 0) };
  const center = (B[0] + B[2] + B[4] + B[6] + B[8] + B[10]) / 6;
  const other = (B[1] + B[3] + B[5] + B[7] + B[9] + B[11]) / 6;
  near(pairs.of(B).value(first)!, pairs.of(Float64Array.of(center, other, ...B.slice(2))).value()!);
  const harm = detection([true, false, true, false, false, false], 2);
  near(
    harm.of(B).value({ halves: keep('validation', 2, 0) })!,
    detection([true, false, true, false, false, false], 1)
      .of(B.filter((_, at) => at % 2 === 1))
      .value()!,
  );
  near(harm.of(B).value({ order })!, harm.of(turned).value()!);
  assert.deepEqual(harm.range, [0, 1]);
});

test('at the edge of its range a value has the bound of the smallest level; retrieval lies from 0 to 1', () => {
  const parts = [9, 4, 7].map((count) => ({ level: `${count}`, deviations: new Float64Array(count) }));
  const [low] = valueInterval(1, { error: 0, degrees: 3, members: 4, parts }, [0, 1], 0.95)!;
  near(low, 0.025 ** (1 / 4));
  const classes = { train: [0, 0, 1, 1], validation: [0, 1] };
  const B = Float64Array.of(3, 0, 2, 2, 1, 3, 0, 1);
  for (const [measure, value] of [
    ['auc', (1 + 0.75) / 2],
    ['recall', (1 + 0.5) / 2],
  ] as const) {
    const agreement = retrieval(4, classes, measure);
    assert.deepEqual(agreement.range, [0, 1]);
    near(agreement.of(B).value()!, value);
  }
});
