/**
 * The engine: a forked child, the only process that loads onnxruntime-node. It answers one request at a time; a cancel
 * is seen between two session runs. It ends with its parent: when the IPC channel closes, at the latest after the run
 * under way.
 */
import fs from 'node:fs';
import { LayerifError } from '../../../protocol/errors.ts';
import type { ErrorCode, Place } from '../../../protocol/errors.ts';
import type {
  EngineAnswer,
  EngineCancel,
  EngineDone,
  EngineFinish,
  EngineInfo,
  EngineMethod,
  EngineParams,
  EngineReply,
  EngineRequest,
} from '../../../protocol/engine.ts';
import { generate } from './generate/generate.ts';
import { isGraphPath } from '../graphs/open.ts';
import { collect } from './grams/collect.ts';
import { collectGraph, probeGraph } from './userGraph/collectGraph.ts';
import { observeGraph } from './userGraph/observeGraph.ts';
import { cannotWrite, isWriteError } from '../files/writing.ts';
import { learnMask } from './grams/deltaMasks.ts';
import { endWithParent } from '../processes/parentWatch.ts';
import { chooseDevice, PROBE_ARGUMENT, runProbe, tryDevices } from './runtime/device.ts';
import { classifyRunning } from './runtime/deviceFailures.ts';
import { checkGradients } from './check/gradientCheck.ts';
import { observe } from './observe/observe.ts';
import { matMulRate } from './runtime/measure.ts';
import { Model } from './sweep/model.ts';
import { trainExperts } from './experts/trainExperts.ts';
import { prune } from './prune/prune.ts';
import type { Report } from './runtime/report.ts';
import { onnxruntimeVersion, Runtime } from './runtime/runtime.ts';
import { train } from './train/train.ts';
import type { Device } from './runtime/runtime.ts';

let runtime: Runtime | null = null;
let warm: { key: string; model: Model } | null = null;
let queue: Promise<void> = Promise.resolve();
/** Of the request under way. */
let current: number | null = null;
const aborts = new Map<number, AbortController>();
/** Of a generation: prompts that need no more tokens. */
const finished = new Map<number, Set<number>>();

interface Context {
  /** @throws Error before `start` */
  readonly runtime: Runtime;
  report: Report;
  finished: ReadonlySet<number>;
}

/** One row per request: what is done with it. */
const handlers: {
  [M in EngineMethod]: (params: EngineParams<M>, context: Context) => EngineAnswer<M> | Promise<EngineAnswer<M>>;
} = {
  start,
  preload: async ({ modelPath, adapter }, { runtime }) => {
    (await open(runtime, modelPath, adapter)).weights.readAll();
    return null;
  },
  devices: (_, { runtime }) => tryDevices(runtime.threads),
  measure: async (_, { runtime }) => ({ flopsPerSecond: await matMulRate(runtime) }),
  collect: async (request, { runtime, report }) => {
    if (!isGraphPath(request.modelPath)) return collect(await opened(request, runtime), request, report);
    await release(); // a graph is opened anew: its sessions belong to samples of one shape
    return collectGraph(runtime, request, report);
  },
  graph: async (request, { runtime }) => {
    await release();
    return probeGraph(runtime, request);
  },
  observe: async (request, { runtime, report }) => {
    if (!isGraphPath(request.modelPath)) return observe(await opened(request, runtime), request, report);
    await release();
    return observeGraph(runtime, request, report);
  },
  generate: async (request, { runtime, report, finished }) =>
    generate(await opened(request, runtime), request, report, finished),
  train: async (request, { runtime, report }) => train(await opened(request, runtime), request, report),
  trainExperts: async (request, { runtime, report }) => trainExperts(await opened(request, runtime), request, report),
  mask: async (request, { runtime, report }) => learnMask(await opened(request, runtime), request, report),
  prune: async (request, { runtime, report }) => prune(await opened(request, runtime), request, report),
  restore: async ({ modelPath }, { runtime }) => {
    (await open(runtime, modelPath)).weights.restore();
    return null;
  },
  check: async (request, { runtime, report }) =>
    checkGradients(await opened(request, runtime), request, (done, total) => report({ type: 'checking', done, total })),
};

function start({ device: wanted, threads }: EngineParams<'start'>): EngineInfo {
  const { device, note } = chooseDevice(wanted);
  runtime = new Runtime(device, threads);
  runtime.onPartial = () => {
    const text = `${device} lacks some operators of the model's graphs (such as lookups by 64-bit integers), the CPU computes those; products run on ${device}`;
    if (current !== null) process.send?.({ id: current, type: 'log', text });
  };
  return { onnxruntime: onnxruntimeVersion, device, deviceNote: note, threads, pid: process.pid };
}

async function handle<M extends EngineMethod>(
  { id, method, params }: EngineRequest<M>,
  enough: ReadonlySet<number>,
  signal: AbortSignal,
): Promise<void> {
  if (runtime) runtime.signal = signal;
  const context: Context = {
    get runtime() {
      if (!runtime) throw new Error('the engine was not started');
      return runtime;
    },
    report: reporter(id),
    finished: enough,
  };
  const value = await handlers[method](params, context);
  reply({ id, type: 'done', method, value });
}

function reporter(id: number): Report {
  return (event) => process.send?.({ id, ...event });
}

const opened = (request: { modelPath: string; adapter?: string | undefined }, current: Runtime) =>
  open(current, request.modelPath, request.adapter);

/** The warm model when it is the same one and its files did not change since. */
async function open(current: Runtime, path: string, adapter?: string): Promise<Model> {
  const key = [path, ...(adapter === undefined ? [] : [adapter])].map(fingerprint).join('\n\n');
  if (warm?.key !== key) {
    await release();
    warm = { key, model: Model.open(current, path, adapter) };
  }
  return warm.model;
}

async function release(): Promise<void> {
  const old = warm;
  warm = null;
  await old?.model.release();
}

function fingerprint(path: string): string {
  const stat = fs.statSync(path, { throwIfNoEntry: false });
  const files = stat?.isDirectory()
    ? fs
        .readdirSync(path)
        .sort()
        .map((name) => `${path}/${name}`)
    : [path];
  const parts = files.map((file) => {
    const s = fs.statSync(file, { throwIfNoEntry: false });
    return s ? `${file} ${s.size} ${s.mtimeMs} ${s.ctimeMs}` : file;
  });
  return parts.join('\n');
}

function reply<M extends EngineMethod>(message: EngineReply | EngineDone<M>): void {
  process.send?.(message);
}

function onMessage(message: EngineRequest | EngineCancel | EngineFinish): void {
  if (message.method === 'finish') {
    for (const prompt of message.prompts) finished.get(message.id)?.add(prompt);
    return;
  }
  if (message.method === 'cancel') {
    aborts.get(message.id)?.abort(new LayerifError('cancelled', 'cancelled'));
    return;
  }
  const abort = new AbortController();
  aborts.set(message.id, abort);
  const enough = new Set<number>();
  finished.set(message.id, enough);
  queue = queue.then(async () => {
    try {
      abort.signal.throwIfAborted();
      current = message.id;
      await handle(message, enough, abort.signal);
    } catch (error) {
      if (process.env.LAYERIF_DEBUG) console.error(error);
      reply({ id: message.id, type: 'failed', ...asFailure(error) });
    } finally {
      aborts.delete(message.id);
      finished.delete(message.id);
    }
  });
}

/** Errors that are not ours, by what they say. */
const causes: { pattern: RegExp; code: ErrorCode; advice: string }[] = [
  {
    pattern: /bad alloc|Failed to allocate memory|Array buffer allocation failed/i,
    code: 'notEnoughMemory',
    advice: 'score fewer or shorter samples, or set a lower --memory so that the plan uses less',
  },
];

function asFailure(error: unknown): { code: ErrorCode; message: string; place?: Place | undefined } {
  if (error instanceof LayerifError) return { code: error.code, message: error.message, place: error.place };
  if (isWriteError(error)) return { code: 'cannotWrite', message: cannotWrite(error.path ?? null, error).message };
  const text = error instanceof Error ? error.message : String(error);
  const device = runtime?.device ?? 'cpu';
  const lost = classifyRunning(device, text);
  if (lost) {
    return {
      code: lost.cause === 'memory' ? 'notEnoughMemory' : 'deviceUnavailable',
      message: `device "${device}" failed in the middle of the work: ${lost.sentence}; finished layers are kept: ${lost.advice} and run the same command again to resume, or choose the device cpu`,
    };
  }
  const cause = causes.find(({ pattern }) => pattern.test(text));
  return cause ? { code: cause.code, message: `${text}; ${cause.advice}` } : { code: 'failed', message: text };
}

if (process.argv[2] === PROBE_ARGUMENT) {
  runProbe(process.argv[3] as Device, process.argv[4] === 'rate' ? Number(process.argv[5]) : null).then(
    () => process.exit(0),
    (error: unknown) => {
      console.error(error instanceof Error ? error.message : error);
      process.exit(1);
    },
  );
} else {
  // A run blocks this loop, so that it could not see the parent go.
  endWithParent();
  process.on('message', onMessage);
  process.on('disconnect', () => process.exit(0));
  // Ctrl-C in a terminal reaches the whole process group; the parent turns it into a cancel.
  process.on('SIGINT', () => undefined);
}
