/**
 * `layerif prune-and-compare FILE`: prunes in memory in several ways, measures each, and tells which differences are
 * real.
 */
import path from 'node:path';
import { exitCodes } from '../../../protocol/errors.ts';
import { comparedMapIds, prunerIds } from '../../../protocol/methods.ts';
import type { ComparedMetric, PruningComparison } from '../../../protocol/pruning.ts';
import { pruneAndCompare } from '../run/prune/pruneAndCompare.ts';
import { readLimit } from './evaluate.ts';
import { duration, table } from './format.ts';
import { machineOptions } from './options.ts';
import { progressOn } from './progress.ts';
import { readSparsity } from './prune.ts';
import type { Command } from './types.ts';
import { nth } from '../lists/nth.ts';

export const pruneAndCompareCommand: Command = {
  name: 'prune-and-compare',
  argument: 'FILE',
  summary: 'prune in memory by several maps, methods and sparsities, evaluate each, compare',
  details:
    'FILE is an experiment with scores (run `layerif score` first). --map, --method and --sparsity take several values with commas;\n' +
    `default maps: ${comparedMapIds.join(', ')}. With evaluate.gate the exit code is 1 when the quality falls too far.`,
  options: ['map', 'method', 'sparsity', 'structure', 'result', 'task', 'limit', 'output', 'json', ...machineOptions],
  words: {
    map: { help: `maps, several with commas: ${comparedMapIds.join(' | ')} or an allocation file` },
    method: { help: `pruners, several with commas: ${prunerIds.join(' | ')}` },
    sparsity: { help: 'shares of weights to remove, several with commas (default 0.5)' },
  },
  cooperative: true,

  async run(argument, options, terminal) {
    const progress = progressOn(terminal);
    const { values } = options;
    const absolute = (file: string) => path.resolve(terminal.baseDir, file);
    const list = (text: string | undefined) => text?.split(',').map((word) => word.trim());
    try {
      const { comparison, comparisonFile } = await pruneAndCompare({
        file: absolute(argument),
        maps: list(values.map)?.map((map) => (map.endsWith('.json') ? absolute(map) : map)),
        methods: list(values.method),
        sparsities: list(values.sparsity)?.map(readSparsity),
        structure: values.structure,
        resultFile: values.result === undefined ? undefined : absolute(values.result),
        tasks: options.task.length > 0 ? options.task : undefined,
        limit: values.limit === undefined ? undefined : readLimit(values.limit),
        outputDir: options.output === undefined ? undefined : absolute(options.output),
        machine: options.machine,
        signal: terminal.signal,
        onWarning: (sentence) => progress.note(`Warning: ${sentence}`),
        onProgress: (event) => progress.update({ task: '', phase: 'compare', ...event }),
      });
      progress.clear();
      terminal.out(options.json ? `${JSON.stringify(comparison)}\n` : comparisonReport(comparison, comparisonFile));
      return comparison.gate?.passed === false ? exitCodes.failed : 0;
    } finally {
      progress.clear();
    }
  },
};

export function comparisonReport(
  { model, prunings, findings, gate, provenance }: PruningComparison,
  file: string,
): string {
  const names = nth(prunings, 0).metrics.map(
    ({ task, metric, higherIsBetter }) => `${task} ${metric} ${higherIsBetter ? '↑' : '↓'}`,
  );
  const cell = ({ value, interval, againstUniform }: ComparedMetric): string => {
    const range = interval ? ` [${interval.map((v) => v.toPrecision(3)).join(', ')}]` : '';
    return `${value.toPrecision(4)}${range}${againstUniform ? ` p ${againstUniform.p.toFixed(3)}` : ''}`;
  };
  const rows = prunings.map((p) => [
    p.method,
    p.method === 'dense' ? '' : p.map,
    p.method === 'dense' ? '' : `${(100 * p.achieved).toFixed(1)} %`,
    ...p.metrics.map(cell),
  ]);
  return [
    `${model.name}: prunings compared on the same documents`,
    '',
    ...table([['method', 'map', 'zero', ...names], ...rows], [2]),
    '',
    'In brackets the 95 % interval over documents; p: sign-flip test against the uniform map of the same method and sparsity.',
    ...findings,
    ...(gate
      ? [
          gate.passed
            ? `Gate passed: no metric falls by more than ${gate.maxDrop}.`
            : `Gate failed: ${gate.failures.join('; ')}.`,
        ]
      : []),
    `Took ${duration(provenance.seconds)} on ${provenance.device}.`,
    `Comparison ${file}`,
    '',
  ].join('\n');
}
