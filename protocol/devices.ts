/** Devices: what is said of the places where a model can be computed, and requests about them and the CUDA runtime. */

export type Device = Exclude<DeviceId, 'auto'>;

/** Why a device cannot be used; sentences and advice are in `engine/runtime/deviceFailures.ts`. */
export type DeviceCause =
  | 'platform' // never on this operating system or processor
  | 'build' // not in this build of ONNX Runtime
  | 'provider' // the provider's library is not installed
  | 'libraries' // CUDA libraries are not installed
  | 'driver' // no driver
  | 'driverTooOld'
  | 'features' // a driver that lacks what the provider needs
  | 'noDevice'
  | 'version' // provider and ONNX Runtime do not fit together
  | 'memory'
  | 'lost' // the device vanished, or hangs
  | 'elsewhere' // operators would have run on the CPU
  | 'wrong' // numbers are wrong
  | 'crash'
  | 'timeout'
  | 'unknown';

export interface DeviceFailure {
  cause: DeviceCause;
  /** What is wrong, without a capital and without a full stop. */
  sentence: string;
  /** What to do. */
  advice: string;
  /** The last line of the library's own words, empty when there are none. */
  detail: string;
}

export interface DeviceState {
  device: Device;
  /** Null when it works. */
  failure: DeviceFailure | null;
  /** Float32 multiply-adds count as two; null when it does not work. */
  flopsPerSecond: number | null;
  /** What was tried, in words. */
  tried: string;
  seconds: number;
}

/** A line of the NVIDIA driver's own tool. */
export interface Gpu {
  name: string;
  memory: string;
  driver: string;
}

export interface DeviceReport {
  format: 'layerif-devices';
  version: 1;
  layerif: string;
  /** "linux-x64" */
  platform: string;
  /** "node 24.1.0" */
  runtime: string;
  onnxruntime: string;
  threads: number;
  /** What `auto` takes here. */
  auto: Device;
  devices: DeviceState[];
  gpus: Gpu[];
  /** Folder of the CUDA runtime that LayerIF installed, or null. */
  cudaRuntime: string | null;
}

export type DeviceId = 'auto' | 'cpu' | 'cuda' | 'webgpu' | 'dml' | 'coreml';

export const deviceIds: readonly DeviceId[] = ['auto', 'cpu', 'cuda', 'webgpu', 'dml', 'coreml'];

/** Client -> server request: every device tried and measured, for *LayerIF: Check Acceleration*. */
export interface DevicesAnswer {
  /** Null with an error. */
  report: DeviceReport | null;
  /** The report as a Markdown document. */
  markdown: string;
  error: { code: string; message: string } | null;
}

/** Client -> server request: what *LayerIF: Install CUDA Runtime* would install, to be shown and agreed to. */
export interface CudaOfferParams {
  /** cuDNN too. */
  optional: boolean;
}
export interface CudaOfferAnswer {
  /** A package each, with what it is for, sizes and licence. */
  lines: string[];
  /** Bytes. */
  download: number;
  kept: number;
  /** Folder of what is installed already, or null. */
  installed: string | null;
}

/** Install it (agreed to by then), or remove it. */
export interface CudaAnswer {
  /** Folder that is now there, or that was removed; null when there was none, and with an error. */
  folder: string | null;
  error: { code: string; message: string } | null;
}

/** Server -> client notification: bytes of an installation under way. */
export const INSTALL_CUDA_PROGRESS = 'layerif/installCudaProgress';
export interface InstallCudaProgress {
  done: number;
  total: number;
  message: string;
}
