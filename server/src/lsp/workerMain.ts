/**
 * A worker of the language server: what answers which message. Pure JavaScript; a model is only ever loaded by the
 * engine, a process of its own that a user's command starts. The supervisor starts, watches and ends workers; without
 * it they end themselves.
 *
 * To add a feature, write a file beside this one and add its handler here.
 */
import os from 'node:os';
import {
  CodeActionKind,
  CodeLensRefreshRequest,
  createConnection,
  DidChangeWatchedFilesNotification,
  ProposedFeatures,
  TextDocuments,
  TextDocumentSyncKind,
} from 'vscode-languageserver/node';
import type { CancellationToken, InitializeParams, InitializeResult } from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { WORKSPACE_TRUST } from '../../../protocol/lsp.ts';
import type { InitializationOptions, LensArgument, Settings, WorkspaceTrustParams } from '../../../protocol/lsp.ts';
import { RESULT_SUFFIX } from '../../../protocol/result.ts';
import { requests } from '../../../protocol/requests.ts';
import type { AnswerOf, ParamsOf, RequestName, Requests } from '../../../protocol/requests.ts';
import { dataFileEndings } from '../run/inputs/describe.ts';
import { allocationChoices } from '../run/inputs/lists.ts';
import { sampleTexts } from '../run/inputs/sampleText.ts';
import { version } from '../run/files/version.ts';
import { allocate, exportTo } from './allocating.ts';
import { analyse, tableColumns } from './analysing.ts';
import { lensesOf, resolveLens } from './codeLens.ts';
import { answerChat } from './chatTools.ts';
import { completionAt } from './completion.ts';
import { describe } from './describing.ts';
import { devices, installCuda, offerCuda, removeCuda } from './devices.ts';
import { Diagnostics } from './diagnostics.ts';
import { Documents } from './documents.ts';
import { estimate } from './estimating.ts';
import { header } from './headers.ts';
import { hoverAt } from './hover.ts';
import { inspect } from './inspecting.ts';
import { inlayHints } from './inlayHints.ts';
import { locate, outlineAnswer } from './locate.ts';
import { measureScores } from './measuring.ts';
import { definitionAt, referencesAt, renameAt, renameRangeAt } from './names.ts';
import { linksOf, symbolsOf } from './outlineSymbols.ts';
import { predict } from './predicting.ts';
import { estimatePruning, evaluate, prune, pruneAndCompare } from './pruning.ts';
import { quickFixes } from './quickFixes.ts';
import { compare, compareByEstimators, rescore, sweep } from './rescoring.ts';
import { defaultSettings, machineOf, Jobs } from './jobs.ts';
import { PING } from './supervisor/messages.ts';
import {
  marksOfRows,
  select,
  textsOfRows,
  tokensOfRow,
  influenceOfTokens,
  without,
  withoutLines,
} from './selecting.ts';
import { workingOn } from './workingOn.ts';
import { endWithParent } from '../processes/parentWatch.ts';
import { WorkspaceTrust } from './workspaceTrust.ts';

/** Files whose change may change what is said about an open experiment. */
const watched = `**/*{${[...dataFileEndings, '.yaml', '.yml', '.safetensors', '.gguf', 'config.json'].join(',')}}`;

/** Most memory of a worker: documents take little, runs and results hold data. */
const memory = 0.8 * (process.constrainedMemory?.() || os.totalmem());
endWithParent(process.argv.includes('--role=language') ? Math.min(2 * 2 ** 30, memory) : memory);

const connection = createConnection(ProposedFeatures.all);
const texts = new TextDocuments(TextDocument);
const documents = new Documents(texts);
const diagnostics = new Diagnostics(connection, documents);
const jobs = new Jobs(connection, settings, refreshLenses);
const trust = new WorkspaceTrust();

let client: InitializeParams['capabilities'] = {};
let initialSettings: Settings = defaultSettings;

connection.onInitialize((params): InitializeResult => {
  client = params.capabilities;
  initialSettings = withDefaults(params.initializationOptions);
  trust.set((params.initializationOptions as Partial<InitializationOptions> | undefined)?.trusted);
  return {
    serverInfo: { name: 'layerif', version },
    capabilities: {
      textDocumentSync: TextDocumentSyncKind.Incremental,
      completionProvider: { triggerCharacters: [' ', ':', '/', '{', '[', '"', '.', '-'] },
      hoverProvider: true,
      codeLensProvider: { resolveProvider: true },
      codeActionProvider: { codeActionKinds: [CodeActionKind.QuickFix] },
      definitionProvider: true,
      referencesProvider: true,
      renameProvider: { prepareProvider: true },
      documentSymbolProvider: true,
      documentLinkProvider: {},
      inlayHintProvider: true,
    },
  };
});

connection.onInitialized(() => {
  if (!client.workspace?.didChangeWatchedFiles?.dynamicRegistration) return;
  void connection.client.register(DidChangeWatchedFilesNotification.type, { watchers: [{ globPattern: watched }] });
});

// Opening counts as a change too, with the same version.
const openedAt = new Map<string, number>();
texts.onDidOpen(({ document }) => openedAt.set(document.uri, document.version));
texts.onDidChangeContent(({ document: { uri, version } }) => {
  diagnostics.schedule(uri, openedAt.get(uri) === version ? 0 : undefined);
});
texts.onDidClose(({ document }) => {
  openedAt.delete(document.uri);
  diagnostics.close(document.uri);
});
connection.onDidChangeWatchedFiles(({ changes }) => {
  if (changes.every(({ uri }) => uri.endsWith(RESULT_SUFFIX))) return;
  documents.forget();
  for (const uri of documents.all()) diagnostics.schedule(uri);
});

connection.onCompletion(({ textDocument: { uri }, position }) =>
  workingOn(uri, () => completionAt(documents.typed(uri), position)),
);
connection.onHover(({ textDocument: { uri }, position }) =>
  workingOn(uri, () => hoverAt(documents.get(uri), position)),
);
connection.onCodeLens(({ textDocument: { uri } }) => workingOn(uri, () => lensesOf(documents.get(uri))));
connection.onCodeLensResolve((lens) => workingOn((lens.data as LensArgument).uri, () => resolveLens(lens, documents)));
connection.onCodeAction(({ textDocument: { uri }, context: { diagnostics: shown } }) =>
  workingOn(uri, () => quickFixes(documents.get(uri).document, shown)),
);
connection.onDefinition(({ textDocument: { uri }, position }) =>
  workingOn(uri, () => definitionAt(documents.get(uri), position)),
);
connection.onReferences(({ textDocument: { uri }, position, context: { includeDeclaration } }) =>
  workingOn(uri, () => referencesAt(documents.get(uri), position, includeDeclaration)),
);
connection.onPrepareRename(({ textDocument: { uri }, position }) =>
  workingOn(uri, () => renameRangeAt(documents.get(uri), position)),
);
connection.onRenameRequest(({ textDocument: { uri }, position, newName }) =>
  workingOn(uri, () => renameAt(documents.get(uri), position, newName)),
);
connection.onDocumentSymbol(({ textDocument: { uri } }) => workingOn(uri, () => symbolsOf(documents.get(uri))));
connection.onDocumentLinks(({ textDocument: { uri } }) => workingOn(uri, () => linksOf(documents.get(uri))));
connection.languages.inlayHint.on(({ textDocument: { uri }, range }) =>
  workingOn(uri, () => inlayHints(documents.get(uri), range, refreshHints)),
);
connection.onRequest(PING, () => null);

/** One handler per row of `requests`. */
const handlers: {
  [Name in RequestName]: (
    params: ParamsOf<Requests[Name]>,
    token: CancellationToken,
  ) => AnswerOf<Requests[Name]> | Promise<AnswerOf<Requests[Name]>>;
} = {
  score: (params, token) => jobs.score(params, token),
  estimate: (params, token) => estimate(jobs, params, token),
  validate: (params, token) => jobs.validate(params, token),
  checkGradients: (params, token) => jobs.checkGradients(params, token),
  prune: (params, token) => prune(jobs, params, token),
  evaluate: (params, token) => evaluate(jobs, params, token),
  pruneAndCompare: (params, token) => pruneAndCompare(jobs, params, token),
  estimatePruning: (params, token) => estimatePruning(jobs, params, token),
  cancelRun: () => {
    jobs.cancel();
    return null;
  },
  locate: (params) => workingOn(params.uri, () => locate(documents.get(params.uri), params)),
  outline: ({ uri }) => workingOn(uri, () => outlineAnswer(documents.get(uri))),
  sampleText: async ({ resultFile, task, split, samples }) => ({
    samples: await sampleTexts(resultFile, task, split, samples),
  }),
  rowText: textsOfRows,
  rowTokens: tokensOfRow,
  tokenInfluence: influenceOfTokens,
  selectRows: select,
  rowsWithout: without,
  rowMarks: marksOfRows,
  linesWithout: withoutLines,
  allocate,
  measureScores: (params, token) => measureScores(jobs, params, token),
  export: exportTo,
  rescore,
  sweepDamping: sweep,
  compare,
  compareEstimators: compareByEstimators,
  inspectModel: inspect,
  modelHeader: header,
  predict,
  analyse,
  tableColumns,
  describeData: describe,
  tool: answerChat,
  allocationChoices,
  devices: async (_, token) => devices(machineOf(await settings()), token),
  cudaOffer: offerCuda,
  installCuda: (params, token) => installCuda(connection, params, token),
  removeCuda,
};
for (const name of Object.keys(handlers) as RequestName[]) answer(name);

function answer<Name extends RequestName>(name: Name): void {
  // The library's own type for an answer cannot be worked out for a name that is not known yet.
  const handler: (params: ParamsOf<Requests[Name]>, token: CancellationToken) => unknown = handlers[name];
  connection.onRequest(requests[name].method, (params: ParamsOf<Requests[Name]>, token: CancellationToken) => {
    trust.require(name);
    return handler(params, token);
  });
}

connection.onNotification(WORKSPACE_TRUST, ({ trusted }: WorkspaceTrustParams) => trust.set(trusted));
connection.onShutdown(() => jobs.dispose());
// The supervisor is gone: nobody is left to answer to.
process.on('disconnect', () => process.exit(1));
process.on('exit', () => jobs.dispose());

texts.listen(connection);
connection.listen();

async function settings(): Promise<Settings> {
  if (!client.workspace?.configuration) return initialSettings;
  return withDefaults(await connection.workspace.getConfiguration('layerif'));
}

function withDefaults(given: unknown): Settings {
  const { device, server } = (given ?? {}) as Partial<Settings>;
  return { device: device ?? defaultSettings.device, server: { ...defaultSettings.server, ...server } };
}

function refreshLenses(): void {
  if (client.workspace?.codeLens?.refreshSupport) void connection.sendRequest(CodeLensRefreshRequest.type);
}

function refreshHints(): void {
  if (client.workspace?.inlayHint?.refreshSupport) void connection.languages.inlayHint.refresh();
}
