/** A smooth mixed model of columns of a table, as R's mgcv would fit it, in numbers that can be drawn. */
import type { EffectCurve, SmoothModelSummary } from '../../../../protocol/analysis.ts';
import { LayerifError } from '../../../../protocol/errors.ts';
import { fitSmoothModel, LEAST_VALUES } from '../../statistics/smoothModel.ts';
import type { Covariate, Curve, Levels, ModelFault } from '../../statistics/smoothModel.ts';

export interface ModelColumns {
  response: Covariate;
  smooths: readonly Covariate[];
  fixed: readonly Levels[];
  by: Levels | null;
  random: Levels | null;
  /** Names of columns whose logarithm stands in the covariates. */
  logs: readonly string[];
}

const POINTS = 60;

/** @throws LayerifError `badData` */
export function smoothModelOf(columns: ModelColumns, file: string): SmoothModelSummary {
  const { response, smooths, fixed, by, random, logs } = columns;
  const factors = [...fixed, ...(by ? [by] : []), ...(random ? [random] : [])];
  const rows = Array.from(response.values, (_, i) => i).filter(
    (i) =>
      [response, ...smooths].every(({ values }) => !Number.isNaN(values[i])) &&
      factors.every(({ of }) => (of[i] ?? -1) >= 0),
  );
  const numbers = ({ name, values }: Covariate): Covariate => ({
    name,
    values: Float64Array.from(rows, (i) => values[i] ?? NaN),
  });
  const own = smooths.map(numbers);
  const kept = new Map(factors.map((factor) => [factor, present(factor, rows)]));
  const { model, fault } = fitSmoothModel({
    response: numbers(response).values,
    smooths: own,
    // Curves have no mean, so a factor that they go by has parameters too.
    fixed: [...new Set([...fixed, ...(by ? [by] : [])])].map((factor) => kept.get(factor)!),
    by: by && kept.get(by)!,
    random: random && kept.get(random)!,
  });
  const formula = formulaOf(columns);
  if (!model)
    throw new LayerifError('badData', `the model ${formula} cannot be fitted: ${faultWords(fault)}`, {
      place: { file },
    });
  const { fit } = model;
  return {
    response: response.name,
    formula,
    rows: rows.length,
    intercept: model.intercept,
    fixed: model.fixed,
    terms: fit.terms
      .slice(1)
      .map(({ name, edf, f, p }) =>
        name.startsWith('random(')
          ? { name, kind: 'random', edf, f: null, p: null }
          : { name, kind: 'curve', edf, f, p },
      ),
    curves: model.curves.map((curve) => drawn(curve, own.find(({ name }) => name === curve.covariate)!.values, logs)),
    random: random &&
      model.random && { name: random.name, deviation: model.random.deviation, levels: model.random.levels },
    edf: fit.edf,
    adjustedR2: fit.adjustedR2,
    devianceExplained: fit.devianceExplained,
    variance: fit.variance,
    reml: fit.reml,
    notes: [
      ...(rows.length < response.values.length
        ? [`${response.values.length - rows.length} of ${response.values.length} rows lack a value and are left out.`]
        : []),
      'Penalties by REML, as in mgcv with bs = "ps" and bs = "re". p is approximate: a Wald test that takes the penalties for known.',
      ...(logs.length > 0 ? [`Natural logarithms of ${logs.join(', ')}.`] : []),
    ],
  };
}

/** Levels that occur in these rows. */
function present({ name, of, names }: Levels, rows: readonly number[]): Levels {
  const used = names.filter((_, level) => rows.some((i) => of[i] === level));
  return { name, names: used, of: Int32Array.from(rows, (i) => used.indexOf(names[of[i] ?? -1] ?? '')) };
}

function drawn(curve: Curve, values: Float64Array, logs: readonly string[]): EffectCurve {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const places = Array.from({ length: POINTS }, (_, i) => low + ((high - low) * i) / (POINTS - 1));
  const found = places.map((x) => curve.at(x));
  return {
    covariate: curve.covariate,
    level: curve.level,
    x: places.map((x) => (logs.includes(curve.covariate) ? Math.exp(x) : x)),
    effect: found.map(({ effect }) => effect),
    error: found.map(({ error }) => error),
  };
}

function formulaOf({ response, smooths, fixed, by, random, logs }: ModelColumns): string {
  const of = (name: string) => (logs.includes(name) ? `log(${name})` : name);
  const terms = [
    ...new Set([...fixed, ...(by ? [by] : [])].map(({ name }) => name)),
    ...smooths.map(({ name }) => `s(${of(name)}${by ? `, by = ${by.name}` : ''})`),
    ...(random ? [`s(${random.name}, bs = "re")`] : []),
  ];
  return `${of(response.name)} ~ ${terms.join(' + ') || '1'}`;
}

function faultWords(fault: ModelFault): string {
  switch (fault.kind) {
    case 'fewValues':
      return `"${fault.name}" has ${fault.values} different values, a curve needs at least ${LEAST_VALUES}; take it as a fixed factor`;
    case 'dependent':
      return `${fault.names.map((name) => `"${name}"`).join(' and ')} can be computed from the columns before (collinear); leave ${fault.names.length > 1 ? 'them' : 'it'} out`;
    case 'fewRows':
      return `${fault.rows} rows with all values are too few for its parameters; leave columns out, or take a column of many levels as the random effect`;
  }
}
