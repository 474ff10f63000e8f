/** Who may import whom, and the other rules that a reader can rely on in every file. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { rowOf, table, typesOnly } from './importTable.ts';
import { folders, importsOf, root, sourceFiles } from './sources.ts';
import type { Import } from './sources.ts';

/** Files longer than 400 lines, each with its reason. */
const longFiles: Record<string, string> = {
  'server/src/onnx/shapes.ts': 'one table, a shape rule per operator',
};

/** Folders that are part of the row above them: the same idea, one reader or component per file. */
const parts = new Set([
  'extension/src/commands',
  'server/src/data/jinja',
  'server/src/data/readers',
  'server/src/data/tokenizers',
  'server/src/lsp/supervisor',
  'webview/src/components',
  'webview/src/export',
  'webview/src/model',
]);

function complaint(file: string, { specifier, typeOnly }: Import): string | undefined {
  const from = rowOf(file);
  if (!from) return `belongs to no row of the table`;
  const row = table[from];
  if (specifier.startsWith('.')) {
    if (/\.(css|ttf)$/.test(specifier)) return from === 'webview/src' ? undefined : 'imports a style sheet';
    const target = posix.join(dirname(file), specifier);
    const to = rowOf(target);
    if (!/\.(ts|tsx|js|json)$/.test(specifier)) return 'has no file ending';
    if (!to) return 'leaves the folders of the table';
    if (to !== from && !row.folders.includes(to)) return `${from} may not import ${to}`;
    if (!typeOnly && typesOnly.some(([a, b]) => `${from}/`.startsWith(`${a}/`) && `${to}/`.startsWith(`${b}/`)))
      return `${from} may import only types of ${to}`;
    return undefined;
  }
  if (specifier.startsWith('node:')) {
    const name = specifier.slice('node:'.length).split('/')[0];
    return row.node === 'all' || row.node.includes(name) ? undefined : `${from} may not use ${specifier}`;
  }
  return row.packages.some((name) => specifier === name || specifier.startsWith(`${name}/`))
    ? undefined
    : `${from} may not import the package ${specifier}`;
}

test('every import is in the table', () => {
  const files = sourceFiles(folders);
  assert.ok(files.length > 10, `only ${files.length} source files found under ${root}`);
  const wrong = files.flatMap((file) =>
    importsOf(file, readFileSync(join(root, file), 'utf8')).flatMap((line) => {
      const what = complaint(file, line);
      return what ? [`${file}:${line.line}: '${line.specifier}': ${what}`] : [];
    }),
  );
  assert.deepEqual(wrong, []);
});

test('every row is a folder, and every folder has a row', () => {
  const holds = new Set(sourceFiles(folders).map((file) => dirname(file)));
  const without = Object.keys(table).filter((row) => ![...holds].some((folder) => `${folder}/`.startsWith(`${row}/`)));
  assert.deepEqual(without, [], 'rows for folders that do not exist');
  const rooms = [...holds].filter((folder) => !(folder in table) && !parts.has(folder));
  assert.deepEqual(rooms, [], 'folders without a row');
});

test('the check sees what it should see', () => {
  const seen = (file: string, text: string) => importsOf(file, text).map((line) => complaint(file, line));
  assert.match(seen('server/src/estimators/x.ts', `import fs from 'node:fs';`)[0] ?? '', /may not use node:fs/);
  assert.match(
    seen('server/src/lsp/x.ts', `import { a } from '../cli/a.ts';`)[0] ?? '',
    /lsp may not import server\/src\/cli/,
  );
  assert.match(seen('server/src/run/influence/x.ts', `import { a } from '../../engine/a.ts';`)[0] ?? '', /only types/);
  assert.match(
    seen('server/src/run/influence/x.ts', `const a = await import('onnxruntime-node');`)[0] ?? '',
    /package onnxruntime-node/,
  );
  assert.match(
    seen('server/src/onnx/x.ts', `export * from '../models/a.ts';`)[0] ?? '',
    /may not import server\/src\/models/,
  );
  assert.match(
    seen('protocol/x.ts', `import type { a } from '../server/src/onnx/a.ts';`)[0] ?? '',
    /protocol may not import/,
  );
  assert.match(
    seen('extension/src/x.ts', `const a = require('../../server/src/run/files/a.ts');`)[0] ?? '',
    /may not import server\/src\/run/,
  );
  assert.deepEqual(
    seen(
      'server/src/run/influence/x.ts',
      `import type { a } from '../../engine/a.ts'; import { type b } from '../../engine/b.ts';`,
    ),
    [undefined, undefined],
  );
  assert.deepEqual(seen('webview/src/x.tsx', `import { h } from 'preact/hooks'; import './x.css';`), [
    undefined,
    undefined,
  ]);
});

test('no default export, no enum, no namespace', () => {
  const wrong = sourceFiles([...folders, 'test']).flatMap((file) => {
    const lines = readFileSync(join(root, file), 'utf8').split('\n');
    return lines.flatMap((line, at) =>
      /^\s*(export default|(export )?(const )?enum |(export )?namespace )/.test(line)
        ? [`${file}:${at + 1}: ${line.trim()}`]
        : [],
    );
  });
  assert.deepEqual(wrong, []);
});

test('no file has more than 400 lines', () => {
  const long = sourceFiles(folders)
    .filter((file) => !(file in longFiles))
    .map((file) => [file, readFileSync(join(root, file), 'utf8').split('\n').length - 1] as const)
    .filter(([, lines]) => lines > 400)
    .map(([file, lines]) => `${file}: ${lines} lines`);
  assert.deepEqual(long, []);
});

test('no test is skipped or run alone', () => {
  // A running test may find that the machine lacks something and say so (`t.skip(reason)`, `{ skip: reasonHere() }`);
  // the source may not.
  const calls =
    /\b(test|it|describe|suite)\s*\.\s*(only|skip|todo)\s*\(|\bt\.(todo\(|skip\(\s*\))|\b(only|todo):\s*true|\bskip:\s*(true|['"`])/;
  const wrong = sourceFiles(['test']).flatMap((file) => {
    const lines = readFileSync(join(root, file), 'utf8').split('\n');
    return lines.flatMap((line, at) =>
      calls.test(line) && !line.includes('calls =') ? [`${file}:${at + 1}: ${line.trim()}`] : [],
    );
  });
  assert.deepEqual(wrong, []);
});

test('only the engine loads ONNX Runtime', () => {
  const users = sourceFiles(folders).filter((file) =>
    importsOf(file, readFileSync(join(root, file), 'utf8')).some((line) => line.specifier.startsWith('onnxruntime')),
  );
  assert.ok(users.length > 0);
  assert.deepEqual([...new Set(users.map(rowOf))], ['server/src/engine/runtime']);
});

test('the repository holds no symbolic links', (t) => {
  // A link over an ignored folder makes git delete the folder when the commit is checked out.
  if (!existsSync(join(root, '.git'))) return t.skip('not a git checkout');
  const links = execFileSync('git', ['ls-files', '--stage'], { cwd: root, encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.startsWith('120000'));
  assert.deepEqual(links, []);
});

test('the formatter formats every line', () => {
  const word = ['prettier', 'ignore'].join('-');
  const wrong = sourceFiles([...folders, 'test']).filter((file) =>
    readFileSync(join(root, file), 'utf8').includes(word),
  );
  assert.deepEqual(wrong, []);
});
