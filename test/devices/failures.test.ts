/**
 * What providers, loaders and drivers print -> cause, sentence, advice. The texts are those of ONNX Runtime 1.30.0,
 * shortened.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeviceCause } from '../../protocol/devices.ts';
import { classify, classifyRunning, platformFailure } from '../../server/src/engine/runtime/deviceFailures.ts';

const load = (library: string, error: string) =>
  `\u001b[1;31m[E:onnxruntime:, provider_bridge_ort.cc:2146 Create] FAIL : Failed to load library /x/libonnxruntime_providers_${library}.so with error: ${error}\n\u001b[m\nOrtSessionOptionsAppendExecutionProvider_Cuda: Failed to load shared library`;
const cannot = 'cannot open shared object file: No such file or directory';

const texts: [cause: DeviceCause, text: string, advice: RegExp][] = [
  ['provider', load('shared', `/x/libonnxruntime_providers_shared.so: ${cannot}`), /install-cuda/],
  ['libraries', load('cuda', `libcublasLt.so.13: ${cannot}`), /install-cuda/],
  ['libraries', load('cuda', `libcurand.so.10: ${cannot}`), /install-cuda/],
  ['libraries', load('cuda', `libcudart.so.13: ${cannot}`), /install-cuda/],
  ['libraries', 'Unable to load libcudnn_ops.so.9: library not found', /install-cuda/],
  ['driver', load('cuda', `libcuda.so.1: ${cannot}`), /driver, version 580/],
  ['noDevice', 'CUDA failure 100: no CUDA-capable device is detected ; GPU=-1 ; expr=cudaSetDevice(0)', /nvidia-smi/],
  ['driverTooOld', 'CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version', /580 or newer/],
  ['memory', 'CUDA failure 2: out of memory ; GPU=0 ; expr=cudaMalloc((void**)&p, size)', /fewer or shorter/],
  ['memory', 'CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED', /fewer or shorter/],
  ['lost', 'CUDA failure 719: unspecified launch failure ; GPU=0', /restart/],
  ['lost', 'WebGPU device lost: A valid external Instance reference no longer exists.', /restart/],
  ['lost', 'HRESULT 887A0005: The GPU device instance has been suspended', /restart/],
  ['version', "/x/libonnxruntime.so.1: version `VERS_1.31.1' not found", /again/],
  ['version', 'symbol lookup error: undefined symbol: cublasGetVersion_v3', /again/],
  [
    'features',
    'Warning: Vulkan shaderUniform*ArrayDynamicIndexing required.\n - While initializing adapter\n\nFailed to get a WebGPU adapter: No supported adapters',
    /newer driver/,
  ],
  [
    'driver',
    'Warning: vkCreateInstance: Found no drivers!\nFailed to get a WebGPU adapter: No supported adapters',
    /Vulkan loader/,
  ],
  ['noDevice', 'Failed to get a WebGPU adapter: No supported adapters', /driver of the GPU/],
  ['build', 'no available backend found. ERR: [dml] backend not found.', /from npm again/],
  [
    'elsewhere',
    'This session contains graph nodes that are assigned to the default CPU EP, but fallback to CPU EP has been explicitly disabled by the user.',
    /driver/,
  ],
  ['wrong', 'a 2 x 2 product came out wrong', /driver/],
];

test('every known failure has its cause, one sentence and what to do', () => {
  for (const [cause, text, advice] of texts) {
    const failure = classify(text);
    assert.equal(failure.cause, cause, text);
    assert.match(failure.advice, advice, text);
    assert.doesNotMatch(failure.sentence + failure.advice, /\n|\.$/, text);
    assert.ok(!failure.detail.includes('\n') && !failure.detail.includes('\u001b'), text);
    assert.ok(failure.detail.length <= 300);
  }
});

test('a trial that crashes, hangs, or fails in other words', () => {
  assert.equal(classify('', 'crash', 'signal SIGSEGV').sentence, 'a trial ended with signal SIGSEGV');
  assert.equal(classify('', 'timeout', '60 s').sentence, 'a trial did not end within 60 s');
  assert.equal(classify('first\nlast words\n').sentence, 'a trial failed: last words');
  assert.equal(classify('').cause, 'unknown');
  assert.equal(classify(`CUDA failure 35: x`, 'crash', 'signal SIGABRT').cause, 'driverTooOld', 'words before signals');
});

test('devices that a platform never has', () => {
  assert.equal(platformFailure('cuda', 'linux', 'x64'), null);
  assert.equal(platformFailure('cpu', 'sunos', 'mips'), null);
  assert.match(platformFailure('cuda', 'win32', 'x64')!.sentence, /Linux on x64 only, and this is win32-x64/);
  assert.equal(platformFailure('cuda', 'win32', 'x64')!.advice, 'use webgpu or dml');
  assert.equal(platformFailure('dml', 'linux', 'x64')!.advice, 'use cuda or webgpu');
  assert.equal(platformFailure('webgpu', 'linux', 'arm64')!.advice, 'there is no accelerator for this platform');
  assert.equal(platformFailure('coreml', 'darwin', 'arm64'), null);
});

test('errors in the middle of a run: of the device, or not', () => {
  assert.equal(classifyRunning('cuda', 'CUDA failure 719: unspecified launch failure')?.cause, 'lost');
  assert.equal(classifyRunning('cuda', 'CUDA failure 2: out of memory')?.cause, 'memory');
  assert.equal(classifyRunning('cuda', 'CUDNN failure 5000: execution failed')?.cause, 'lost');
  assert.equal(classifyRunning('cuda', 'ENOSPC: no space left on device'), null);
  assert.equal(classifyRunning('cpu', 'CUDA failure 719'), null, 'nothing on the CPU is a lost device');
});
