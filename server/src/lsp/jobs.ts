/**
 * Runs on request: one at a time, by a user's command only. Progress and cancel go by `$/progress`; every event of the
 * run goes to the editor, which draws it. The engine stays warm between runs until it has been idle for as long as the
 * settings say.
 */
import { knownFault } from '../files/reading.ts';
import path from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import type { CancellationToken, Connection, WorkDoneProgressServerReporter } from 'vscode-languageserver/node';
import { LayerifError, located } from '../../../protocol/errors.ts';
import { ENGINE_STATE, RUN_EVENT } from '../../../protocol/lsp.ts';
import type {
  CheckGradientsAnswer,
  CheckGradientsParams,
  EngineStateParams,
  ScoreAnswer,
  ScoreParams,
  Settings,
  ValidateAnswer,
  ValidateParams,
} from '../../../protocol/lsp.ts';
import type { Machine, RunEvent } from '../../../protocol/run.ts';
import { checkGradients } from '../run/influence/checkGradients.ts';
import { EnginePool } from '../run/machine/enginePool.ts';
import { physicalCores } from '../run/machine/machine.ts';
import { TimeLeft, leftWords } from '../run/machine/timeLeft.ts';
import { experimentName } from '../run/files/results.ts';
import { runExperiment } from '../run/influence/runExperiment.ts';
import { validateExperiment } from '../run/validate/validate.ts';
import { fileOf } from './documents.ts';

/** Snapshots of a growing result are large; the last one before the end is always sent. */
const SNAPSHOT_INTERVAL_MS = 250;

export const defaultSettings: Settings = {
  device: 'auto',
  server: { threads: 0, maxMemory: 0, idleTimeout: 10, runtime: '' },
};

/** What long work is given. */
export interface WorkTools {
  machine: Machine;
  engine: EnginePool;
  signal: AbortSignal;
  onProgress: (event: { done: number; total: number; message: string }) => void;
}

export class Jobs {
  readonly #connection: Connection;
  readonly #settings: () => Promise<Settings>;
  readonly #afterRun: () => void;
  readonly #pool = new EnginePool({ behind: true });
  #running: { name: string; abort: AbortController } | null = null;

  /** @param afterRun called when a run has ended, whatever its end */
  constructor(connection: Connection, settings: () => Promise<Settings>, afterRun: () => void) {
    this.#connection = connection;
    this.#settings = settings;
    this.#afterRun = afterRun;
    this.#pool.onState = (state: EngineStateParams) => void connection.sendNotification(ENGINE_STATE, state);
  }

  async score({ uri, task, dataset, scores, until }: ScoreParams, token: CancellationToken): Promise<ScoreAnswer> {
    const file = fileOf(uri);
    const events = this.#events();
    const what = scores?.map(({ id }) => id).join(', ');
    const subject = task ?? dataset ?? experimentName(file);
    const title = what ? `${what} of ${experimentName(file)}` : `${until ? 'Adding samples to' : 'Scoring'} ${subject}`;
    const { value, error } = await this.#alone(file, title, token, async (signal, shown) => {
      try {
        return await runExperiment({
          file,
          ...(task === undefined ? {} : { tasks: [task] }),
          ...(dataset === undefined ? {} : { dataset }),
          until,
          ...(scores === undefined ? {} : { only: 'scores', asked: scores }),
          machine: machineOf(await this.#settings()),
          engine: this.#pool,
          signal,
          // Behind influence, whose percentage never goes back, the words alone change.
          onProgress: (event) => shown.show(event),
          onEvent: (event) => events.send(shown.on(event)),
        });
      } finally {
        events.flush();
      }
    });
    return { resultFile: value?.resultFile ?? value?.scoresFile ?? null, error };
  }

  async checkGradients({ file }: CheckGradientsParams, token: CancellationToken): Promise<CheckGradientsAnswer> {
    const title = `Checking the gradients of ${experimentName(file)}`;
    const { value, error } = await this.#alone(file, title, token, async (signal, shown) =>
      checkGradients(
        file,
        machineOf(await this.#settings()),
        signal,
        ({ done, total }) => shown.show({ done, total, message: `part ${done} of ${total}` }),
        this.#pool,
      ),
    );
    return { report: value, error };
  }

  async validate({ uri, task, protocols }: ValidateParams, token: CancellationToken): Promise<ValidateAnswer> {
    const file = fileOf(uri);
    const title = `Validating ${task ?? experimentName(file)}`;
    const { value, error } = await this.#alone(file, title, token, async (signal, shown) =>
      validateExperiment({
        file,
        task,
        protocols,
        machine: machineOf(await this.#settings()),
        engine: this.#pool,
        signal,
        onProgress: (event) => shown.show(event),
      }),
    );
    return { resultFile: value?.resultFile ?? null, error };
  }

  /** For the other long requests: the same engine, progress, cancel, and one at a time. */
  alone<T>(
    file: string,
    title: string,
    token: CancellationToken,
    run: (tools: WorkTools) => Promise<T>,
  ): Promise<{ value: T | null; error: ScoreAnswer['error'] }> {
    return this.#alone(file, title, token, async (signal, shown) =>
      run({
        machine: machineOf(await this.#settings()),
        engine: this.#pool,
        signal,
        onProgress: (event) => shown.show(event),
      }),
    );
  }

  /** One piece of work at a time, with progress and cancel; whatever fails becomes the answer's error. */
  async #alone<T>(
    file: string,
    title: string,
    token: CancellationToken,
    work: (signal: AbortSignal, shown: Progress) => Promise<T>,
  ): Promise<{ value: T | null; error: ScoreAnswer['error'] }> {
    if (this.#running) {
      const message = `${this.#running.name} is being scored; wait for it or cancel it, one run at a time`;
      return { value: null, error: { code: 'badRequest', message } };
    }
    const abort = new AbortController();
    this.#running = { name: experimentName(file), abort };
    const cancel = () => abort.abort();
    token.onCancellationRequested(cancel);
    let shown: Progress | null = null;
    try {
      shown = new Progress(await this.#connection.window.createWorkDoneProgress(), title, cancel);
      return { value: await work(abort.signal, shown), error: null };
    } catch (error) {
      const known = asKnown(error, abort.signal);
      if (!(error instanceof LayerifError)) this.#connection.console.error(String((error as Error).stack));
      return { value: null, error: { code: known.code, message: located(known) } };
    } finally {
      shown?.done();
      this.#running = null;
      // The answer goes first: what follows only redraws.
      void turn().then(this.#afterRun);
    }
  }

  cancel(): void {
    this.#running?.abort.abort();
  }

  /** Ends the engine at once; called when the editor is gone too. */
  dispose(): void {
    this.cancel();
    this.#pool.dispose();
  }

  /** Sends events in order, `layers` snapshots at most every so often. */
  #events(): { send(event: RunEvent): void; flush(): void } {
    let waiting: RunEvent | null = null;
    let timer: NodeJS.Timeout | undefined;
    let last = 0;
    const post = (event: RunEvent) => {
      if (event.type === 'log') this.#connection.console.info(event.text);
      void this.#connection.sendNotification(RUN_EVENT, event);
    };
    const flush = () => {
      clearTimeout(timer);
      if (waiting) post(waiting);
      waiting = null;
      last = Date.now();
    };
    const send = (event: RunEvent) => {
      if (event.type !== 'layers') {
        // A finished run brings its own, complete snapshot.
        if (event.type === 'finished') waiting = null;
        if (event.type === 'failed') flush();
        return post(event);
      }
      waiting = event;
      clearTimeout(timer);
      const due = last + SNAPSHOT_INTERVAL_MS - Date.now();
      if (due <= 0) flush();
      else timer = setTimeout(flush, due);
    };
    return { send, flush };
  }
}

interface Step {
  done: number;
  total: number;
  message: string;
}

/** `$/progress` whose percentage never goes back. */
class Progress {
  readonly #left = new TimeLeft();
  readonly #reporter: WorkDoneProgressServerReporter;
  #percent = 0;

  constructor(reporter: WorkDoneProgressServerReporter, title: string, cancel: () => void) {
    this.#reporter = reporter;
    reporter.begin(title, 0, 'Reading the experiment', true);
    reporter.token.onCancellationRequested(cancel);
  }

  /** @returns the event as every face shows it: with how long it will still take */
  on(event: RunEvent): RunEvent {
    if (event.type === 'started') {
      const { seconds, tasks } = event.estimate;
      const samples = tasks.reduce((sum, task) => sum + task.train + task.validation, 0);
      this.#reporter.report(this.#percent, `${samples} samples, about ${duration(seconds)}`);
    }
    if (event.type !== 'progress') return event;
    // Bytes: another whole than the run's, whose percentage begins when it starts.
    const message = this.#show(event, event.phase !== 'download');
    return { ...event, message };
  }

  show(event: Step): void {
    this.#show(event, true);
  }

  #show(event: Step, counts: boolean): string {
    const left = leftWords(this.#left.update(event, performance.now()));
    const message = [event.message, left].filter(Boolean).join(', ');
    const percent = Math.min(100, Math.floor((100 * event.done) / Math.max(1, event.total)));
    if (counts) this.#percent = Math.max(this.#percent, percent);
    this.#reporter.report(this.#percent, message);
    return message;
  }

  done(): void {
    this.#reporter.done();
  }
}

function asKnown(error: unknown, signal: AbortSignal): LayerifError {
  const known = knownFault(error);
  if (known) return known;
  if (signal.aborted) return new LayerifError('cancelled', 'cancelled');
  return new LayerifError('failed', `${(error as Error).message}; please report this`, { cause: error });
}

function duration(seconds: number): string {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  return seconds < 3600 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

/** The editor leaves one core free when there are more than two. */
export function machineOf({ device, server }: Settings, cores = physicalCores()): Machine {
  return {
    device,
    threads: server.threads > 0 ? server.threads : cores > 2 ? cores - 1 : cores,
    ...(server.maxMemory > 0 ? { memoryBytes: server.maxMemory * 2 ** 30 } : {}),
    ...(server.runtime ? { runtime: path.normalize(server.runtime) } : {}),
    idleMinutes: server.idleTimeout,
  };
}
