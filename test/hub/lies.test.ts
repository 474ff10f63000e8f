/**
 * A hub that lies: every header that can carry an address names another host, listings do not end, and the token stays
 * at home.
 */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import type { TestContext } from 'node:test';
import { LayerifError } from '../../protocol/errors.ts';
import { boundedText, listRepo, requestOnce } from '../../server/src/hub/remote.ts';
import type { Wanted } from '../../server/src/hub/errors.ts';
import { fetchModel } from '../../server/src/run/inputs/hubInputs.ts';
import { fakeHub } from './fakeHub.ts';

const wanted: Wanted = { repo: { type: 'model', id: 'org/tiny' }, revision: 'main' };
const commit = 'a'.repeat(40);

type Answer = (request: http.IncomingMessage, answer: http.ServerResponse) => void;

interface Host {
  address: string;
  port: number;
  seen: { url: string; authorization: string | undefined }[];
}

async function host(t: TestContext, answer: Answer): Promise<Host> {
  const seen: Host['seen'] = [];
  const server = http.createServer((request, response) => {
    seen.push({ url: request.url!, authorization: request.headers.authorization });
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { address: `http://127.0.0.1:${port}`, port, seen };
}

/** A hub that answers the info of a repository and leaves the rest to the test; HF_ENDPOINT and HF_TOKEN are set. */
async function lyingHub(t: TestContext, rest: Answer): Promise<Host> {
  await fakeHub(t, {}); // keeps and restores the environment
  const hub = await host(t, (request, answer) => {
    if (!request.url!.includes('/revision/')) return rest(request, answer);
    answer.end(JSON.stringify({ _id: '1', id: 'org/tiny', sha: commit, lastModified: '2025-01-01' }));
  });
  process.env.HF_ENDPOINT = hub.address;
  process.env.HF_TOKEN = 'hf_abc';
  return hub;
}

async function message(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof LayerifError, String(error));
  assert.ok(!error.message.includes('\n'));
  return error.message;
}

const elsewhere = (t: TestContext) => host(t, (_, answer) => answer.end('[]'));

test('a next page on another host, port or scheme is not asked', async (t) => {
  const other = await elsewhere(t);
  let link = '';
  const hub = await lyingHub(t, (_, answer) => {
    answer.setHeader('link', link);
    answer.end('[]');
  });
  const lies = [
    `${other.address}/api/models/org/tiny/tree/main?cursor=2`,
    `http://localhost:${hub.port}/next`,
    `https://127.0.0.1:${hub.port}/next`,
    `http://127.0.0.1:${hub.port}@127.0.0.1:${other.port}/next`,
  ];
  for (const lie of lies) {
    link = `<${lie}>; rel="next"`;
    const text = await message(listRepo(wanted));
    assert.ok(text.includes(JSON.stringify(lie)), text);
    assert.match(text, /which is another host: it is not asked, and gets no token/);
  }
  assert.deepEqual(other.seen, []);
  for (const { authorization } of hub.seen) assert.equal(authorization, 'Bearer hf_abc');
});

test('pages of the hub itself are read, the same one twice or pages without end are not', async (t) => {
  let page = 0;
  let next = (): string | null => null;
  const hub = await lyingHub(t, (_, answer) => {
    page += 1;
    const to = next();
    if (to !== null) answer.setHeader('link', `<${process.env.HF_ENDPOINT}${to}>; rel="next"`);
    answer.end(JSON.stringify([{ type: 'file', path: `${page}.json`, size: 1, oid: 'b'.repeat(40) }]));
  });
  next = () => (page < 3 ? `/tree?cursor=${page}` : null);
  const { files } = await listRepo(wanted);
  assert.deepEqual(
    files.map(({ path }) => path),
    ['1.json', '2.json', '3.json'],
  );
  next = () => '/tree?cursor=same';
  assert.match(await message(listRepo(wanted)), /names a page that was read already and would not end/);
  next = () => `/tree?cursor=${page}`;
  hub.seen.length = 0;
  assert.match(await message(listRepo(wanted)), /has more than 500 pages and would not end/);
  assert.equal(hub.seen.length, 501, 'the info and 500 pages');
});

test('redirects: followed to other hosts without the token, which does not come back; not to nowhere, not in circles', async (t) => {
  let back = '';
  const other = await host(t, (request, answer) => {
    if (request.url === '/back') return void answer.writeHead(302, { location: back }).end();
    answer.end('bytes');
  });
  let status = 302;
  let location: string | null = null;
  const hub = await lyingHub(t, (request, answer) => {
    if (request.url !== '/start') return void answer.end('home');
    answer.writeHead(status, location === null ? {} : { location }).end();
  });
  back = `${hub.address}/home`;
  const start = `${hub.address}/start`;
  const text = async () => (await requestOnce(start)).text();

  for (status of [301, 302, 303, 307, 308]) {
    for (location of [`${other.address}/file`, `//127.0.0.1:${other.port}/file`]) assert.equal(await text(), 'bytes');
    location = '/home';
    assert.equal(await text(), 'home');
  }
  assert.deepEqual([...new Set(hub.seen.map(({ authorization }) => authorization))], ['Bearer hf_abc']);
  assert.deepEqual([...new Set(other.seen.map(({ authorization }) => authorization))], [undefined]);

  // The same machine by another name, and another port of it, are other origins.
  location = `http://localhost:${hub.port}/home`;
  assert.equal(await text(), 'home');
  assert.deepEqual(hub.seen.at(-1), { url: '/home', authorization: undefined });
  location = `${other.address}/back`;
  assert.equal(await text(), 'home');
  assert.deepEqual(hub.seen.at(-1), { url: '/home', authorization: undefined });

  location = null;
  assert.match(await message(text()), /\/start is sent on to no address at all: it is not followed/);
  for (const [lie, fault] of [
    ['file:///etc/passwd', 'which is neither http nor https'],
    ['ftp://example.org/x', 'which is neither http nor https'],
    ['http://', 'which is no address'],
    [`http://me:secret@127.0.0.1:${other.port}/`, 'which carries a login'],
  ]) {
    location = lie;
    const said = await message(text());
    assert.ok(said.includes(`is sent on to ${JSON.stringify(lie)}, ${fault}`), said);
  }
  location = '/start';
  assert.match(await message(text()), /is sent on more than 10 times/);
});

test('other headers with addresses are read by nobody', async (t) => {
  const other = await elsewhere(t);
  const hub = await lyingHub(t, (_, answer) => {
    const lie = `${other.address}/lie`;
    for (const name of [
      'content-location',
      'refresh',
      'x-linked-etag',
      'x-linked-size',
      'x-repo-commit',
      'x-xet-cas-url',
      'x-xet-refresh-route',
      'alt-svc',
      'access-control-allow-origin',
    ])
      answer.setHeader(name, lie);
    answer.setHeader('link', `<${lie}>; rel="xet-auth", <${lie}>; rel="xet-reconstruction-info"`);
    answer.end('[]');
  });
  assert.deepEqual(await listRepo(wanted), { commit, files: [] });
  assert.equal(await (await requestOnce(`${hub.address}/file`)).text(), '[]');
  assert.deepEqual(other.seen, []);
});

test('a page without end, and an endpoint that is no address', async (t) => {
  await lyingHub(t, (_, answer) => {
    const piece = Buffer.alloc(1 << 20, ' ');
    const go = (): void => {
      if (!answer.destroyed) answer.write(piece, () => setImmediate(go));
    };
    go();
  });
  assert.match(await message(listRepo(wanted)), /answers with more than 64 MiB where a short text belongs/);
  for (const endpoint of ['huggingface.co', 'file:///models', 'http://']) {
    process.env.HF_ENDPOINT = endpoint;
    assert.match(
      await message(fetchModel({ path: 'org/tiny' }, os.tmpdir())),
      /^HF_ENDPOINT ".*" is no address of a hub: write https:\/\/HOST/,
    );
  }
});

test('an answer that hardly comes, or stops before its length, is not waited for', async (t) => {
  const timers: NodeJS.Timeout[] = [];
  t.after(() => timers.forEach(clearInterval));
  const slow = await host(t, (request, answer) => {
    if (request.url === '/stops') answer.setHeader('content-length', 2 ** 40);
    answer.write('[');
    if (request.url === '/drips') timers.push(setInterval(() => answer.write(' '), 50));
    if (request.url === '/ends') answer.end(']');
  });
  const read = async (name: string) => {
    const address = `${slow.address}/${name}`;
    return boundedText(await requestOnce(address), address, 400);
  };
  assert.equal(await read('ends'), '[]');
  for (const name of ['drips', 'stops'])
    await assert.rejects(read(name), {
      message: new RegExp(`/${name}: the answer has stopped, or comes with under 2000`),
    });
});
