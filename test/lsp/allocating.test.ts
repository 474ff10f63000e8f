/** Allocation and export through the server, as the results page asks for them. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { AllocateParams, ExportParams } from '../../protocol/lsp.ts';
import { requests } from '../../protocol/requests.ts';
import { score } from '../run/workspace.ts';
import { writeTinyWorkspace } from '../tinyLlama.ts';
import { Client } from './client.ts';

const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-lsp-allocate-')));
let client: Client;
let resultFile = '';
before(async () => {
  ({ resultFile } = await score(writeTinyWorkspace(root).experiment));
  client = await Client.start(root, { env: { XDG_CACHE_HOME: path.join(root, 'cache') } });
});
after(async () => {
  await client.stop();
  fs.rmSync(root, { recursive: true });
});

const allocate = (params: Omit<AllocateParams, 'resultFile'>) =>
  client.ask(requests.allocate, { resultFile, ...params });
const exportTo = (params: Omit<ExportParams, 'resultFile'>) => client.ask(requests.export, { resultFile, ...params });
const saved = () => resultFile.replace('.layerif-result.json', '.layerif-allocation.json');

test('an allocation with its explanations; written only when asked for', async () => {
  const { allocation, file, error } = await allocate({ kind: 'experts', total: 12, beta: 2 });
  assert.deepEqual([error, file, allocation?.total, fs.existsSync(saved())], [null, null, 12, false]);
  assert.match(allocation!.layers[2].why, /^Layer 2 gets \d+ experts? because its score .* to the power 2 is/);
  const kept = await allocate({ kind: 'sparsity', ratio: 0.4, save: true });
  assert.deepEqual([kept.error, kept.file, fs.existsSync(saved())], [null, saved(), true]);
});

test('bad input is an answer with one line', async () => {
  const { allocation, error } = await allocate({ kind: 'experts', total: 1 });
  assert.equal(allocation, null);
  assert.deepEqual([error?.code, error?.message.includes('\n')], ['badRequest', false]);
  assert.match((await exportTo({ to: 'nobody' })).error!.message, /unknown target "nobody"/);
});

test('an export as text, and as a file beside the result', async () => {
  const { text, error } = await exportTo({ to: 'mola', total: 9 });
  assert.equal(error, null);
  assert.match(text!, /^--number_experts "\d,\d,\d"/);
  const { file } = await exportTo({ to: 'csv', kind: 'rank', output: 'ranks.csv' });
  assert.equal(file, path.join(path.dirname(resultFile), 'ranks.csv'));
  assert.match(fs.readFileSync(file, 'utf8'), /^layer,name,score,parameters,rank,why\r\n0,/);
});

test('the choices for menus', async () => {
  const { rules, targets } = await client.ask(requests.allocationChoices, {});
  assert.deepEqual(
    rules.filter(({ kinds }) => kinds.includes('sparsity')).map(({ id }) => id),
    ['layerif', 'owl', 'alphapruning', 'uniform', 'reversed'],
  );
  assert.ok(targets.find(({ id }) => id === 'peft')?.kinds.includes('rank'));
});
