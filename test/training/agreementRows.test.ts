/** Rows of a measure: the level of their intervals, which rows are compared with which, and p. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../server/src/random/random.ts';
import { studentQuantile } from '../../server/src/statistics/student.ts';
import { agreementRows, LEVEL } from '../../server/src/validation/agreement.ts';
import type { Predictor } from '../../server/src/validation/agreement.ts';
import type { Agreement } from '../../server/src/validation/agreementMeasures.ts';
import type { Statistic } from '../../server/src/validation/resampling.ts';
import { detection } from '../../server/src/validation/agreementMeasures.ts';

const COUNT = 12;
/** The mean of the values: its scatter is known. */
const mean: Agreement = {
  units: [{ name: 'samples', count: COUNT }],
  others: [],
  range: [-1, 1],
  shuffled: (random) => random.permutation(COUNT),
  of: (values) => statisticOf(() => ({ weights: [...values].map(() => 1 / values.length), values })),
};

/** A weighted sum; without a sample the other weights stand for it. */
function statisticOf(
  make: (order?: readonly number[]) => { weights: number[]; values: ArrayLike<number> },
  scaled = true,
): Statistic {
  const sum = (dropped: number, order?: readonly number[]) => {
    const { weights, values } = make(order);
    const rest = scaled && dropped >= 0 ? 1 - weights[dropped] : 1;
    return weights.reduce((all, w, i) => (i === dropped ? all : all + (w * values[i]) / rest), 0);
  };
  return {
    value: ({ order } = {}) => sum(-1, order),
    withoutEach: () => [Array.from({ length: COUNT }, (_, i) => sum(i))],
  };
}

const random = new Random(1);
const list = (center: number) => Float64Array.from({ length: COUNT }, () => center + 0.2 * random.normal());
const predictor = (id: string, point: string | null, self: Float64Array, control = point === null): Predictor => ({
  id,
  point,
  control,
  B: null,
  self,
});
const options = { seed: 1, values: ({ self }: Predictor) => self };
const error = (values: Float64Array) => {
  const center = values.reduce((a, b) => a + b) / COUNT;
  return Math.sqrt(values.reduce((sum, v) => sum + (v - center) ** 2, 0) / (COUNT - 1) / COUNT);
};
const near = (a: number, b: number, within = 1e-9) => assert.ok(Math.abs(a - b) < within, `${a}, expected ${b}`);

test('one estimator: its lead over dot is a paired t interval at 95 %', () => {
  assert.equal(LEVEL, 0.95);
  const [a, b, c] = [list(0.3), list(0.1), list(0)];
  const rows = agreementRows(
    [predictor('fisher', 'p', a), predictor('dot', 'p', b, true), predictor('length', null, c)],
    mean,
    options,
  );
  const t = studentQuantile(0.95, COUNT - 1);
  const pair = a.map((v, i) => v - b[i]);
  const { difference, interval } = rows[0].overDot!;
  near(interval![1] - difference, t * error(pair));
  near(difference - interval![0], t * error(pair));
  const [control] = rows[0].overControls!;
  assert.equal(control.control, 'length');
  near(control.interval![1] - control.difference, t * error(a.map((v, i) => v - c[i])));
  const [low, high] = rows[0].interval!;
  const value = rows[0].value!;
  near(Math.atanh(high) - Math.atanh(value), (t * error(a)) / (1 - value ** 2));
  near(Math.atanh(value) - Math.atanh(low), (t * error(a)) / (1 - value ** 2));
  assert.deepEqual(
    [rows[1].overDot, rows[1].overControls, rows[2].overDot, rows[2].p],
    [null, undefined, null, undefined],
  );
});

test('several estimators widen each lead; points are compared with their own dot', () => {
  const many = ['a', 'b', 'c', 'd', 'e'].map((id) => predictor(id, 'p', list(0.2)));
  const [dot, other] = [predictor('dot', 'p', list(0), true), predictor('dot', 'q', list(0.1), true)];
  const alone = agreementRows([many[0], dot], mean, options)[0].overDot!;
  const rows = agreementRows([...many, predictor('a', 'q', many[0].self!), dot, other], mean, options);
  const width = ({ interval }: { interval: [number, number] | null }) => interval![1] - interval![0];
  assert.ok(width(rows[0].overDot!) > 1.1 * width(alone));
  near(rows[0].overDot!.difference, alone.difference);
  const centerOf = (values: Float64Array) => values.reduce((x, y) => x + y) / COUNT;
  near(rows[5].overDot!.difference, centerOf(many[0].self!) - centerOf(other.self!));
});

test('p: the best of several against as many shuffled ones, never 0', () => {
  const flipped = Array.from({ length: 30 }, (_, i) => i % 3 === 0);
  const good = Float64Array.from(flipped, (f, i) => (f ? 5 : 0) + Math.sin(i));
  const noise = Float64Array.from(flipped, (_, i) => Math.cos(7 * i));
  const rows = agreementRows([predictor('a', 'p', good), predictor('b', 'p', noise)], detection(flipped), {
    ...options,
    permutations: 99,
  });
  assert.equal(rows[0].p, 1 / 100);
  assert.ok(rows[1].p! > 0.05);
  assert.equal(rows[0].value, 1);
  near(rows[0].interval![0], 0.025 ** (1 / 10));
  const [same] = agreementRows([predictor('a', 'p', new Float64Array(30).fill(2))], detection(flipped), options);
  assert.equal(same.p, 1);
  const alone = agreementRows([predictor('b', 'p', noise)], detection(flipped), options)[0].p!;
  assert.ok(alone <= rows[1].p! + 0.05);
  near(alone * 1000, Math.round(alone * 1000), 1e-6); // 999 orders by default
});

test('undefined values have no lead; equal ones lead by nothing; scales of predictors do not matter for p', () => {
  const all: Agreement = {
    ...mean,
    of: (values) =>
      values[0] > 8 ? { value: () => null, withoutEach: () => [Array<null>(COUNT).fill(null)] } : mean.of(values),
  };
  const undefinedOne = predictor('a', 'p', new Float64Array(COUNT).fill(9));
  const dot = predictor('dot', 'p', list(0.1), true);
  const [row] = agreementRows([undefinedOne, dot, predictor('length', null, list(0))], all, options);
  assert.deepEqual(
    [row.value, row.interval, row.overDot, row.overControls, row.p],
    [null, null, null, undefined, undefined],
  );
  const [equal] = agreementRows([predictor('a', 'p', dot.self!), dot], mean, options);
  assert.deepEqual(equal.overDot, { difference: 0, interval: [0, 0] });
  // A statistic that is proportional to the values: one predictor in other units must not drown the other.
  const proportional: Agreement = {
    ...mean,
    range: [-1e9, 1e9],
    of: (values) =>
      statisticOf(
        (order) => ({
          weights: Array.from(values, (_, i) => i - 5.5),
          values: Array.from(values, (_, i) => values[order ? order[i] : i]),
        }),
        false,
      ),
  };
  const trend = Float64Array.from({ length: COUNT }, (_, i) => i);
  const noise = Float64Array.from({ length: COUNT }, (_, i) => 1e6 * Math.cos(5 * i));
  const rows = agreementRows([predictor('a', 'p', trend), predictor('b', 'p', noise)], proportional, options);
  assert.ok(rows[0].p! < 0.01 && rows[1].p! > 0.1, `${rows[0].p} ${rows[1].p}`);
});

test('a predictor that says nothing has no row; without scatter at a level there is no interval', () => {
  const silent = predictor('silent', 'p', list(0));
  const values = ({ id, self }: Predictor) => (id === 'silent' ? null : self);
  const rows = agreementRows([silent, predictor('a', 'p', list(0.2))], mean, { ...options, values });
  assert.deepEqual(
    rows.map(({ predictor: id }) => id),
    ['a'],
  );
  const bare: Agreement = {
    ...mean,
    units: [{ name: 'samples', count: 1 }],
    of: (values) => ({ ...mean.of(values), withoutEach: () => [[0]] }),
  };
  const [a] = agreementRows([predictor('a', 'p', list(0.2)), predictor('dot', 'p', list(0), true)], bare, options);
  assert.deepEqual([a.interval, a.overDot!.interval], [null, null]);
  assert.ok(a.overDot!.difference > 0);
});

test('values with a large mean and different scatter are standardised before the best of them is taken', () => {
  // AUCs of about 0.5: one of many ties scatters less than one without.
  const flipped = Array.from({ length: 40 }, (_, i) => i % 2 === 0);
  const tied = Float64Array.from(flipped, (f, i) => (i < 4 ? (f ? 1 : -1) : 0));
  const noise = Float64Array.from(flipped, (_, i) => Math.cos(7 * i));
  const alone = agreementRows([predictor('a', 'p', tied)], detection(flipped), options)[0].p!;
  const beside = agreementRows([predictor('a', 'p', tied), predictor('b', 'p', noise)], detection(flipped), options);
  assert.ok(alone < 0.2 && beside[0].p! < 2.2 * alone + 0.02, `${alone} ${beside[0].p}`);
});
