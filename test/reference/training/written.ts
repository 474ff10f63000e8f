/** Trains the cases of `test/run/trainedCases.ts` below a folder and prints where each wrote: node written.ts FOLDER */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { trainExperiment } from '../../../server/src/run/train/train.ts';
import { trainedCases, withTraining } from '../../run/trainedCases.ts';
import { writeTinyWorkspace } from '../../tinyLlama.ts';

const [below] = process.argv.slice(2);
const found: Record<string, { model: string; output: string }> = {};
for (const [name, section] of Object.entries(trainedCases)) {
  const folder = path.join(below, name);
  mkdirSync(folder, { recursive: true });
  const { experiment, model } = writeTinyWorkspace(folder);
  withTraining(experiment, section);
  const { result, resultFile } = await trainExperiment({ file: experiment, machine: { device: 'cpu', threads: 1 } });
  found[name] = { model, output: path.join(path.dirname(resultFile), result.output) };
}
console.log(JSON.stringify(found));
