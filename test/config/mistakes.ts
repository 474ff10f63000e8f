/** One row per mistake of an experiment file: the exact lines that the terminal prints. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { located } from '../../protocol/errors.ts';
import { parseExperiment } from '../../server/src/config/experiment.ts';
import { small } from './files.ts';

export interface Mistake {
  name: string;
  text: string;
  /** `<line>:<column>: <message>` */
  says: string[];
}

/** A file with these lines under its task. */
export const inTask = (lines: string): string => `${small}${lines}`;
/** A file with these lines under `score`. */
export const score = (lines: string): string => `${small}score:\n${lines}`;

export function testMistakes(rows: readonly Mistake[]): void {
  for (const { name, text, says } of rows) {
    test(name, () => {
      const { experiment, problems } = parseExperiment(text, 'x.layerif.yaml');
      const lines = problems.map(({ message, file, line, column }) =>
        located({ message, place: { file, line, column } }),
      );
      assert.deepEqual(
        lines,
        says.map((line) => `x.layerif.yaml:${line}`),
      );
      assert.equal(experiment, null);
      for (const { line, column, endLine, endColumn } of problems) {
        assert.ok(endLine === line && endColumn >= column, 'a problem ends on its line, not before it begins');
      }
    });
  }
}
