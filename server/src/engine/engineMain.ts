/**
 * The engine: a forked child, the only process that loads onnxruntime-node. It answers one request at a time; a cancel is seen
 * between two session runs. It ends with its parent: when the IPC channel closes, at the latest after the run under way.
 */
import fs from 'node:fs';
import { LayerifError } from '../../../protocol/errors.ts';
import type { ErrorCode, Place } from '../../../protocol/errors.ts';
import type { EngineCancel, EngineReply, EngineRequest } from '../../../protocol/engine.ts';
import { isGraphPath } from '../graphs/open.ts';
import { collect } from './grams/collect.ts';
import { collectGraph, probeGraph } from './userGraph/collectGraph.ts';
import { chooseDevice, PROBE_ARGUMENT, runProbe, tryDevices } from './runtime/device.ts';
import { classifyRunning } from './runtime/deviceFailures.ts';
import { checkGradients } from './check/gradientCheck.ts';
import { features } from './observe/hiddenPooled.ts';
import { evaluate } from './observe/logProbabilities.ts';
import { matMulRate } from './runtime/measure.ts';
import { Model } from './sweep/model.ts';
import { trainExperts } from './experts/trainExperts.ts';
import { outliers, prune } from './prune/prune.ts';
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

type Value = Extract<EngineReply, { type: 'done' }>['value'];

async function handle(request: EngineRequest, signal: AbortSignal): Promise<Value> {
  if (request.type === 'start') {
    const { device, note } = chooseDevice(request.device);
    runtime = new Runtime(device, request.threads);
    runtime.onPartial = () => {
      const text = `${device} lacks some operators of the model's graphs (such as lookups by 64-bit integers), the CPU computes those; products run on ${device}`;
      if (current !== null) process.send?.({ id: current, type: 'log', text });
    };
    return { onnxruntime: onnxruntimeVersion, device, deviceNote: note, threads: request.threads, pid: process.pid };
  }
  if (!runtime) throw new Error('the engine was not started');
  runtime.signal = signal;
  switch (request.type) {
    case 'preload':
      (await open(runtime, request.modelPath, request.adapter)).weights.readAll();
      return null;
    case 'devices':
      return { devices: tryDevices(runtime.threads) };
    case 'measure':
      return { flopsPerSecond: await matMulRate(runtime) };
    case 'collect': {
      if (isGraphPath(request.request.modelPath)) {
        await release(); // a graph is opened anew: its sessions belong to samples of one shape
        return collectGraph(runtime, request.request, reporter(request.id));
      }
      const model = await open(runtime, request.request.modelPath, request.request.adapter);
      return collect(model, request.request, reporter(request.id));
    }
    case 'graph':
      await release();
      return probeGraph(runtime, request.request);
    case 'features':
      return features(await open(runtime, request.request.modelPath), request.request);
    case 'train': {
      const model = await open(runtime, request.request.modelPath);
      return train(model, request.request, reporter(request.id));
    }
    case 'trainExperts': {
      const model = await open(runtime, request.request.modelPath);
      return trainExperts(model, request.request, reporter(request.id));
    }
    case 'prune':
      return prune(await open(runtime, request.request.modelPath), request.request, reporter(request.id));
    case 'outliers':
      return outliers(await open(runtime, request.request.modelPath), request.request, reporter(request.id));
    case 'evaluate': {
      const model = await open(runtime, request.request.modelPath, request.request.adapter);
      return evaluate(model, request.request, reporter(request.id));
    }
    case 'restore':
      (await open(runtime, request.modelPath)).weights.restore();
      return null;
    case 'check': {
      const model = await open(runtime, request.request.modelPath, request.request.adapter);
      const report = reporter(request.id);
      return checkGradients(model, request.request, (done, total) => report({ type: 'checking', done, total }));
    }
    case 'release':
      await release();
      return null;
  }
}

function reporter(id: number): Report {
  return (event) => process.send?.({ id, ...event });
}

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

function reply(message: EngineReply): void {
  process.send?.(message);
}

function onMessage(message: EngineRequest | EngineCancel): void {
  if (message.type === 'cancel') {
    aborts.get(message.id)?.abort(new LayerifError('cancelled', 'cancelled'));
    return;
  }
  const abort = new AbortController();
  aborts.set(message.id, abort);
  queue = queue.then(async () => {
    try {
      abort.signal.throwIfAborted();
      current = message.id;
      reply({ id: message.id, type: 'done', value: await handle(message, abort.signal) });
    } catch (error) {
      if (process.env.LAYERIF_DEBUG) console.error(error);
      reply({ id: message.id, type: 'failed', ...asFailure(error) });
    } finally {
      aborts.delete(message.id);
    }
  });
}

/** Errors that are not ours, by what they say. */
const causes: { pattern: RegExp; code: ErrorCode; advice: string }[] = [
  { pattern: /ENOSPC/, code: 'cannotWrite', advice: 'free some space and run again, finished layers are kept' },
  { pattern: /EACCES|EPERM|EROFS/, code: 'cannotWrite', advice: 'choose another folder with output_dir or --output' },
  {
    pattern: /bad alloc|Failed to allocate memory|Array buffer allocation failed/i,
    code: 'notEnoughMemory',
    advice: 'score fewer or shorter samples, or set a lower --memory so that the plan uses less',
  },
];

function asFailure(error: unknown): { code: ErrorCode; message: string; place?: Place | undefined } {
  if (error instanceof LayerifError) return { code: error.code, message: error.message, place: error.place };
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
  process.on('message', onMessage);
  process.on('disconnect', () => process.exit(0));
  // Ctrl-C in a terminal reaches the whole process group; the parent turns it into a cancel.
  process.on('SIGINT', () => undefined);
}
