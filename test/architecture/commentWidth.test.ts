/**
 * Comments keep within the formatter's width, as code does. Excepted are words that are long by themselves, such as
 * addresses, formulas and tables, which stand two spaces in, and directives to tools, which must be one line.
 */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { folders, root, sourceFiles } from './sources.ts';

const { printWidth } = JSON.parse(readFileSync(join(root, '.prettierrc.json'), 'utf8')) as { printWidth: number };

function tooWide(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => /^\s*(\*|\/\*|\/\/)/.test(line) && line.length > printWidth)
    .filter((line) => !/^\s*(\* {3,}|\/\/ (eslint|@ts)-)/.test(line))
    .filter((line) => line.split(/\s+/).every((word) => word.length < printWidth / 2));
}

test('comments are within the width', () => {
  const found = sourceFiles([...folders, 'test']).flatMap((file) =>
    tooWide(readFileSync(join(root, file), 'utf8')).map((line) => `${file}: ${line.trim()}`),
  );
  assert.deepEqual(found, []);
});

test('the check sees what it should see', () => {
  const long = 'word '.repeat(30).trim();
  assert.equal(tooWide(` * ${long}\n// ${long}\n/** ${long} */\n`).length, 3);
  assert.equal(tooWide(` * see https://${'x'.repeat(130)}\nconst a = '${long}';\n * short\n`).length, 0);
});
