/**
 * `noUncheckedIndexedAccess` for the server: an element of a list or a record may be missing, and the code must say what
 * then. Numeric kernels, whose loops stay within their arrays, are excepted. (Project references may not be circular, so
 * the folders cannot be projects with a flag each.)
 *
 *   node scripts/checkedIndex.mjs [folder]      with a folder: its places
 */
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = fileURLToPath(new URL('..', import.meta.url));
const server = join(root, 'server');

/**
 * Folders, and files of other folders, that are loops over typed arrays, where each access is within bounds by the
 * loop and a guard of each would cost a multiple of the loop.
 */
const numeric = [
  'engine',
  'estimators',
  'onnx',
  'statistics',
  'linear',
  'random',
  'pruning',
  'training',
  'checkpoints/blockType.ts',
  'checkpoints/dequantize.ts',
  'checkpoints/dequantizeCodebooks.ts',
  'checkpoints/dtypes.ts',
  'checkpoints/finite.ts',
  'checkpoints/ggufTensor.ts',
  'checkpoints/scaleNumbers.ts',
  'checkpoints/smallFloats.ts',
  'data/readers/crc64.ts',
  'data/readers/lzma.ts',
  'data/tokenizers/bpe.ts',
  'data/tokenizers/minHeap.ts',
  'generation/sampling.ts',
  'scores/claimed.ts',
  'scores/facilityLocation.ts',
  'scores/rowLosses.ts',
  'validation/agreementMeasures.ts',
  'validation/jackknife.ts',
  'validation/newton.ts',
  'validation/perceptron.ts',
];

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
const excepted = new Set();
for (const file of program.getSourceFiles()) {
  const below = relative(join(server, 'src'), file.fileName);
  if (below.startsWith('..') || below.endsWith('.d.ts')) continue;
  const folder = dirname(below).split(sep).join('/');
  const name = `${folder}/${below.split(sep).at(-1)}`;
  const exception = [folder.split('/')[0], name].find((one) => numeric.includes(one));
  if (exception !== undefined) {
    if (!excepted.has(exception) && program.getSemanticDiagnostics(file).length > 0) excepted.add(exception);
    continue;
  }
  for (const { start, messageText } of program.getSemanticDiagnostics(file)) {
    const { line } = file.getLineAndCharacterOfPosition(start ?? 0);
    const place = `server/src/${name}:${line + 1}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
    found.set(folder, [...(found.get(folder) ?? []), place]);
  }
}

const asked = process.argv[2];
if (asked !== undefined) {
  for (const place of found.get(asked) ?? []) console.log(place);
  process.exit(0);
}
const places = [...found.values()].flat();
for (const place of places) console.error(place);
// An exception that nothing needs any more goes.
const idle = numeric.filter((name) => !excepted.has(name));
if (idle.length > 0)
  console.error(`${idle.join(', ')}: nothing to except, take them off the list of scripts/checkedIndex.mjs`);
console.log(`unchecked index accesses: ${places.length}`);
process.exitCode = places.length + idle.length > 0 ? 1 : 0;
