/** The words about a measure follow from its numbers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AgreementRow } from '../../protocol/validation.ts';
import { verdictOf } from '../../server/src/run/validate/validateVerdict.ts';

const row = (predictor: string, value: number | null, change: Partial<AgreementRow> = {}): AgreementRow => ({
  predictor,
  point: 'trained',
  control: predictor === 'dot',
  value,
  interval: value === null ? null : [value - 0.1, value + 0.1],
  overDot: null,
  ...change,
});
const over = (difference: number, interval: [number, number]) => ({ overDot: { difference, interval } });
const random = (value: number) => row('random', value, { point: null, control: true });
const verdict = (rows: AgreementRow[]) => verdictOf({ name: 'LDS', chance: 0, rows });

test('better than dot only when the interval of the difference says so', () => {
  const dot = row('dot', 0.3);
  const [better] = verdict([row('datainf', 0.5, over(0.2, [0.1, 0.3])), dot, random(0)]);
  assert.equal(
    better,
    'LDS, trained gradients: the best estimator is datainf with 0.50 [0.40, 0.60]. It beats gradient dot (0.30 [0.20, 0.40]; difference +0.20 [+0.10, +0.30]).',
  );
  const [unsure] = verdict([row('datainf', 0.5, over(0.2, [-0.1, 0.3])), dot]);
  assert.match(
    unsure,
    /It does not beat gradient dot beyond chance \(0\.30 .*difference \+0\.20 \[-0\.10, \+0\.30\]\)/,
  );
  const [worse] = verdict([row('datainf', 0.1, over(-0.2, [-0.3, -0.1])), dot]);
  assert.match(worse, /It is worse than gradient dot/);
});

test('chance and controls are named', () => {
  const [text] = verdict([row('datainf', 0.05, over(0.1, [0.05, 0.2])), row('dot', -0.05), random(0.2)]);
  assert.match(text, /reaches down to chance \(0\)/);
  assert.match(text, /does not beat the control random with 0\.20/);
});

test('the best of several is taken, a point is judged by itself, undefined values are said', () => {
  const rows = [
    row('datainf', 0.2, over(0, [0, 0])),
    row('fisher', 0.4, over(0.2, [0.1, 0.3])),
    row('dot', 0.2),
    row('datainf', null, { point: 'pretrained' }),
  ];
  const [trained, pretrained] = verdict(rows);
  assert.match(trained, /best estimator is fisher/);
  assert.equal(pretrained, 'LDS, pretrained: no estimator gives a defined value; nothing can be said.');
});

test("the experiment's estimator is spoken of first; the exact Hessian is no choice", () => {
  const rows = [
    row('exact_hessian', 0.9, over(0.6, [0.5, 0.7])),
    row('datainf', 0.4, over(0.1, [0.05, 0.15])),
    row('fisher', 0.2, over(-0.1, [-0.2, 0.05])),
    row('dot', 0.3),
  ];
  const [own, best] = verdictOf({ name: 'LDS', chance: 0, rows }, 'fisher');
  assert.match(
    own,
    /^LDS, trained gradients: the experiment's estimator fisher with 0\.20 .* does not beat gradient dot/,
  );
  assert.match(best, /the best estimator is datainf with 0\.40 .* It beats gradient dot/);
  assert.match(best, /The exact Hessian, which no run can choose, has 0\.90/);
  const [both, ...none] = verdictOf({ name: 'LDS', chance: 0, rows }, 'datainf');
  assert.match(both, /the best estimator, and the experiment's, is datainf/);
  assert.deepEqual(none, []);
});

test('p above 0.05 is down to chance, and a control is beaten only when its interval says so', () => {
  const controls = (low: number) => ({
    overControls: [
      { control: 'random', difference: 0.5, interval: [0.3, 0.7] as [number, number] },
      { control: 'bm25', difference: 0.2, interval: [low, 0.4] as [number, number] },
    ],
  });
  const bm25 = row('bm25', 0.3, { point: null, control: true });
  const text = (low: number, p: number) =>
    verdictOf({ name: 'LDS', chance: 0, rows: [row('datainf', 0.5, { ...controls(low), p }), bm25, random(0)] })[0];
  assert.match(text(-0.01, 0.051), /It is down to chance \(0\): .* with probability 0\.05\./);
  assert.doesNotMatch(text(-0.01, 0.05), /down to chance/);
  assert.match(
    text(-0.01, 0.01),
    /does not beat the control bm25 with 0\.30 .* beyond chance \(difference \+0\.20 \[-0\.01, \+0\.40\]\)/,
  );
  assert.match(text(0.01, 0.01), /It beats every control without gradients \(next: bm25/);
});

test('a row without a lead says nothing of dot; estimators and dot are no controls; a tie with a control is no win', () => {
  const [alone] = verdict([row('datainf', 0.5), row('dot', 0.9), random(0.2)]);
  assert.equal(alone, 'LDS, trained gradients: the best estimator is datainf with 0.50 [0.40, 0.60].');
  const [tied] = verdict([row('datainf', 0.5), random(0.5)]);
  assert.match(tied, /It does not beat the control random with 0\.50/);
});

test('of equal estimators the first is named; of equally hard controls the one with the smaller lead', () => {
  const [text] = verdict([row('fisher', 0.5), row('datainf', 0.5)]);
  assert.match(text, /best estimator is fisher/);
  const lead = (control: string, difference: number) => ({
    control,
    difference,
    interval: [0.1, 0.5] as [number, number],
  });
  const overControls = [lead('bm25', 0.2), lead('length', 0.3), lead('uniform', 0.25)];
  const controls = ['bm25', 'length', 'uniform'].map((id) => row(id, 0.2, { point: null, control: true }));
  assert.match(
    verdict([row('fisher', 0.5, { overControls }), ...controls])[0],
    /It beats every control without gradients \(next: bm25 with/,
  );
  assert.match(
    verdict([row('fisher', 0.5, { overControls: overControls.toReversed() }), ...controls])[0],
    /next: bm25 with/,
  );
});
