/** Forms of the Allocation and Sparsity tabs: what is asked, which sliders there are, what the chart draws. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  allocationSeries,
  controlsOf,
  countForm,
  listText,
  requestOf,
  ruleName,
  sparsityForm,
  totalWords,
  valueText,
} from '../../../webview/src/model/allocation.ts';
import { allocation } from '../answers.ts';
import { sampleResult } from '../sampleResult.ts';

const result = sampleResult({ layers: 12, tasks: ['a', 'b'], train: 20, validation: 3 });
const made = (form: typeof countForm, rule = form.rule) => {
  const answer = allocation(result, requestOf(form, rule));
  assert.ok(answer.allocation, answer.error?.message);
  return answer.allocation;
};
const keys = (form: typeof countForm, rule: string) =>
  controlsOf(form.kind, 12, made({ ...form, rule }).settings, rule).map(({ key }) => key);

test('a control that was not moved asks for nothing', () => {
  assert.deepEqual(requestOf(countForm), { kind: 'experts', rule: 'layerif' });
  assert.deepEqual(requestOf({ ...countForm, total: 60, beta: 2, task: 'b' }), {
    kind: 'experts',
    rule: 'layerif',
    total: 60,
    beta: 2,
    tasks: ['b'],
  });
});

test('a baseline shares total and minimum, not the exponent of the chosen rule', () => {
  const form = { ...countForm, total: 60, minimum: 2, beta: 2 };
  assert.deepEqual(requestOf(form, 'uniform'), { kind: 'experts', rule: 'uniform', total: 60, minimum: 2 });
  assert.deepEqual(requestOf(form, 'mola_2468'), { kind: 'experts', rule: 'mola_2468' }, 'the shape sets the total');
  assert.deepEqual(requestOf({ ...sparsityForm, ratio: 0.6, epsilon: 0.2 }, 'reversed'), {
    kind: 'sparsity',
    rule: 'reversed',
    ratio: 0.6,
    unit: 'block',
    structure: 'unstructured',
  });
});

test('a pattern N:M sets the sparsity by itself', () => {
  const form = { ...sparsityForm, ratio: 0.6, structure: '2:4' };
  assert.ok(!('ratio' in requestOf(form)));
  assert.equal(made(form).settings.ratio, 0.5);
});

test('sliders are those of the rule', () => {
  assert.deepEqual(keys(countForm, 'layerif'), ['total', 'beta', 'minimum', 'topK']);
  assert.deepEqual(keys(countForm, 'uniform'), ['total', 'minimum', 'topK']);
  assert.deepEqual(keys(countForm, 'mola_8642'), ['topK']);
  assert.deepEqual(keys(sparsityForm, 'layerif'), ['ratio', 'epsilon']);
  assert.deepEqual(keys(sparsityForm, 'uniform'), ['ratio']);
  assert.deepEqual(keys({ ...countForm, kind: 'drop' }, 'layerif'), ['count']);
});

test('bars are the chosen rule, lines the others; lengths that differ are left out', () => {
  const own = made({ ...countForm, total: 60 });
  const uniform = made({ ...countForm, total: 60 }, 'uniform');
  const short = { ...uniform, layers: uniform.layers.slice(1) };
  const series = allocationSeries({ name: 'LayerIF', allocation: own }, [
    { name: 'Uniform', allocation: uniform },
    { name: 'Other', allocation: short },
  ]);
  assert.deepEqual(
    series.map(({ name, mark, style }) => [name, mark, style]),
    [
      ['LayerIF', 'bars', 0],
      ['Uniform', 'lines', 1],
    ],
  );
  assert.deepEqual(
    series[1].values,
    Array.from({ length: 12 }, () => 5),
  );
  assert.equal(
    series[0].values.reduce<number>((sum, value) => sum + value!, 0),
    60,
  );
});

test('lists to paste: counts in layer order, indices of chosen layers', () => {
  const counts = listText(made({ ...countForm, total: 60 }))
    .split(',')
    .map(Number);
  assert.equal(counts.length, 12);
  assert.equal(
    counts.reduce((a, b) => a + b),
    60,
  );
  const dropped = made({ ...countForm, kind: 'drop', count: 3 });
  const lowest = [...result.tasks[0].layers]
    .sort((a, b) => a.score - b.score)
    .slice(0, 3)
    .map(({ index }) => index);
  assert.deepEqual(
    listText(dropped).split(',').map(Number),
    lowest.sort((a, b) => a - b),
  );
});

test('values and totals in words', () => {
  assert.equal(valueText('experts', 9), '9');
  assert.equal(valueText('sparsity', 0.435), '44\u00a0%');
  assert.equal(valueText('drop', 1), 'left out');
  assert.equal(valueText('tune', 0), '\u2013');
  assert.equal(totalWords(made({ ...countForm, total: 60 })), '60 experts over 12 layers');
  assert.match(totalWords(made(sparsityForm)), /^50\.00\u00a0% of the prunable weights/);
  assert.equal(ruleName('mola_2468', 'MoLA shape 2-4-6-8, lowest layers first'), 'MoLA 2468');
  assert.equal(ruleName('alphalora', 'AlphaLoRA, from the spectrum of the weights'), 'AlphaLoRA');
});
