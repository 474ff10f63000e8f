/**
 * Who may import whom. `ARCHITECTURE.md` says why. To widen a folder's reach, change its row here and write the reason
 * into `docs/decisions/`.
 */

export interface Row {
  /** Folders of this repository. Its own folder is always allowed. */
  folders: string[];
  /** Packages by name; sub-paths are included. */
  packages: string[];
  /** Modules of Node: 'all', or the ones named. */
  node: 'all' | string[];
}

const tables = ['onnx', 'autodiff', 'checkpoints', 'models', 'data', 'estimators', 'statistics', 'validation'];
/** The shape of models before there are any. */
const planning = 'server/src/planning';
const rules = ['allocation', 'pruning', 'evaluation', 'generation', 'training', 'export'];
const inServer = (names: string[]) => names.map((name) => `server/src/${name}`);

/**
 * Rooms of a folder: each may import what the folder may, and the rooms that stand before it in the lists that it
 * names.
 */
function rooms(folder: string, row: Row, list: Record<string, string[]>): Record<string, Row> {
  const under = (names: string[]) => names.map((name) => `${folder}/${name}`);
  return Object.fromEntries(
    Object.entries(list).map(([room, below]) => [
      `${folder}/${room}`,
      { ...row, folders: [...row.folders, ...under(below)] },
    ]),
  );
}
const numeric = ['ml-matrix'];
/** Schemas of what LayerIF writes. */
const ourFiles = 'protocol/files';
const random = 'server/src/random';
const linear = 'server/src/linear';
/** Words for messages. */
const text = 'server/src/text';
/** Elements of lists that are there by construction. */
const lists = 'server/src/lists';
const hub = 'server/src/hub';
/** Child processes of our own programs. */
const processes = 'server/src/processes';
/** Reading what a user names, and what is said when something cannot be written. */
const files = 'server/src/files';

/** What the rooms of `engine` may import beside each other. */
const engine: Row = {
  folders: [
    'protocol',
    processes,
    files,
    ...inServer([
      'onnx',
      'autodiff',
      'graphs',
      'models',
      'checkpoints',
      'training',
      'pruning',
      'random',
      'linear',
      'generation',
    ]),
    'server/src/scores', // what is observed
    'server/src/estimators', // forms for sums of gradients
  ],
  packages: ['onnxruntime-node'],
  node: 'all',
};
/** Room -> the rooms below it. */
const engineRooms: Record<string, string[]> = {
  runtime: [],
  sweep: ['runtime'],
  grams: ['runtime', 'sweep'],
  train: ['runtime', 'sweep'],
  generate: ['runtime', 'sweep'],
  observe: ['runtime', 'sweep', 'grams'],
  check: ['runtime', 'sweep', 'grams'],
  userGraph: ['runtime', 'sweep', 'grams', 'observe'],
  prune: ['runtime', 'sweep', 'observe'],
  experts: ['runtime', 'sweep', 'train', 'observe'],
};

/** What the rooms of `run` may import beside each other. It reaches the engine through messages: `types only` below. */
const run: Row = {
  folders: [
    'protocol',
    ourFiles,
    random,
    text,
    lists,
    hub,
    files,
    linear,
    planning,
    'server/src/engine',
    ...inServer(['config', 'graphs', 'scores', ...tables, ...rules]),
  ],
  packages: ['picomatch', 'yauzl'], // yauzl: wheels of the CUDA runtime
  node: 'all',
};
const runRooms: Record<string, string[]> = {
  files: [],
  machine: ['files'],
  inputs: ['files', 'machine'],
  generate: ['files', 'machine', 'inputs'],
  scores: ['files', 'machine', 'inputs', 'generate'],
  evaluate: ['files', 'machine', 'inputs', 'generate'],
  influence: ['files', 'machine', 'inputs', 'scores'],
  decide: ['files', 'machine', 'inputs', 'scores', 'influence'],
  prune: ['files', 'machine', 'inputs', 'scores', 'evaluate', 'decide'],
  validate: ['files', 'machine', 'inputs', 'generate', 'scores', 'evaluate', 'influence', 'decide'],
  experts: ['files', 'machine', 'inputs', 'scores', 'evaluate', 'decide', 'prune'],
  train: ['files', 'machine', 'inputs', 'prune'],
  check: [
    ...[
      'files',
      'machine',
      'inputs',
      'scores',
      'evaluate',
      'influence',
      'decide',
      'prune',
      'validate',
      'experts',
      'train',
    ],
  ],
  predict: ['files', 'inputs'],
  // What chat models may ask.
  tools: ['files', 'machine', 'inputs', 'scores', 'influence', 'decide'],
  analyse: ['files'],
};

function roomsOf(folder: string, list: Record<string, string[]>): string[] {
  return Object.keys(list).map((room) => `server/src/${folder}/${room}`);
}

/** The table of design and ARCHITECTURE.md. A file belongs to the longest key that its path starts with. */
export const table: Record<string, Row> = {
  protocol: { folders: [], packages: [], node: [] },
  'protocol/files': { folders: ['protocol'], packages: ['zod'], node: [] },
  'extension/src': { folders: ['protocol', ourFiles], packages: ['vscode', 'vscode-languageclient'], node: 'all' },
  'webview/src': {
    folders: ['protocol'],
    packages: [
      'preact',
      '@vscode-elements/elements',
      '@vscode/codicons',
      '@observablehq/plot',
      '@modelcontextprotocol/ext-apps', // the page inside a chat
    ],
    node: [],
  },
  'server/src/linear': { folders: [], packages: numeric, node: [] },
  'server/src/lists': { folders: [], packages: [], node: [] },
  'server/src/random': { folders: [lists], packages: ['pure-rand'], node: [] },
  'server/src/text': { folders: [], packages: ['fastest-levenshtein'], node: ['vm'] },
  'server/src/processes': { folders: [], packages: [], node: 'all' },
  'server/src/files': { folders: ['protocol', text], packages: [], node: 'all' },
  'server/src/hub': { folders: ['protocol', text, files], packages: ['@huggingface/hub'], node: 'all' },
  'server/src/onnx': { folders: [lists, text], packages: ['@bufbuild/protobuf'], node: [] },
  'server/src/autodiff': { folders: [lists, text, ...inServer(['onnx'])], packages: [], node: [] },
  'server/src/models': { folders: [lists, text, ...inServer(['onnx'])], packages: [], node: [] },
  'server/src/checkpoints': { folders: [lists, 'protocol', text, hub, files], packages: ['zod'], node: 'all' },
  'server/src/data': {
    folders: [lists, 'protocol', random, text, hub, files],
    packages: [
      'apache-arrow',
      'csv-parse',
      'fzstd', // Zstandard
      'unbzip2-stream',
      'hyparquet',
      'hyparquet-compressors',
      'pngjs', // images for ONNX classifiers
      'jpeg-js',
      '@huggingface/tokenizers',
      'picomatch',
      'yaml', // configurations in a dataset's README
      'zod', // what save_to_disk writes beside rows
    ],
    node: 'all',
  },
  // User-supplied ONNX: read as a model (checkpoints, models: types of what runs see), specialised, differentiated.
  'server/src/graphs': {
    folders: [lists, 'protocol', text, files, ...inServer(['onnx', 'autodiff', 'checkpoints', 'models'])],
    packages: [],
    node: 'all',
  },
  'server/src/estimators': { folders: ['protocol', random, linear], packages: numeric, node: [] },
  'server/src/statistics': { folders: ['protocol', random, linear], packages: [...numeric, 'umap-js'], node: [] },
  [planning]: { folders: ['server/src/statistics'], packages: [], node: [] },
  // What scores need and how observations become numbers; no files, no graphs.
  'server/src/scores': {
    folders: [lists, 'protocol', random, linear, 'server/src/statistics'],
    packages: [],
    node: [],
  },
  'server/src/allocation': { folders: [lists, 'protocol', text, random, linear], packages: numeric, node: [] },
  // The next token from the logits.
  'server/src/generation': { folders: [lists, 'protocol', random, text], packages: [], node: [] },
  'server/src/pruning': { folders: [lists, 'protocol', random, linear], packages: numeric, node: [] },
  'server/src/validation': {
    folders: [lists, 'protocol', random, linear, 'server/src/statistics'],
    packages: numeric,
    node: [],
  },
  'server/src/evaluation': {
    folders: [lists, 'protocol', text, random, 'server/src/statistics', 'server/src/data'],
    packages: numeric,
    node: [],
  },
  'server/src/training': {
    folders: [lists, 'protocol', random, ...inServer(['autodiff', 'onnx'])],
    packages: numeric,
    node: [],
  },
  'server/src/export': { folders: [lists, 'protocol', text], packages: [], node: [] },
  'server/src/config': {
    folders: ['protocol', text, hub, files, ...inServer(['estimators', 'models', 'data', 'scores', ...rules])],
    packages: ['zod', 'yaml', 'picomatch'],
    node: 'all',
  },
  // The dispatcher of the child process alone lies outside of the rooms.
  'server/src/engine': { ...engine, folders: [...engine.folders, ...roomsOf('engine', engineRooms)] },
  ...rooms('server/src/engine', engine, engineRooms),
  ...rooms('server/src/run', run, runRooms),
  'server/src/lsp': {
    folders: [lists, 'protocol', text, processes, files, ...inServer(['config']), ...roomsOf('run', runRooms)],
    packages: ['vscode-languageserver', 'vscode-languageserver-textdocument'],
    node: 'all',
  },
  // Runs and scoring for chat models: the Model Context Protocol.
  'server/src/mcp': {
    folders: ['protocol', files, ...roomsOf('run', { files: [], tools: [] })],
    packages: ['@modelcontextprotocol/server', '@modelcontextprotocol/ext-apps'],
    node: 'all',
  },
  'server/src/cli': {
    folders: [
      'server/src/mcp',
      lists,
      'protocol',
      text,
      processes,
      files,
      ...inServer(['config', 'generation']),
      ...roomsOf('run', runRooms),
    ],
    packages: [],
    node: 'all',
  },
};

/** Edges that may carry types but no code, with all rooms at both ends. */
export const typesOnly: [from: string, to: string][] = [['server/src/run', 'server/src/engine']];

/** The row that a path belongs to. */
export function rowOf(path: string): string | undefined {
  return Object.keys(table)
    .filter((key) => path.startsWith(`${key}/`))
    .sort((a, b) => b.length - a.length)[0];
}
