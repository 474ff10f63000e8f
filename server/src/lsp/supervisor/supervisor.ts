/**
 * What the editor starts: owns the connection and the texts of open documents, passes messages to worker processes, and
 * ends a worker whose loop does not come back. It never reads a file and never runs what a file says.
 *
 *   language   diagnostics, completion, hover, lenses. While one document keeps a worker busy, the others move to a spare one; a
 *              document that is not done within the limit is marked and left alone until it changes
 *   results    requests about results and models
 *   jobs       runs: no limit of time, but a cancel that is not heeded ends the worker, and the engine with it
 */
import { TextDocument } from 'vscode-languageserver-textdocument';
import { ENGINE_STATE, RUN_EVENT, WORKSPACE_TRUST } from '../../../../protocol/lsp.ts';
import { requests } from '../../../../protocol/requests.ts';
import { RESULT_SUFFIX } from '../../../../protocol/result.ts';
import type { RunEvent } from '../../../../protocol/run.ts';
import { emptyAnswer, failedAnswer, roleOf, uriOf } from './messages.ts';
import type { Message, Role } from './messages.ts';
import { LanguageWorker } from './worker.ts';

const LOOK_MS = 100;
/** Looks without an answer: counted, so that a machine that slept or a supervisor that waited takes nobody's time. */
const looks = (milliseconds: number) => milliseconds / LOOK_MS;
const MOVE_OTHERS_AFTER = looks(300);
const LIMIT_SECONDS: Readonly<Record<Role, number>> = { language: 5, results: 60, jobs: Infinity };
/** Runs of the results worker that are not computations over Grams. */
const SHORT_SECONDS = 15;
const shortRequests: ReadonlySet<string> = new Set([
  requests.sampleText.method,
  requests.inspectModel.method,
  requests.modelHeader.method,
  requests.describeData.method,
  requests.predict.method,
  requests.tableColumns.method,
]);
/** After a cancel: for a loop that does not come back, and for work that goes on (the engine has ten seconds). */
const CANCEL_SILENT = looks(5000);
const CANCEL_STOPPING = looks(15_000);
/** Workers that died without a document at fault; then the editor decides. */
const MOST_DEATHS = 5;

interface InitializeParams {
  initializationOptions?: object;
  processId?: number | null;
  capabilities: { workspace?: object };
}

export class Supervisor {
  readonly #toClient: (message: Message) => void;
  readonly #workers = new Set<LanguageWorker>();
  readonly #texts = new Map<string, TextDocument>();
  readonly #owners = new Map<string, LanguageWorker>();
  /** Documents that are not analysed until they change. */
  readonly #barred = new Set<string>();
  /** Requests of workers to the editor: its id there -> worker and the worker's id. */
  readonly #questions = new Map<string, { worker: LanguageWorker; id: number | string }>();
  #initialize: InitializeParams | null = null;
  #main: LanguageWorker | null = null;
  #spare: LanguageWorker | null = null;
  #shutDown = false;
  #deaths = 0;

  constructor(toClient: (message: Message) => void) {
    this.#toClient = toClient;
    setInterval(() => this.#look(), LOOK_MS);
  }

  /** The editor's process, once it has said so. */
  get editor(): number | null {
    return this.#initialize?.processId ?? null;
  }

  get shutDown(): boolean {
    return this.#shutDown;
  }

  /** Ends every worker; an engine ends with its worker. */
  dispose(): void {
    for (const worker of this.#workers) worker.end();
    this.#workers.clear();
  }

  fromClient(message: Message): void {
    const { id, method } = message;
    if (method === undefined) return this.#answered(message);
    if (id !== undefined) return this.#request(message);
    const uri = uriOf(message);
    if (method === 'textDocument/didOpen') this.#open(message);
    else if (method === 'textDocument/didChange' && uri !== null) this.#change(uri, message);
    else if (method === 'textDocument/didClose' && uri !== null) this.#close(uri, message);
    else if (method === '$/cancelRequest') this.#cancel(message);
    else {
      if (method === 'initialized') setTimeout(() => this.#warm(), LOOK_MS);
      if (method === 'window/workDoneProgress/cancel') this.#stopping(message);
      if (method === 'workspace/didChangeWatchedFiles') this.#filesChanged(message);
      if (method === WORKSPACE_TRUST) this.#trust(message);
      for (const worker of this.#workers) if (method !== 'initialized' || worker === this.#main) worker.send(message);
    }
  }

  // From the editor.

  #request(message: Message): void {
    const { id, method } = message;
    const uri = uriOf(message);
    if (method === 'initialize') {
      this.#initialize = message.params as InitializeParams;
      this.#main = this.#start('language');
      return this.#main.ask(message);
    }
    if (method === 'shutdown') return this.#shutdown(message);
    const role = roleOf(method!);
    if (role === 'language') {
      if (uri !== null && this.#barred.has(uri)) return this.#toClient(emptyAnswer(message));
      return this.#ownerOf(uri).ask(message);
    }
    const worker = [...this.#workers].find((one) => one.role === role);
    if (method === requests.cancelRun.method) {
      if (!worker) return this.#toClient({ jsonrpc: '2.0', id: id!, result: null });
      worker.stopping ??= 0;
    }
    (worker ?? this.#started(role)).ask(message);
  }

  #ownerOf(uri: string | null): LanguageWorker {
    return (uri === null ? undefined : this.#owners.get(uri)) ?? (this.#main ??= this.#take());
  }

  #open(message: Message): void {
    const { uri, languageId, version, text } = (
      message.params as { textDocument: { uri: string; languageId: string; version: number; text: string } }
    ).textDocument;
    this.#texts.set(uri, TextDocument.create(uri, languageId, version, text));
    const freed = this.#barred.delete(uri);
    this.#give(uri, freed ? this.#take() : this.#ownerOf(null));
  }

  #change(uri: string, message: Message): void {
    const text = this.#texts.get(uri);
    if (!text) return;
    const { textDocument, contentChanges } = message.params as {
      textDocument: { version: number };
      contentChanges: Parameters<typeof TextDocument.update>[1];
    };
    TextDocument.update(text, contentChanges, textDocument.version);
    // It gets a worker of its own: what held up the last one may still stand there.
    if (this.#barred.delete(uri)) this.#give(uri, this.#take());
    else this.#owners.get(uri)?.send(message);
  }

  #close(uri: string, message: Message): void {
    this.#texts.delete(uri);
    if (this.#barred.delete(uri)) this.#publish(uri, []);
    const worker = this.#owners.get(uri);
    this.#owners.delete(uri);
    worker?.documents.delete(uri);
    if (!worker) return;
    if (worker === this.#main || worker.documents.size > 0) return worker.send(message);
    this.#publish(uri, []);
    this.#remove(worker);
    this.#settle(worker, (request) => emptyAnswer(request));
  }

  #cancel(message: Message): void {
    const { id } = message.params as { id: number | string };
    for (const worker of this.#workers) {
      if (!worker.pending.has(id)) continue;
      worker.send(message);
      if (worker.role !== 'language') worker.stopping ??= 0;
    }
  }

  #stopping(message: Message): void {
    const { token } = message.params as { token: number | string };
    for (const worker of this.#workers) if (worker.progress.has(token)) worker.stopping ??= 0;
  }

  #filesChanged(message: Message): void {
    const { changes } = message.params as { changes: { uri: string }[] };
    if (changes.every(({ uri }) => uri.endsWith(RESULT_SUFFIX))) return;
    // What was at fault may be another file.
    const freed = [...this.#barred];
    this.#barred.clear();
    for (const uri of freed) if (this.#texts.has(uri)) this.#give(uri, this.#take());
  }

  /** Workers that are started later begin with what holds then. */
  #trust({ params }: Message): void {
    if (!this.#initialize) return;
    const { initializationOptions } = this.#initialize;
    this.#initialize = {
      ...this.#initialize,
      initializationOptions: { ...initializationOptions, ...(params as object) },
    };
  }

  #answered(message: Message): void {
    const question = this.#questions.get(String(message.id));
    this.#questions.delete(String(message.id));
    question?.worker.send({ ...message, id: question.id });
  }

  #shutdown({ id }: Message): void {
    this.#shutDown = true;
    // Runs let go of what they hold; the others have nothing to let go of.
    this.#toClient({ jsonrpc: '2.0', id: id!, result: null });
    this.dispose();
  }

  // From workers.

  #fromWorker(worker: LanguageWorker, message: Message): void {
    const { id, method } = message;
    if (method === undefined) {
      // What was moved to another worker is answered by that one.
      if (worker.pending.delete(id!)) this.#toClient(message);
    } else if (id !== undefined) {
      const outside = `${worker.number}:${id}`;
      this.#questions.set(outside, { worker, id });
      this.#toClient({ ...message, id: outside });
    } else if (method === 'textDocument/publishDiagnostics') {
      const uri = uriOf(message)!;
      if (this.#owners.get(uri) === worker || !this.#texts.has(uri)) this.#toClient(message);
    } else {
      if (method === '$/progress') {
        const { token, value } = message.params as { token: number | string; value: { kind: string } };
        if (value.kind === 'end') worker.progress.delete(token);
        else worker.progress.add(token);
      }
      if (method === RUN_EVENT) {
        const event = message.params as RunEvent;
        if (event.type === 'started') worker.runId = event.runId;
        if (event.type === 'finished' || event.type === 'failed') worker.runId = null;
      }
      this.#toClient(message);
    }
  }

  // Workers that take too long, and their successors.

  #look(): void {
    for (const worker of [...this.#workers]) {
      worker.look();
      const { role, silent, stopping } = worker;
      if (role === 'language' && silent >= MOVE_OTHERS_AFTER) this.#moveOthers(worker);
      const limit = limitOf(worker);
      if (silent >= looks(1000 * limit)) this.#end(worker, `it was not done after ${limit} s`);
      else if (stopping !== null && (silent >= CANCEL_SILENT || stopping >= CANCEL_STOPPING)) this.#end(worker, null);
    }
  }

  /** While some documents keep a worker busy, a spare one takes the others that wait. */
  #moveOthers(worker: LanguageWorker): void {
    const { active, waiting } = worker;
    const others = [...worker.documents, ...[...worker.pending.values()].map(uriOf)].some(
      (uri) => uri !== null && !active.has(uri),
    );
    if (active.size === 0 || waiting.length === 0 || !others) return;
    const next = this.#take();
    if (worker === this.#main) this.#main = next;
    this.#hand(worker, next, (uri) => !active.has(uri));
  }

  /** Documents and requests from one worker to another. */
  #hand(from: LanguageWorker, to: LanguageWorker, which: (uri: string) => boolean): void {
    for (const uri of [...from.documents]) {
      if (!which(uri)) continue;
      from.documents.delete(uri);
      this.#give(uri, to);
    }
    for (const [id, request] of [...from.pending]) {
      const uri = uriOf(request);
      if (uri !== null && !which(uri)) continue;
      from.pending.delete(id);
      to.ask(request);
    }
  }

  /** @param why null when it was asked to stop and did not */
  #end(worker: LanguageWorker, why: string | null): void {
    this.#remove(worker);
    if (worker.role === 'language') return this.#replace(worker, why ?? 'it did not stop');
    const [code, message] =
      why === null
        ? ['cancelled', 'cancelled; the step under way did not stop and was ended']
        : [
            'failed',
            `the work was ended: ${why}; a template, data file or model that it reads does not come to an end`,
          ];
    for (const token of worker.progress)
      this.#toClient({ jsonrpc: '2.0', method: '$/progress', params: { token, value: { kind: 'end' } } });
    if (worker.runId !== null) {
      const params: RunEvent = {
        type: 'failed',
        runId: worker.runId,
        code: why === null ? 'cancelled' : 'failed',
        message,
      };
      this.#toClient({ jsonrpc: '2.0', method: RUN_EVENT, params });
    }
    if (worker.role === 'jobs')
      this.#toClient({ jsonrpc: '2.0', method: ENGINE_STATE, params: { state: 'stopped', detail: '' } });
    this.#settle(worker, (request) => failedAnswer(request, code, message));
  }

  /** A language worker is gone: the document at fault is marked, or tried alone where it may have been another. */
  #replace(worker: LanguageWorker, why: string): void {
    const { active, documents } = worker;
    const alone = documents.size === 1 && active.size === 0 ? documents : null;
    const suspects = alone ?? active;
    const others = (uri: string) => !suspects.has(uri);
    if (worker === this.#main) this.#main = null;
    if ([...documents].some(others) || [...worker.pending.values()].some((one) => others(uriOf(one) ?? '')))
      this.#hand(worker, (this.#main ??= this.#take()), others);
    for (const uri of suspects) {
      if (suspects.size === 1) this.#bar(uri, worker, why);
      else this.#hand(worker, this.#take(), (one) => one === uri);
    }
  }

  #bar(uri: string, worker: LanguageWorker, why: string): void {
    this.#barred.add(uri);
    this.#owners.delete(uri);
    this.#settle(worker, (request) => emptyAnswer(request));
    if (!this.#texts.has(uri)) return;
    const message = `LayerIF stopped analysing this file: ${why}. A template, an included file, a data file or a tokenizer that it names does not come to an end or takes too much memory; change the file and it is analysed again.`;
    const range = { start: { line: 0, character: 0 }, end: { line: 0, character: 1 } };
    this.#publish(uri, [{ range, severity: 1, source: 'layerif', message }]);
  }

  #died(worker: LanguageWorker, how: string): void {
    if (!this.#workers.has(worker)) return;
    if (worker === this.#spare) this.#spare = null;
    const blamed = worker.active.size > 0 || worker.pending.size > 0;
    if (!worker.ready || (!blamed && ++this.#deaths > MOST_DEATHS)) process.exit(1);
    const memory = /SIGKILL|SIGABRT|code 134/.test(how) ? 'it took too much memory' : `its analysis ended with ${how}`;
    this.#end(worker, memory);
  }

  // Starting and stopping.

  #start(role: Role): LanguageWorker {
    const worker = new LanguageWorker(role, {
      message: (from, message) => this.#fromWorker(from, message),
      died: (from, how) => this.#died(from, how),
    });
    this.#workers.add(worker);
    return worker;
  }

  #started(role: Role): LanguageWorker {
    const worker = this.#start(role);
    const { capabilities } = this.#initialize!;
    const workspace = { ...capabilities.workspace, didChangeWatchedFiles: { dynamicRegistration: false } };
    worker.initialize({ ...this.#initialize!, capabilities: { ...capabilities, workspace } });
    return worker;
  }

  /** A language worker without documents: the spare one, or a new one. */
  #take(): LanguageWorker {
    const worker = this.#spare ?? this.#started('language');
    this.#spare = null;
    setTimeout(() => this.#warm(), LOOK_MS);
    return worker;
  }

  #warm(): void {
    if (!this.#shutDown && this.#initialize) this.#spare ??= this.#started('language');
  }

  #give(uri: string, worker: LanguageWorker): void {
    const document = this.#texts.get(uri);
    if (!document) return;
    this.#owners.set(uri, worker);
    worker.documents.add(uri);
    const { languageId, version } = document;
    const textDocument = { uri, languageId, version, text: document.getText() };
    worker.send({ jsonrpc: '2.0', method: 'textDocument/didOpen', params: { textDocument } });
  }

  #remove(worker: LanguageWorker): void {
    this.#workers.delete(worker);
    for (const [id, question] of this.#questions) if (question.worker === worker) this.#questions.delete(id);
    worker.end();
  }

  #settle(worker: LanguageWorker, answer: (request: Message) => Message): void {
    for (const request of worker.pending.values()) this.#toClient(answer(request));
    worker.pending.clear();
  }

  #publish(uri: string, diagnostics: object[]): void {
    const version = this.#texts.get(uri)?.version;
    const params = { uri, diagnostics, ...(version === undefined ? {} : { version }) };
    this.#toClient({ jsonrpc: '2.0', method: 'textDocument/publishDiagnostics', params });
  }
}

function limitOf({ role, pending }: LanguageWorker): number {
  const short = pending.size > 0 && [...pending.values()].every(({ method }) => shortRequests.has(method ?? ''));
  return role === 'results' && short ? SHORT_SECONDS : LIMIT_SECONDS[role];
}
