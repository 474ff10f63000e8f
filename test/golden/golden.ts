/**
 * Compares text with a file under test/golden; UPDATE_GOLDEN=1 writes the file instead. Look at the difference before
 * committing.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export function assertGolden(name: string, text: string): void {
  const file = path.join(import.meta.dirname, name);
  if (process.env.UPDATE_GOLDEN === '1') {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
    return;
  }
  assert.ok(existsSync(file), `test/golden/${name} does not exist: run the test once with UPDATE_GOLDEN=1`);
  assert.equal(text, readFileSync(file, 'utf8'), `test/golden/${name}`);
}
