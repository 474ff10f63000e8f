/**
 * Keeps the figures of a benchmark of scores in `scoreResults.json`, from which `npm run docs` writes
 * its table.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const file = path.join(import.meta.dirname, 'scoreResults.json');

/** @param name of the benchmark, a key of the file; machine, date and load are added */
export function keep(name: string, figures: Record<string, unknown>): void {
  const known = fs.existsSync(file) ? (JSON.parse(fs.readFileSync(file, 'utf8')) as Record<string, unknown>) : {};
  known[name] = {
    ...figures,
    machine: os.cpus()[0]?.model ?? 'unknown processor',
    cores: os.cpus().length,
    load: Math.round(os.loadavg()[0] ?? 0),
    date: new Date().toISOString().slice(0, 10),
  };
  fs.writeFileSync(file, `${JSON.stringify(known, null, 2)}\n`);
}
