import { test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { barChart } from '../../server/src/cli/chart.ts';
import { assertGolden } from '../golden/golden.ts';

const layers = (values: number[]) => values.map((value, index) => ({ label: String(index), value }));
const text = (lines: string[]) => lines.map((line) => `${line}\n`).join('');

test('chart: helpful mass of twelve layers', () => {
  const values = [5.01e11, 8.36e11, 7.99e11, 8.46e11, 8.16e11, 6.2e11, 1.1e10, 3e8, 0, 4.4e11, 5.5e11, 6.6e11];
  assertGolden('cli/chart-positive.txt', text(barChart(layers(values), { width: 80 })));
  assertGolden('cli/chart-positive-40.txt', text(barChart(layers(values), { width: 40 })));
});

test('chart: negative layers are shaded and left of the zero line', () => {
  assertGolden('cli/chart-signed.txt', text(barChart(layers([12, -3.5, 0, 40, -20, 0.02, -0.02]), { width: 72 })));
});

test('chart: only negative, only zero, one layer, none', () => {
  const cases = [[-1, -2, -4], [0, 0], [7], []];
  assertGolden('cli/chart-edges.txt', cases.map((values) => text(barChart(layers(values), { width: 60 }))).join('\n'));
});

test('chart: every line has the same width, at most the one asked for, and longer bars belong to larger values', () => {
  const filled = (line: string) =>
    [...line].reduce((sum, c) => sum + ('█'.includes(c) ? 8 : Math.max(0, '▏▎▍▌▋▊▉'.indexOf(c) + 1)), 0);
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: -1e12, max: 1e12, noNaN: true }), { minLength: 1, maxLength: 40 }),
      fc.integer({ min: 40, max: 200 }),
      (values, width) => {
        const [heading, ...lines] = barChart(layers(values), { width });
        for (const line of lines) assert.equal([...line].length, [...heading].length);
        assert.ok([...heading].length <= width);
        const positive = values
          .map((value, index) => ({ value, length: filled(lines[index]) }))
          .filter(({ value }) => value > 0);
        positive.sort((a, b) => a.value - b.value);
        for (let i = 1; i < positive.length; i++) assert.ok(positive[i].length >= positive[i - 1].length);
        for (const { length } of positive) assert.ok(length >= 1, 'a positive value is visible');
      },
    ),
  );
});

test('whiskers go from the low to the high end of the interval, also beyond the bar', () => {
  const bars = [
    { label: '0', value: 50, interval: [25, 100] as [number, number], note: '1-2' },
    { label: '1', value: 20, interval: [18, 22] as [number, number], note: '2-3 ?' },
  ];
  const [head, first, second] = barChart(bars, { width: 60, noteHeading: 'rank' });
  assert.match(head, /share {2}score {2}rank$/);
  const drawn = /^ +0 {2}(\S+)/.exec(first)![1];
  assert.match(drawn, /^█+├█+[▏▎▍▌▋▊▉]?─+┤$/);
  assert.ok(Math.abs(drawn.indexOf('├') / drawn.length - 0.25) < 0.1, drawn);
  assert.match(first, / 1-2$/);
  assert.match(second, / 2-3 \?$/);
  assert.doesNotMatch(barChart([{ label: '0', value: -1, interval: [-2, 1] }], { width: 60 }).join(''), /├/);
});
