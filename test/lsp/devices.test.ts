/** Devices and the CUDA runtime through the server, as the editor's commands ask for them. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { requests } from '../../protocol/requests.ts';
import { Client } from './client.ts';

test('the report, the offer, an installation that fails, and nothing to remove', async (t) => {
  const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-lsp-devices-')));
  // An index that has nothing: the real packages are never fetched in tests.
  const server = http.createServer((_, answer) => answer.writeHead(404).end());
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const index = `http://127.0.0.1:${(server.address() as AddressInfo).port}/simple`;
  const client = await Client.start(root, {
    env: { XDG_CACHE_HOME: root, PIP_INDEX_URL: index, VK_ICD_FILENAMES: '/nonexistent.json' },
  });
  t.after(async () => {
    await client.stop();
    server.close();
    fs.rmSync(root, { recursive: true });
  });

  const { report, markdown, error } = await client.ask(requests.devices, {});
  assert.equal(error, null);
  assert.equal(report!.devices[0].device, 'cpu');
  assert.equal(report!.devices[0].failure, null);
  assert.match(markdown, /^# LayerIF: acceleration\n/);
  assert.match(markdown, /\| \*\*cpu\*\* \| works \| \d\S* [GT]FLOP\/s \|/);

  const offer = await client.ask(requests.cudaOffer, { optional: true });
  assert.deepEqual([offer.lines.length, offer.installed], [5, null]);
  assert.match(offer.lines.at(-1)!, /^nvidia-cudnn-cu13 .* 517 MB to download, .* licence: NVIDIA cuDNN/);

  const isHere = process.platform === 'linux' && process.arch === 'x64';
  const install = await client.ask(requests.installCuda, { optional: false });
  assert.equal(install.folder, null);
  assert.match(install.error!.message, isHere ? /cannot be fetched: \S+ answers 404/ : /linux-x64 only/);
  const removed = await client.ask(requests.removeCuda, {});
  assert.deepEqual(removed, { folder: null, error: null });
});
