/**
 * Installing the CUDA runtime, from a package index on the loopback that serves small wheels. The real packages are
 * never fetched here.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { deflateRawSync, crc32 } from 'node:zlib';
import {
  cudaEnvironment,
  cudaOffer,
  installCudaRuntime,
  installedCudaRuntime,
  removeCudaRuntime,
} from '../../server/src/run/machine/cudaRuntime.ts';
import { cudaOnnxruntime, cudaPackages } from '../../server/src/run/machine/cudaPackages.ts';
import type { CudaPackage } from '../../server/src/run/machine/cudaPackages.ts';
import { packageIndex } from '../../server/src/run/machine/wheels.ts';

const root = path.join(import.meta.dirname, '../..');

/** A zip file. `mode` is the Unix mode of an entry, for links. */
function zip(entries: { name: string; content: string; mode?: number }[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content, mode = 0o100644 } of entries) {
    const [bytes, label] = [Buffer.from(content), Buffer.from(name)];
    const packed = deflateRawSync(bytes);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(8, 4);
    common.writeUInt32LE(crc32(bytes), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(bytes.length, 18);
    common.writeUInt16LE(label.length, 22);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE((mode << 16) >>> 0, 6);
    tail.writeUInt32LE(offset, 10);
    directory.push(Buffer.from('PK\x01\x02\x14\x03', 'latin1'), common, tail, label);
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), common, label, packed]);
    parts.push(local);
    offset += local.length;
  }
  const size = Buffer.concat(directory).length;
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(size, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, ...directory, end]);
}

const wheels: Record<string, Buffer> = {
  'provider.whl': zip([
    { name: 'onnxruntime/capi/libonnxruntime_providers_cuda.so', content: 'the provider '.repeat(1000) },
    { name: 'onnxruntime/capi/libonnxruntime_providers_shared.so', content: 'shared' },
    { name: 'onnxruntime/capi/other.so', content: 'not needed' },
    { name: 'onnxruntime_gpu-1.dist-info/licenses/LICENSE', content: 'MIT' },
  ]),
  'blas.whl': zip([
    { name: 'nvidia/cu13/lib/libcublas.so.13', content: 'products' },
    { name: 'nvidia_cublas.dist-info/licenses/License.txt', content: 'EULA' },
  ]),
  'dnn.whl': zip([{ name: 'nvidia/cudnn/lib/libcudnn.so.9', content: 'convolutions' }]),
};

function row(name: string, file: string, libraries: RegExp, more: Partial<CudaPackage> = {}): CudaPackage {
  const sha256 = createHash('sha256').update(wheels[file]).digest('hex');
  const size = { download: wheels[file].length, kept: 20_000 };
  return { name, version: '1', file, sha256, ...size, licence: 'a licence', what: 'words', libraries, ...more };
}

const packages = [
  row('provider', 'provider.whl', /^libonnxruntime_providers_(cuda|shared)\.so$/),
  row('blas', 'blas.whl', /^libcublas\.so\.13$/),
  row('dnn', 'dnn.whl', /^libcudnn\.so\.9$/, { optional: true }),
];

async function index(t: TestContext, change: (file: string, wheel: Buffer) => Buffer | number = (_, wheel) => wheel) {
  const asked: string[] = [];
  const server = http.createServer(({ url }, answer) => {
    asked.push(url!);
    const wheel = /^\/files\/(\S+)$/.exec(url!)?.[1];
    const name = /^\/simple\/(\S+)\/$/.exec(url!)?.[1];
    if (wheel) {
      const sent = change(wheel, wheels[wheel]);
      if (typeof sent === 'number') answer.writeHead(sent).end();
      else answer.writeHead(200, { 'content-length': wheels[wheel].length }).end(sent, () => answer.destroy());
    } else if (name) {
      answer.setHeader('content-type', 'application/vnd.pypi.simple.v1+json');
      // Addresses may be relative to the page.
      const files = packages
        .filter((own) => own.name === name)
        .map(({ file }) => ({ filename: file, url: `../../files/${file}` }));
      answer.end(JSON.stringify({ files }));
    }
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  t.after(() => (server.closeAllConnections(), server.close()));
  const base = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-cuda-'));
  t.after(() => fs.rmSync(base, { recursive: true, force: true }));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/simple`;
  return { asked, base, options: { packages, base, index: address, platform: 'linux-x64' } };
}

test('libraries, licences and a manifest in one folder; removed again', async (t) => {
  const { base, options, asked } = await index(t);
  const seen: number[] = [];
  const { folder } = await installCudaRuntime({ ...options, onProgress: (done) => seen.push(done) });
  const lib = path.join(folder, 'lib');
  assert.deepEqual(fs.readdirSync(lib).sort(), [
    'libcublas.so.13',
    'libonnxruntime.so.1',
    'libonnxruntime_providers_cuda.so',
    'libonnxruntime_providers_shared.so',
  ]);
  assert.equal(
    fs.readFileSync(path.join(lib, 'libonnxruntime_providers_cuda.so'), 'utf8'),
    'the provider '.repeat(1000),
  );
  assert.deepEqual(fs.readdirSync(path.join(folder, 'licences')).sort(), ['blas-License.txt', 'provider-LICENSE']);
  assert.deepEqual(fs.readdirSync(base), [cudaOnnxruntime], 'nothing else is left');
  assert.equal(seen.at(-1), packages[0].download + packages[1].download);
  assert.ok(!asked.includes('/files/dnn.whl'), 'nobody asked for the optional one');
  assert.deepEqual(
    installedCudaRuntime(base)?.packages.map(({ name, sha256 }) => [name, sha256]),
    packages.slice(0, 2).map(({ name, sha256 }) => [name, sha256]),
  );
  if (process.platform === 'linux' && process.arch === 'x64')
    assert.ok(cudaEnvironment(base).LD_LIBRARY_PATH.split(':')[0] === lib);

  await installCudaRuntime({ ...options, optional: true }); // over the old one
  assert.ok(fs.existsSync(path.join(lib, 'libcudnn.so.9')));
  assert.deepEqual(fs.readdirSync(base), [cudaOnnxruntime]);

  fs.rmSync(path.join(lib, 'libcublas.so.13'));
  assert.equal(installedCudaRuntime(base), null, 'a part is missing');
  assert.deepEqual(cudaEnvironment(base), {});
  assert.equal(removeCudaRuntime(base), true);
  assert.deepEqual(fs.readdirSync(base), []);
  assert.equal(removeCudaRuntime(base), false);
});

const damages: [name: string, change: (file: string, wheel: Buffer) => Buffer | number, message: RegExp][] = [
  [
    'changed bytes',
    (file, wheel) => (file === 'blas.whl' ? Buffer.from(wheel).fill(0, 40, 41) : wheel),
    /blas\.whl has the SHA-256 \w+… and not \w+…: .*nothing was installed/,
  ],
  [
    'a transfer that ends early',
    (file, wheel) => (file === 'blas.whl' ? wheel.subarray(0, 50) : wheel),
    /blas 1 did not arrive: .*try again/,
  ],
  [
    'an index that refuses',
    (file, wheel) => (file === 'blas.whl' ? 503 : wheel),
    /blas 1 cannot be fetched: \S+ answers 503/,
  ],
];

for (const [name, change, message] of damages) {
  test(`${name}: nothing is installed, and what was there stays`, async (t) => {
    const good = await index(t);
    await installCudaRuntime(good.options);
    const { options } = await index(t, change);
    await assert.rejects(installCudaRuntime({ ...options, base: good.base }), message);
    assert.deepEqual(fs.readdirSync(good.base), [cudaOnnxruntime]);
    assert.notEqual(installedCudaRuntime(good.base), null);
  });
}

test('refusals before anything is fetched', async (t) => {
  const { options, asked, base } = await index(t);
  await assert.rejects(
    installCudaRuntime({ ...options, platform: 'darwin-arm64' }),
    /linux-x64 only, and this is darwin-arm64/,
  );
  const huge = [{ ...packages[0], kept: 1e18 }];
  await assert.rejects(installCudaRuntime({ ...options, packages: huge }), /takes \d+\.\d+ GB .* free some/);
  assert.deepEqual(asked, []);
  const other = [{ ...packages[0], file: 'newer.whl' }];
  await assert.rejects(
    installCudaRuntime({ ...options, packages: other }),
    /does not offer newer\.whl; set PIP_INDEX_URL/,
  );
  const abort = new AbortController();
  const onProgress = () => abort.abort(new Error('cancelled'));
  await assert.rejects(installCudaRuntime({ ...options, onProgress, signal: abort.signal }), /cancelled/);
  assert.deepEqual(fs.readdirSync(base), []);
});

test('a wheel whose entries are links, or the same library twice', async (t) => {
  const name = 'libcublas.so.13';
  const bad = {
    link: zip([{ name: `a/${name}`, content: '/etc/passwd', mode: 0o120777 }]),
    twice: zip([
      { name: `a/${name}`, content: 'one' },
      { name: `b/${name}`, content: 'two' },
    ]),
    climbing: zip([{ name: `../../${name}`, content: 'out' }]),
    nothing: zip([{ name: 'a/readme', content: 'x' }]),
    'no zip': Buffer.from('not a zip file at all, only a few words'),
  };
  for (const [what, wheel] of Object.entries(bad)) {
    const { options, base } = await index(t, () => wheel);
    wheels['bad.whl'] = wheel; // its length
    const sha256 = createHash('sha256').update(wheel).digest('hex');
    const own = { ...packages[1], file: 'blas.whl', sha256 };
    const length = wheels['blas.whl'];
    wheels['blas.whl'] = wheel;
    await assert.rejects(installCudaRuntime({ ...options, packages: [own] }), /cannot be unpacked|holds none/, what);
    wheels['blas.whl'] = length;
    assert.deepEqual(fs.readdirSync(base), [], what);
    assert.equal(fs.existsSync(path.join(base, '..', name)), false);
  }
});

test('the table: versions are equal, hashes are whole, licences and sizes are said', () => {
  const manifest = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  assert.equal(cudaOnnxruntime, manifest.dependencies['onnxruntime-node']);
  for (const { sha256, file, version, licence } of cudaPackages) {
    assert.match(sha256, /^[\da-f]{64}$/);
    assert.ok(file.includes(`-${version}-`) && file.includes('x86_64'), file);
    assert.ok(licence.length > 3);
  }
  const { lines, download } = cudaOffer(false);
  assert.equal(lines.length, 4);
  assert.equal(Math.round(download / 1e6), 771);
  assert.equal(cudaOffer(true).lines.length, 5);
  assert.equal(packageIndex({ PIP_INDEX_URL: 'http://127.0.0.1:1/simple/' }), 'http://127.0.0.1:1/simple');
});
