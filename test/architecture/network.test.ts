/**
 * Nothing listens on a port. Two places may go to the network: `hub/`, for the files of a hub id that an experiment
 * names, and `run/machine/wheels.ts`, for the CUDA runtime once a user has agreed to it.
 */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';

const root = resolve(import.meta.dirname, '../..');

/** What opens a connection or a port, in Node and in a page. */
const network = [
  /\bfrom 'node:(net|http|https|http2|tls|dgram|dns|inspector)/,
  /\brequire\('(node:)?(net|http|https|http2|tls|dgram)'\)/,
  /\bimport\('node:(net|http|https|http2|tls|dgram)/,
  /(?<![.\w])fetch\s*\(/,
  /\bnew (WebSocket|EventSource|XMLHttpRequest)\b/,
  /\bnavigator\.sendBeacon\b/,
  /\.listen\(\s*\d/,
  /@huggingface\/hub/,
];
const allowed = ['server/src/hub/', 'server/src/run/machine/wheels.ts'];

function offences(text: string): string[] {
  return text
    .split('\n')
    .map((line, index) => ({ line, index }))
    .filter(({ line }) => !/^\s*(\*|\/\/)/.test(line) && network.some((pattern) => pattern.test(line)))
    .map(({ line, index }) => `${index + 1}: ${line.trim()}`);
}

test('no source file reaches for the network', () => {
  const found = ['protocol', 'extension/src', 'webview/src', 'server/src'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.tsx?$/.test(name))
      .map((name) => join(folder, name).split(sep).join('/'))
      .filter((file) => !allowed.some((prefix) => file.startsWith(prefix)))
      .flatMap((file) => offences(readFileSync(join(root, file), 'utf8')).map((offence) => `${file}:${offence}`)),
  );
  assert.deepEqual(found, []);
});

test('the check sees what it should see', () => {
  const seen = [
    "import net from 'node:net';",
    'await fetch(url)',
    'new WebSocket(a)',
    'server.listen(8080)',
    "const h = require('http')",
  ];
  for (const line of seen) assert.equal(offences(line).length, 1, line);
  for (const line of ['connection.listen();', '// fetch(x)', 'this.prefetch(x)', "import fs from 'node:fs';"])
    assert.deepEqual(offences(line), [], line);
});
