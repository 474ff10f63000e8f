/** Smooth mixed models against R's mgcv (test/reference/analysis/mgcv.R), and what must hold of any such model. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Random } from '../../server/src/random/random.ts';
import { fitSmoothModel } from '../../server/src/statistics/smoothModel.ts';
import type { Levels, ModelSpec, SmoothModel } from '../../server/src/statistics/smoothModel.ts';

interface Mgcv {
  edf: number[];
  p: number[];
  adjustedR2: number;
  deviance: number;
  variance: number;
  reml: number;
  parametric: number[];
  parametricSe: number[];
  curves: { fit: number[]; se: number[] }[];
}
const folder = new URL('../reference/analysis/', import.meta.url);
const mgcv = JSON.parse(readFileSync(new URL('mgcv.json', folder), 'utf8')) as Record<string, Mgcv>;
const [head, ...lines] = readFileSync(new URL('table.csv', folder), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => line.split(','));
const numbers = (name: string) => Float64Array.from(lines, (line) => Number(line[head.indexOf(name)]));
const logs = (name: string) => numbers(name).map(Math.log);
function levels(name: string): Levels {
  const cells = lines.map((line) => line[head.indexOf(name)]);
  const names = [...new Set(cells)].sort();
  return { name, names, of: Int32Array.from(cells, (cell) => names.indexOf(cell)) };
}
function fitted(spec: ModelSpec): SmoothModel {
  const { model, fault } = fitSmoothModel(spec);
  assert.equal(fault, null);
  return model;
}
const near = (value: number, expected: number, tolerance: number, what: string) =>
  assert.ok(
    Math.abs(value - expected) <= tolerance * Math.max(1, Math.abs(expected)),
    `${what}: ${value}, expected ${expected}`,
  );

/** Rows at which mgcv.R says the effects, from 0. */
const rows = [0, 4, 16, 59, 98];

function compare(
  name: string,
  model: SmoothModel,
  covariates: Record<string, Float64Array>,
  by: Levels | null = null,
): void {
  const expected = mgcv[name];
  const terms = [...model.curves.map(({ term }) => term), ...(model.random ? [model.random.term] : [])];
  terms.forEach((term, k) => near(term.edf, expected.edf[k], 2e-4, `${name} edf of ${term.name}`));
  near(model.fit.adjustedR2, expected.adjustedR2, 1e-6, `${name} adjusted R²`);
  near(model.fit.devianceExplained, expected.deviance, 1e-6, `${name} deviance explained`);
  near(model.fit.variance, expected.variance, 1e-6, `${name} variance`);
  near(model.fit.reml, expected.reml, 1e-7, `${name} REML`);
  [model.intercept, ...model.fixed].forEach(({ value, error }, k) => {
    near(value, expected.parametric[k], 1e-4, `${name} parameter ${k}`);
    near(error, expected.parametricSe[k], 1e-4, `${name} error of parameter ${k}`);
  });
  model.curves.forEach((curve, k) =>
    rows.forEach((row, i) => {
      const own =
        by && by.names[by.of[row]] !== curve.level
          ? { effect: 0, error: 0 }
          : curve.at(covariates[curve.covariate][row]);
      near(own.effect, expected.curves[k].fit[i], 1e-4, `${name} ${curve.term.name} at row ${row}`);
      near(own.error, expected.curves[k].se[i], 2e-4, `${name} error of ${curve.term.name} at row ${row}`);
    }),
  );
  if (model.random) {
    const { levels: found } = model.random;
    const { of } = levels('Architecture');
    rows.forEach((row, i) => near(found[of[row]].value, expected.curves.at(-1)!.fit[i], 1e-4, `${name} random effect`));
  }
}

test('log score by log size with a random effect, as in the paper', () => {
  const size = logs('Params');
  const model = fitted({
    response: logs('ARC'),
    smooths: [{ name: 'Params', values: size }],
    random: levels('Architecture'),
  });
  compare('size', model, { Params: size });
});

test('several curves at once; one that is linear has one degree of freedom', () => {
  const covariates = { Params: logs('Params'), MMLU: numbers('MMLU'), Noise: numbers('Noise') };
  const smooths = Object.entries(covariates).map(([name, values]) => ({ name, values }));
  const model = fitted({ response: numbers('ARC'), smooths, random: levels('Architecture') });
  compare('several', model, covariates);
  near(model.curves[1].term.edf, 1, 1e-3, 'edf of MMLU');
  // The test is a simpler one than mgcv's: the same verdict, not the same number.
  const { p } = mgcv.several;
  assert.ok(model.curves[0].term.p < 1e-6 && p[0] < 1e-6);
  assert.ok(model.curves[2].term.p > 0.1 && p[2] > 0.1);
});

test('a fixed factor, and a curve for each of its levels', () => {
  const size = logs('Params');
  const Type = levels('Type');
  const common = { response: numbers('ARC'), smooths: [{ name: 'Params', values: size }], fixed: [Type] };
  compare('fixed', fitted({ ...common, random: levels('Architecture') }), { Params: size });
  compare('by', fitted({ ...common, by: Type }), { Params: size }, Type);
});

test('a sine is followed with 3 to 9 degrees of freedom, a line needs one', () => {
  const random = new Random(5);
  const x = Float64Array.from({ length: 200 }, () => 2 * Math.PI * random.uniform());
  const noise = x.map(() => 0.2 * random.normal());
  const sine = fitted({
    response: x.map((value, i) => Math.sin(value) + noise[i]),
    smooths: [{ name: 'x', values: x }],
  });
  assert.ok(sine.curves[0].term.edf > 3 && sine.curves[0].term.edf < 9);
  const mean = x.reduce((sum, value) => sum + Math.sin(value), 0) / 200;
  for (const value of [1, 2.5, 4, 5.5]) {
    const { effect, error } = sine.curves[0].at(value);
    assert.ok(Math.abs(effect - (Math.sin(value) - mean)) < 4 * error);
  }
  const line = fitted({ response: x.map((value, i) => 3 * value + noise[i]), smooths: [{ name: 'x', values: x }] });
  assert.ok(line.curves[0].term.edf < 2);
});

test('what cannot be fitted is said by its kind', () => {
  const x = Float64Array.from({ length: 30 }, (_, i) => i);
  const response = x.map((value) => value + Math.sin(7 * value));
  const faultOf = (spec: ModelSpec) => fitSmoothModel(spec).fault;
  assert.deepEqual(
    faultOf({
      response,
      smooths: [
        { name: 'x', values: x },
        { name: 'twice', values: x.map((v) => 2 * v + 1) },
      ],
    }),
    { kind: 'dependent', names: ['twice'] },
  );
  assert.deepEqual(faultOf({ response, smooths: [{ name: 'x', values: x.map((v) => v % 3) }] }), {
    kind: 'fewValues',
    name: 'x',
    values: 3,
  });
  const each: Levels = { name: 'id', names: Array.from(x, String), of: Int32Array.from(x) };
  assert.equal(faultOf({ response, smooths: [], fixed: [each] })?.kind, 'fewRows');
});
