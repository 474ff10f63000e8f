/**
 * Devices as a user meets them, on the command line: what is named never becomes another, `auto` says in one line why
 * the CPU runs, and a device that fails in the middle leaves a run that can be resumed. The device is the CPU in truth
 * (fakeDevice.mjs).
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { DeviceReport } from '../../protocol/devices.ts';
import type { Result } from '../../protocol/result.ts';
import { devicesMarkdown } from '../../server/src/run/machine/devices.ts';
import { layerif } from '../cli/layerifProcess.ts';
import { tinyWorkspace } from '../run/workspace.ts';

const onCuda = process.platform === 'linux' && process.arch === 'x64';
const skip = onCuda ? false : `CUDA is for linux-x64, this is ${process.platform}-${process.arch}`;
const preload = pathToFileURL(path.join(import.meta.dirname, 'fakeDevice.mjs')).href;

function workspace(t: TestContext) {
  const { folder } = tinyWorkspace(t, { layers: 2, train: 4 });
  const run = (device: string, fake?: string, ...more: string[]) =>
    layerif(['score', 'tiny.layerif.yaml', '--device', device, '--threads', '1', ...more], {
      cwd: folder,
      // No CUDA runtime of the user.
      env: {
        XDG_CACHE_HOME: folder,
        ...(fake ? { LAYERIF_TEST_DEVICE: fake, NODE_OPTIONS: `--import ${preload}` } : {}),
      },
    });
  const results = (): Result[] => {
    const runs = path.join(folder, 'runs', 'tiny');
    if (!fs.existsSync(runs)) return [];
    return fs
      .readdirSync(runs)
      .map((name) => path.join(runs, name, 'tiny.layerif-result.json'))
      .filter((file) => fs.existsSync(file))
      .map((file) => JSON.parse(fs.readFileSync(file, 'utf8')) as Result);
  };
  return { folder, run, results };
}

test('the device that was named runs, and stands in the result', { skip }, async (t) => {
  const { run, results } = workspace(t);
  const { code, stderr } = await run('cuda', 'works 1');
  assert.equal(code, 0, stderr);
  assert.deepEqual(
    results().map(({ status, provenance }) => [status, provenance.device]),
    [['complete', 'cuda']],
  );
});

test('where the CPU has to help with a graph, the log says so once', { skip }, async (t) => {
  const { run, results } = workspace(t);
  const { code, stderr } = await run('cuda', 'partly 1', '--verbose');
  assert.equal(code, 0, stderr);
  assert.equal(stderr.split('cuda lacks some operators').length, 2, stderr);
  assert.equal(results()[0].provenance.device, 'cuda');
});

for (const [fake, said] of [
  ['wrong 1', /its numbers are wrong/],
  ['crash 1', /a trial ended with (signal SIGSEGV|exit code 139)/],
  ['helped 1', /leave part of the work to the CPU/],
] as const) {
  test(`a named device does not become the CPU: ${fake}`, { skip }, async (t) => {
    const { run, results } = workspace(t);
    const { code, stderr } = await run('cuda', fake);
    assert.equal(code, 1);
    assert.match(stderr, /device "cuda" cannot be used: /);
    assert.match(stderr, said);
    assert.deepEqual(results(), []);
  });
}

test('a device that is not there: exit code 1 and what to do, or never here', async (t) => {
  const { run, results } = workspace(t);
  const elsewhere = process.platform === 'win32' ? 'coreml' : 'dml';
  const { code, stderr } = await run(elsewhere);
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`device "${elsewhere}" cannot be used: .* only, and this is ${process.platform}-`));
  if (onCuda && !fs.existsSync('/dev/nvidiactl')) {
    const cuda = await run('cuda');
    assert.equal(cuda.code, 1);
    assert.match(cuda.stderr, /CUDA provider is not installed; run .*install-cuda/);
  }
  assert.deepEqual(results(), []);
});

for (const [fake, code, said] of [
  ['lost 9', 1, /the device does not answer any more/],
  ['memory 9', 3, /the device's memory is full/],
] as const) {
  test(`a device that fails in the middle of a run: ${fake}`, { skip }, async (t) => {
    const { run, results } = workspace(t);
    const broken = await run('cuda', fake);
    assert.equal(broken.code, code, broken.stderr);
    const lines = broken.stderr.split('\n').filter((line) => line.includes('device "cuda" failed'));
    assert.equal(lines.length, 1, broken.stderr);
    assert.match(lines[0], said);
    assert.match(lines[0], /finished layers are kept/);

    const again = await run('cuda', 'works 1');
    assert.equal(again.code, 0, again.stderr);
    const resumed = results();
    assert.equal(resumed.length, 1, 'the same run goes on');
    const whole = workspace(t);
    assert.equal((await whole.run('cuda', 'works 1')).code, 0);
    assert.deepEqual(
      resumed[0].tasks.map(({ layers }) => layers),
      whole.results()[0].tasks.map(({ layers }) => layers),
    );
  });
}

test('layerif devices: every device, in JSON, in a table and as a document', async (t) => {
  const { folder } = workspace(t);
  const env = { XDG_CACHE_HOME: folder, ...(onCuda ? { NODE_OPTIONS: `--import ${preload}` } : {}) };
  const { code, stdout, stderr } = await layerif(['devices', '--json', '--threads', '1'], { cwd: folder, env });
  assert.equal(code, 0, stderr);
  const report = JSON.parse(stdout) as DeviceReport;
  assert.deepEqual(
    report.devices.map(({ device }) => device),
    ['cpu', 'cuda', 'webgpu', 'dml', 'coreml'],
  );
  for (const { device, failure, flopsPerSecond } of report.devices) {
    if (failure) assert.equal(flopsPerSecond, null, device);
    else assert.ok(flopsPerSecond! > 1e6, `${device}: ${flopsPerSecond}`);
  }
  const here = new Map(report.devices.map((row) => [row.device, row.failure?.cause ?? 'works']));
  assert.equal(here.get('cpu'), 'works');
  if (onCuda) assert.equal(here.get('cuda'), 'works', 'the fake one');
  assert.ok([here.get('dml'), here.get('coreml')].includes('platform'));

  const text = devicesMarkdown(report);
  for (const { device } of report.devices) assert.match(text, new RegExp(`^\\| \\*\\*${device}\\*\\* \\|`, 'm'));
  assert.match(text, new RegExp(`ONNX Runtime ${report.onnxruntime.replaceAll('.', '\\.')}`));
  assert.doesNotMatch(text, /undefined|null|NaN/);
});

test('layerif devices: another word, and an installation that nobody agreed to', async (t) => {
  const { folder } = workspace(t);
  const wrong = await layerif(['devices', 'instal-cuda'], { cwd: folder });
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /did you mean "install-cuda"/);
  const offer = await layerif(['devices', 'install-cuda'], { cwd: folder, env: { XDG_CACHE_HOME: folder } });
  assert.equal(offer.code, 2);
  assert.match(
    offer.stderr,
    /nvidia-cublas 13\S+: matrix products; 444 MB to download, 609 MB on disk; licence: NVIDIA/,
  );
  assert.match(offer.stderr, /nothing was installed: .* --yes/);
  assert.equal(fs.existsSync(path.join(folder, 'layerif', 'cuda-runtime')), false);
});
