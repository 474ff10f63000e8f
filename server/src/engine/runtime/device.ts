/**
 * Which execution provider runs. `auto` takes CUDA where its libraries load and a small graph comes out right, else the
 * CPU with a note; WebGPU, DirectML and Core ML run when they are asked for by name, since they can be a slow driver in
 * software. A device that was asked for by name never silently becomes another: the trial forbids ONNX Runtime to give
 * any operator to the CPU.
 *
 * A trial happens in a throw-away process, because loading a provider may crash or hang.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { DeviceFailure, DeviceState, DeviceId } from '../../../../protocol/devices.ts';
import { Graph } from '../../onnx/graph.ts';
import { classify, platformFailure } from './deviceFailures.ts';
import { sizedRate } from './measure.ts';
import { floats, numbers, Runtime } from './runtime.ts';
import type { Device } from './runtime.ts';

/** Argument that makes the engine's own program a probe of one device; "rate" behind the device measures it too. */
export const PROBE_ARGUMENT = '--probe-device';
const PROBE_MS = 60_000;

interface Trial {
  failure: DeviceFailure | null;
  flopsPerSecond: number | null;
}

/** @throws LayerifError `deviceUnavailable` */
export function chooseDevice(wanted: DeviceId): { device: Device; note: string | null } {
  if (wanted === 'cpu') return { device: 'cpu', note: null };
  if (wanted === 'auto') {
    if (!hasNvidiaDevice()) return { device: 'cpu', note: null };
    const { failure } = probe('cuda');
    if (!failure) return { device: 'cuda', note: null };
    return { device: 'cpu', note: `CUDA is not used, the CPU is: ${failure.sentence}; to use it, ${failure.advice}` };
  }
  const { failure } = probe(wanted);
  if (failure) {
    throw new LayerifError(
      'deviceUnavailable',
      `device "${wanted}" cannot be used: ${failure.sentence}; ${failure.advice}, or choose the device cpu`,
    );
  }
  return { device: wanted, note: null };
}

/** Tries every device there is and measures those that work. */
export function tryDevices(threads: number): DeviceState[] {
  return (['cpu', 'cuda', 'webgpu', 'dml', 'coreml'] as const).map((device) => {
    const started = performance.now();
    const outcome = probe(device, threads);
    const tried =
      outcome.failure?.cause === 'platform'
        ? 'nothing: it is never there on this platform'
        : 'a graph of products, softmax and sums in a process of its own, compared with the right numbers';
    return { device, ...outcome, tried, seconds: (performance.now() - started) / 1000 };
  });
}

/** Whether it is worth a trial: the driver's device file, or its library under WSL or on the loader's path. */
function hasNvidiaDevice(): boolean {
  if (process.platform !== 'linux' || process.arch !== 'x64') return false;
  const folders = (process.env.LD_LIBRARY_PATH ?? '').split(':').filter((folder) => folder !== '');
  const files = ['/dev/nvidiactl', '/dev/dxg', ...folders.map((folder) => path.join(folder, 'libcuda.so.1'))];
  return files.some((file) => fs.existsSync(file));
}

function probe(device: Device, threads?: number): Trial {
  const impossible = platformFailure(device);
  if (impossible) return { failure: impossible, flopsPerSecond: null };
  const measure = threads === undefined ? [] : ['rate', String(threads)];
  const child = spawnSync(
    process.execPath,
    [...process.execArgv, process.argv[1], PROBE_ARGUMENT, device, ...measure],
    {
      encoding: 'utf8',
      timeout: PROBE_MS,
      killSignal: 'SIGKILL',
      env: { ...process.env, NODE_CHANNEL_FD: undefined },
    },
  );
  if (child.status === 0) return { failure: null, flopsPerSecond: rateIn(child.stdout) };
  const failed: NodeJS.ErrnoException | undefined = child.error;
  const slow = failed?.code === 'ETIMEDOUT';
  const ended = slow ? 'timeout' : child.signal || child.status! > 128 ? 'crash' : null;
  const how = slow ? `${PROBE_MS / 1000} s` : child.signal ? `signal ${child.signal}` : `exit code ${child.status}`;
  return { failure: classify(`${child.stdout}\n${child.stderr}`, ended, how), flopsPerSecond: null };
}

function rateIn(stdout: string): number | null {
  const value = /^rate (\S+)$/m.exec(stdout)?.[1];
  return value === undefined ? null : Number(value);
}

/**
 * Runs in the throw-away process: the operators that carry a model's work, on the device and nowhere else, against
 * numbers worked out by hand. With `threads`, the rate of products goes to standard output.
 *
 * @throws what ONNX Runtime throws, and an error when numbers are wrong
 */
export async function runProbe(device: Device, threads: number | null): Promise<void> {
  const g = new Graph('probe');
  const product = g.matMul(g.input('a', 'float32', [2, 2]), g.input('b', 'float32', [2, 2]));
  g.output(product, 'product');
  g.output(g.softmax(g.mul(product, 0.1), -1), 'softmax');
  g.output(g.reduceSum(product, [1], false), 'sum');
  const runtime = new Runtime(device, threads ?? 1, 'nowhereElse');
  const session = await runtime.session(g);
  const {
    product: p,
    softmax,
    sum,
  } = await session.run({
    a: floats(Float32Array.of(1, 2, 3, 4), [2, 2]),
    b: floats(Float32Array.of(5, 6, 7, 8), [2, 2]),
  });
  const share = (x: number) => 1 / (1 + Math.exp(x));
  const right = [
    [p, [19, 22, 43, 50]],
    [softmax, [share(0.3), share(-0.3), share(0.7), share(-0.7)]],
    [sum, [41, 93]],
  ] as const;
  for (const [tensor, expected] of right) {
    const found = numbers(tensor);
    if (expected.some((value, i) => !(Math.abs(value - found[i]) <= 1e-4 * Math.max(1, value))))
      throw new Error('a 2 x 2 product came out wrong');
  }
  await session.release();
  if (threads !== null) console.log(`rate ${await sizedRate(runtime)}`);
}
