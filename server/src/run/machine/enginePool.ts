/**
 * The engine process as `run` sees it: forked on the first request, kept warm between runs, ended when idle, killed
 * when it does not heed a cancel. At most one engine; its requests are served one after the other.
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { ErrorCode } from '../../../../protocol/errors.ts';
import type {
  EngineAnswer,
  EngineCancel,
  EngineDone,
  EngineEvent,
  EngineFinish,
  EngineInfo,
  EngineMethod,
  EngineParams,
  EngineReply,
} from '../../../../protocol/engine.ts';
import type { EngineStateParams } from '../../../../protocol/lsp.ts';
import type { Machine } from '../../../../protocol/run.ts';
import type { OnEnd } from '../files/ending.ts';
import { cudaEnvironment } from './cudaRuntime.ts';
import { physicalCores } from './machine.ts';
import { findRuntime } from './runtimePath.ts';

/**
 * How long a cancelled engine may take to answer before it is killed; one run of a 7B block takes about two seconds.
 */
const GRACE_MS = 10_000;

const ENGINE_ENVIRONMENT = {
  ORT_DISABLE_TELEMETRY: '1',
  // Influence wants real float32.
  NVIDIA_TF32_OVERRIDE: '0',
  // glibc: keep freed memory for the next run; returned to the system, every large output would be faulted in page by
  // page again.
  MALLOC_MMAP_THRESHOLD_: '4294967296',
  MALLOC_TRIM_THRESHOLD_: '17179869184',
};

interface Pending {
  reject(error: Error): void;
  onEvent: ((event: EngineEvent) => void) | undefined;
}

/** What takes the answers of the requests under way, by row and number. */
type Takers = { [M in EngineMethod]?: Map<number, (value: EngineAnswer<M>) => void> };

export class EnginePool {
  onState: ((state: EngineStateParams) => void) | undefined;
  #child: ChildProcess | null = null;
  #info: EngineInfo | null = null;
  #key = '';
  #pending = new Map<number, Pending>();
  readonly #takers: Takers = {};
  #nextId = 1;
  #idle: NodeJS.Timeout | undefined;
  #stderr = '';
  #disposed = false;
  readonly #behind: boolean;

  /** @param behind at lower priority than what the user does meanwhile, as under an editor */
  constructor({ behind = false }: { behind?: boolean } = {}) {
    this.#behind = behind;
  }

  /** Starts the engine, or answers the running one when the machine choices are the same. @throws LayerifError */
  async start(machine: Machine): Promise<EngineInfo> {
    const threads = machine.threads ?? physicalCores();
    const runtime = findRuntime(machine.runtime);
    // The loader reads its path once, so CUDA is decided when the process starts.
    const cuda = machine.device === 'auto' || machine.device === 'cuda' ? cudaEnvironment() : {};
    const key = JSON.stringify([machine.device, threads, runtime.path, cuda]);
    if (this.#child && this.#info && key === this.#key) return this.#info;
    this.#stop();
    this.#key = key;
    this.#setState('starting', runtime.label);
    this.#spawn({ path: runtime.path, env: { ...runtime.env, ...cuda } });
    try {
      this.#info = await this.#request('start', { device: machine.device, threads });
    } catch (error) {
      this.#stop();
      this.#setState('failed', (error as Error).message);
      throw error;
    }
    this.#setState('idle', this.#detail(runtime.label));
    this.#armIdle(machine);
    return this.#info;
  }

  /** Lets the engine read a model's weights while the caller does something else. @throws LayerifError */
  async preload(modelPath: string, adapter?: string): Promise<void> {
    await this.#request('preload', { modelPath, adapter });
  }

  async measure(): Promise<number> {
    return (await this.#request('measure', null)).flopsPerSecond;
  }

  /**
   * Sends a long request to a started engine and waits for its answer; a cancel that is not heeded in time kills the
   * engine.
   * @throws LayerifError: the engine's own, `cancelled`, or `engineDied` when the process ended by itself.
   */
  async work<M extends EngineMethod>(
    method: M,
    params: EngineParams<M>,
    machine: Machine,
    onEvent?: (event: EngineEvent) => void,
    signal?: AbortSignal,
  ): Promise<EngineAnswer<M>> {
    this.#setState('busy');
    clearTimeout(this.#idle);
    try {
      return await this.#request(method, params, onEvent, signal);
    } finally {
      if (this.#child) this.#setState('idle');
      this.#armIdle(machine);
    }
  }

  /** Tells a generation under way that these prompts need no more tokens. @param id of its events */
  finish(id: number, prompts: number[]): void {
    if (this.#child?.connected) this.#child.send({ id, method: 'finish', prompts } satisfies EngineFinish);
  }

  dispose(): void {
    this.#disposed = true;
    this.#stop();
    this.#setState('stopped', '');
  }

  #spawn(runtime: { path: string; env: Record<string, string> }): void {
    const program = engineProgram();
    const child = fork(program, [], {
      execPath: runtime.path,
      execArgv: program.endsWith('.ts') ? ['--disable-warning=ExperimentalWarning'] : [],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { ...process.env, ...runtime.env, ...ENGINE_ENVIRONMENT },
    });
    this.#child = child;
    if (this.#behind) yieldToOthers(child);
    this.#stderr = '';
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-4000);
    });
    child.on('message', (message: EngineReply | EngineEvent) => this.#onMessage(message));
    child.on('error', (error) => this.#onEnd(child, error.message));
    child.on('exit', (code, name) => this.#onEnd(child, name ? `signal ${name}` : `exit code ${code}`));
  }

  #request<M extends EngineMethod>(
    method: M,
    params: EngineParams<M>,
    onEvent?: (event: EngineEvent) => void,
    signal?: AbortSignal,
  ): Promise<EngineAnswer<M>> {
    const child = this.#child;
    if (!child || this.#disposed) return Promise.reject(new LayerifError('engineDied', 'the engine is not running'));
    if (signal?.aborted) return Promise.reject(new LayerifError('cancelled', 'cancelled'));
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      let killer: NodeJS.Timeout | undefined;
      const cancel = () => {
        if (child.connected) child.send({ id, method: 'cancel' } satisfies EngineCancel);
        killer = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
      };
      signal?.addEventListener('abort', cancel, { once: true });
      const settle = () => {
        clearTimeout(killer);
        signal?.removeEventListener('abort', cancel);
        this.#pending.delete(id);
        takers.delete(id);
      };
      const takers = (this.#takers[method] ??= new Map<number, (value: EngineAnswer<M>) => void>());
      takers.set(id, (value) => (settle(), resolve(value)));
      this.#pending.set(id, {
        reject: (error) => (settle(), reject(signal?.aborted ? new LayerifError('cancelled', 'cancelled') : error)),
        onEvent,
      });
      child.send({ id, method, params });
    });
  }

  #onMessage(message: EngineReply | EngineEvent): void {
    const pending = this.#pending.get(message.id);
    if (!pending) return;
    if (message.type === 'done') this.#take(message);
    else if (message.type === 'failed') {
      pending.reject(new LayerifError(message.code, message.message, { place: message.place }));
    } else {
      try {
        pending.onEvent?.(message);
      } catch (error) {
        // Whoever asked cannot go on, for example on a full disk: the engine need not either.
        if (this.#child?.connected) this.#child.send({ id: message.id, method: 'cancel' } satisfies EngineCancel);
        pending.reject(error as Error);
      }
    }
  }

  #take<M extends EngineMethod>({ id, method, value }: EngineDone<M>): void {
    this.#takers[method]?.get(id)?.(value);
  }

  #onEnd(child: ChildProcess, how: string): void {
    if (this.#child !== child) return;
    this.#child = null;
    this.#info = null;
    clearTimeout(this.#idle);
    const { code, message } = causeOfDeath(how, this.#stderr);
    const waiting = [...this.#pending.values()];
    for (const pending of waiting) pending.reject(new LayerifError(code, message));
    this.#setState(waiting.length > 0 ? 'failed' : 'stopped', message);
  }

  #stop(): void {
    clearTimeout(this.#idle);
    const child = this.#child;
    this.#child = null;
    this.#info = null;
    if (!child) return;
    for (const pending of [...this.#pending.values()])
      pending.reject(new LayerifError('engineDied', 'the engine was stopped'));
    child.kill('SIGKILL');
  }

  #armIdle(machine: Machine): void {
    clearTimeout(this.#idle);
    if (!machine.idleMinutes || !this.#child) return;
    this.#idle = setTimeout(() => {
      this.#stop();
      this.#setState('stopped', `idle for ${machine.idleMinutes} minutes`);
    }, machine.idleMinutes * 60_000);
    this.#idle.unref();
  }

  #detail(runtime: string): string {
    return this.#info ? `${this.#info.device}, ${this.#info.threads} threads, ${runtime}` : '';
  }

  #lastDetail = '';

  #setState(state: EngineStateParams['state'], detail = this.#lastDetail): void {
    this.#lastDetail = detail;
    this.onState?.({ state, detail });
  }
}

/** The warm engine that a run was given, else one of its own, which ends with it. */
export function engineFor(given: EnginePool | undefined, onEnd: OnEnd): EnginePool {
  if (given) return given;
  const own = new EnginePool();
  onEnd(() => own.dispose());
  return own;
}

/** `LAYERIF_ENGINE` (tests), else beside the bundle that runs this code, or the source when the code runs unbundled. */
function engineProgram(): string {
  if (process.env.LAYERIF_ENGINE) return process.env.LAYERIF_ENGINE;
  const bundled = path.join(import.meta.dirname, 'engine.cjs');
  return fs.existsSync(bundled) ? bundled : path.join(import.meta.dirname, '../../engine/engineMain.ts');
}

const deaths: { pattern: RegExp; code: ErrorCode; sentence: string }[] = [
  {
    pattern: /Cannot find (module|package) .*onnxruntime|onnxruntime_binding\.node|invalid ELF header|libonnxruntime/,
    code: 'failed',
    sentence: `ONNX Runtime could not be loaded on ${process.platform}-${process.arch}; reinstall the package for this platform`,
  },
  {
    pattern: /heap out of memory|bad_alloc|Array buffer allocation failed/,
    code: 'engineDied',
    sentence: 'the engine ran out of memory; score fewer or shorter samples, or set a lower --memory',
  },
];

function causeOfDeath(how: string, stderr: string): { code: ErrorCode; message: string } {
  const known = deaths.find(({ pattern }) => pattern.test(stderr));
  if (known) return { code: known.code, message: known.sentence };
  const hint =
    how === 'signal SIGKILL'
      ? 'it was killed from outside, perhaps because the machine ran out of memory'
      : stderr.trim().split('\n').pop();
  const reason = hint ? ` (${hint})` : '';
  return {
    code: 'engineDied',
    message: `the engine ended with ${how}${reason}; finished layers are kept, run the same command again to resume`,
  };
}

/** Threads that the process starts later have its priority. A system that refuses leaves it as it is. */
function yieldToOthers({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) os.setPriority(pid, os.constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // Slower typing during a run is no reason to refuse the run.
  }
}
