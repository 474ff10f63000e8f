/** `layerif allocate RESULT`: experts, ranks, layers or sparsity from scores, each layer's number explained. */
import path from 'node:path';
import type { Allocation } from '../../../protocol/allocation.ts';
import { spreadSentence, spreadText } from '../../../protocol/allocationSpread.ts';
import { directionSentence } from '../../../protocol/direction.ts';
import { allocateResult, allocationFile, saveAllocation } from '../run/decide/allocate.ts';
import { count, noteLine, percent, score, table } from './format.ts';
import { machineOptions } from './options.ts';
import { shortened } from './paths.ts';
import { progressOn } from './progress.ts';
import { outliersOf, readRequest, requestOptions } from './requests.ts';
import type { Command } from './types.ts';

export const allocate: Command = {
  name: 'allocate',
  argument: 'RESULT|SCORES',
  summary: 'share out LoRA experts, ranks or sparsity among the layers by their scores',
  details:
    "RESULT is a complete *.layerif-result.json. Defaults of the options stand in the experiment's section `allocate`.\n" +
    'A file of scores (*.layerif-scores.json) without a result is allocated from with --by ID, one of its scores.\n' +
    'Several tasks: --task picks, else the mean of their min-max-normalised scores. The allocation is written beside RESULT, or to --output FILE.',
  options: ['task', 'output', 'json', ...requestOptions, ...machineOptions],
  words: {
    output: { value: 'FILE', help: 'the file of allocations (default: NAME.layerif-allocation.json beside RESULT)' },
    task: { help: 'only scores of this task; may be given several times (default: the mean over all)' },
  },

  async run(argument, options, terminal) {
    const resultFile = path.resolve(terminal.baseDir, argument);
    const progress = progressOn(terminal);
    const { signal } = terminal;
    const onProgress = (event: { done: number; total: number; message: string }) =>
      progress.update({ task: '', phase: 'measure', ...event });
    try {
      const allocation = await allocateResult({
        resultFile,
        tasks: options.task,
        request: readRequest(options, 'experts'),
        outliers: outliersOf(options, terminal.baseDir),
        machine: options.machine,
        onProgress,
        signal,
      });
      progress.clear();
      const file =
        options.output === undefined ? allocationFile(resultFile) : path.resolve(terminal.baseDir, options.output);
      saveAllocation(allocation, file);
      terminal.out(
        options.json
          ? `${JSON.stringify(allocation)}\n`
          : `${allocationReport(allocation)}\nWritten to ${shortened(file, terminal.baseDir)}, beside the last allocation of every other kind.\nFor another program: layerif export ${shortened(file, terminal.baseDir)} --kind ${allocation.kind} --to TARGET\n`,
      );
      return 0;
    } finally {
      progress.clear();
    }
  },
};

const columns: Record<Allocation['kind'], string> = {
  experts: 'experts',
  rank: 'rank',
  freeze: 'frozen',
  tune: 'tuned',
  drop: 'dropped',
  sparsity: 'sparsity',
};

export function allocationReport({
  kind,
  rule,
  ruleTitle,
  quantity,
  settings,
  layers,
  total,
  notes,
  provenance,
  spread,
}: Allocation): string {
  const shown = (value: number) =>
    kind === 'sparsity' ? percent(value) : kind === 'experts' || kind === 'rank' ? count(value) : value ? 'yes' : '';
  const rows = layers.map((layer) => [
    String(layer.index),
    layer.score === null ? '' : score(layer.score),
    shown(layer.value),
    ...(spread ? [spreadText(kind, layer.spread)] : []),
    ...(kind === 'experts' ? [String(layer.topK)] : []),
    layer.why,
  ]);
  const between = [
    ...(spread ? [`${Math.round(100 * spread.level)} % of draws`] : []),
    ...(kind === 'experts' ? ['top-k'] : []),
  ];
  const head = ['layer', quantity?.name ?? '', columns[kind], ...between, 'why'];
  const right = [0, 1, 2, ...between.map((_, i) => 3 + i)];
  const moves = spreadSentence({ kind, layers, spread });
  const whole = kind === 'sparsity' ? `${(100 * total).toFixed(4)} % of the weights` : `${count(total)} in all`;
  const direction = directionSentence({ kind, quantity });
  const lines = [
    `${columns[kind]} by rule ${rule}: ${ruleTitle}`,
    provenance.tasks.length === 0 || settings.by
      ? `${provenance.model.name}, score ${settings.by ?? rule}: ${whole}`
      : `${provenance.model.name}, ${provenance.tasks.length === 1 ? 'task' : 'mean of tasks'} ${provenance.tasks.join(', ')}, estimator ${provenance.estimator}, ${provenance.aggregation}: ${whole}`,
    ...(direction === null ? [] : [`Scores of ${provenance.resultFile}.`, direction]),
    ...(moves === null ? [] : [moves]),
    '',
    ...table([head, ...rows], right),
    ...(notes.length > 0 ? ['', ...notes.map(noteLine)] : []),
  ];
  return lines.map((line) => `${line}\n`).join('');
}
