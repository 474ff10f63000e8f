/**
 * The language server: what answers which message. Pure JavaScript; a model is only ever loaded by the engine, a process of its own
 * that a user's command starts. It ends with the editor: the connection library watches the editor's process, an IPC channel that
 * closes ends it at once, and the engine goes down with it.
 *
 * To add a feature, write a file beside this one and add its handler here.
 */
import {
  CodeLensRefreshRequest,
  createConnection,
  DidChangeWatchedFilesNotification,
  ProposedFeatures,
  TextDocuments,
  TextDocumentSyncKind,
} from 'vscode-languageserver/node';
import type { CancellationToken, InitializeParams, InitializeResult } from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import {
  ALLOCATE_REQUEST,
  ALLOCATION_CHOICES_REQUEST,
  CANCEL_REQUEST,
  CHECK_GRADIENTS_REQUEST,
  CUDA_OFFER_REQUEST,
  DEVICES_REQUEST,
  COMPARE_REQUEST,
  ESTIMATE_PRUNING_REQUEST,
  EVALUATE_REQUEST,
  EXPORT_REQUEST,
  INSTALL_CUDA_REQUEST,
  INSPECT_REQUEST,
  LOCATE_REQUEST,
  OUTLINE_REQUEST,
  PRUNE_AND_COMPARE_REQUEST,
  PRUNE_REQUEST,
  REMOVE_CUDA_REQUEST,
  RESCORE_REQUEST,
  SAMPLE_TEXT_REQUEST,
  SCORE_REQUEST,
  SWEEP_REQUEST,
  VALIDATE_REQUEST,
} from '../../../protocol/lsp.ts';
import type {
  AllocateParams,
  EvaluateParams,
  ExportParams,
  CheckGradientsParams,
  CudaOfferParams,
  CompareParams,
  InspectParams,
  LocateParams,
  OutlineParams,
  PruneAndCompareParams,
  PruneParams,
  RescoreParams,
  SampleTextAnswer,
  SampleTextParams,
  ScoreParams,
  Settings,
  SweepParams,
  ValidateParams,
} from '../../../protocol/lsp.ts';
import { RESULT_SUFFIX } from '../../../protocol/result.ts';
import { dataFileEndings } from '../run/inputs/describe.ts';
import { allocationChoices } from '../run/inputs/lists.ts';
import { sampleTexts } from '../run/inputs/sampleText.ts';
import { version } from '../run/files/version.ts';
import { allocate, exportTo } from './allocating.ts';
import { lensesOf, resolveLens } from './codeLens.ts';
import { completionAt } from './completion.ts';
import { devices, installCuda, offerCuda, removeCuda } from './devices.ts';
import { Diagnostics } from './diagnostics.ts';
import { Documents } from './documents.ts';
import { hoverAt } from './hover.ts';
import { inspect } from './inspecting.ts';
import { locate, outlineAnswer } from './locate.ts';
import { estimatePruning, evaluate, prune, pruneAndCompare } from './pruning.ts';
import { compare, rescore, sweep } from './rescoring.ts';
import { defaultSettings, machineOf, Scoring } from './jobs.ts';

/** Files whose change may change what is said about an open experiment. */
const watched = `**/*{${[...dataFileEndings, '.yaml', '.yml', '.safetensors', '.gguf', 'config.json'].join(',')}}`;

const connection = createConnection(ProposedFeatures.all);
const texts = new TextDocuments(TextDocument);
const documents = new Documents(texts);
const diagnostics = new Diagnostics(connection, documents);
const scoring = new Scoring(connection, settings, refreshLenses);

let client: InitializeParams['capabilities'] = {};
let initialSettings: Settings = defaultSettings;

connection.onInitialize((params): InitializeResult => {
  client = params.capabilities;
  initialSettings = withDefaults(params.initializationOptions);
  return {
    serverInfo: { name: 'layerif', version },
    capabilities: {
      textDocumentSync: TextDocumentSyncKind.Incremental,
      completionProvider: { triggerCharacters: [' ', ':', '/', '{', '[', '"', '.', '-'] },
      hoverProvider: true,
      codeLensProvider: { resolveProvider: true },
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

connection.onCompletion(({ textDocument, position }) => completionAt(documents.get(textDocument.uri), position));
connection.onHover(({ textDocument, position }) => hoverAt(documents.get(textDocument.uri), position));
connection.onCodeLens(({ textDocument }) => lensesOf(documents.get(textDocument.uri)));
connection.onCodeLensResolve((lens) => resolveLens(lens, documents));

connection.onRequest(SCORE_REQUEST, (params: ScoreParams, token: CancellationToken) => scoring.score(params, token));
connection.onRequest(VALIDATE_REQUEST, (params: ValidateParams, token: CancellationToken) =>
  scoring.validate(params, token),
);
connection.onRequest(CHECK_GRADIENTS_REQUEST, (params: CheckGradientsParams, token: CancellationToken) =>
  scoring.checkGradients(params, token),
);
connection.onRequest(PRUNE_REQUEST, (params: PruneParams, token: CancellationToken) => prune(scoring, params, token));
connection.onRequest(EVALUATE_REQUEST, (params: EvaluateParams, token: CancellationToken) =>
  evaluate(scoring, params, token),
);
connection.onRequest(PRUNE_AND_COMPARE_REQUEST, (params: PruneAndCompareParams, token: CancellationToken) =>
  pruneAndCompare(scoring, params, token),
);
connection.onRequest(ESTIMATE_PRUNING_REQUEST, (params: PruneAndCompareParams, token: CancellationToken) =>
  estimatePruning(scoring, params, token),
);
connection.onRequest(CANCEL_REQUEST, () => {
  scoring.cancel();
  return null;
});
connection.onRequest(LOCATE_REQUEST, (params: LocateParams) => locate(documents.get(params.uri), params));
connection.onRequest(OUTLINE_REQUEST, ({ uri }: OutlineParams) => outlineAnswer(documents.get(uri)));
connection.onRequest(
  SAMPLE_TEXT_REQUEST,
  async ({ resultFile, task, split, samples }: SampleTextParams): Promise<SampleTextAnswer> => ({
    samples: await sampleTexts(resultFile, task, split, samples),
  }),
);

connection.onRequest(ALLOCATE_REQUEST, (params: AllocateParams) => allocate(params));
connection.onRequest(EXPORT_REQUEST, (params: ExportParams) => exportTo(params));
connection.onRequest(RESCORE_REQUEST, (params: RescoreParams, token: CancellationToken) => rescore(params, token));
connection.onRequest(SWEEP_REQUEST, (params: SweepParams, token: CancellationToken) => sweep(params, token));
connection.onRequest(COMPARE_REQUEST, (params: CompareParams, token: CancellationToken) => compare(params, token));
connection.onRequest(INSPECT_REQUEST, (params: InspectParams) => inspect(params));
connection.onRequest(ALLOCATION_CHOICES_REQUEST, () => allocationChoices());

connection.onRequest(DEVICES_REQUEST, async (_: unknown, token: CancellationToken) =>
  devices(machineOf(await settings()), token),
);
connection.onRequest(CUDA_OFFER_REQUEST, (params: CudaOfferParams) => offerCuda(params));
connection.onRequest(INSTALL_CUDA_REQUEST, (params: CudaOfferParams, token: CancellationToken) =>
  installCuda(connection, params, token),
);
connection.onRequest(REMOVE_CUDA_REQUEST, () => removeCuda());

connection.onShutdown(() => scoring.dispose());
// The editor was killed: nobody is left to answer to.
process.on('disconnect', () => process.exit(1));
process.on('exit', () => scoring.dispose());

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
