/**
 * The language server, seen from the editor: started once, restarted one at a time, never in a loop.
 *
 * Transport is IPC to a Node child (`dist/server.cjs`), which itself forks the engine. Nothing listens on a port. A
 * server that dies three times within three minutes stays down until the user restarts it: the same fault would come
 * back.
 */
import * as vscode from 'vscode';
import {
  CloseAction,
  ErrorAction,
  LanguageClient,
  RevealOutputChannelOn,
  State,
  TransportKind,
} from 'vscode-languageclient/node';
import type { CloseHandlerResult, LanguageClientOptions, ServerOptions } from 'vscode-languageclient/node';
import { ENGINE_STATE, RUN_EVENT, WORKSPACE_TRUST } from '../../protocol/lsp.ts';
import type { EngineStateParams, InitializationOptions, Settings, WorkspaceTrustParams } from '../../protocol/lsp.ts';
import type { RequestRow } from '../../protocol/requests.ts';
import type { RunEvent } from '../../protocol/run.ts';
import { EXPERIMENT_GLOBS } from './experimentFiles.ts';
import { showRunProgress } from './progress.ts';
import type { ServerState } from './statusText.ts';

const CRASHES_ALLOWED = 3;
const CRASH_WINDOW_MS = 3 * 60_000;

export class ServerClient implements vscode.Disposable {
  private readonly runEvents = new vscode.EventEmitter<RunEvent>();
  private readonly engineStates = new vscode.EventEmitter<EngineStateParams>();
  private readonly states = new vscode.EventEmitter<ServerState>();
  readonly onRunEvent = this.runEvents.event;
  readonly onEngineState = this.engineStates.event;
  readonly onState = this.states.event;

  private readonly context: vscode.ExtensionContext;
  private readonly output: vscode.LogOutputChannel;
  private client: LanguageClient | null = null;
  /** The start, stop or restart under way; the next one waits for it. */
  private queue: Promise<void> = Promise.resolve();
  private restartQueued: Promise<void> | null = null;
  private crashes: number[] = [];
  private disposed = false;

  constructor(context: vscode.ExtensionContext, output: vscode.LogOutputChannel) {
    this.context = context;
    this.output = output;
    context.subscriptions.push(
      // Trust that is taken back reloads the window, and the server with it.
      vscode.workspace.onDidGrantWorkspaceTrust(() => {
        const params: WorkspaceTrustParams = { trusted: true };
        // A server that is down asks when it starts.
        this.client?.sendNotification(WORKSPACE_TRUST, params).catch(() => undefined);
      }),
    );
  }

  /** Starts the server unless it runs. Rejects with a message for the user when it cannot start. */
  start(): Promise<void> {
    return this.enqueue(async () => {
      if (this.client?.state === State.Running) return;
      if (this.client?.state === State.Starting) return this.client.start();
      await this.stopNow();
      await this.startNow();
    });
  }

  /** Stops and starts. A second call while one waits is the same restart. */
  restart(): Promise<void> {
    this.restartQueued ??= this.enqueue(async () => {
      this.restartQueued = null;
      this.crashes = [];
      await this.stopNow();
      await this.startNow();
    });
    return this.restartQueued;
  }

  /** Sends a request, starting the server first when it is down. */
  async request<Params, Answer>(
    { method }: RequestRow<Params, Answer>,
    params: Params,
    token?: vscode.CancellationToken,
  ): Promise<Answer> {
    await this.start();
    if (!this.client) throw new Error('The LayerIF language server is not running. Run "LayerIF: Restart Server".');
    // An explicit `undefined` would travel as a second parameter, in the place of the server's own token.
    return token
      ? this.client.sendRequest<Answer>(method, params, token)
      : this.client.sendRequest<Answer>(method, params);
  }

  /** Notifications of the server that runs now; null when none does. */
  onNotification<Params>(method: string, handler: (params: Params) => void): vscode.Disposable | null {
    return this.client?.onNotification(method, handler) ?? null;
  }

  dispose(): Promise<void> {
    this.disposed = true;
    return this.enqueue(() => this.stopNow()).finally(() => {
      for (const emitter of [this.runEvents, this.engineStates, this.states]) emitter.dispose();
    });
  }

  private enqueue(step: () => Promise<void>): Promise<void> {
    const next = this.queue.then(step, step);
    this.queue = next.catch(() => undefined);
    return next;
  }

  private async startNow(): Promise<void> {
    if (this.disposed) return;
    const client = this.createClient();
    this.client = client;
    client.onNotification(RUN_EVENT, (event: RunEvent) => this.runEvents.fire(event));
    client.onNotification(ENGINE_STATE, (state: EngineStateParams) => this.engineStates.fire(state));
    client.onDidChangeState(({ newState }) => {
      if (newState === State.StartFailed) this.states.fire('failed');
      else if (newState === State.Starting) this.states.fire('starting');
      else if (newState === State.Running) this.states.fire('running');
      else this.states.fire(this.crashes.length > CRASHES_ALLOWED ? 'failed' : 'stopped');
    });
    try {
      await client.start();
    } catch (error) {
      this.states.fire('failed');
      this.output.error(error as Error);
      throw new Error(`The LayerIF language server did not start: ${(error as Error).message}`, { cause: error });
    }
  }

  private async stopNow(): Promise<void> {
    const client = this.client;
    this.client = null;
    if (!client) return;
    try {
      if (client.isRunning()) await client.stop(2000);
      await client.dispose();
    } catch (error) {
      this.output.debug(`stopping the server: ${(error as Error).message}`);
    }
    this.engineStates.fire({ state: 'stopped', detail: '' });
  }

  private createClient(): LanguageClient {
    const module = this.context.asAbsolutePath('dist/server.cjs');
    const options = { env: { ...process.env, ORT_DISABLE_TELEMETRY: '1' } };
    const server: ServerOptions = {
      run: { module, transport: TransportKind.ipc, options },
      debug: {
        module,
        transport: TransportKind.ipc,
        options: { ...options, execArgv: ['--nolazy', '--inspect=6019'] },
      },
    };
    const clientOptions: LanguageClientOptions = {
      // A draft has a name and no file yet.
      documentSelector: ['file', 'untitled'].flatMap((scheme) =>
        EXPERIMENT_GLOBS.map((pattern) => ({ scheme, pattern })),
      ),
      synchronize: { configurationSection: 'layerif' },
      // A function: a restart asks again.
      initializationOptions: (): InitializationOptions => ({
        ...readSettings(),
        trusted: vscode.workspace.isTrusted,
      }),
      outputChannel: this.output,
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      diagnosticCollectionName: 'layerif',
      errorHandler: {
        error: () => ({ action: ErrorAction.Continue, handled: true }),
        closed: () => this.onClosed(),
      },
      // The default handler would be one more toast beside the message of whoever asked for the start.
      initializationFailedHandler: () => false,
      middleware: {
        handleWorkDoneProgress: (token, params, next) => showRunProgress(() => this.client, token, params, next),
      },
    };
    return new LanguageClient('layerif', 'LayerIF', server, clientOptions);
  }

  /** The connection closed without our asking. */
  private onClosed(): CloseHandlerResult {
    this.engineStates.fire({ state: 'stopped', detail: '' });
    const now = Date.now();
    this.crashes = [...this.crashes.filter((time) => now - time < CRASH_WINDOW_MS), now];
    if (this.crashes.length <= CRASHES_ALLOWED) {
      this.output.warn(
        `The language server ended unexpectedly (${this.crashes.length} of ${CRASHES_ALLOWED} restarts used).`,
      );
      return { action: CloseAction.Restart, handled: true };
    }
    void vscode.window
      .showErrorMessage(
        'The LayerIF language server ended four times within three minutes and stays stopped. Its last lines are in the output.',
        'Show Output',
        'Restart Server',
      )
      .then((choice) => {
        if (choice === 'Show Output') this.output.show(true);
        if (choice === 'Restart Server') void vscode.commands.executeCommand('layerif.restartServer');
      });
    return { action: CloseAction.DoNotRestart, handled: true };
  }
}

/**
 * The settings as the server reads them; VS Code has already dropped a workspace's values for restricted ones when
 * untrusted.
 */
export function readSettings(): Settings {
  const config = vscode.workspace.getConfiguration('layerif');
  return {
    device: config.get('device', 'auto'),
    server: {
      threads: config.get('server.threads', 0),
      maxMemory: config.get('server.maxMemory', 0),
      idleTimeout: config.get('server.idleTimeout', 10),
      runtime: config.get('server.runtime', ''),
    },
  };
}
