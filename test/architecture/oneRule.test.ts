/** What is decided or made in one place stands there alone: a second place is a second rule. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, sourceFiles } from './sources.ts';

const ENGINE = ['server/src/run', 'server/src/engine'];

const rules: { what: string; words: RegExp; only: string[]; among?: string[] }[] = [
  {
    what: 'the tokenizer of an experiment',
    words: /\bcreateTokenizer\(/,
    only: ['server/src/run/inputs/openExperiment.ts'],
  },
  {
    what: "a run's own engine, which ends with the run",
    words: /\bnew EnginePool\(/,
    only: ['server/src/run/machine/enginePool.ts'],
  },
  {
    what: 'a file is complete (tables of scores are added one by one and have an ending of their own)',
    words: /\bstatus = 'complete'/,
    only: ['server/src/run/files/ending.ts', 'server/src/run/scores/scoresFile.ts'],
  },
  {
    what: 'program and moment of a written file',
    words: /\bdate: new Date/,
    only: ['server/src/run/files/provenance.ts'],
  },
  {
    what: 'hashes of the data files (sampleText compares one file with what is written)',
    words: /\bhashFiles\(/,
    only: ['server/src/run/files/provenance.ts', 'server/src/run/inputs/sampleText.ts'],
  },
  {
    what: 'a segment of blocks runs with its weights and tables, in the one loop over the blocks',
    words: /\btablesFor\(/,
    only: ['server/src/engine/sweep/batch.ts', 'server/src/engine/sweep/chain.ts'],
  },
  {
    what: 'a question of the editor, which stays when a page takes the focus',
    words: /\b(showQuickPick|showInputBox|createQuickPick)\b/,
    only: ['extension/src/ask.ts', 'extension/src/commands/steps.ts'],
    among: ['extension/src'],
  },
];

for (const { what, words, only, among = ENGINE } of rules) {
  test(`in one place: ${what}`, () => {
    const found = sourceFiles(among).filter((file) => words.test(readFileSync(join(root, file), 'utf8')));
    assert.deepEqual(found.sort(), [...only].sort());
  });
}
