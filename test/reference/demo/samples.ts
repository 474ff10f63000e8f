/**
 * The token ids that a run of an experiment uses, for reference.py:
 *
 *     node test/reference/demo/samples.ts EXPERIMENT TASK > samples.json        (Node 24: runs TypeScript as it is)
 */
import { prepare } from '../../../server/src/run/inputs/prepare.ts';

const [file, task] = process.argv.slice(2);
if (file === undefined || task === undefined) {
  throw new Error('two arguments are needed: an experiment file and the name of one of its tasks');
}
const { tasks } = await prepare(file, { tasks: [task] });
const ids = (samples: { tokens: Int32Array; countedFrom: number }[]): object[] =>
  samples.map(({ tokens, countedFrom }) => ({ tokens: [...tokens], countedFrom }));
for (const { train, validation } of tasks) {
  process.stdout.write(`${JSON.stringify({ train: ids(train), validation: ids(validation) })}\n`);
}
