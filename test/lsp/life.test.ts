/** The server starts, ends, and ends with its editor. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Client } from './client.ts';
import { isAlive } from './descendants.ts';

test('shutdown and exit end the process with code 0', async () => {
  const client = await Client.start(os.tmpdir());
  assert.equal(await client.stop(), 0);
});

test('exit without shutdown is an error, by the protocol', async () => {
  const client = await Client.start(os.tmpdir());
  const exited = client.exited();
  await client.connection.sendNotification('exit');
  assert.equal(await exited, 1);
  client.connection.dispose();
});

test('a channel that closes ends the server', async () => {
  const client = await Client.start(os.tmpdir());
  const exited = client.exited();
  client.connection.dispose();
  client.process.disconnect();
  assert.equal(await exited, 1);
});

test('an editor that is killed takes the server with it', async () => {
  // The editor is a process of its own here; it tells the server's id and waits to be killed.
  const script = `
    import { Client } from ${JSON.stringify(new URL('./client.ts', import.meta.url).href)};
    const client = await Client.start(${JSON.stringify(os.tmpdir())});
    console.log(client.process.pid);
    setInterval(() => undefined, 1000);
  `;
  const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-life-')), 'editor.mts');
  fs.writeFileSync(file, script);
  const editor = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', file], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const pid = await new Promise<number>((resolve) => editor.stdout.once('data', (text) => resolve(Number(text))));
  assert.ok(isAlive(pid));
  editor.kill('SIGKILL');
  const deadline = Date.now() + 10_000;
  while (isAlive(pid) && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(isAlive(pid), false);
  fs.rmSync(path.dirname(file), { recursive: true });
});

test('the server never loads ONNX Runtime', async () => {
  const client = await Client.start(os.tmpdir());
  if (process.platform === 'linux') {
    const maps = fs.readFileSync(`/proc/${client.process.pid}/maps`, 'utf8');
    assert.doesNotMatch(maps, /onnxruntime/);
  }
  await client.stop();
});
