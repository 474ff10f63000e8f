/**
 * The protocols of influence that retrain LoRA factors, one function each; `validateSurrogate.ts` holds the one
 * that does not, `validateSelection.ts`, `validateForgetting.ts` and `validateMastery.ts` those of other scores.
 * Every one here shows every estimator beside gradient dot, random, uniform, length, BM25 and similarity. To add
 * one, write a function, a row in `protocols` and a word in `ProtocolId`.
 */
import { mean } from '../../statistics/moments.ts';
import type { ProtocolId } from '../../../../protocol/experiment.ts';
import type { Measure } from '../../../../protocol/validation.ts';
import { templateRows } from '../../data/templateClasses.ts';
import { sampleOf } from '../../data/samples.ts';
import type { Sample } from '../../data/types.ts';
import { Random } from '../../random/random.ts';
import { agreementRows } from '../../validation/agreement.ts';
import type { Predictor } from '../../validation/agreement.ts';
import {
  detection,
  leaveOut,
  linearDatamodeling,
  overColumns,
  predictedChangesOf,
  recallCurve,
  retrieval,
} from '../../validation/agreementMeasures.ts';
import type { Agreement } from '../../validation/agreementMeasures.ts';
import type { Facts, Protocol, ProtocolAnswer } from './protocol.ts';
import type { SampleSet, ValidationContext } from './validateContext.ts';
import { blindPredictors, gramPredictors, similarityPredictor, textPredictors } from './validatePredictors.ts';
import { forgetting } from './validateForgetting.ts';
import { mastery } from './validateMastery.ts';
import { selection } from './validateSelection.ts';
import { surrogate } from './validateSurrogate.ts';
import { verdictOf } from './validateVerdict.ts';
import { nth } from '../../lists/nth.ts';

export const protocols: Record<ProtocolId, Protocol> = {
  lds: { title: 'Linear datamodeling score', obstacle: () => null, run: lds },
  loo: { title: 'Leave-one-out and leave-k-out', obstacle: () => null, run: leaveOneOut },
  mislabel: { title: 'Mislabel detection', obstacle: withoutChoices, run: mislabel },
  retrieval: { title: 'Same-class retrieval on ten template classes', obstacle: () => null, run: retrieve },
  surrogate,
  selection,
  forgetting,
  mastery,
};

/** Share of a protocol that goes into training, roughly: gradients and predictions follow. */
const RETRAINING = 0.9;

/** Trains on everything, once per seed, and keeps the adapters. @returns their folders */
async function trainFully(context: ValidationContext, set: SampleSet, seeds: number): Promise<string[]> {
  const runs = Array.from({ length: seeds }, (_, s) => ({
    id: `${set.key}-full-s${s}`,
    seed: context.seed + s,
    samples: set.train.map((_, i) => i),
    start: null,
    steps: context.options.settings.retrain.steps,
    save: context.adapter(`${set.key}-full-s${s}`),
  }));
  await context.retrain(set, runs);
  return runs.map(({ save }) => save);
}

async function predictorsOf(
  context: ValidationContext,
  set: SampleSet,
  adapter: string,
): Promise<{ predictors: Predictor[]; notes: string[] }> {
  const { damping } = context.options.prepared.experiment.score;
  const [n, m] = [set.train.length, set.validation.length];
  const pretrained = gramPredictors(await context.grams(set, null), 'pretrained', damping);
  const trained = gramPredictors(await context.grams(set, adapter), 'trained', damping);
  const last = context.options.prepared.model.layers - 1;
  const states = nth(
    await context.features(
      [...set.train, ...set.validation].map(({ tokens }) => tokens),
      [last],
    ),
    0,
  );
  const controls = [
    ...blindPredictors(n, m, context.seed),
    ...textPredictors(set.train, set.validation),
    similarityPredictor(states.mean, states.hidden, n, m),
  ];
  return {
    predictors: [...pretrained.predictors, ...trained.predictors, ...controls],
    notes: [...pretrained.notes, ...trained.notes],
  };
}

function measured(
  name: string,
  chance: number,
  { seed }: ValidationContext,
  predictors: readonly Predictor[],
  agreement: Agreement,
  values: (predictor: Predictor) => Float64Array | null = ({ B }) => B,
): Measure {
  return { name, chance, rows: agreementRows(predictors, agreement, { seed, values }) };
}

function verdicts({ options: { prepared } }: ValidationContext, measures: readonly Measure[]): string[] {
  return measures.flatMap((measure) => verdictOf(measure, prepared.experiment.score.estimator));
}

async function lds(context: ValidationContext): Promise<ProtocolAnswer> {
  const { settings } = context.options;
  const set = taskSet(context);
  const [n, m] = [set.train.length, set.validation.length];
  const full = RETRAINING / (1 + settings.subsets);
  context.phase(0, full);
  const adapters = await trainFully(context, set, settings.seeds);
  const random = new Random(context.seed, 'half subsets');
  const subsets = Array.from({ length: settings.subsets }, () => random.subset(n, Math.floor(n / 2)));
  const runs = subsets.flatMap((samples, k) =>
    adapters.map((_, s) => ({
      id: `lds-${k}-s${s}`,
      seed: context.seed + s,
      samples,
      start: null,
      steps: settings.retrain.steps,
      save: null,
    })),
  );
  context.phase(full, RETRAINING);
  const retrained = await context.retrain(set, runs);
  context.phase(RETRAINING, 1);
  const losses = subsets.map((_, k) =>
    meanOf(retrained.slice(k * adapters.length, (k + 1) * adapters.length).map(({ validation }) => validation)),
  );
  const { predictors, notes } = await predictorsOf(context, set, nth(adapters, 0));
  const gains = losses.map((row) => row.map((loss) => -loss));
  const measures = [
    measured('LDS', 0, context, predictors, linearDatamodeling(n, m, subsets, losses)),
    measured('Spearman for the mean loss', 0, context, predictors, leaveOut(n, m, subsets, gains, 'spearman')),
  ];
  return {
    how: `${subsets.length} random halves of ${n} training samples, LoRA trained from its initial factors ${times(adapters.length)}, ${settings.retrain.steps} steps each; the mean loss of ${m} validation samples varies by ${deviation(losses.map(mean)).toExponential(1)} over subsets. Predicted: the summed influence of a subset.`,
    measures,
    verdict: [...verdicts(context, measures), ...notes],
  };
}

async function leaveOneOut(context: ValidationContext): Promise<ProtocolAnswer> {
  const { settings } = context.options;
  const set = taskSet(context);
  const [n, m] = [set.train.length, set.validation.length];
  const everything = set.train.map((_, i) => i);
  const count = Math.min(settings.leave_out, n);
  // The control and the full training beside two kinds of groups.
  const unit = RETRAINING / (2 + 2 * count);
  context.phase(0, unit);
  const adapters = await trainFully(context, set, settings.seeds);
  const size = Math.min(settings.group_size, n - 1);
  const { train: losses, gradientNorm } = nth(
    await context.retrain(set, [
      { id: 'task-full-s0', seed: context.seed, samples: everything, start: null, steps: 0, save: null },
    ]),
    0,
  );
  const random = new Random(context.seed, 'left-out groups');
  const groups = {
    'leave-one-out': everything
      .toSorted((a, b) => nth(losses, b) - nth(losses, a) || a - b)
      .slice(0, count)
      .map((i) => [i]),
    [`leave-${size}-out`]: Array.from({ length: count }, () => random.subset(n, size)),
  };
  const warm = (id: string, without: readonly number[]) =>
    adapters.map((start, s) => ({
      id: `${id}-s${s}`,
      seed: context.seed + s,
      samples: everything.filter((i) => !without.includes(i)),
      start,
      steps: settings.retrain.steps,
      save: null,
    }));
  context.phase(unit, 2 * unit);
  const control = await context.retrain(set, warm('loo-control', []));
  context.phase(2 * unit, 2 * unit + (1 - RETRAINING));
  const { predictors, notes } = await predictorsOf(context, set, nth(adapters, 0));
  const measures: Measure[] = [];
  const points: NonNullable<ProtocolAnswer['points']> = [];
  const sizes: string[] = [];
  for (const [turn, [kind, list]] of Object.entries(groups).entries()) {
    const from = 2 * unit + (1 - RETRAINING) + turn * count * unit;
    context.phase(from, from + count * unit);
    const retrained = await context.retrain(
      set,
      list.flatMap((group) => warm(`loo-${group.join('+')}`, group)),
    );
    /** Groups x m. */
    const perQuery = list.map((_, g) =>
      meanOf(
        adapters.map((_, s) =>
          nth(retrained, g * adapters.length + s).validation.map(
            (loss, j) => loss - nth(nth(control, s).validation, j),
          ),
        ),
      ),
    );
    const changes = perQuery.map(mean);
    sizes.push(
      `${kind}: true changes of the mean validation loss ${deviation(changes).toExponential(1)} (standard deviation)`,
    );
    for (const statistic of ['spearman', 'pearson'] as const) {
      const name = `${kind}, ${statistic === 'spearman' ? 'Spearman' : 'Pearson'}`;
      measures.push(measured(name, 0, context, predictors, leaveOut(n, m, list, perQuery, statistic)));
    }
    for (const { id, point, B } of predictors) {
      if (point === null || !B) continue;
      const predicted = [...predictedChangesOf(B, n, m, list)];
      points.push({ name: kind, predictor: id, point, predicted, true: changes });
    }
  }
  const spearmen = measures.filter(({ name }) => name.endsWith('Spearman'));
  return {
    how: `The ${count} training samples with the highest loss after training, and ${count} random groups of ${size}, left out one after the other; LoRA trained on from the factors of all ${n} samples, ${settings.retrain.steps} steps ${times(adapters.length)}, beside a control that leaves nothing out. Norm of the mean loss's gradient at the last step before that: ${gradientNorm.toExponential(1)} (influence functions assume 0). ${sizes.join('; ')}. Predicted: the sum of B / n.`,
    measures,
    points,
    verdict: [...verdicts(context, spearmen), ...notes],
  };
}

async function mislabel(context: ValidationContext): Promise<ProtocolAnswer> {
  const { settings, train, validation } = context.options;
  const n = train.length;
  const random = new Random(context.seed, 'changed labels');
  const changed = new Set(random.subset(n, Math.max(1, Math.round(settings.flip * n))));
  const flipped = train.map((_, i) => changed.has(i));
  const set: SampleSet = {
    key: 'mislabel',
    train: train.map((sample, i) => {
      if (!flipped[i]) return sample;
      const count = sample.choices!.length;
      return sample.relabelled((sample.label! + 1 + random.integer(count - 1)) % count);
    }),
    validation,
  };
  const m = validation.length;
  const untrained = { id: 'mislabel-untrained', seed: context.seed, samples: [0], start: null, steps: 0, save: null };
  context.phase(0, RETRAINING);
  const adapter = nth(await trainFully(context, set, 1), 0);
  context.phase(RETRAINING, 1);
  const { train: before } = nth(await context.retrain(set, [untrained]), 0);
  const { train: after } = nth(
    await context.retrain(set, [{ ...untrained, id: 'mislabel-full-s0', save: adapter }]),
    0,
  );
  const { predictors, notes } = await predictorsOf(context, set, adapter);
  const lossControl = (id: string, values: number[]): Predictor => ({
    id,
    point: null,
    control: true,
    B: null,
    self: Float64Array.from(values),
  });
  const all = [...predictors, lossControl('loss, pretrained', before), lossControl('loss, trained', after)];
  const suspicions = {
    'self-influence': ({ self }: Predictor) => self,
    'harm to validation': ({ B }: Predictor) => B && overColumns(B, n, m).map((v) => -v),
  };
  const values = { 'self-influence': suspicions['self-influence'], 'harm to validation': ({ B }: Predictor) => B };
  const shares = [0.1, 0.2, 0.3, 0.4, 0.5];
  const measures: Measure[] = [];
  const rows: NonNullable<ProtocolAnswer['recall']>['rows'] = [];
  for (const by of ['self-influence', 'harm to validation'] as const) {
    const agreement = detection(flipped, by === 'self-influence' ? 0 : m);
    measures.push(measured(`AUC by ${by}`, 0.5, context, all, agreement, values[by]));
    for (const predictor of all) {
      const curves = (predictor.draws ?? [predictor]).flatMap((one) => {
        const suspicion = suspicions[by](one);
        return suspicion ? [recallCurve(suspicion, flipped, shares)] : [];
      });
      if (curves.length === 0) continue;
      rows.push({ predictor: predictor.id, point: predictor.point, by, recall: meanOf(curves) });
    }
  }
  return {
    how: `${changed.size} of ${n} training labels changed to another choice; LoRA trained on them for ${settings.retrain.steps} steps. Suspicious: high self-influence, or harm to ${m} validation samples with right labels.`,
    measures,
    recall: { shares, rows },
    verdict: [...verdicts(context, measures), ...notes],
  };
}

async function retrieve(context: ValidationContext): Promise<ProtocolAnswer> {
  const { prepared, settings } = context.options;
  const { train_per_class, validation_per_class } = settings.retrieval;
  const { tokenizer } = prepared.opened;
  const { model, score } = prepared.experiment;
  const rowsOf = (split: 'train' | 'validation', count: number) =>
    templateRows(count, context.seed, split).map((values, row) => {
      const place = { values: { ...values }, file: `template-classes/${split}`, row, line: null };
      const example = { row: place, prompt: `${values.text}\nAnswer:`, answer: ` ${values.answer}` };
      const sample: Sample = sampleOf(example, tokenizer, { maxLength: model.max_length, loss: score.loss });
      return { sample, kind: values.class };
    });
  const [train, validation] = [rowsOf('train', train_per_class), rowsOf('validation', validation_per_class)];
  const samples = (rows: typeof train) => rows.map(({ sample }) => sample);
  const set: SampleSet = { key: 'retrieval', train: samples(train), validation: samples(validation) };
  context.phase(0, RETRAINING);
  const adapter = nth(await trainFully(context, set, 1), 0);
  context.phase(RETRAINING, 1);
  const { predictors, notes } = await predictorsOf(context, set, adapter);
  const classes = { train: train.map(({ kind }) => kind), validation: validation.map(({ kind }) => kind) };
  const measure = (name: string, chance: number, kind: 'auc' | 'recall') =>
    measured(name, chance, context, predictors, retrieval(train.length, classes, kind));
  const measures = [measure('AUC', 0.5, 'auc'), measure(`recall@${train_per_class}`, 0.1, 'recall')];
  return {
    how: `Ten kinds of template tasks, ${train_per_class} training and ${validation_per_class} validation samples each; for every validation sample the training samples are ranked by influence, those of the same kind should come first. Trained: LoRA on these samples, ${settings.retrain.steps} steps.`,
    measures,
    verdict: [...verdicts(context, measures), ...notes],
  };
}

function taskSet({ options: { train, validation } }: ValidationContext): SampleSet {
  return { key: 'task', train, validation };
}

function withoutChoices({ train, prepared }: Facts): string | null {
  const bad = train.find(({ label, choices }) => label === null || choices === null || choices.length < 2);
  if (!bad) return null;
  return `task "${nth(prepared.tasks, 0).task.task}" has no choices to change a label to; give doc_to_choice`;
}

function times(count: number): string {
  return count === 1 ? 'with one seed' : `with ${count} seeds`;
}

function meanOf(rows: readonly number[][]): number[] {
  return nth(rows, 0).map((_, j) => mean(rows.map((row) => nth(row, j))));
}

function deviation(values: readonly number[]): number {
  const center = mean(values);
  return Math.sqrt(mean(values.map((v) => (v - center) ** 2)));
}
