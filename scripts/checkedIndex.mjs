/**
 * `noUncheckedIndexedAccess` for the server, folder by folder: an element of a list or a record may be missing, and the
 * code must say what then. Numeric leaves, whose loops stay within their arrays, are excepted for good. Folders of
 * `open` are not mended yet; all others must have no such place. (Project references may not be circular, so the
 * folders cannot be projects with a flag each.)
 *
 *   node scripts/checkedIndex.mjs [folder]      with a folder: its places
 */
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = fileURLToPath(new URL('..', import.meta.url));
const server = join(root, 'server');

/** Loops over typed arrays and tensors, where each access is within bounds by the loop. */
const numeric = ['engine', 'estimators', 'onnx', 'statistics', 'linear'];
/**
 * Folders of `server/src` whose places are not mended yet. This list only becomes shorter; a new folder never enters
 * it.
 */
const open = ['checkpoints', 'data/readers', 'generation', 'pruning', 'random', 'scores', 'training', 'validation'];

const { config } = ts.readConfigFile(join(server, 'tsconfig.json'), ts.sys.readFile);
const { fileNames, options } = ts.parseJsonConfigFileContent(config, ts.sys, server);
const program = ts.createProgram(fileNames, {
  ...options,
  noUncheckedIndexedAccess: true,
  rootDir: root,
  composite: false,
  incremental: false,
  emitDeclarationOnly: false,
  noEmit: true,
});

const found = new Map();
for (const file of program.getSourceFiles()) {
  const below = relative(join(server, 'src'), file.fileName);
  if (below.startsWith('..') || below.endsWith('.d.ts')) continue;
  const folder = dirname(below).split(sep).join('/');
  if (numeric.includes(folder.split('/')[0])) continue;
  for (const { start, messageText } of program.getSemanticDiagnostics(file)) {
    const { line } = file.getLineAndCharacterOfPosition(start ?? 0);
    const place = `server/src/${folder}/${below.split(sep).at(-1)}:${line + 1}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
    found.set(folder, [...(found.get(folder) ?? []), place]);
  }
}

const asked = process.argv[2];
if (asked !== undefined) {
  for (const place of found.get(asked) ?? []) console.log(place);
  process.exit(0);
}
const faults = [...found.keys()].sort().filter((folder) => !open.includes(folder));
const mended = open.filter((folder) => !found.has(folder));
for (const folder of faults) console.error(found.get(folder).join('\n'));
if (mended.length > 0)
  console.error(`${mended.join(', ')}: nothing is left, take them off the list of scripts/checkedIndex.mjs`);
const left = open.reduce((sum, folder) => sum + (found.get(folder)?.length ?? 0), 0);
console.log(
  `unchecked index accesses: ${faults.length} folders with new ones; ${left} places left in ${open.length} folders`,
);
process.exitCode = faults.length + mended.length > 0 ? 1 : 0;
