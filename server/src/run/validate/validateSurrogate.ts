/**
 * The convex surrogate: a softmax classifier with L2 penalty on frozen hidden states of the prompt, behind the highest
 * chosen layer, where leave-one-out is exact and takes seconds. It asks whether the estimators work on the user's data
 * when nothing but the estimator can fail.
 */
import type { Measure, ProtocolResult } from '../../../../protocol/validation.ts';
import type { LabelledSample } from '../../data/labelledTask.ts';
import type { Damping } from '../../estimators/types.ts';
import { Random } from '../../random/random.ts';
import { agreementRows } from '../../validation/agreement.ts';
import { leaveOut, linearDatamodeling, predictedChangesOf, slope } from '../../validation/agreementMeasures.ts';
import type { Agreement } from '../../validation/agreementMeasures.ts';
import { optimum, sampleProducts, trainFrom, trueChangesByRow } from '../../validation/leaveOneOut.ts';
import type { Optimum } from '../../validation/leaveOneOut.ts';
import { Perceptron } from '../../validation/perceptron.ts';
import type { Classified } from '../../validation/perceptron.ts';
import { principalComponents } from '../../linear/principalComponents.ts';
import type { Protocol, ProtocolAnswer } from './protocol.ts';
import type { ValidationContext } from './validateContext.ts';
import { blindPredictors, gramPredictors, textPredictors } from './validatePredictors.ts';
import { verdictOf } from './validateVerdict.ts';
import { nth } from '../../lists/nth.ts';

const MOST_CLASSES = 12;

export const surrogate: Protocol = {
  title: 'Convex surrogate: a softmax classifier on frozen features',
  obstacle: ({ train }) => {
    const classes = new Set(classesOf(train));
    if (classes.size < 2) return 'all training samples have the same answer, so there is nothing to classify';
    if (classes.size <= MOST_CLASSES) return null;
    return `the training samples have ${classes.size} different answers; a classifier of at most ${MOST_CLASSES} classes is trained`;
  },
  run,
};

async function run(context: ValidationContext): Promise<ProtocolAnswer> {
  const { settings, layers, validation } = context.options;
  const { components, weight_decay, damping, pooling } = settings.surrogate;
  const layer = layers.at(-1)!;
  const { train, known, kept } = await classified(context, layer, components);
  const network = new Perceptron(train, [], weight_decay);
  const best = optimum(network, new Float64Array(network.size));
  const [n, m] = [train.rows, known.rows];
  const { predictors: own, notes } = predictorsOf(network, best, known, damping, context.seed);
  const texts = textPredictors(
    context.options.train,
    kept.map((j) => nth(validation, j)),
  );
  const predictors = [...own, ...texts];

  const losses = network.losses(best.theta);
  const count = Math.min(2 * settings.leave_out + 1, n);
  const rows = Array.from({ length: n }, (_, i) => i)
    .sort((a, b) => nth(losses, b) - nth(losses, a))
    .slice(0, count);
  const random = new Random(context.seed, 'surrogate');
  const size = Math.min(settings.group_size, n - 1);
  const groups = {
    'leave-one-out': rows.map((row) => [row]),
    [`leave-${size}-out`]: Array.from({ length: count }, () => random.subset(n, size)),
  };
  const measures: Measure[] = [];
  const points: NonNullable<ProtocolResult['points']> = [];
  let scale: number | null = null;
  const measure = (name: string, agreement: Agreement): Measure => ({
    name,
    chance: 0,
    rows: agreementRows(predictors, agreement, { seed: context.seed, values: ({ B }) => B }),
  });
  for (const [kind, list] of Object.entries(groups)) {
    const perQuery = trueChangesByRow(network, best, list, known, damping);
    const changes = perQuery.map((row) => row.reduce((sum, v) => sum + v, 0) / m);
    measures.push(
      measure(`${kind}, Spearman`, leaveOut(n, m, list, perQuery, 'spearman')),
      measure(`${kind}, Pearson`, leaveOut(n, m, list, perQuery, 'pearson')),
    );
    for (const { id, point, B } of predictors) {
      if (point === null || !B) continue;
      const predicted = [...predictedChangesOf(B, n, m, list)];
      points.push({ name: kind, predictor: id, point, predicted, true: changes });
      if (id === 'exact_hessian' && kind === 'leave-one-out') scale = slope(predicted, changes);
    }
  }
  const subsets = Array.from({ length: settings.subsets }, () => random.subset(n, Math.floor(n / 2)));
  const after = subsets.map((subset) => {
    const weights = new Float64Array(n);
    for (const i of subset) weights[i] = 1;
    return network.losses(trainFrom(network, best.theta, { weights }).theta, known);
  });
  measures.push(measure('LDS', linearDatamodeling(n, m, subsets, after)));
  const { smallest, largest } = best.curvature;
  const dropped = validation.length - m;
  return {
    how:
      `Hidden states behind layer ${layer} ${pooling === 'last' ? 'at the last token' : 'averaged over the tokens'} of the prompt, ${train.columns} principal components, ${train.classes} classes, weight decay ${weight_decay}${damping > 0 ? ` and damping ${damping}` : ''}; ${n} training and ${m} validation samples${dropped > 0 ? ` (${dropped} with answers that no training sample has left out)` : ''}. ` +
      `Gradient norm at the optimum ${best.gradientNorm.toExponential(0)}, curvature ${smallest.toExponential(1)} to ${largest.toExponential(1)}; the ${count} samples with the highest loss left out, exact retraining by Newton's method` +
      `${scale === null ? '' : `; with the exact Hessian the true change is ${scale.toFixed(2)} times the predicted one`}.`,
    measures,
    points,
    verdict: [
      ...measures
        .filter(({ name }) => !name.endsWith('Pearson'))
        .flatMap((one) => verdictOf(one, context.options.prepared.experiment.score.estimator)),
      ...notes,
    ],
  };
}

/** Features and classes; validation samples of a class that no training sample has are left out. */
async function classified(context: ValidationContext, layer: number, components: number) {
  const { train, validation } = context.options;
  const names = [...new Set(classesOf(train))].sort();
  const all = [...train, ...validation];
  const { hidden, ...states } = nth(
    await context.features(
      all.map(({ prompt }) => prompt),
      [layer],
    ),
    0,
  );
  const pooled = states[context.options.settings.surrogate.pooling];
  const labelOf = (list: LabelledSample[]) => classesOf(list).map((name) => names.indexOf(name));
  const kept = labelOf(validation).flatMap((label, j) => (label >= 0 ? [j] : []));
  const row = (i: number) => pooled.subarray(i * hidden, (i + 1) * hidden);
  const test = Float64Array.from(kept.flatMap((j) => [...row(train.length + j)]));
  const features = principalComponents(pooled.subarray(0, train.length * hidden), test, hidden, components);
  const shared = { columns: features.components, classes: names.length };
  const labels = labelOf(validation);
  return {
    kept,
    train: { ...shared, features: features.train, labels: labelOf(train), rows: train.length } satisfies Classified,
    known: {
      ...shared,
      features: features.test,
      labels: kept.map((j) => nth(labels, j)),
      rows: kept.length,
    } satisfies Classified,
  };
}

/** The choice where all samples have the same choices, else the answer's first token. */
function classesOf(samples: readonly LabelledSample[]): string[] {
  const lists = new Set(samples.map(({ choices }) => JSON.stringify(choices)));
  const fixed = lists.size === 1 && nth(samples, 0).choices !== null;
  return samples.map(({ label, answerToken }) => String(fixed ? label : answerToken));
}

function predictorsOf(network: Perceptron, best: Optimum, known: Classified, damping: number, seed: number) {
  const { exact, ...grams } = sampleProducts(network, best, known, damping);
  const { n, m } = grams;
  const rule: Damping = { rule: 'absolute', factor: network.weightDecay + damping };
  const others = gramPredictors([[{ module: 'classifier', grams }]], 'surrogate', rule);
  return {
    predictors: [
      { id: 'exact_hessian', point: 'surrogate', control: false, B: exact, self: null },
      ...others.predictors,
      ...blindPredictors(n, m, seed),
    ],
    notes: others.notes,
  };
}
