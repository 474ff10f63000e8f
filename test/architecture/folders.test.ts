/**
 * Folders are made by `server/src/files/writing.ts` alone: `mkdir` with `recursive` never comes back below /proc, and a
 * run that asks for a folder there would hang.
 */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { sourceFiles } from './sources.ts';

test('nothing else makes folders with their parents', () => {
  const offence = /\bmkdir(Sync)?\([^;]*recursive/;
  assert.match('fs.mkdirSync(folder, { recursive: true })', offence);
  const sources = sourceFiles(['server/src', 'protocol']);
  assert.ok(sources.length > 100);
  assert.deepEqual(
    sources.filter((file) => offence.test(readFileSync(file, 'utf8'))),
    [],
  );
});
