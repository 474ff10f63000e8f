/**
 * A workspace that is not trusted: what the server refuses whoever asks, what it answers all the same, and trust that
 * is granted.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { WORKSPACE_TRUST } from '../../protocol/lsp.ts';
import { requests } from '../../protocol/requests.ts';
import type { RequestName } from '../../protocol/requests.ts';
import { writeTinyWorkspace } from '../tinyLlama.ts';
import { Client } from './client.ts';

/** Everything that loads a model, starts a process or downloads. */
const refused: readonly RequestName[] = [
  'score',
  'checkGradients',
  'validate',
  'prune',
  'evaluate',
  'pruneAndCompare',
  'estimate',
  'measureScores',
  'estimatePruning',
  'devices',
  'installCuda',
];

test('every request that runs or downloads is refused until the workspace is trusted; the others are answered', async (t) => {
  const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-lsp-trust-')));
  const { experiment } = writeTinyWorkspace(root);
  const uri = pathToFileURL(experiment).href;
  const client = await Client.start(root, {
    env: { XDG_CACHE_HOME: path.join(root, 'cache'), PIP_INDEX_URL: 'http://127.0.0.1:9/simple' },
    initializationOptions: { trusted: false },
  });
  t.after(async () => {
    await client.stop();
    fs.rmSync(root, { recursive: true });
  });
  const sent = (name: RequestName, params: object) => client.connection.sendRequest(requests[name].method, params);

  for (const name of refused)
    await assert.rejects(sent(name, { uri, file: experiment, optional: false }), {
      message:
        /^this workspace is not trusted, and .*; trust it \(command "Workspaces: Manage Workspace Trust"\) and run/,
    });
  assert.deepEqual(client.engineStates, [], 'no engine was started');
  assert.equal(fs.existsSync(path.join(root, 'runs')), false);

  // What only reads is answered: an answer, or an error of its own about the parameters.
  const { tasks } = await client.ask(requests.outline, { uri });
  assert.deepEqual(
    tasks.map(({ task }) => task),
    ['sentiment', 'capital'],
  );
  for (const name of (Object.keys(requests) as RequestName[]).filter((row) => !refused.includes(row))) {
    const message = await sent(name, {}).then(
      () => '',
      (error: Error) => error.message,
    );
    assert.doesNotMatch(message, /not trusted/, name);
  }

  await client.connection.sendNotification(WORKSPACE_TRUST, { trusted: true });
  const answer = await client.ask(requests.estimatePruning, { uri });
  assert.notEqual(answer.estimate ?? answer.error, null);
});
