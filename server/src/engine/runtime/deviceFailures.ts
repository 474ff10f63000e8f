/**
 * Why a device cannot be used, in words: the platforms of each provider, then a table from what ONNX Runtime, the
 * loader and the drivers print to a cause. The reason often stands on standard error alone, so both streams of the
 * probe are read.
 *
 * To add a failure, add a row; the first row that fits counts, so the more special one stands first.
 */
import type { Device, DeviceCause, DeviceFailure } from '../../../../protocol/devices.ts';

/** `process.platform` and `process.arch` for which onnxruntime-node's package holds the provider. */
const platforms: Record<Device, { where: readonly string[]; words: string }> = {
  cpu: { where: [], words: 'everywhere' },
  cuda: { where: ['linux-x64'], words: 'Linux on x64' },
  webgpu: {
    where: ['linux-x64', 'win32-x64', 'win32-arm64', 'darwin-arm64'],
    words: 'Linux and Windows on x64, Windows on ARM, and Macs with Apple silicon',
  },
  dml: { where: ['win32-x64', 'win32-arm64'], words: 'Windows' },
  coreml: { where: ['darwin-arm64'], words: 'Macs with Apple silicon' },
};

const titles: Record<Device, string> = {
  cpu: 'the CPU',
  cuda: 'CUDA',
  webgpu: 'WebGPU',
  dml: 'DirectML',
  coreml: 'Core ML',
};

/** Where a device never works, whatever is installed. */
export function platformFailure(
  device: Device,
  platform: string = process.platform,
  arch: string = process.arch,
): DeviceFailure | null {
  const { where, words } = platforms[device];
  if (device === 'cpu' || where.includes(`${platform}-${arch}`)) return null;
  const others = (Object.keys(platforms) as Device[]).filter((other) =>
    platforms[other].where.includes(`${platform}-${arch}`),
  );
  return {
    cause: 'platform',
    sentence: `${titles[device]} is there on ${words} only, and this is ${platform}-${arch}`,
    advice: others.length > 0 ? `use ${others.join(' or ')}` : 'there is no accelerator for this platform',
    detail: '',
  };
}

const failures: { cause: DeviceCause; pattern: RegExp; sentence: string; advice: string }[] = [
  {
    cause: 'elsewhere',
    pattern: /disable_cpu_ep_fallback|fallback to CPU EP has been explicitly disabled/,
    sentence: 'it would leave part of the work to the CPU',
    advice: 'update its driver',
  },
  {
    cause: 'driverTooOld',
    pattern: /CUDA failure 35\b|driver version is insufficient/i,
    sentence: 'the NVIDIA driver is too old for CUDA 13',
    advice: 'install a driver of version 580 or newer',
  },
  {
    cause: 'memory',
    pattern: /CUDA failure 2\b|out of memory|CUBLAS_STATUS_ALLOC_FAILED|Failed to allocate memory|E_OUTOFMEMORY/i,
    sentence: "the device's memory is full",
    advice: 'close other programs that use it, score fewer or shorter samples',
  },
  {
    cause: 'noDevice',
    pattern: /CUDA failure (100|101)\b|no CUDA-capable device/i,
    sentence: 'the NVIDIA driver finds no GPU',
    advice: 'look at nvidia-smi; a container needs the GPU passed in (--gpus all)',
  },
  {
    cause: 'lost',
    pattern:
      /CUDA failure (4|46|214|700|702|709|716|717|718|719|999)\b|fallen off the bus|device (was |is |has been )?lost|DXGI_ERROR_DEVICE|887A000[567]/i,
    sentence: 'the device does not answer any more, or was taken away',
    advice: 'restart the driver or the machine',
  },
  {
    cause: 'version',
    pattern: /VERS_\d|undefined symbol|API version|option field|out of range.*provider|was built for/i,
    sentence: 'the provider library is of another version than ONNX Runtime',
    advice: 'install the CUDA runtime again with "LayerIF: Install CUDA Runtime" or layerif devices install-cuda',
  },
  {
    cause: 'driver',
    pattern: /libcuda\.so[.\d]*: cannot open/,
    sentence: 'no NVIDIA driver is installed',
    advice: "install NVIDIA's driver, version 580 or newer, where there is an NVIDIA GPU",
  },
  {
    cause: 'libraries',
    pattern:
      /lib(cublas|cublasLt|curand|cudart|cudnn\w*|cufft|nvrtc|nvJitLink)\.so[.\d]*: cannot open|lib(cudnn|cufft|nvrtc)\w*.{0,40}not found/i,
    sentence: 'the CUDA 13 libraries are not installed',
    advice: 'run "LayerIF: Install CUDA Runtime" or layerif devices install-cuda',
  },
  {
    cause: 'provider',
    pattern: /libonnxruntime_providers_\w+\.so: cannot open|Cuda: Failed to load shared library/,
    sentence: "ONNX Runtime's CUDA provider is not installed",
    advice: 'run "LayerIF: Install CUDA Runtime" or layerif devices install-cuda',
  },
  {
    cause: 'features',
    pattern: /(Vulkan|D3D12|Metal) \S+ (is )?required/,
    sentence: 'the graphics driver lacks a feature that WebGPU needs',
    advice: 'install a newer driver of the GPU (Mesa on Linux)',
  },
  {
    cause: 'driver',
    pattern: /Found no drivers|VK_ERROR_INCOMPATIBLE_DRIVER|libvulkan\.so[.\d]*|vulkan-1\.dll/,
    sentence: 'no Vulkan driver is installed',
    advice: 'install the Vulkan loader (libvulkan1) and a driver of the GPU',
  },
  {
    cause: 'noDevice',
    pattern: /WebGPU adapter|No supported adapters|No such adapter|DXGI_ERROR_NOT_FOUND/i,
    sentence: 'no graphics adapter was found that it can use',
    advice: 'install a driver of the GPU (on Linux a Vulkan driver)',
  },
  {
    cause: 'wrong',
    pattern: /product came out wrong/,
    sentence: 'its numbers are wrong: a product differs from that of the CPU',
    advice: 'update its driver',
  },
  {
    cause: 'build',
    pattern:
      /backend not found|not supported in this build|provider is not (supported|available)|removing requested execution provider/i,
    sentence: 'this build of ONNX Runtime does not have it',
    advice: 'install onnxruntime-node from npm again',
  },
];

/** @param text what was printed. @param ended how the probe ended, where it did not by itself */
export function classify(text: string, ended: 'crash' | 'timeout' | null = null, how = ''): DeviceFailure {
  const detail = lastLine(text);
  const row = failures.find(({ pattern }) => pattern.test(text));
  if (row) return { cause: row.cause, sentence: row.sentence, advice: row.advice, detail };
  if (ended === 'timeout')
    return { cause: 'timeout', sentence: `a trial did not end within ${how}`, advice: 'update its driver', detail };
  if (ended === 'crash')
    return { cause: 'crash', sentence: `a trial ended with ${how}`, advice: 'update its driver', detail };
  return {
    cause: 'unknown',
    sentence: detail === '' ? 'a trial failed without a word' : `a trial failed: ${detail}`,
    advice: 'please report it with the output of layerif devices --json',
    detail,
  };
}

/** What an error in the middle of a run means, or null when it is none of the device. */
export function classifyRunning(device: Device, text: string): DeviceFailure | null {
  if (device === 'cpu') return null;
  const failure = classify(text);
  if (failure.cause !== 'unknown') return failure;
  return /CUDA|CUBLAS|CUDNN|WebGPU|wgpu|Dml|CoreML/.test(text)
    ? { ...failure, cause: 'lost', sentence: `it failed: ${failure.detail}`, advice: "look at the driver's log" }
    : null;
}

// Terminal colours of ONNX Runtime's log.
// eslint-disable-next-line no-control-regex
const colours = /\u001b\[[\d;]*m/g;

function lastLine(text: string): string {
  const lines = text
    .replace(colours, '')
    .split('\n')
    .map((line) => line.trim());
  return (lines.filter((line) => line !== '').at(-1) ?? '').slice(0, 300);
}
