/**
 * Which execution provider runs. `auto` takes CUDA where its libraries load and a small product comes out right, else the CPU
 * with a note; a device that was asked for by name never silently becomes another.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { LayerifError } from '../../../protocol/errors.ts';
import type { DeviceId } from '../../../protocol/engine.ts';
import { Graph } from '../onnx/graph.ts';
import { floats, numbers, Runtime } from './runtime.ts';
import type { Device } from './runtime.ts';

/** Argument that makes the engine's own program a probe of one device. */
export const PROBE_ARGUMENT = '--probe-device';

/** @throws LayerifError `deviceUnavailable` */
export function chooseDevice(wanted: DeviceId): { device: Device; note: string | null } {
  if (wanted === 'cpu') return { device: 'cpu', note: null };
  if (wanted === 'auto') {
    if (!hasNvidiaDevice()) return { device: 'cpu', note: null };
    const problem = probe('cuda');
    return problem === null ? { device: 'cuda', note: null } : { device: 'cpu', note: `CUDA is not used: ${problem}` };
  }
  const problem = probe(wanted);
  if (problem !== null) {
    throw new LayerifError(
      'deviceUnavailable',
      `device "${wanted}" cannot be used: ${problem}; choose "cpu", or "auto" to fall back by itself`,
    );
  }
  return { device: wanted, note: null };
}

/** Whether it is worth a probe: the driver's device file, or its library under WSL. */
function hasNvidiaDevice(): boolean {
  if (process.platform !== 'linux' || process.arch !== 'x64') return false;
  return ['/dev/nvidiactl', '/dev/dxg'].some((file) => fs.existsSync(file));
}

/** Tries a device in a throw-away process, since loading a provider may crash. Answers null or what is wrong. */
function probe(device: Device): string | null {
  const child = spawnSync(process.execPath, [...process.execArgv, process.argv[1], PROBE_ARGUMENT, device], {
    encoding: 'utf8',
    timeout: 60_000,
    env: { ...process.env, NODE_CHANNEL_FD: undefined },
  });
  if (child.status === 0) return null;
  const text = `${child.stderr}\n${child.stdout}`;
  return (
    causes.find(({ pattern }) => pattern.test(text))?.sentence ??
    (lastLine(text) || `the probe ended with ${child.signal ?? child.status}`)
  );
}

const causes: { pattern: RegExp; sentence: string }[] = [
  { pattern: /CUDA failure 35/, sentence: 'the NVIDIA driver is too old for this CUDA runtime' },
  { pattern: /CUDA failure 100|no CUDA-capable device/, sentence: 'no CUDA device is there' },
  { pattern: /libcuda\.so/, sentence: 'no NVIDIA driver is installed' },
  {
    pattern: /lib(cublas|cublasLt|curand|cudart|cudnn|cufft)\w*\.so/,
    sentence: 'the CUDA libraries are not installed',
  },
  { pattern: /onnxruntime_providers_(shared|cuda)/, sentence: "ONNX Runtime's CUDA provider is not installed" },
  { pattern: /WebGPU adapter/, sentence: 'no WebGPU adapter was found' },
  {
    pattern: /not supported|not available|backend not found|removing requested execution provider/i,
    sentence: 'this build of ONNX Runtime does not have it',
  },
];

/** Runs in the throw-away process: a 2 x 2 product on the device, compared with the CPU. */
export async function runProbe(device: Device): Promise<void> {
  const g = new Graph('probe');
  g.output(g.matMul(g.input('a', 'float32', [2, 2]), g.input('b', 'float32', [2, 2])), 'y');
  const session = await new Runtime(device, 1).session(g);
  const { y } = await session.run({
    a: floats(Float32Array.of(1, 2, 3, 4), [2, 2]),
    b: floats(Float32Array.of(5, 6, 7, 8), [2, 2]),
  });
  const right = [19, 22, 43, 50];
  if (numbers(y).some((value, i) => Math.abs(value - right[i]) > 1e-4))
    throw new Error('a 2 x 2 product came out wrong');
}

function lastLine(text: string): string {
  return (
    text
      .trim()
      .split('\n')
      .filter((line) => line.trim() !== '')
      .pop()
      ?.trim() ?? ''
  );
}
