/**
 * Metrics of lm-evaluation-harness, one row each: what a document contributes, how documents become one number, its
 * standard error. To add one, add a row; `run/evaluate/evaluate.ts` takes those of a task's `metric_list`, else the
 * default ones of its output type.
 */
import type { OutputType } from '../../../protocol/experiment.ts';
import { bootstrapError, f1, f1Averages, matthews } from './classes.ts';
import type { Items } from './classes.ts';
import { exactMatch, matchOptions, notOptions } from './exactMatch.ts';
import { lookup } from '../text/lookup.ts';
import { nth } from '../lists/nth.ts';

/** What the model said about one document. */
export interface Outcome {
  /** Summed log-probability of each candidate continuation, in nats. */
  logLikelihoods: number[];
  /** Whether a candidate's tokens are the most probable ones at every place. */
  greedy: boolean[];
  /** The candidates' texts, without delimiter; the whole text for rolling. */
  choices: string[];
  /** Indices of the right candidates, of which any counts; [0] where there is one candidate. */
  golds: readonly number[];
  /** What the model wrote, behind a filter; a list where the filter leaves several. */
  answer?: string | readonly string[] | undefined;
  /** Right answers of what it writes, of which any counts. */
  targets?: readonly string[] | undefined;
}

export interface Metric {
  id: string;
  outputTypes: readonly OutputType[];
  /** Used when a task has no `metric_list`. */
  byDefault: boolean;
  higherIsBetter: boolean;
  /** Of a text that the model writes; told once for every filter. */
  written?: boolean;
  /** Told from all documents together: a pair is predicted and right class, and no document has a share of its own. */
  joint?: boolean;
  /** Where it is defined for so many choices at most. */
  mostClasses?: number;
  /** With options of its entry in `metric_list`; null where an option has a value that is unknown. */
  options?(entry: Readonly<Record<string, unknown>>): Partial<Metric> | null;
  /** What its options may be, in words. */
  allowed?: string;
  /** Pairs of value and weight; the weight is 1 where documents count alike. */
  of(outcome: Outcome): [value: number, weight: number];
  aggregate(items: readonly (readonly [number, number])[]): number;
  /** Null where the harness gives none. */
  standardError(items: readonly (readonly [number, number])[]): number | null;
}

/** First of the largest values. */
export function argmax(values: readonly number[]): number {
  return values.reduce((best, value, i) => (value > nth(values, best) ? i : best), 0);
}

export function mean(items: Items): number {
  return items.reduce((sum, [value]) => sum + value, 0) / items.length;
}

/** Standard deviation of the sample (n - 1) over sqrt(n); null for fewer than two documents. */
export function meanStandardError(items: Items): number | null {
  if (items.length < 2) return null;
  const average = mean(items);
  const variance = items.reduce((sum, [value]) => sum + (value - average) ** 2, 0) / (items.length - 1);
  return Math.sqrt(variance / items.length);
}

const weightedMean = (items: Items): number =>
  items.reduce((sum, [value]) => sum + value, 0) / items.reduce((sum, [, weight]) => sum + weight, 0);

const choice = ['multiple_choice'] as const;
const rolling = ['loglikelihood_rolling'] as const;
const single = ['loglikelihood'] as const;
const written = ['generate_until'] as const;

const utf8 = new TextEncoder();
/** Python's len(): code points, not UTF-16 units. */
const characters = (text: string): number => [...text].length;
const bytes = (text: string): number => utf8.encode(text).length;
/** re.split(r"\s+", text) of Python. */
const words = (text: string): number => text.split(/\s+/u).length;

const accuracy = (id: string, byDefault: boolean, length: (text: string) => number): Metric => ({
  id,
  outputTypes: choice,
  byDefault,
  higherIsBetter: true,
  of: ({ logLikelihoods, choices, golds }) => [
    golds.includes(argmax(logLikelihoods.map((value, i) => value / length(nth(choices, i))))) ? 1 : 0,
    1,
  ],
  aggregate: mean,
  standardError: meanStandardError,
});

const perWeight = (id: string, weight: (text: string) => number, aggregate: (items: Items) => number): Metric => ({
  id,
  outputTypes: rolling,
  byDefault: true,
  higherIsBetter: false,
  of: ({ logLikelihoods, choices }) => [nth(logLikelihoods, 0), weight(nth(choices, 0))],
  aggregate,
  standardError: () => null,
});

/**
 * A number of all predicted and right classes, with the standard deviation of its bootstrap replicates, as in the
 * harness.
 */
const classified = (aggregate: (items: Items) => number): Pick<Metric, 'aggregate' | 'standardError'> => ({
  aggregate,
  standardError: (items) => (items.length < 2 ? null : bootstrapError(items, aggregate)),
});

const joint = (id: string, aggregate: (items: Items) => number, options?: Metric['options']): Metric => ({
  id,
  outputTypes: choice,
  byDefault: false,
  higherIsBetter: true,
  joint: true,
  ...(options ? { options } : {}),
  of: ({ logLikelihoods, golds }) => [argmax(logLikelihoods), nth(golds, 0)],
  ...classified(aggregate),
});

export const metrics: readonly Metric[] = [
  accuracy('acc', true, () => 1),
  accuracy('acc_norm', true, characters),
  accuracy('acc_bytes', false, bytes),
  {
    id: 'exact_match',
    outputTypes: choice,
    byDefault: false,
    higherIsBetter: true,
    of: ({ greedy, golds }) => [golds.some((gold) => greedy[gold]) ? 1 : 0, 1],
    aggregate: mean,
    standardError: meanStandardError,
  },
  // Mean over the documents of Σ (p − 1[right])², p the softmax of the log-likelihoods.
  {
    id: 'brier_score',
    outputTypes: choice,
    byDefault: false,
    higherIsBetter: false,
    of: ({ logLikelihoods, golds: [gold] }) => {
      const largest = Math.max(...logLikelihoods);
      const weights = logLikelihoods.map((value) => Math.exp(value - largest));
      const total = weights.reduce((sum, value) => sum + value, 0);
      return [weights.reduce((sum, value, i) => sum + (value / total - (i === gold ? 1 : 0)) ** 2, 0), 1];
    },
    aggregate: mean,
    standardError: () => null,
  },
  joint(
    'f1',
    (items) => f1(items, 'binary'),
    ({ average = 'binary' }) => {
      const known = f1Averages.find((word) => word === average);
      if (known === undefined) return null;
      return { ...classified((items) => f1(items, known)), mostClasses: known === 'binary' ? 2 : Infinity };
    },
  ),
  joint('mcc', matthews),
  {
    id: 'exact_match',
    outputTypes: written,
    byDefault: true,
    higherIsBetter: true,
    written: true,
    allowed:
      'ignore_case, ignore_punctuation, ignore_numbers (true or false) and regexes_to_ignore (a list of patterns)',
    options(entry) {
      const options = matchOptions(entry);
      return options && { of: (outcome) => [exactMatch(outcome, options), 1] };
    },
    of: (outcome) => [exactMatch(outcome, {}), 1],
    aggregate: mean,
    standardError: meanStandardError,
  },
  {
    id: 'acc',
    outputTypes: single,
    byDefault: true,
    higherIsBetter: true,
    of: ({ greedy }) => [greedy.some(Boolean) ? 1 : 0, 1],
    aggregate: mean,
    standardError: meanStandardError,
  },
  {
    id: 'perplexity',
    outputTypes: single,
    byDefault: true,
    higherIsBetter: false,
    of: ({ logLikelihoods }) => [Math.max(...logLikelihoods), 1],
    aggregate: (items) => Math.exp(-mean(items)),
    // The harness resamples; this is the standard error of the mean carried through the exponential.
    standardError: (items) => {
      const error = meanStandardError(items);
      return error === null ? null : Math.exp(-mean(items)) * error;
    },
  },
  perWeight('word_perplexity', words, (items) => Math.exp(-weightedMean(items))),
  perWeight('byte_perplexity', bytes, (items) => Math.exp(-weightedMean(items))),
  perWeight('bits_per_byte', bytes, (items) => -weightedMean(items) / Math.LN2),
];

/** Of a generation also those of its right answer as a continuation, which the harness does not have. */
export function metricsOf(outputType: OutputType): Metric[] {
  const types = outputType === 'generate_until' ? [...written, ...single] : [outputType];
  return metrics.filter(({ outputTypes }) => types.some((type) => outputTypes.includes(type)));
}

/** A metric with the options of its entry. @throws Error naming the option that it does not have */
export function withOptions(metric: Metric, entry: Readonly<Record<string, unknown>>): Metric {
  const reason = optionFault(metric, entry);
  if (reason !== null) throw new Error(reason);
  return { ...metric, ...metric.options?.(entry) };
}

/** What of an entry is unknown; null where there is nothing. */
export function optionFault(metric: Metric, entry: Readonly<Record<string, unknown>>): string | null {
  const own = lookup(aggregations, metric.id) ?? 'mean';
  const { aggregation = own } = entry;
  if (aggregation !== own)
    return `${metric.id} is aggregated by ${own}, and metric_list asks for aggregation ${JSON.stringify(aggregation)}`;
  // The harness ignores all other options of metrics that are told from log-likelihoods, and so do we.
  if (metric.options?.(entry) === null && metric.allowed !== undefined) {
    const rest = Object.fromEntries(Object.entries(entry).filter(([key]) => !notOptions.has(key)));
    return `${metric.id} has the options ${metric.allowed}, and metric_list asks for ${JSON.stringify(rest)}`;
  }
  if (metric.options?.(entry) === null)
    return `${metric.id} has average ${f1Averages.join(', ')}, and metric_list asks for ${JSON.stringify(entry.average)}`;
  return null;
}

/** The harness' word for how a metric's documents become one number, where it is not `mean`. */
const aggregations: Readonly<Record<string, string>> = {
  f1: 'f1',
  mcc: 'matthews_corrcoef',
  brier_score: 'brier_score',
  perplexity: 'perplexity',
  word_perplexity: 'weighted_perplexity',
  byte_perplexity: 'weighted_perplexity',
  bits_per_byte: 'bits_per_byte',
};
