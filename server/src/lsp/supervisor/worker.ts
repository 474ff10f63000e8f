/**
 * One worker process as the supervisor sees it: what it was asked and has not answered, which documents it has open and
 * works on, and for how long its loop has not come back. It is ended with SIGKILL, which nothing that it does can hold
 * up.
 */
import type { ChildProcess } from 'node:child_process';
import { forkProgram } from '../../processes/forkProgram.ts';
import { BEGIN, END, INITIALIZE_ID, PING, PING_ID, uriOf } from './messages.ts';
import type { Message, Role } from './messages.ts';

const program = { bundle: 'serverWorker.cjs', source: '../workerMain.ts' };
/** In MiB; runs and results may take what Node gives. */
const LANGUAGE_HEAP = 1536;

export interface WorkerEvents {
  message(worker: LanguageWorker, message: Message): void;
  /** It ended without `end`. */
  died(worker: LanguageWorker, how: string): void;
}

let count = 0;

export class LanguageWorker {
  readonly role: Role;
  readonly number = ++count;
  readonly documents = new Set<string>();
  /** Requests that it has not answered. */
  readonly pending = new Map<number | string, Message>();
  /** Tokens of progress that it has begun and not ended. */
  readonly progress = new Set<number | string>();
  /** It has answered once: loading does not count as silence. */
  ready = false;
  /** Looks of the supervisor since its loop came back. */
  silent = 0;
  /** Looks since it was asked to stop what it does; null when it was not. */
  stopping: number | null = null;
  /** The run that it has announced and not ended. */
  runId: string | null = null;
  readonly #child: ChildProcess;
  readonly #events: WorkerEvents;
  readonly #active = new Map<string, number>();
  /** Documents of what was sent since the ping that is out. */
  readonly #late = new Set<string>();
  #pinged = false;
  #ended = false;

  constructor(role: Role, events: WorkerEvents) {
    this.role = role;
    this.#events = events;
    this.#child = forkProgram(program, import.meta.dirname, {
      words: ['--node-ipc', `--role=${role}`],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      ...(role === 'language' ? { heapMiB: LANGUAGE_HEAP } : {}),
    });
    this.#child.on('message', (message: Message) => this.#onMessage(message));
    this.#child.on('error', (error) => this.#onEnd(error.message));
    this.#child.on('exit', (code, signal) => this.#onEnd(signal ? `signal ${signal}` : `exit code ${code}`));
  }

  /** Makes it ready without the editor's taking part. */
  initialize(params: object): void {
    this.send({ jsonrpc: '2.0', id: INITIALIZE_ID, method: 'initialize', params });
    this.send({ jsonrpc: '2.0', method: 'initialized', params: {} });
  }

  send(message: Message): void {
    if (this.#ended) return;
    const uri = uriOf(message);
    if (this.#pinged && uri !== null) this.#late.add(uri);
    this.#child.send(message, () => undefined);
  }

  /** Sends a request whose answer is waited for. */
  ask(message: Message): void {
    // What was asked to stop has answered: what is asked now is not part of it.
    if (this.pending.size === 0) this.stopping = null;
    this.pending.set(message.id!, message);
    this.send(message);
  }

  /** What its loop works on, as far as it has said. */
  get active(): ReadonlySet<string> {
    return new Set(this.#active.keys());
  }

  /** Documents that wait because of others. */
  get waiting(): string[] {
    const asked = [...this.pending.values()].map(uriOf).filter((uri) => uri !== null);
    return [...new Set([...this.#late, ...asked])].filter((uri) => !this.#active.has(uri));
  }

  /** Called at every look of the supervisor: asks whether the loop comes back while there is something to do. */
  look(): void {
    if (!this.ready || this.#ended) return;
    if (this.stopping !== null) this.stopping = this.pending.size > 0 ? this.stopping + 1 : null;
    if (this.#pinged) this.silent += 1;
    else if (this.pending.size > 0 || this.#active.size > 0) {
      this.#pinged = true;
      this.#child.send({ jsonrpc: '2.0', id: PING_ID, method: PING }, () => undefined);
    }
  }

  end(): void {
    this.#ended = true;
    this.#child.kill('SIGKILL');
  }

  #onMessage(message: Message): void {
    if (this.#ended) return;
    const { id, method } = message;
    if (id === PING_ID || id === INITIALIZE_ID) {
      this.#pinged = false;
      this.#late.clear();
      this.silent = 0;
      this.ready = true;
    } else if (method === BEGIN || method === END) {
      const { uri } = message.params as { uri: string };
      const works = (this.#active.get(uri) ?? 0) + (method === BEGIN ? 1 : -1);
      if (works > 0) this.#active.set(uri, works);
      else this.#active.delete(uri);
    } else {
      this.ready = true;
      this.#events.message(this, message);
    }
  }

  #onEnd(how: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#events.died(this, how);
  }
}
