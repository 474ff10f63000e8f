/** Figures in sentences of the pages are those of the files that they name. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { ValidationResult } from '../../protocol/validation.ts';
import type { PairedCase } from '../simulation/paired.ts';

const root = resolve(import.meta.dirname, '../..');
const read = (name: string) => readFileSync(join(root, name), 'utf8');
/** A page without its line breaks. */
const page = (name: string) => read(name).replace(/\s+/g, ' ');

interface Simulated {
  cases: number;
  /** Share of the cases. */
  falseBeatsDot: number;
  /** Share of the intervals that hold the truth. */
  coverage: number;
}

interface Row {
  predictor: string;
  /** Where gradients are taken; null for controls that take none. */
  point: 'pretrained' | 'trained' | 'surrogate' | null;
  control: boolean;
  value: number | null;
  interval: [number, number] | null;
  overDot: { difference: number; interval: [number, number] } | null;
  p?: number;
}

/** Rows of a measure of a committed validation. */
function rowsOf(file: string, measure: string): Row[] {
  const { protocols } = JSON.parse(read(file)) as { protocols: { measures: { name: string; rows: Row[] }[] }[] };
  return protocols[0].measures.find(({ name }) => name === measure)!.rows;
}

const signed = (value: number) => `${value < 0 ? '' : '+'}${value.toFixed(2)}`;
const withInterval = (show: (value: number) => string, value: number, [low, high]: [number, number]) =>
  `${show(value)} (${show(low)} to ${show(high)})`;

const numerals = ['none', 'one', 'two', 'three'];

test('docs/validation.md: false claims and coverage are those of the simulation', () => {
  const { rows } = JSON.parse(read('test/simulation/validation.json')) as { rows: Simulated[] };
  const [{ cases }] = rows;
  assert.ok(rows.every((row) => row.cases === cases));
  const claims = rows.map(({ falseBeatsDot }) => Math.round(falseBeatsDot * cases));
  const percent = rows.map(({ coverage }) => Math.round(100 * coverage));
  const text = page('docs/validation.md');
  const claimed = `in ${numerals[Math.min(...claims)]} to ${Math.max(...claims)} of ${cases} cases`;
  assert.ok(text.includes(claimed), claimed);
  const held = `held the truth in ${Math.min(...percent)} to ${Math.max(...percent)} % (\`test/simulation/validation.json\`)`;
  assert.ok(text.includes(held), held);
});

const lds = rowsOf('test/reference/validation/lds.json', 'LDS');

test('docs/validation.md: the table of LDS is that of the committed validation, row by row', () => {
  const rowOf = (predictor: string, point: Row['point']) =>
    lds.find((row) => row.predictor === predictor && (row.point ?? 'pretrained') === point);
  const cells = (predictor: string, point: 'pretrained' | 'trained') => {
    const row = rowOf(predictor, point);
    if (!row) return ['', ''];
    const { value, interval, overDot } = row;
    const over = overDot && withInterval(signed, overDot.difference, overDot.interval);
    return [withInterval((one) => one.toFixed(2), value!, interval!), over ?? ''];
  };
  const table = read('docs/validation.md')
    .split('\n')
    .filter((line) => /^\| .*\| +(0\.\d\d)/.test(line))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  const named = new Set<string>();
  for (const [names, ...written] of table) {
    const predictors = names.replace(' (control)', '').split(/, | and /);
    for (const predictor of predictors) {
      named.add(predictor);
      assert.equal(names.includes('(control)'), rowOf(predictor, 'pretrained')!.control, predictor);
      assert.deepEqual(written.slice(0, 2), cells(predictor, 'pretrained'), predictor);
    }
    if (predictors.length === 1) assert.deepEqual(written.slice(2), cells(names.split(' ')[0], 'trained'), names);
    else {
      const trained = predictors.map((predictor) => rowOf(predictor, 'trained')!);
      const range = (values: number[], show: (value: number) => string) =>
        `${show(Math.min(...values))} to ${show(Math.max(...values))}`;
      assert.deepEqual(written.slice(2), [
        range(
          trained.map(({ value }) => value!),
          (one) => one.toFixed(2),
        ),
        range(
          trained.map(({ overDot }) => overDot!.difference),
          signed,
        ),
      ]);
    }
  }
  // Uniform scores have no order, hence no value.
  const measured = new Set(lds.filter(({ value }) => value !== null).map(({ predictor }) => predictor));
  assert.deepEqual([...named].sort(), [...measured].sort());
});

test('docs/validation.md: the figures of the forgetting example are those of its committed validation', () => {
  const { protocols, provenance } = JSON.parse(read('test/reference/validation/forgetting.json')) as ValidationResult;
  const { how, comparisons, verdict } = protocols[0];
  const text = page('docs/validation.md');
  const [, rows, tokens, threshold, masked, seeds, steps] =
    /^(\d+) rows.* \((\d+) tokens, of which perplexities above ([\d.]+) mask (\d+)\).* (\d+) seeds, (\d+) steps/.exec(
      how,
    )!;
  const cost = (way: string) => {
    const { difference, interval } = comparisons![0].ways.find((one) => one.way === way)!;
    return { value: difference!.toFixed(2), range: interval!.map((end) => end.toFixed(2)).join(' to ') };
  };
  const [hardest, random] = [cost('highest'), cost('random')];
  for (const sentence of [
    `(${rows} definitions, of whose ${tokens} tokens a perplexity above ${threshold} masks ${masked}; ${steps} steps, ${seeds} seeds, ${provenance.retrainings} trainings in two minutes;`,
    `masking the hardest tokens costs ${hardest.value} nats a token of the task (${hardest.range}), as many random ones ${random.value} (${random.range})`,
  ])
    assert.ok(text.includes(sentence), sentence);
  assert.equal(Math.round(provenance.seconds / 60), 2);
  assert.ok(
    verdict.some((line) => line.startsWith('Training without a mask does not raise the loss of the other texts')),
  );
});

test('docs/validation.md: false claims of paired ways are those of the simulation', () => {
  const { rows } = JSON.parse(read('test/simulation/paired.json')) as { rows: (PairedCase & { claims: number })[] };
  const most = (scatter: string) =>
    Math.max(...rows.filter((row) => row.scatter === scatter).map(({ claims }) => claims));
  const said = `in at most ${Math.ceil(100 * most('normal'))} of 100 cases with normal scatter, and in up to ${Math.ceil(100 * most('skewed'))} of 100 with few seeds and skewed scatter`;
  const text = page('docs/validation.md');
  assert.ok(text.includes(said), said);
  const worst = rows.reduce((a, b) => (b.claims > a.claims ? b : a));
  assert.deepEqual([worst.scatter, worst.seeds], ['skewed', Math.min(...rows.map(({ seeds }) => seeds))]);
});

test('docs/validation.md: the sentences on LDS are those of the committed validations', () => {
  const text = page('docs/validation.md');
  const largest = Math.max(...lds.filter(({ p, control }) => p !== undefined && !control).map(({ p }) => p!));
  assert.ok(text.includes(`(p at most ${largest.toFixed(3)})`), String(largest));
  const surrogate = rowsOf('test/reference/validation/surrogate.json', 'LDS');
  const value = (predictor: string) => surrogate.find((row) => row.predictor === predictor)!.value!.toFixed(2);
  const sentence = `the exact Hessian has an LDS of ${value('exact_hessian')}, DataInf ${value('datainf')} and gradient dot ${value('dot')}`;
  assert.ok(text.includes(sentence), sentence);
});
