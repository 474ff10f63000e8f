/**
 * The WebGPU provider for real, on a Vulkan driver in software (SwiftShader of Chromium, or the one that
 * VK_ICD_FILENAMES names), and the CUDA provider's loading with stub libraries. Mesa's lavapipe 22.3 is refused by the
 * provider: it lacks dynamic indexing of arrays.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { DeviceReport } from '../../protocol/devices.ts';
import { classify } from '../../server/src/engine/runtime/deviceFailures.ts';
import { floats, numbers, Runtime } from '../../server/src/engine/runtime/runtime.ts';
import { Graph } from '../../server/src/onnx/graph.ts';
import { layerif } from '../cli/layerifProcess.ts';
import { tinyWorkspace } from '../run/workspace.ts';

const isLinux = process.platform === 'linux' && process.arch === 'x64';

function works(program: string, ...words: string[]): boolean {
  return spawnSync(program, words, { stdio: 'ignore' }).status === 0;
}

const drivers = [
  process.env.VK_ICD_FILENAMES,
  '/usr/lib/chromium/vk_swiftshader_icd.json',
  '/usr/lib64/chromium-browser/vk_swiftshader_icd.json',
];
const driver = drivers.find((file) => file && fs.existsSync(file));
const loader = ['/usr/lib/x86_64-linux-gnu', '/usr/lib64', '/usr/lib', '/lib/x86_64-linux-gnu'].some((folder) =>
  fs.existsSync(path.join(folder, 'libvulkan.so.1')),
);
const noWebgpu = !isLinux
  ? `a software driver for ${process.platform}-${process.arch} is not known`
  : !loader
    ? 'no Vulkan loader (apt-get install libvulkan1)'
    : !driver
      ? 'no software driver for Vulkan (apt-get install chromium-common)'
      : false;
const noStub = !isLinux
  ? 'CUDA is for linux-x64'
  : !works('gcc', '--version')
    ? 'no gcc'
    : fs.existsSync('/dev/nvidiactl')
      ? 'there is a real NVIDIA driver'
      : false;

/** Attention with its products, a gated unit, a norm and sums, on 2 sequences of 6 positions of width 16. */
function graph(): Graph {
  const g = new Graph('attention');
  const x = g.input('x', 'float32', [2, 6, 16]);
  const weight = (name: string, seed: number) => {
    const values = Float32Array.from({ length: 256 }, (_, i) => Math.sin(seed + 1.7 * i) / 4);
    return g.initializer(name, 'float32', [16, 16], values);
  };
  const [q, k, v] = ['q', 'k', 'v'].map((name, i) => g.matMul(x, weight(name, i)));
  const attention = g.softmax(g.mul(g.matMul(q, g.transpose(k, [0, 2, 1])), 0.25), -1);
  const mixed = g.matMul(attention, v);
  const gated = g.gelu(g.matMul(mixed, weight('up', 5)));
  g.output(g.matMul(g.transpose(x, [0, 2, 1]), gated), 'gradient'); // a sum of outer products, as of weights
  g.output(g.reduceSum(g.mul(gated, gated), [1, 2], false), 'norm');
  return g;
}

test('WebGPU computes what the CPU computes, wholly on the device', { skip: noWebgpu }, async () => {
  process.env.VK_ICD_FILENAMES = driver; // read when the provider is loaded
  process.env.XDG_RUNTIME_DIR ??= os.tmpdir();
  const x = floats(
    Float32Array.from({ length: 192 }, (_, i) => Math.cos(0.3 * i)),
    [2, 6, 16],
  );
  const run = async (runtime: Runtime) => {
    const session = await runtime.session(graph());
    const outputs = await session.run({ x });
    await session.release();
    return outputs;
  };
  const expected = await run(new Runtime('cpu', 1));
  const found = await run(new Runtime('webgpu', 1, 'nowhereElse'));
  for (const name of ['gradient', 'norm']) {
    const [a, b] = [numbers(expected[name]), numbers(found[name])];
    const largest = Math.max(...a.map(Math.abs));
    const error = Math.max(...a.map((value, i) => Math.abs(value - b[i]))) / largest;
    assert.ok(largest > 1e-3 && error < 1e-5, `${name}: ${error} of ${largest}`);
  }
});

test('layerif devices finds it, with a rate', { skip: noWebgpu }, async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-webgpu-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  const env = { VK_ICD_FILENAMES: driver!, XDG_RUNTIME_DIR: folder, XDG_CACHE_HOME: folder };
  const report = async (icd: string) => {
    const words = ['devices', '--json', '--threads', '1'];
    const { code, stdout, stderr } = await layerif(words, { cwd: folder, env: { ...env, VK_ICD_FILENAMES: icd } });
    assert.equal(code, 0, stderr);
    return (JSON.parse(stdout) as DeviceReport).devices.find(({ device }) => device === 'webgpu')!;
  };
  const { failure, flopsPerSecond } = await report(driver!);
  assert.equal(failure, null);
  assert.ok(flopsPerSecond! > 1e6);
  assert.equal((await report('/nonexistent.json')).failure?.cause, 'driver');
});

test('loading CUDA, one library after the other', { skip: noStub }, async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-stub-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  const source = (name: string) => path.join(import.meta.dirname, name);
  const gcc = (...words: string[]) => execFileSync('gcc', ['-shared', '-fPIC', ...words], { cwd: folder });
  const npm = path.join(import.meta.dirname, '../../node_modules/onnxruntime-node/bin/napi-v6/linux/x64');
  fs.copyFileSync(path.join(npm, 'libonnxruntime.so.1'), path.join(folder, 'libonnxruntime.so.1'));
  const env = { LD_LIBRARY_PATH: folder, XDG_CACHE_HOME: folder };
  const engine = path.join(import.meta.dirname, '../../server/src/engine/engineMain.ts');
  const cause = () => {
    const words = ['--disable-warning=ExperimentalWarning', engine, '--probe-device', 'cuda'];
    const { status, signal, stdout, stderr } = spawnSync(process.execPath, words, {
      encoding: 'utf8',
      env: { ...process.env, ...env },
    });
    assert.notEqual(status, 0);
    return classify(`${stdout}\n${stderr}`, signal === null ? null : 'crash').cause;
  };
  assert.equal(cause(), 'provider');

  gcc('-o', 'libonnxruntime_providers_shared.so', source('providers.c'));
  assert.equal(cause(), 'provider', 'half of it');

  gcc('-o', 'libcuda.so.1', source('libcuda.c'), '-Wl,-soname,libcuda.so.1');
  gcc('-o', 'libcublasLt.so.13', source('libcuda.c'), '-Wl,-soname,libcublasLt.so.13');
  const provider = ['-DPROVIDER', '-Wl,--no-as-needed', source('providers.c')];
  gcc('-o', 'libonnxruntime_providers_cuda.so', ...provider, './libcublasLt.so.13', './libcuda.so.1');
  fs.rmSync(path.join(folder, 'libcublasLt.so.13'));
  assert.equal(cause(), 'libraries');

  gcc('-o', 'libonnxruntime_providers_cuda.so', ...provider, './libcuda.so.1');
  fs.renameSync(path.join(folder, 'libcuda.so.1'), path.join(folder, 'away'));
  assert.equal(cause(), 'driver');

  fs.renameSync(path.join(folder, 'away'), path.join(folder, 'libcuda.so.1'));
  assert.equal(cause(), 'crash', 'everything is loaded; the stub provider ends there');

  const tiny = tinyWorkspace(t, { layers: 1, train: 2 });
  const { code, stderr, stdout } = await layerif(['estimate', 'tiny.layerif.yaml'], { cwd: tiny.folder, env });
  assert.equal(code, 0, stderr);
  const notes = `${stdout}\n${stderr}`.split('\n').filter((line) => line.includes('CUDA is not used'));
  assert.equal(notes.length, 1, 'a driver is there, so `auto` says in one line why it takes the CPU');
  assert.match(notes[0], /the CPU is: a trial ended with (signal|exit code)/);
});
