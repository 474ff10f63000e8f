/**
 * A server on the loopback address that speaks the part of the hub's interface that downloads need: repository info,
 * tree listing, `resolve` with ETag, X-Repo-Commit, X-Linked-Etag, X-Linked-Size, a redirect to another address for LFS
 * files, Range requests. It can cut connections, corrupt bytes, ask for tokens and refuse.
 *
 *   const hub = await fakeHub(t, { 'org/tiny': { files: { 'config.json': '{}' } } });
 *   hub.cut('model.safetensors', 1000);      // the next answer with this file ends after 1000 bytes
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';

export interface FakeRepo {
  type?: 'model' | 'dataset';
  files: Record<string, string | Uint8Array>;
  /** Branch -> files that differ; each branch has a commit of its own. */
  branches?: Record<string, Record<string, string | Uint8Array>>;
  /** Who has no such token is refused. */
  token?: string;
  gated?: boolean;
}

export interface Seen {
  method: string;
  url: string;
  range: string | undefined;
  authorization: string | undefined;
}

export interface FakeHub {
  address: string;
  /** HF_HUB_CACHE of this test. */
  cache: string;
  seen: Seen[];
  repos: Record<string, FakeRepo>;
  /** The next answers with this file end after so many bytes each. */
  cut(file: string, ...bytes: number[]): void;
  /** The next `times` answers with this file have a wrong byte. */
  corrupt(file: string, times: number): void;
  /** Milliseconds before every piece of a file. */
  slow(milliseconds: number): void;
  /** From now on every file is sent from its start, as by a server that knows no ranges. */
  wholeAnswers(): void;
  /** File answers so far. */
  downloads(): string[];
  /** HEAD commit of a branch. */
  commitOf(id: string, revision?: string): string;
}

const LFS = /\.(safetensors|gguf|bin|parquet)$/;
const PIECE = 4096;

const sha1 = (...parts: (string | Uint8Array)[]) =>
  parts.reduce((hash, part) => hash.update(part), createHash('sha1')).digest('hex');
const bytesOf = (content: string | Uint8Array): Buffer => Buffer.from(content as Uint8Array);
const gitHash = (bytes: Buffer) => sha1(`blob ${bytes.length}\0`, bytes);
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** Starts the server, and points HF_ENDPOINT and HF_HUB_CACHE to it until the test ends. */
export async function fakeHub(t: TestContext, repos: Record<string, FakeRepo>): Promise<FakeHub> {
  const cache = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-hub-'));
  const cuts = new Map<string, number[]>();
  const wrong = new Map<string, number>();
  const seen: Seen[] = [];
  let pause = 0;
  let ranges = true;

  const contentOf = (id: string, commit: string): Record<string, string | Uint8Array> | null => {
    const repo = repos[id];
    for (const [branch, files] of [['main', {}] as const, ...Object.entries(repo.branches ?? {})])
      if (commit === commitOf(id, branch) || commit === branch) return { ...repo.files, ...files };
    return null;
  };
  const commitOf = (id: string, revision = 'main'): string => {
    const repo = repos[id];
    const files = revision === 'main' ? {} : repo.branches![revision];
    const all = Object.entries({ ...repo.files, ...files }).map(
      ([name, content]) => `${name} ${gitHash(bytesOf(content))}`,
    );
    return sha1(id, revision, all.join('\n'));
  };
  const refuse = (answer: http.ServerResponse, status: number, code: string): void => {
    answer.writeHead(status, { 'x-error-code': code, 'content-type': 'application/json' });
    answer.end(JSON.stringify({ error: code }));
  };

  const sendFile = (
    request: http.IncomingMessage,
    answer: http.ServerResponse,
    name: string,
    content: Buffer,
  ): void => {
    const range = /^bytes=(\d+)-(\d*)$/.exec((ranges && request.headers.range) || '');
    const start = Number(range?.[1] ?? 0);
    const stop = range?.[2] ? Math.min(Number(range[2]) + 1, content.length) : content.length;
    const rest = Buffer.from(content.subarray(start, stop));
    const left = wrong.get(name) ?? 0;
    if (left > 0 && rest.length > 0) {
      wrong.set(name, left - 1);
      rest[rest.length - 1] ^= 1;
    }
    const headers: http.OutgoingHttpHeaders = { 'content-length': rest.length, 'accept-ranges': 'bytes' };
    if (range) headers['content-range'] = `bytes ${start}-${stop - 1}/${content.length}`;
    answer.writeHead(range ? 206 : 200, headers);
    const end = cuts.get(name)?.shift();
    let at = 0;
    const next = (): void => {
      if (answer.destroyed) return;
      if (end !== undefined && at >= end) return void answer.socket?.destroy();
      if (at >= rest.length) return void answer.end();
      const to = Math.min(rest.length, at + Math.max(PIECE, rest.length >> 8), end ?? Infinity);
      const piece = rest.subarray(at, to);
      at = to;
      answer.write(piece, () => setTimeout(next, pause));
    };
    next();
  };

  const server = http.createServer((request, answer) => {
    const url = new URL(request.url!, 'http://hub');
    const { authorization, range } = request.headers;
    seen.push({ method: request.method!, url: request.url!, range, authorization });
    const cdn = /^\/cdn\/([^/]+\/[^/]+)\/([0-9a-f]+)\/(.+)$/.exec(url.pathname);
    if (cdn) {
      const [, id, commit, name] = cdn;
      return sendFile(request, answer, name, bytesOf(contentOf(id, commit)![name]));
    }
    const api = /^\/api\/(model|dataset)s\/((?:[^/]+\/)?[^/]+)\/(revision|tree)\/([^/]+(?:\/[^?]*)?)$/.exec(
      url.pathname,
    );
    const file = /^\/(datasets\/)?([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/.exec(url.pathname);
    const id = api?.[2] ?? file?.[2] ?? '';
    const repo = Object.hasOwn(repos, id) ? repos[id] : undefined;
    const type = api?.[1] ?? (file?.[1] ? 'dataset' : 'model');
    if (!repo || (repo.type ?? 'model') !== type) return refuse(answer, authorization ? 404 : 401, 'RepoNotFound');
    if (repo.token !== undefined && authorization !== `Bearer ${repo.token}` && (file || !repo.gated))
      return refuse(answer, authorization ? 403 : 401, repo.gated ? 'GatedRepo' : 'RepoNotFound');
    const revision = decodeURIComponent(api?.[4] ?? file![3]);
    const files = contentOf(id, revision);
    if (!files) return refuse(answer, 404, 'RevisionNotFound');
    const commit = /^[0-9a-f]{40}$/.test(revision) ? revision : commitOf(id, revision);
    if (api?.[3] === 'revision') {
      answer.writeHead(200, { 'content-type': 'application/json' });
      return void answer.end(JSON.stringify({ _id: '1', id, sha: commit, private: false, lastModified: '2025-01-01' }));
    }
    if (api) {
      const tree = Object.entries(files).map(([name, content]) => {
        const bytes = bytesOf(content);
        const lfs = LFS.test(name) ? { lfs: { oid: sha256(bytes), size: bytes.length, pointerSize: 130 } } : {};
        return { type: 'file', path: name, size: bytes.length, oid: gitHash(bytes), ...lfs };
      });
      answer.writeHead(200, { 'content-type': 'application/json' });
      return void answer.end(JSON.stringify(tree));
    }
    const name = decodeURIComponent(file![4]);
    if (!Object.hasOwn(files, name)) return refuse(answer, 404, 'EntryNotFound');
    const bytes = bytesOf(files[name]);
    answer.setHeader('x-repo-commit', commit);
    answer.setHeader('etag', `"${gitHash(bytes)}"`);
    if (!LFS.test(name)) return sendFile(request, answer, name, bytes);
    answer.writeHead(302, {
      'x-linked-etag': `"${sha256(bytes)}"`,
      'x-linked-size': bytes.length,
      // Another origin, as on the hub: the token must not travel there.
      location: `http://localhost:${(server.address() as AddressInfo).port}/cdn/${id}/${commit}/${name}`,
    });
    answer.end();
  });
  await new Promise<void>((resolve) => server.listen({ port: 0 }, resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const variables = [
    'HF_ENDPOINT',
    'HF_HUB_CACHE',
    'HF_HOME',
    'HF_TOKEN',
    'HUGGING_FACE_HUB_TOKEN',
    'HF_TOKEN_PATH',
    'HF_HUB_OFFLINE',
    'TRANSFORMERS_OFFLINE',
    'HF_DATASETS_OFFLINE',
  ];
  const before = new Map(variables.map((name) => [name, process.env[name]]));
  for (const name of variables) delete process.env[name];
  process.env.HF_ENDPOINT = address;
  process.env.HF_HUB_CACHE = cache;
  process.env.HF_HOME = path.join(cache, 'home');
  t.after(() => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    server.closeAllConnections();
    server.close();
    fs.rmSync(cache, { recursive: true, force: true });
  });
  return {
    address,
    cache,
    seen,
    repos,
    cut: (name, ...bytes) => void cuts.set(name, bytes),
    corrupt: (name, times) => void wrong.set(name, times),
    wholeAnswers: () => void (ranges = false),
    slow: (milliseconds) => (pause = milliseconds),
    downloads: () => seen.filter(({ url }) => /\/(cdn|resolve)\//.test(url)).map(({ url }) => url.split('/').at(-1)!),
    commitOf,
  };
}
