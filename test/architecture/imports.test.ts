/**
 * Who may import whom, as a table, and the other rules that a reader can rely on in every file. `ARCHITECTURE.md` says why.
 * To widen a folder's reach, change its row here and write the reason into `docs/decisions/`.
 */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, posix, resolve, sep } from 'node:path';
import ts from 'typescript';

const root = resolve(import.meta.dirname, '../..');

interface Row {
  /** Folders of this repository. Its own folder is always allowed. */
  folders: string[];
  /** Packages by name; sub-paths are included. */
  packages: string[];
  /** Modules of Node: 'all', or the ones named. */
  node: 'all' | string[];
}

const tables = ['onnx', 'autodiff', 'checkpoints', 'models', 'data', 'engine', 'estimators', 'scores', 'statistics'];
const rules = ['allocation', 'pruning', 'evaluation', 'training', 'export'];
const inServer = (names: string[]) => names.map((name) => `server/src/${name}`);
const numeric = ['ml-matrix'];
const random = 'server/src/random';
/** Words for messages. */
const text = 'server/src/text';
const hub = 'server/src/hub';

/** The table of design and ARCHITECTURE.md. A file belongs to the longest key that its path starts with. */
const table: Record<string, Row> = {
  protocol: { folders: [], packages: [], node: [] },
  'extension/src': { folders: ['protocol'], packages: ['vscode', 'vscode-languageclient'], node: 'all' },
  'webview/src': {
    folders: ['protocol'],
    packages: ['preact', '@vscode-elements/elements', '@vscode/codicons', '@observablehq/plot'],
    node: [],
  },
  'server/src/random': { folders: [], packages: ['pure-rand'], node: [] },
  'server/src/text': { folders: [], packages: ['fastest-levenshtein'], node: [] },
  'server/src/hub': { folders: ['protocol', text], packages: ['@huggingface/hub'], node: 'all' },
  'server/src/onnx': { folders: [], packages: ['@bufbuild/protobuf'], node: [] },
  'server/src/autodiff': { folders: inServer(['onnx']), packages: [], node: [] },
  'server/src/models': { folders: [text, ...inServer(['onnx'])], packages: [], node: [] },
  'server/src/checkpoints': { folders: ['protocol', text, hub], packages: [], node: 'all' },
  'server/src/data': {
    folders: ['protocol', random, text, hub],
    packages: [
      'csv-parse',
      'hyparquet',
      'hyparquet-compressors',
      'pngjs', // images for ONNX classifiers
      'jpeg-js',
      '@huggingface/jinja',
      '@huggingface/tokenizers',
      'picomatch',
      'yaml', // configurations in a dataset's README
    ],
    node: 'all',
  },
  // User-supplied ONNX: read as a model (checkpoints, models: types of what runs see), specialised, differentiated.
  'server/src/graphs': {
    folders: ['protocol', ...inServer(['onnx', 'autodiff', 'checkpoints', 'models'])],
    packages: [],
    node: 'all',
  },
  'server/src/estimators': { folders: ['protocol', random], packages: numeric, node: [] },
  'server/src/scores': { folders: ['protocol', random], packages: numeric, node: [] },
  'server/src/statistics': { folders: ['protocol', random], packages: numeric, node: [] },
  'server/src/allocation': { folders: ['protocol', random], packages: numeric, node: [] },
  'server/src/pruning': { folders: ['protocol', random], packages: numeric, node: [] },
  'server/src/evaluation': { folders: ['protocol', random, 'server/src/statistics'], packages: numeric, node: [] },
  'server/src/training': {
    folders: ['protocol', random, ...inServer(['autodiff', 'onnx', 'statistics'])],
    packages: numeric,
    node: [],
  },
  'server/src/export': { folders: ['protocol'], packages: [], node: [] },
  'server/src/config': {
    folders: ['protocol', text, hub, ...inServer(['estimators', 'scores', 'models', 'data', ...rules])],
    packages: ['zod', 'yaml', 'picomatch'],
    node: 'all',
  },
  'server/src/engine': {
    folders: [
      'protocol',
      ...inServer(['onnx', 'autodiff', 'graphs', 'models', 'checkpoints', 'training', 'pruning', 'random']),
    ],
    packages: ['onnxruntime-node', ...numeric], // numeric: eigendecompositions of EK-FAC
    node: 'all',
  },
  // Reaches the engine through messages: `types only` below.
  'server/src/run': {
    folders: ['protocol', random, text, hub, ...inServer(['config', 'graphs', ...tables, ...rules])],
    packages: ['picomatch', 'yauzl'], // yauzl: wheels of the CUDA runtime
    node: 'all',
  },
  'server/src/lsp': {
    folders: ['protocol', ...inServer(['run', 'config'])],
    packages: ['vscode-languageserver', 'vscode-languageserver-textdocument'],
    node: 'all',
  },
  'server/src/cli': { folders: ['protocol', text, ...inServer(['run', 'config'])], packages: [], node: 'all' },
};

/** Edges that may carry types but no code. */
const typesOnly: [from: string, to: string][] = [['server/src/run', 'server/src/engine']];

/** Files longer than 400 lines, each with its reason. */
const longFiles: Record<string, string> = {
  'server/src/onnx/shapes.ts': 'one table, a shape rule per operator',
};

const folders = ['protocol', 'extension/src', 'webview/src', 'server/src'];
const generated = 'server/src/onnx/gen/';

function sourceFiles(under: string[]): string[] {
  return under
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) =>
        posix.join(folder, name.split(sep).join('/')),
      ),
    )
    .filter((file) => /\.tsx?$/.test(file) && !file.endsWith('.d.ts') && !file.startsWith(generated));
}

interface Import {
  specifier: string;
  line: number;
  typeOnly: boolean;
}

/** Every `import`, `export ... from`, `import()` and `require()` of a file, by the TypeScript parser. */
function importsOf(file: string, text: string): Import[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found: Import[] = [];
  const add = (node: ts.Node, specifier: ts.Node | undefined, typeOnly: boolean) => {
    if (!specifier || !ts.isStringLiteralLike(specifier)) return;
    found.push({
      specifier: specifier.text,
      line: source.getLineAndCharacterOfPosition(node.getStart()).line + 1,
      typeOnly,
    });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      const clause = node.importClause;
      const named =
        clause?.namedBindings && ts.isNamedImports(clause.namedBindings) ? clause.namedBindings.elements : undefined;
      const allTypes =
        clause !== undefined &&
        !clause.name &&
        named !== undefined &&
        named.length > 0 &&
        named.every((name) => name.isTypeOnly);
      add(node, node.moduleSpecifier, (clause?.isTypeOnly ?? false) || allTypes);
    } else if (ts.isExportDeclaration(node)) {
      add(node, node.moduleSpecifier, node.isTypeOnly);
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      add(node, node.argument.literal, true);
    } else if (ts.isCallExpression(node)) {
      const called = node.expression;
      if (called.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(called) && called.text === 'require'))
        add(node, node.arguments[0], false);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** The row that a path belongs to. */
function rowOf(path: string): string | undefined {
  return Object.keys(table)
    .filter((key) => path.startsWith(`${key}/`))
    .sort((a, b) => b.length - a.length)[0];
}

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
    if (!typeOnly && typesOnly.some(([a, b]) => a === from && b === to))
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

test('the check sees what it should see', () => {
  const seen = (file: string, text: string) => importsOf(file, text).map((line) => complaint(file, line));
  assert.match(seen('server/src/estimators/x.ts', `import fs from 'node:fs';`)[0] ?? '', /may not use node:fs/);
  assert.match(
    seen('server/src/lsp/x.ts', `import { a } from '../cli/a.ts';`)[0] ?? '',
    /lsp may not import server\/src\/cli/,
  );
  assert.match(seen('server/src/run/x.ts', `import { a } from '../engine/a.ts';`)[0] ?? '', /only types/);
  assert.match(
    seen('server/src/run/x.ts', `const a = await import('onnxruntime-node');`)[0] ?? '',
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
    seen('extension/src/x.ts', `const a = require('../../server/src/run/a.ts');`)[0] ?? '',
    /may not import server\/src\/run/,
  );
  assert.deepEqual(
    seen('server/src/run/x.ts', `import type { a } from '../engine/a.ts'; import { type b } from '../engine/b.ts';`),
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
  // A running test may find that the machine lacks something and say so (`t.skip(reason)`, `{ skip: reasonHere() }`); the source may not.
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
  assert.deepEqual([...new Set(users.map(rowOf))], ['server/src/engine']);
});

test('the repository holds no symbolic links', (t) => {
  // A link over an ignored folder makes git delete the folder when the commit is checked out.
  if (!existsSync(join(root, '.git'))) return t.skip('not a git checkout');
  const links = execFileSync('git', ['ls-files', '--stage'], { cwd: root, encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.startsWith('120000'));
  assert.deepEqual(links, []);
});
