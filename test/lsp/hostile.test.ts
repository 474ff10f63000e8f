/**
 * What a file says never stops the server: other documents are answered, the file is marked, and nothing is left
 * running.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { requests } from '../../protocol/requests.ts';
import type { Result } from '../../protocol/result.ts';
import { seededRandom, writeTinyWorkspace } from '../tinyLlama.ts';
import { Client } from './client.ts';
import { busiest, descendants, isAlive } from './descendants.ts';
import { busyKinds, busyRuns, refusedKinds } from './hostileExperiments.ts';

/** Pipes, devices and processes are those of Linux. */
const skip = process.platform !== 'linux';
const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-hostile-')));
let client: Client;
let good: string;
let goodText: string;
const place = { line: 1, character: 1 };

before(async () => {
  const { experiment } = writeTinyWorkspace(folder);
  goodText = fs.readFileSync(experiment, 'utf8');
  client = await Client.start(folder);
  good = pathToFileURL(experiment).href;
  await client.open(good, goodText);
  await client.diagnostics(good);
});
after(async () => {
  await client.stop();
  fs.rmSync(folder, { recursive: true });
});

const marked = (uri: string) =>
  client.published.some((one) => one.uri === uri && one.diagnostics.some(({ message }) => isMark(message as string)));
const isMark = (message: string) => message.startsWith('LayerIF stopped analysing this file');

describe('what is refused at once', { skip }, () => {
  for (const [name, [kind, expected]] of Object.entries(refusedKinds)) {
    test(name, async () => {
      const uri = pathToFileURL(path.join(folder, `${name}.layerif.yaml`)).href;
      const text = kind(folder);
      fs.writeFileSync(path.join(folder, `${name}.layerif.yaml`), text);
      await client.open(uri, text);
      const said = () =>
        client.published.findLast((one) => one.uri === uri)?.diagnostics.map(({ message }) => message as string) ?? [];
      await client.until(
        () => said().some((message) => expected.test(message) || isMark(message)),
        `the message of ${name}`,
      );
      assert.ok(
        said().some((message) => expected.test(message)),
        said().join('\n'),
      );
      await client.connection.sendNotification('textDocument/didClose', { textDocument: { uri } });
    });
  }
});

describe('what keeps a loop busy', { skip }, () => {
  const random = seededRandom(20_261);
  for (const [name, kind] of Object.entries(busyKinds)) {
    test(`${name}: another file's hover comes first, then the file is marked, once`, async () => {
      const uri = pathToFileURL(path.join(folder, `${name}.layerif.yaml`)).href;
      const text = kind(folder, random);
      fs.writeFileSync(path.join(folder, `${name}.layerif.yaml`), text);
      await client.open(uri, text);
      // Asked again and again, so that some stand behind the work of the hostile file.
      let answers = 0;
      while (!marked(uri)) {
        const hover = await client.hover(good, place.line, place.character);
        assert.ok(hover);
        if (!marked(uri)) answers += 1;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      assert.ok(answers >= 1, 'no answer came while the hostile file was worked on');
      const last = client.published.filter((one) => one.uri === uri).at(-1)!;
      assert.equal(last.diagnostics.length, 1);
      assert.match(last.diagnostics[0].message as string, /it was not done after 5 s\..*change the file/);
      assert.equal(await client.hover(uri, place.line, place.character), null);

      await client.change(uri, goodText);
      const messages = await client.diagnostics(uri);
      assert.deepEqual(
        messages.filter((one) => one.includes('error')),
        [],
      );
      await client.connection.sendNotification('textDocument/didClose', { textDocument: { uri } });
    });
  }
});

test('a cancel ends a run whose data never comes to an end', { skip }, async () => {
  const file = path.join(folder, 'endless.layerif.yaml');
  fs.writeFileSync(file, busyRuns.tokenizerRegex(folder, seededRandom(2)));
  const run = client.ask(requests.score, { uri: pathToFileURL(file).href });
  await client.until(() => client.progress.some(({ value }) => value.kind === 'begin'), 'the run', 60_000);
  await client.ask(requests.cancelRun, {});
  const { resultFile, error } = await run;
  assert.equal(resultFile, null);
  assert.equal(error?.code, 'cancelled');
  assert.ok(client.progress.some(({ value }) => value.kind === 'end'));
  assert.ok(await client.hover(good, place.line, place.character));
});

test('the texts of a result whose template loops are refused in a sentence, and others are answered meanwhile', async () => {
  const golden = path.join(import.meta.dirname, '../golden/files/tiny.layerif-result.json');
  const result = JSON.parse(fs.readFileSync(golden, 'utf8')) as Result;
  const rows = path.join(folder, 'data', 'reviews.jsonl');
  result.experimentFile = path.join(folder, 'tiny.layerif.yaml');
  result.provenance.dataSha256['data/reviews.jsonl'] = createHash('sha256').update(fs.readFileSync(rows)).digest('hex');
  result.experiment.tasks[0].doc_to_text =
    '{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}';
  const resultFile = path.join(folder, 'looping.layerif-result.json');
  fs.writeFileSync(resultFile, JSON.stringify(result));
  const asked = client.ask(requests.sampleText, { resultFile, task: 'sentiment', split: 'train', samples: [0] }).then(
    () => 'answered',
    (error: Error) => error.message,
  );
  assert.ok(await client.hover(good, place.line, place.character));
  assert.match(await asked, /doc_to_text fails on row 0 \(the template takes more than \d+ steps\)/);
});

test('a worker that the system ends for its memory leaves the server, and one sentence', { skip }, async () => {
  const uri = pathToFileURL(path.join(folder, 'memory.layerif.yaml')).href;
  const text = busyKinds.yamlKeys(folder, seededRandom(4));
  fs.writeFileSync(path.join(folder, 'memory.layerif.yaml'), text);
  await client.open(uri, text);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  process.kill(await busiest(descendants(client.process.pid!)), 'SIGKILL');
  await client.until(() => marked(uri), 'the mark of the file that was worked on', 60_000);
  const last = client.published.filter((one) => one.uri === uri).at(-1)!;
  assert.equal(last.diagnostics.length, 1);
  assert.match(
    last.diagnostics[0].message as string,
    /^LayerIF stopped analysing this file: it (took too much memory|was not done after 5 s)\. .*change the file/,
  );
  assert.ok(await client.hover(good, place.line, place.character));
  await client.connection.sendNotification('textDocument/didClose', { textDocument: { uri } });
});

test('nothing outlives a server that is killed while a worker is busy', { skip }, async () => {
  const other = await Client.start(folder);
  const uri = pathToFileURL(path.join(folder, 'left.layerif.yaml')).href;
  const text = busyKinds.yamlKeys(folder, seededRandom(3));
  fs.writeFileSync(path.join(folder, 'left.layerif.yaml'), text);
  await other.open(uri, text);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const children = descendants(other.process.pid!);
  assert.ok(children.length > 0);
  const exited = other.exited();
  other.process.kill('SIGKILL');
  await exited;
  other.connection.dispose();
  for (let tries = 0; tries < 600 && children.some(isAlive); tries++)
    await new Promise((resolve) => setTimeout(resolve, 100));
  assert.deepEqual(children.filter(isAlive), []);
});
