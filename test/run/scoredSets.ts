/** A tiny workspace with datasets of its own, whose experiment asks for scores alone. */
import fs from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { runExperiment } from '../../server/src/run/influence/runExperiment.ts';
import type { EnginePool } from '../../server/src/run/machine/enginePool.ts';
import { machine, tinyWorkspace } from './workspace.ts';

/** @param sets rows by dataset @param entries of the list `scores` */
export function workspaceOf(
  t: TestContext,
  engine: EnginePool,
  sets: Record<string, readonly object[]>,
  entries: readonly string[],
) {
  const { folder, experiment } = tinyWorkspace(t);
  for (const [name, rows] of Object.entries(sets))
    fs.writeFileSync(path.join(folder, `data/${name}.jsonl`), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const names = Object.keys(sets).map((name) => `  ${name}:\n    path: data/${name}.jsonl\n`);
  const text = fs.readFileSync(experiment, 'utf8').replace('datasets:\n', `datasets:\n${names.join('')}`);
  const scores = `scores:\n${entries.map((entry) => `  - ${entry}\n`).join('')}`;
  fs.writeFileSync(experiment, `${text.slice(0, text.indexOf('score:'))}${scores}`);
  return { folder, run: () => runExperiment({ file: experiment, machine, engine }) };
}
