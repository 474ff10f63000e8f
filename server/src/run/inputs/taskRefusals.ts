/** Tasks and metrics that `evaluate` cannot compute. It leaves them out, says so, and goes on with the others. */
import type { Task } from '../../../../protocol/experiment.ts';
import { metricsOf, optionFault } from '../../evaluation/metrics.ts';
import type { Asked } from '../../evaluation/summary.ts';
import { pipelinesOf } from '../../evaluation/filters.ts';
import { unfollowed } from '../../generation/harness.ts';
import { listed } from '../../text/listed.ts';
import type { Refusal } from './refusals.ts';

export function metricsOfTask({ metric_list }: Task): Asked[] {
  return (metric_list ?? []).map((entry) => {
    const fields = typeof entry === 'object' && entry !== null ? (entry as Record<string, unknown>) : { metric: entry };
    return { name: typeof fields.metric === 'string' ? fields.metric : textOf(fields.metric), entry: fields };
  });
}

/** A value of YAML in words; a `!function` keeps its tag. */
function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing');
}

/** Why a metric cannot be computed; null where it can. */
/** @param writes whether the model can write answers */
export function reasonAgainst({ output_type }: Task, { name, entry }: Asked, writes = true): string | null {
  const found = metricsOf(output_type).find(({ id }) => id === name);
  const known = metricsOf(output_type).map(({ id }) => id);
  const code = Object.entries(entry).find(([, value]) => isFunction(value));
  if (code)
    return `${code[0]} of metric_list is a Python function (${textOf(code[1])}), which evaluate does not run; available for output_type ${output_type}: ${known.join(', ')}`;
  if (found?.written && !writes)
    return `metric "${name}" is of a text that the model writes, which evaluate alone computes; name ${known.filter((id) => id !== name).join(' or ')} in metric_list, of the answer as a continuation`;
  if (found) return optionFault(found, entry);
  return `metric "${name}" is not available for output_type ${output_type}; available: ${known.join(', ')}`;
}

/** Tagged values of harness files: `!function module.name`. */
function isFunction(value: unknown): boolean {
  if (typeof value === 'string') return value.startsWith('!function');
  return typeof value === 'object' && value !== null && Object.keys(value).some((key) => /function/i.test(key));
}

/** Names of the functions of all filters. */
function filtersOf(filters: unknown): string[] {
  const steps = (Array.isArray(filters) ? (filters as unknown[]) : []).flatMap((entry) => {
    const list = typeof entry === 'object' && entry !== null ? (entry as { filter?: unknown }).filter : undefined;
    return Array.isArray(list) ? (list as unknown[]) : [];
  });
  return steps.map((step) => textOf((step as { function?: unknown } | null)?.function));
}

export const taskRefusals: readonly Refusal<Task>[] = [
  {
    id: 'resultsByPython',
    verbs: ['evaluate'],
    code: 'badExperiment',
    path: ['process_results'],
    says({ process_results }) {
      if (!isFunction(process_results)) return null;
      return `evaluate leaves the task out: process_results is a Python function (${textOf(process_results)}), which makes the metrics and is not run; remove the key for those of the output type`;
    },
  },
  {
    id: 'filters',
    verbs: ['evaluate'],
    code: 'badExperiment',
    path: ['filter_list'],
    says({ output_type, filter_list }) {
      if (output_type === 'generate_until') {
        try {
          pipelinesOf(filter_list);
          return null;
        } catch (error) {
          return `evaluate leaves the task out: ${(error as Error).message}`;
        }
      }
      const names = filtersOf(filter_list).filter((name) => name !== 'take_first');
      if (names.length === 0) return null;
      return `evaluate leaves the task out: filter_list changes log-likelihoods by ${listed([...new Set(names)])}, which is not computed; only take_first is; remove the key for the metrics of the log-likelihoods themselves`;
    },
  },
  {
    id: 'generationKwargs',
    verbs: ['evaluate'],
    code: 'badExperiment',
    path: ['generation_kwargs'],
    says({ generation_kwargs: kwargs = {} }) {
      const reason = unfollowed(kwargs);
      return reason === null ? null : `evaluate leaves the task out: ${reason}`;
    },
  },
  {
    id: 'noMetric',
    verbs: ['evaluate'],
    code: 'badExperiment',
    path: ['metric_list'],
    says(task) {
      const asked = metricsOfTask(task);
      const reasons = asked.map((metric) => reasonAgainst(task, metric));
      if (asked.length === 0 || reasons.includes(null)) return null;
      return `evaluate leaves the task out: ${listed([...new Set(reasons as string[])])}`;
    },
  },
];
