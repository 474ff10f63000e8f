/**
 * A language client without an editor: forks the real server, speaks the real protocol with it, remembers what it says.
 * Runs the sources; `LAYERIF_SERVER` names a bundle to run instead.
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { createProtocolConnection, IPCMessageReader, IPCMessageWriter } from 'vscode-languageserver/node';
import type {
  CodeLens,
  CompletionItem,
  Diagnostic,
  Hover,
  InitializeResult,
  ProtocolConnection,
  PublishDiagnosticsParams,
  WorkDoneProgressBegin,
  WorkDoneProgressEnd,
  WorkDoneProgressReport,
} from 'vscode-languageserver/node';
import { ENGINE_STATE, RUN_EVENT } from '../../protocol/lsp.ts';
import type { EngineStateParams, InitializationOptions, Settings } from '../../protocol/lsp.ts';
import type { RunEvent } from '../../protocol/run.ts';
import type { RequestRow } from '../../protocol/requests.ts';

const source = fileURLToPath(new URL('../../server/src/lsp/serverMain.ts', import.meta.url));

export type ProgressValue = WorkDoneProgressBegin | WorkDoneProgressReport | WorkDoneProgressEnd;

export interface ClientOptions {
  settings?: Partial<Settings>;
  env?: Record<string, string>;
  initializationOptions?: Partial<InitializationOptions>;
}

export class Client {
  readonly process: ChildProcess;
  readonly connection: ProtocolConnection;
  readonly published: PublishDiagnosticsParams[] = [];
  readonly events: RunEvent[] = [];
  readonly engineStates: EngineStateParams[] = [];
  readonly progress: { token: string | number; value: ProgressValue }[] = [];
  /** Requests of the server without parameters that a test counts. */
  refreshes = 0;
  onProgress: ((token: string | number, value: ProgressValue) => void) | undefined;
  initialized!: InitializeResult;
  #waiting = new Set<() => void>();
  #stderr = '';
  #versions = new Map<string, number>();

  private constructor(options: ClientOptions) {
    this.process = fork(process.env.LAYERIF_SERVER ?? source, ['--node-ipc'], {
      execArgv: ['--disable-warning=ExperimentalWarning'],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...process.env, ...options.env },
    });
    this.process.stderr!.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text));
    this.connection = createProtocolConnection(new IPCMessageReader(this.process), new IPCMessageWriter(this.process));
    const note = () => [...this.#waiting].forEach((look) => look());
    this.connection.onNotification('textDocument/publishDiagnostics', (params: PublishDiagnosticsParams) => {
      this.published.push(params);
      note();
    });
    this.connection.onNotification(RUN_EVENT, (event: RunEvent) => {
      this.events.push(event);
      note();
    });
    this.connection.onNotification(ENGINE_STATE, (state: EngineStateParams) => {
      this.engineStates.push(state);
      note();
    });
    this.connection.onNotification('$/progress', ({ token, value }: { token: string; value: ProgressValue }) => {
      this.progress.push({ token, value });
      this.onProgress?.(token, value);
      note();
    });
    this.connection.onRequest('window/workDoneProgress/create', () => null);
    this.connection.onRequest('client/registerCapability', () => null);
    this.connection.onRequest('workspace/configuration', () => [options.settings ?? null]);
    this.connection.onRequest('workspace/codeLens/refresh', () => {
      this.refreshes += 1;
      note();
      return null;
    });
    this.connection.listen();
  }

  static async start(folder: string, options: ClientOptions = {}): Promise<Client> {
    const client = new Client(options);
    client.initialized = await client.connection.sendRequest<InitializeResult>('initialize', {
      processId: process.pid,
      rootUri: pathToFileURL(folder).href,
      workspaceFolders: null,
      ...(options.initializationOptions ? { initializationOptions: options.initializationOptions } : {}),
      capabilities: {
        window: { workDoneProgress: true },
        workspace: {
          configuration: true,
          codeLens: { refreshSupport: true },
          didChangeWatchedFiles: { dynamicRegistration: true },
        },
      },
    });
    await client.connection.sendNotification('initialized', {});
    return client;
  }

  /** One of our own requests. */
  ask<Params, Answer>({ method }: RequestRow<Params, Answer>, params: Params): Promise<Answer> {
    return this.connection.sendRequest<Answer>(method, params);
  }

  async open(uri: string, text: string): Promise<void> {
    this.#versions.set(uri, 1);
    await this.connection.sendNotification('textDocument/didOpen', {
      textDocument: { uri, languageId: 'yaml', version: 1, text },
    });
  }

  /** Replaces the whole text. */
  async change(uri: string, text: string): Promise<number> {
    const version = this.#versions.get(uri)! + 1;
    this.#versions.set(uri, version);
    await this.connection.sendNotification('textDocument/didChange', {
      textDocument: { uri, version },
      contentChanges: [{ text }],
    });
    return version;
  }

  /** The next diagnostics of a document's version, as `line:column severity message`, from 1. */
  async diagnostics(uri: string, version = this.#versions.get(uri)): Promise<string[]> {
    const find = () => this.published.find((params) => params.uri === uri && params.version === version);
    await this.until(() => find() !== undefined, `diagnostics of ${uri} version ${version}`);
    return find()!.diagnostics.map(shown);
  }

  completion(uri: string, line: number, character: number): Promise<CompletionItem[]> {
    return this.connection.sendRequest('textDocument/completion', {
      textDocument: { uri },
      position: { line, character },
    });
  }

  hover(uri: string, line: number, character: number): Promise<Hover | null> {
    return this.connection.sendRequest('textDocument/hover', { textDocument: { uri }, position: { line, character } });
  }

  lenses(uri: string): Promise<CodeLens[]> {
    return this.connection.sendRequest('textDocument/codeLens', { textDocument: { uri } });
  }

  resolve(lens: CodeLens): Promise<CodeLens> {
    return this.connection.sendRequest('codeLens/resolve', lens);
  }

  /** Waits for something that messages bring about. */
  until(condition: () => boolean, what: string, milliseconds = 60_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        if (!condition()) return;
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(look);
        reject(new Error(`waited ${milliseconds} ms for ${what}\n${this.#stderr}`));
      }, milliseconds);
      this.#waiting.add(look);
      look();
    });
  }

  exited(): Promise<number | null> {
    if (this.process.exitCode !== null) return Promise.resolve(this.process.exitCode);
    return new Promise((resolve) => this.process.on('exit', (code) => resolve(code)));
  }

  /** As an editor does. @returns the exit code */
  async stop(): Promise<number | null> {
    const exited = this.exited();
    await this.connection.sendRequest('shutdown');
    await this.connection.sendNotification('exit');
    const code = await exited;
    this.connection.dispose();
    return code;
  }
}

const severities = ['', 'error', 'warning', 'information', 'hint'];

export function shown({ range, severity, message }: Diagnostic): string {
  return `${range.start.line + 1}:${range.start.character + 1} ${severities[severity ?? 0]} ${message as string}`;
}
