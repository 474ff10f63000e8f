/** `layerif mcp` as a client of the official SDK sees it, on a tiny checkpoint; the whole session is a golden file. */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inputSchema, tools } from '../../protocol/tools.ts';
import { assertGolden } from '../golden/golden.ts';
import { writeTinyWorkspace } from '../tinyLlama.ts';
import { connect, textOf } from './client.ts';
import { transcript } from './transcript.ts';

let folder = '';
let experiment = '';
/** Of the first session. */
let resultFile = '';
before(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'layerif-mcp-'));
  ({ experiment } = writeTinyWorkspace(folder));
});
after(() => rmSync(folder, { recursive: true, force: true }));

const file = 'tiny.layerif.yaml';

test('a session: the tools of the table, a run that is agreed to, its layers, allocation, comparison, chart', async (context) => {
  const asked: string[] = [];
  const { client, messages, stderr } = await connect(
    context,
    [folder],
    folder,
    { capabilities: { elicitation: {} } },
    (own) =>
      own.setRequestHandler('elicitation/create', ({ params }) => {
        asked.push(params.message);
        return { action: 'accept', content: {} };
      }),
  );
  const listed = (await client.listTools()).tools;
  assert.deepEqual(
    listed.map(({ name, title, description, inputSchema: inputs }) => ({ name, title, description, inputs })),
    tools.map(({ id, title, description, inputs }) => ({
      name: id,
      title,
      description,
      inputs: listedSchema(inputSchema(inputs)),
    })),
  );
  assert.match(textOf(await client.callTool({ name: 'list_runs', arguments: {} })), /There are no runs below/);

  const steps: number[] = [];
  const scored = await client.callTool(
    { name: 'score', arguments: { file } },
    { onprogress: ({ progress }) => steps.push(progress), timeout: 120_000 },
  );
  assert.equal(scored.isError, undefined, textOf(scored));
  assert.equal(asked.length, 1);
  assert.match(asked[0], /^Scoring tiny takes about \d+ s on cpu: \d+ samples, [\d,]+ tokens\. It needs .* memory/);
  assert.ok(steps.length > 2, `${steps.length} steps`);
  assert.deepEqual(
    steps,
    [...steps].sort((a, b) => a - b),
  );
  const facts = scored.structuredContent as { file: string; tasks: { task: string; layers: { layer: number }[] }[] };
  resultFile = facts.file;
  const result = JSON.parse(readFileSync(resultFile, 'utf8')) as {
    tasks: { task: string; layers: { index: number; score: number }[] }[];
  };
  for (const [i, { task, layers }] of result.tasks.entries()) {
    const order = [...layers].sort((a, b) => b.score - a.score).map(({ index }) => index);
    assert.equal(facts.tasks[i].task, task);
    assert.deepEqual(
      facts.tasks[i].layers.map(({ layer }) => layer),
      order,
    );
  }

  assert.match(
    textOf(await client.callTool({ name: 'list_runs', arguments: {} })),
    /sentiment \(highest layers \d, \d/,
  );
  const explained = await client.callTool({
    name: 'explain_layer',
    arguments: { result: resultFile, layer: 1, task: 'sentiment' },
  });
  assert.match(textOf(explained), /^sentiment: Score .*, rank \d of 3, .*Modules: .*help most here: data\/reviews/m);
  const compared = await client.callTool({ name: 'compare', arguments: { results: [resultFile] } });
  assert.match(textOf(compared), /sentiment and capital: Spearman correlation/);
  const shared = await client.callTool({
    name: 'allocate',
    arguments: { result: resultFile, kind: 'experts', total: 12, task: 'sentiment' },
  });
  const values = (shared.structuredContent as { layers: { value: number }[] }).layers.map(({ value }) => value);
  assert.equal(
    values.reduce((sum, value) => sum + value),
    12,
  );
  const chart = await client.callTool({ name: 'show_chart', arguments: { result: resultFile } });
  assert.equal((chart.structuredContent as { result: { format: string } }).result.format, 'layerif-result');

  for (const wrong of [
    { name: 'explain_layer', arguments: { result: resultFile, layer: 7 } },
    { name: 'explain_layer', arguments: { result: resultFile, layer: 'one' } },
    { name: 'explain_layer', arguments: { result: resultFile, layers: 1 } },
    { name: 'explain_layer', arguments: { result: resultFile, layer: 1, task: 'sentimnt' } },
    { name: 'allocate', arguments: { result: resultFile, kind: 'expert' } },
    { name: 'show_chart', arguments: {} },
    { name: 'show_chart', arguments: { result: 'none.layerif-result.json' } },
  ]) {
    const answer = await client.callTool(wrong);
    assert.equal(answer.isError, true, JSON.stringify(wrong));
    assert.doesNotMatch(textOf(answer), /\n|defect/);
  }
  await client.close();
  assert.equal(stderr(), '');
  assertGolden('mcp/session.txt', transcript(messages, folder));
});

test('a client that cannot ask: the estimate with a word, which starts one run of this experiment, once', async (context) => {
  const { client } = await connect(context, [folder], folder, { versionNegotiation: { mode: 'auto' } });
  assert.equal(client.getNegotiatedProtocolVersion(), '2026-07-28');
  const call = async (values: Record<string, unknown>) => client.callTool({ name: 'score', arguments: values });
  const first = await call({ file, task: 'capital' });
  const { confirm, seconds, memoryBytes } = first.structuredContent as Record<string, string | number>;
  assert.ok(Number(seconds) > 0 && Number(memoryBytes) > 0);
  assert.match(textOf(first), /Nothing runs yet\. Ask the user; after a yes call score again/);
  assert.match(textOf(await call({ file, task: 'capital', confirm: 'yes' })), /^"yes" confirms no estimate/);
  assert.match(textOf(await call({ file, task: 'sentiment', confirm })), /confirms no estimate/);
  assert.match(textOf(await call({ file, task: 'capital', confirm })), /or was used/, 'a wrong use uses it up');

  const again = (await call({ file, task: 'capital' })).structuredContent as { confirm: string };
  const text = readFileSync(experiment, 'utf8');
  writeFileSync(experiment, `${text}\n# changed\n`);
  assert.match(textOf(await call({ file, task: 'capital', confirm: again.confirm })), /has changed since its estimate/);
  writeFileSync(experiment, text);

  const agreed = (await call({ file, task: 'capital' })).structuredContent as { confirm: string };
  const done = await call({ file, task: 'capital', confirm: agreed.confirm });
  assert.equal(done.isError, undefined, textOf(done));
  assert.deepEqual(
    (done.structuredContent as { tasks: { task: string }[] }).tasks.map(({ task }) => task),
    ['capital'],
  );
});

test('a refusal of the person starts nothing; a cancel ends the run and keeps what is finished', async (context) => {
  let action: 'decline' | 'accept' = 'decline';
  const { client } = await connect(context, [folder], folder, { capabilities: { elicitation: {} } }, (own) =>
    own.setRequestHandler('elicitation/create', () => ({ action, content: {} })),
  );
  // Other samples, so that nothing is finished.
  const other = path.join(folder, 'other.layerif.yaml');
  writeFileSync(other, readFileSync(experiment, 'utf8').replace('version: 1', 'version: 1\noutput_dir: other'));
  const refused = await client.callTool({ name: 'score', arguments: { file: other } });
  assert.deepEqual(refused.structuredContent, { started: false });
  action = 'accept';
  const abort = new AbortController();
  const cancelled = client.callTool(
    { name: 'score', arguments: { file: other } },
    { signal: abort.signal, onprogress: () => abort.abort(new Error('enough')), timeout: 120_000 },
  );
  await assert.rejects(cancelled, /enough/);
  const busy = async () => textOf(await client.callTool({ name: 'score', arguments: { file: other, confirm: 'x' } }));
  let answer = await busy();
  for (let i = 0; i < 100 && /is being scored/.test(answer); i++) answer = await busy();
  assert.match(answer, /^"x" confirms no estimate/, 'the server is free again');
});

test('nothing outside the folders is read: files, links, and what an experiment names', async (context) => {
  const inner = path.join(folder, 'inner');
  mkdirSync(inner);
  symlinkSync('/etc', path.join(inner, 'link'));
  const text = readFileSync(experiment, 'utf8');
  const write = (name: string, change: (text: string) => string) => writeFileSync(path.join(inner, name), change(text));
  write('model.layerif.yaml', (own) => own.replace(/path: (\S*)model$/m, 'path: ../model'));
  cpSync(path.join(folder, 'model'), path.join(inner, 'model'), { recursive: true });
  write('data.layerif.yaml', (own) => own.replace('data/reviews.jsonl', '/etc/passwd'));
  write('glob.layerif.yaml', (own) => own.replace('data/reviews.jsonl', '../data/*.jsonl'));
  write('include.layerif.yaml', (own) =>
    own.replace(/- task: sentiment/, '- include: link/passwd\n    task: sentiment'),
  );
  const { client } = await connect(context, [inner], folder);
  const refusal = /lies outside the folders that may be read/;
  for (const [name, values] of [
    ['show_chart', { result: '/etc/passwd' }],
    ['show_chart', { result: '../tiny.layerif.yaml' }],
    ['show_chart', { result: 'link/passwd' }],
    ['list_runs', { folder: '..' }],
    ['score', { file: experiment }],
    ['score', { file: 'model.layerif.yaml' }],
    ['score', { file: 'data.layerif.yaml' }],
    ['score', { file: 'glob.layerif.yaml' }],
    ['score', { file: 'include.layerif.yaml' }],
  ] as const) {
    const answer = await client.callTool({ name, arguments: values });
    assert.equal(answer.isError, true, JSON.stringify(values));
    assert.match(textOf(answer), refusal, JSON.stringify(values));
    assert.doesNotMatch(textOf(answer), /root:/);
  }
});

test('without folders the client’s roots count, and of a client without roots the current folder', async (context) => {
  const other = mkdtempSync(path.join(tmpdir(), 'layerif-mcp-roots-'));
  try {
    const { client } = await connect(context, [], other, { capabilities: { roots: {} } }, (own) =>
      own.setRequestHandler('roots/list', () => ({ roots: [{ uri: `file://${folder}` }] })),
    );
    assert.match(textOf(await client.callTool({ name: 'list_runs', arguments: {} })), /tiny\.layerif-result\.json/);
    const bare = await connect(context, [], other);
    const none = textOf(await bare.client.callTool({ name: 'list_runs', arguments: {} }));
    assert.match(none, new RegExp(`no runs below ${other}`));
  } finally {
    rmSync(other, { recursive: true, force: true });
  }
});

/** As JSON carries it. */
const listedSchema = (schema: unknown): unknown => JSON.parse(JSON.stringify(schema));
