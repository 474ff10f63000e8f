/** The dataset that a task, a score or a command names, out of the section `datasets` of an experiment. */
import { LayerifError } from '../../../protocol/errors.ts';
import type { Dataset } from '../../../protocol/experiment.ts';
import { listed } from '../text/listed.ts';
import { lookup } from '../text/lookup.ts';
import { didYouMean } from '../text/nearest.ts';

/**
 * @param who stands in front of the message, such as `task "x": `
 * @throws LayerifError `badData` with the names there are
 */
export function datasetNamed(datasets: Readonly<Record<string, Dataset>>, name: string, who = ''): Dataset {
  const dataset = lookup(datasets, name);
  if (dataset) return dataset;
  const names = Object.keys(datasets);
  throw new LayerifError(
    'badData',
    `${who}there is no dataset "${name}"; datasets: ${listed(names)}${didYouMean(name, names)}`,
  );
}
