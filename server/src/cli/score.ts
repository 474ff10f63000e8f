/** `layerif score FILE`: scores the layers, shows progress, prints the chart or the result document. */
import path from 'node:path';
import { LayerifError } from '../../../protocol/errors.ts';
import type { Until } from '../../../protocol/experiment.ts';
import type { Result } from '../../../protocol/result.ts';
import { agreementsOf, type Agreements } from '../run/influence/agreement.ts';
import { sampleTexts } from '../run/inputs/sampleText.ts';
import { parts, runExperiment } from '../run/influence/runExperiment.ts';
import type { Part } from '../run/influence/runExperiment.ts';
import { unknown } from './arguments.ts';
import { highlightsOf } from './highlights.ts';
import { readCount, readNumber } from './lists.ts';
import { machineOptions } from './options.ts';
import { progressOn } from './progress.ts';
import { scoresReport } from './scoreTables.ts';
import { planLine, scoreReport, type SampleTexts } from './report.ts';
import type { Command } from './types.ts';

export const score: Command = {
  name: 'score',
  argument: 'FILE',
  summary: 'score the layers of the model on the tasks of an experiment file, and by the scores that it names',
  details:
    'FILE is an experiment, *.layerif.yaml or layerif.yaml. An interrupted run of the same experiment, data and model is resumed.\n' +
    'The key `scores` adds layer scores beside influence, `data_scores` scores of rows (`layerif list scores`); only what is not there yet is computed.\n' +
    'Progress goes to standard error; Ctrl-C stops at the next step and keeps what is finished, a second one stops at once.',
  options: ['task', 'only', 'set', 'until', 'until-rows', 'output', 'json', ...machineOptions],
  cooperative: true,

  async run(argument, options, terminal) {
    const only = onlyOf(options.values.only);
    const progress = progressOn(terminal);
    let resultFile = '';
    const said = new Set<string>();
    try {
      const run = await runExperiment({
        only,
        until: untilOf(options.values.until, options.values['until-rows']),
        set: options.set,
        file: path.resolve(terminal.baseDir, argument),
        tasks: options.task.length > 0 ? options.task : undefined,
        outputDir: options.output === undefined ? undefined : path.resolve(terminal.baseDir, options.output),
        machine: options.machine,
        signal: terminal.signal,
        onProgress: (event) => progress.update({ task: '', phase: 'observe', ...event }),
        onEvent(event) {
          if (event.type === 'started') {
            ({ resultFile } = event);
            progress.note(planLine(event.estimate));
            for (const warning of event.estimate.warnings) {
              progress.note(`Warning: ${warning}`);
              said.add(warning); // the run logs it again
            }
            if (event.resumed) progress.note(`Continuing the interrupted run in ${path.dirname(resultFile)}`);
          } else if (event.type === 'progress') progress.update(event);
          else if (event.type === 'log' && options.verbose && !said.has(event.text)) progress.note(event.text);
        },
      });
      progress.clear();
      const { result, scores, scoresFile } = run;
      if (run.reopened) {
        const grows = result?.tasks.some(({ until }) => until);
        const after = scores ? 'only scores are added' : 'another process has computed it meanwhile';
        if (scores || !grows) progress.note(`Influence is complete in ${path.dirname(run.resultFile!)}; ${after}`);
      }
      if (options.json) {
        terminal.out(`${JSON.stringify(result ? { ...result, ...(scores ? { scores } : {}) } : scores)}\n`);
        return 0;
      }
      const page = { width: terminal.columns, baseDir: terminal.baseDir };
      if (result) {
        const texts = await textsOf(result, run.resultFile!);
        const agreements = new Map<string, Agreements>();
        for (const task of result.tasks)
          agreements.set(task.task, await agreementsOf(run.resultFile!, result, task, terminal.signal));
        terminal.out(scoreReport(result, run.resultFile!, texts, page, agreements));
        if (scores) terminal.out('\n');
      }
      if (scores) terminal.out(scoresReport(scores, scoresFile!, page));
      return 0;
    } catch (error) {
      progress.clear();
      if (terminal.signal.aborted && resultFile !== '') {
        terminal.err(`Finished layers are kept in ${path.dirname(resultFile)}; the same command continues there.\n`);
      }
      throw error;
    }
  },
};

/** Undefined where the command line does not ask for it. @throws LayerifError `badRequest` */
function untilOf(share: string | undefined, rows: string | undefined): Until | undefined {
  if (share === undefined && rows === undefined) return undefined;
  const value = readNumber('until', share) ?? 0.33;
  if (!(value > 0 && value <= 1))
    throw new LayerifError('badRequest', `--until ${share} is not allowed: use a share of the layers, such as 0.33`);
  return { rank_interval: value, rows: rows === undefined ? 2000 : readCount('until-rows', rows, 4) };
}

/** @throws LayerifError `badRequest` */
function onlyOf(word: string | undefined): Part | undefined {
  const part = parts.find((one) => one === word);
  if (word === undefined || part) return part;
  throw unknown('part', word, parts);
}

/** The texts of the samples that the report shows. */
async function textsOf(result: Result, resultFile: string): Promise<SampleTexts> {
  const texts = new Map<string, Map<number, string>>();
  for (const task of result.tasks) {
    const highlights = highlightsOf(task);
    const samples = [...(highlights?.helpful ?? []), ...(highlights?.harmful ?? [])].map(({ sample }) => sample);
    const found = await sampleTexts(resultFile, task.task, 'train', samples);
    texts.set(task.task, new Map(found.flatMap(({ index, text }) => (text === null ? [] : [[index, text]]))));
  }
  return texts;
}
