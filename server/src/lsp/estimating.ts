/** What scoring an experiment will take: one at a time with runs, for it asks the engine how fast the machine is. */
import type { CancellationToken } from 'vscode-languageserver/node';
import type { EstimateAnswer, EstimateParams } from '../../../protocol/lsp.ts';
import { experimentName } from '../run/files/results.ts';
import { estimateExperiment } from '../run/influence/estimate.ts';
import { fileOf } from './documents.ts';
import type { Jobs } from './jobs.ts';

export async function estimate(
  jobs: Jobs,
  { uri, task }: EstimateParams,
  token: CancellationToken,
): Promise<EstimateAnswer> {
  const file = fileOf(uri);
  const { value, error } = await jobs.alone(file, `Estimating ${experimentName(file)}`, token, (tools) =>
    estimateExperiment({ file, ...(task === undefined ? {} : { tasks: [task] }), ...tools }),
  );
  return { estimate: value, error };
}
