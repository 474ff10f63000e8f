/** `layerif score FILE`: scores the layers, shows progress, prints the chart or the result document. */
import path from 'node:path';
import type { Result } from '../../../protocol/result.ts';
import { sampleTexts } from '../run/inputs/sampleText.ts';
import { scoreExperiment } from '../run/influence/score.ts';
import { highlightsOf } from './highlights.ts';
import { machineOptions } from './options.ts';
import { progressOn } from './progress.ts';
import { planLine, scoreReport, type SampleTexts } from './report.ts';
import type { Command } from './types.ts';

export const score: Command = {
  name: 'score',
  argument: 'FILE',
  summary: 'score the layers of the model on the tasks of an experiment file',
  details:
    'FILE is an experiment, *.layerif.yaml or layerif.yaml. An interrupted run of the same experiment, data and model is resumed.\n' +
    'Progress goes to standard error; Ctrl-C stops at the next step and keeps what is finished, a second one stops at once.',
  options: ['task', 'output', 'json', ...machineOptions],
  cooperative: true,

  async run(argument, options, terminal) {
    const progress = progressOn(terminal);
    let resultFile = '';
    const said = new Set<string>();
    try {
      const run = await scoreExperiment({
        file: path.resolve(terminal.baseDir, argument),
        tasks: options.task.length > 0 ? options.task : undefined,
        outputDir: options.output === undefined ? undefined : path.resolve(terminal.baseDir, options.output),
        machine: options.machine,
        signal: terminal.signal,
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
      if (options.json) {
        terminal.out(`${JSON.stringify(run.result)}\n`);
        return 0;
      }
      const texts = await textsOf(run.result, run.resultFile);
      const page = { width: terminal.columns, baseDir: terminal.baseDir };
      terminal.out(scoreReport(run.result, run.resultFile, texts, page));
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
