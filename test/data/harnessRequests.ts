/** What an evaluation of one task asks, as lm-evaluation-harness's `build_all_requests` lists it. */
import { dirname } from 'node:path';
import { parseExperiment, readExperimentText } from '../../server/src/config/experiment.ts';
import { requestsOf } from '../../server/src/data/context.ts';
import { rollingText } from '../../server/src/data/examples.ts';
import { fewshotForEvaluation, fewshotPool } from '../../server/src/data/fewshot.ts';
import { openDataset, readSlice } from '../../server/src/data/splits.ts';

/** The continuation is null for a generation. */
export interface HarnessRequest {
  doc: number;
  pair: [context: string, continuation: string | null];
}

/** Of the only task of an experiment file. @throws what the product throws, or the first error of the file */
export async function harnessRequests(file: string): Promise<HarnessRequest[]> {
  const { experiment, problems } = parseExperiment(readExperimentText(file), file);
  if (!experiment) throw new Error(problems.find(({ severity }) => severity === 'error')!.message);
  const [task] = experiment.tasks;
  const dataset = await openDataset(task.dataset, experiment.datasets[task.dataset], dirname(file));
  const rows = await readSlice(dataset, task.test_split ?? task.validation_split ?? task.training_split);
  const fewshot = fewshotForEvaluation(task, await fewshotPool(task, dataset));
  return rows.flatMap((row, doc): HarnessRequest[] => {
    const examples = fewshot(row);
    if (task.output_type === 'loglikelihood_rolling') return [{ doc, pair: ['', rollingText(task, row)] }];
    const { pairs } = requestsOf(task, row, examples);
    if (task.output_type === 'generate_until') return [{ doc, pair: [pairs[0][0], null] }];
    return pairs.map((pair) => ({ doc, pair }));
  });
}
