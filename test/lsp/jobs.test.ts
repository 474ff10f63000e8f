/** Scoring through the server: a real engine, a real (tiny) model, the messages an editor sees. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { SampleTextParams } from '../../protocol/lsp.ts';
import type { Result } from '../../protocol/result.ts';
import type { ScoresFile } from '../../protocol/scores.ts';
import type { RunEvent } from '../../protocol/run.ts';
import { requests } from '../../protocol/requests.ts';
import { defaultSettings, machineOf } from '../../server/src/lsp/jobs.ts';
import { ago } from '../../server/src/lsp/codeLens.ts';
import { tinyCapitals, tinyReviews, writeTinyWorkspace } from '../tinyLlama.ts';
import type { InlayHint } from 'vscode-languageserver/node';
import { Client } from './client.ts';
import { descendants, isAlive, isEngine } from './descendants.ts';

const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-lsp-score-')));
// Hashes of test files do not belong in the user's cache.
const env = { XDG_CACHE_HOME: path.join(root, 'cache') };
let client: Client;
before(async () => {
  client = await Client.start(root, {
    settings: { device: 'cpu', server: { ...defaultSettings.server, threads: 1 } },
    env,
  });
});
after(async () => {
  await client.stop();
  fs.rmSync(root, { recursive: true });
});

function workspace(
  name: string,
  options: Parameters<typeof writeTinyWorkspace>[1] = {},
): { folder: string; uri: string; text: string } {
  const folder = path.join(root, name);
  const { experiment } = writeTinyWorkspace(folder, options);
  return { folder, uri: pathToFileURL(experiment).href, text: fs.readFileSync(experiment, 'utf8') };
}

const score = (params: { uri: string; task?: string; dataset?: string }) => client.ask(requests.score, params);
const ofType = <T extends RunEvent['type']>(type: T, from = 0) =>
  client.events.slice(from).filter((event) => event.type === type) as Extract<RunEvent, { type: T }>[];

test('a run: answer, events, progress, result file, lenses', async () => {
  const { uri, text, folder } = workspace('whole');
  await client.open(uri, text);
  const answer = await score({ uri });
  assert.equal(answer.error, null);
  const result = JSON.parse(fs.readFileSync(answer.resultFile!, 'utf8')) as Result;
  assert.equal(result.status, 'complete');
  assert.equal(result.experimentFile, path.join(folder, 'tiny.layerif.yaml'));
  assert.equal(result.provenance.threads, 1);
  assert.deepEqual(
    result.tasks.map(({ task, layers }) => [task, layers.length]),
    [
      ['sentiment', 3],
      ['capital', 3],
    ],
  );

  assert.equal(client.events[0].type, 'started');
  assert.equal(client.events.at(-1)!.type, 'finished');
  assert.deepEqual(ofType('finished')[0].result, result);
  assert.ok(ofType('layers').length >= 1);

  const [first, ...rest] = client.progress.map(({ value }) => value);
  assert.ok(first.kind === 'begin' && first.cancellable && first.percentage === 0);
  assert.equal(rest.at(-1)!.kind, 'end');
  const percentages = client.progress.flatMap(({ value }) => (value.kind === 'report' ? [value.percentage!] : []));
  assert.deepEqual(
    percentages,
    [...percentages].sort((a, b) => a - b),
  );
  assert.equal(percentages.at(-1), 100);

  const states = client.engineStates.map(({ state }) => state);
  assert.deepEqual([states[0], states.at(-1)], ['starting', 'idle']);
  assert.ok(states.includes('busy'));
  assert.match(client.engineStates.at(-1)!.detail, /^cpu, 1 thread/);

  await client.until(() => client.refreshes === 1, 'a refresh of the lenses');
  const lens = (await client.lenses(uri)).find(({ data }) => (data as { task?: string }).task === 'capital')!;
  assert.equal(
    (await client.resolve(lens)).command?.title,
    'Score This Task · 8 train × 4 validation · last score just now',
  );
  // Slices that were scored as they stand say their tokens; one that was changed since says its rows alone.
  const hints = async () =>
    (
      await client.connection.sendRequest<InlayHint[]>('textDocument/inlayHint', {
        textDocument: { uri },
        range: { start: { line: 0, character: 0 }, end: { line: 99, character: 0 } },
      })
    ).map(({ label }) => label);
  const words = ({ samples, tokens }: Result['tasks'][0]['train']) =>
    `${samples} rows, ${Math.round(tokens / samples)} tokens each`;
  const sides = result.tasks.flatMap(({ train, validation }) => [words(train), words(validation)]);
  assert.deepEqual((await hints()).slice(-4), sides);
  await client.change(uri, text.replace('train[:8]', 'train[:7]'));
  assert.deepEqual((await hints()).slice(-4), ['7 rows', ...sides.slice(1)]);
  await client.change(uri, text);
});

test('an estimate: time, memory and disk before the run; bad input is an answer', async () => {
  const { uri, folder } = workspace('estimated');
  const { estimate, error } = await client.ask(requests.estimate, { uri });
  assert.equal(error, null);
  assert.deepEqual(
    estimate!.tasks.map(({ task, train, validation }) => [task, train, validation]),
    [
      ['sentiment', 8, 4],
      ['capital', 8, 4],
    ],
  );
  assert.ok(estimate!.seconds > 0 && estimate!.memoryBytes > 0 && estimate!.refusal === null);
  assert.ok(!fs.existsSync(path.join(folder, 'runs', 'tiny')));
  fs.rmSync(path.join(folder, 'data', 'reviews.jsonl'));
  const gone = await client.ask(requests.estimate, { uri });
  assert.deepEqual([gone.estimate, gone.error!.code], [null, 'badData']);
});

test('scores alone: beside the newest result, without a run event; changed labels get an influence run of their own', async () => {
  const { uri } = workspace('whole');
  const before = client.events.length;
  const scores = [{ id: 'block_influence', options: {}, task: 'capital' }];
  const { resultFile, error } = await client.ask(requests.score, { uri, scores });
  assert.equal(error, null);
  const result = resultFile!.replace('-scores.json', '-result.json');
  assert.ok(fs.existsSync(result));
  assert.equal(client.events.length, before);
  const [, capital] = (JSON.parse(fs.readFileSync(result, 'utf8')) as Result).tasks;
  const flips = { id: 'ndr', options: { flips: 0.25, task: 'sentiment' } };
  const answer = await client.ask(requests.measureScores, { resultFile: result, scores: [flips] });
  assert.equal(answer.error, null);
  const { tables } = JSON.parse(fs.readFileSync(answer.scoresFile!, 'utf8')) as ScoresFile;
  assert.deepEqual(
    tables.map((table) => [table.score, table.texts]),
    [
      ['block_influence', `task capital, train[:8] of capitals: 8 texts, ${capital.train.tokens} tokens`],
      ['ndr', 'training samples of sentiment: 8, 2 with changed labels'],
    ],
  );
});

test('the self-check of gradients: a report with progress; what is wrong with the file is an answer', async () => {
  const { folder, text } = workspace('gradients');
  const file = path.join(folder, 'tiny.layerif.yaml');
  const check = () => client.ask(requests.checkGradients, { file });
  const from = client.progress.length;
  const [{ report, error }, second] = await Promise.all([check(), check()]);
  assert.equal(error, null);
  assert.ok(report?.passed && report.checks.length === 6 && report.file === file);
  assert.match(second.error!.message, /one run at a time/);
  const values = client.progress.slice(from).map(({ value }) => value);
  assert.ok(values[0].kind === 'begin' && values[0].title === 'Checking the gradients of tiny');
  assert.ok(values.some((value) => value.kind === 'report' && value.percentage === 100));
  assert.equal(values.at(-1)!.kind, 'end');

  fs.writeFileSync(file, text.replace('doc_to_target: sentiment', 'doc_to_target: nowhere'));
  const wrong = await check();
  assert.equal(wrong.report, null);
  assert.match(wrong.error!.message, /nowhere/);
});

test('one task, and the tasks of one dataset', async () => {
  const { uri } = workspace('parts');
  const names = async (params: { task?: string; dataset?: string }) => {
    const { resultFile, error } = await score({ uri, ...params });
    assert.equal(error, null);
    return (JSON.parse(fs.readFileSync(resultFile!, 'utf8')) as Result).tasks.map(({ task }) => task);
  };
  assert.deepEqual(await names({ task: 'capital' }), ['capital']);
  assert.deepEqual(await names({ dataset: 'reviews' }), ['sentiment']);
});

test('the texts of samples, until the data changes', async () => {
  const { uri, folder } = workspace('texts');
  const { resultFile } = await score({ uri });
  const texts = async (params: Omit<SampleTextParams, 'resultFile'>) =>
    (await client.ask(requests.sampleText, { ...params, resultFile })).samples;
  const reviews = tinyReviews(12);
  const file = path.join(folder, 'data', 'reviews.jsonl');
  const expected = (row: number) => `Review: ${reviews[row].review}\nSentiment: ${reviews[row].sentiment}`;
  assert.deepEqual(await texts({ task: 'sentiment', split: 'train', samples: [5, 0] }), [
    { index: 5, text: expected(5), answer: reviews[5].sentiment, file, line: 6 },
    { index: 0, text: expected(0), answer: reviews[0].sentiment, file, line: 1 },
  ]);
  assert.deepEqual(await texts({ task: 'sentiment', split: 'validation', samples: [3] }), [
    { index: 3, text: expected(11), answer: reviews[11].sentiment, file, line: 12 },
  ]);
  assert.equal(
    (await texts({ task: 'capital', split: 'train', samples: [1] }))[0].text,
    `The capital of ${tinyCapitals(2)[1].country} is ${tinyCapitals(2)[1].capital}`,
  );
  await assert.rejects(
    texts({ task: 'sentiment', split: 'train', samples: [8] }),
    /has 8 training samples, there is no sample 8/,
  );
  await assert.rejects(
    texts({ task: 'none', split: 'train', samples: [0] }),
    /has no task "none"; its tasks are sentiment, capital/,
  );

  // The whole folder moves: the result still finds its data.
  const moved = path.join(root, 'moved');
  fs.renameSync(folder, moved);
  const at = { task: 'sentiment', split: 'train', samples: [0] } as const;
  const there = path.join(moved, path.relative(folder, resultFile!));
  const again = await client.ask(requests.sampleText, {
    ...at,
    resultFile: there,
  });
  assert.deepEqual(again.samples, [
    {
      index: 0,
      text: expected(0),
      answer: reviews[0].sentiment,
      file: path.join(moved, 'data', 'reviews.jsonl'),
      line: 1,
    },
  ]);

  fs.appendFileSync(path.join(moved, 'data', 'reviews.jsonl'), '{"review":"x","sentiment":"positive"}\n');
  const changed = await client.ask(requests.sampleText, {
    ...at,
    resultFile: there,
  });
  assert.equal(changed.samples[0].text, null);
  fs.rmSync(path.join(moved, 'data', 'reviews.jsonl'));
  const gone = await client.ask(requests.sampleText, { ...at, resultFile: there });
  assert.equal(gone.samples[0].text, null);
});

test('mistakes come back as one line with its place', async () => {
  const { uri, text, folder } = workspace('wrong');
  fs.writeFileSync(path.join(folder, 'tiny.layerif.yaml'), text.replace('estimator:', 'estimatr:'));
  const line = text.split('\n').findIndex((words) => words.includes('estimator:')) + 1;
  const answer = await score({ uri });
  assert.deepEqual(answer, {
    resultFile: null,
    error: {
      code: 'badExperiment',
      message: `${path.join(folder, 'tiny.layerif.yaml')}:${line}:3: unknown key "estimatr" in score; did you mean "estimator"?`,
    },
  });
  assert.equal(client.progress.at(-1)!.value.kind, 'end');
});

/** Large enough that a run takes seconds. */
const slow = { layers: 8, hidden: 128, train: 400 };

test('one run at a time; $/progress cancels it and what is finished stays', async () => {
  const { uri } = workspace('cancelled', slow);
  const from = client.events.length;
  client.onProgress = (token, value) => {
    if (value.kind === 'report' && /forward|segment/.test(value.message ?? ''))
      void client.connection.sendNotification('window/workDoneProgress/cancel', { token });
  };
  const answer = score({ uri });
  const second = await score({ uri });
  assert.deepEqual(second, {
    resultFile: null,
    error: { code: 'badRequest', message: 'tiny is being scored; wait for it or cancel it, one run at a time' },
  });
  const cancelledAt = client.until(() => ofType('progress', from).length > 0, 'progress').then(() => Date.now());
  assert.equal((await answer).error?.code, 'cancelled');
  assert.ok(Date.now() - (await cancelledAt) < 5000, 'a cancel takes effect soon');
  client.onProgress = undefined;
  const [failed] = ofType('failed', from);
  assert.equal(failed.code, 'cancelled');
  const partial = JSON.parse(fs.readFileSync(ofType('started', from)[0].resultFile, 'utf8')) as Result;
  assert.equal(partial.status, 'partial');
});

test('the cancel request cancels too, and the next run resumes', async () => {
  const { uri } = workspace('resumed', { ...slow, train: 120 });
  const from = client.events.length;
  const answer = score({ uri, task: 'capital' });
  await client.until(() => ofType('progress', from).length > 0, 'progress');
  await client.ask(requests.cancelRun, {});
  assert.equal((await answer).error?.code, 'cancelled');
  assert.equal((await score({ uri, task: 'capital' })).error, null);
  const [first, second] = ofType('started', from);
  assert.equal(second.resumed, true);
  assert.equal(second.runId, first.runId);
  await client.ask(requests.cancelRun, {}); // nothing runs: nothing happens
});

test('an engine that is killed from outside: one message, and the next run works', async () => {
  const { uri } = workspace('killed', slow);
  const from = client.events.length;
  const answer = score({ uri, task: 'sentiment' });
  await client.until(() => ofType('progress', from).length > 0, 'progress');
  const children = descendants(client.process.pid!).filter(isEngine);
  if (children.length === 0) {
    await client.ask(requests.cancelRun, {}); // no way to find the engine's process on this platform
    await answer;
    return;
  }
  assert.equal(children.length, 1);
  process.kill(children[0], 'SIGKILL');
  const { error } = await answer;
  assert.equal(error?.code, 'engineDied');
  assert.match(error.message, /SIGKILL/);
  assert.equal((await score({ uri: workspace('after').uri, task: 'capital' })).error, null);
});

test('the engine goes down with a server that is killed', async () => {
  const other = await Client.start(root, {
    settings: { device: 'cpu', server: { ...defaultSettings.server, threads: 1 } },
    env,
  });
  const { uri } = workspace('orphan', slow);
  void other.ask(requests.score, { uri }).catch(() => undefined);
  await other.until(() => other.events.some(({ type }) => type === 'progress'), 'progress');
  const children = descendants(other.process.pid!);
  assert.ok(process.platform !== 'linux' || children.some(isEngine));
  const exited = other.exited();
  other.process.kill('SIGKILL');
  await exited;
  other.connection.dispose();
  const deadline = Date.now() + 10_000;
  while (children.some(isAlive) && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual(children.filter(isAlive), []);
});

test('settings become machine choices', () => {
  assert.deepEqual(machineOf(defaultSettings, 8), { device: 'auto', threads: 7, idleMinutes: 10 });
  assert.deepEqual(machineOf(defaultSettings, 2), { device: 'auto', threads: 2, idleMinutes: 10 });
  assert.deepEqual(
    machineOf({ device: 'cuda', server: { threads: 3, maxMemory: 4, idleTimeout: 1, runtime: '/opt/node' } }, 8),
    {
      device: 'cuda',
      threads: 3,
      memoryBytes: 4 * 2 ** 30,
      runtime: '/opt/node',
      idleMinutes: 1,
    },
  );
});

test('how long ago', () => {
  const now = new Date('2026-03-10T12:00:00Z');
  const cases: [string, string][] = [
    ['2026-03-10T11:59:30Z', 'just now'],
    ['2026-03-10T11:57:00Z', '3 min ago'],
    ['2026-03-10T09:30:00Z', '2 h ago'],
    ['2026-03-09T11:00:00Z', '1 day ago'],
    ['2026-03-01T11:00:00Z', '9 days ago'],
    ['2025-12-01T11:00:00Z', 'on 2025-12-01'],
  ];
  for (const [date, words] of cases) assert.equal(ago(new Date(date), now), words);
});

test('validation: the answer names the file, a bad one the reason', async () => {
  const { uri, text } = workspace('validated', { train: 8 });
  await client.open(uri, text);
  const validate = (params: object) => client.ask(requests.validate, params);
  const answer = await validate({ uri, task: 'sentiment', protocols: ['surrogate'] });
  assert.equal(answer.error, null);
  assert.match(answer.resultFile!, /tiny\.layerif-validation\.json$/);
  const result = JSON.parse(fs.readFileSync(answer.resultFile!, 'utf8')) as { status: string; protocols: object[] };
  assert.deepEqual([result.status, result.protocols.length], ['complete', 1]);
  const refused = await validate({ uri, task: 'nothing' });
  assert.equal(refused.resultFile, null);
  assert.match(refused.error!.message, /no task "nothing"/);
});
