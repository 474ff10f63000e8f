/** The server as a process: what it answers about files, over the real protocol. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type {
  CodeAction,
  CompletionItem,
  DocumentSymbol,
  Hover,
  InlayHint,
  Location,
  MarkupContent,
  TextEdit,
} from 'vscode-languageserver/node';
import { openCheckpoint } from '../../server/src/checkpoints/openCheckpoint.ts';
import { createTokenizer } from '../../server/src/data/tokenizer.ts';
import { tinyReviews, writeTinyWorkspace } from '../tinyLlama.ts';
import { Client } from './client.ts';
import { requests } from '../../protocol/requests.ts';

const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-lsp-')));
let client: Client;
let good: string;
before(async () => {
  const { experiment } = writeTinyWorkspace(folder);
  good = fs.readFileSync(experiment, 'utf8').replace(/score:\n[\s\S]*/, 'score:\n  estimator: datainf\n');
  client = await Client.start(folder);
});
after(async () => {
  await client.stop();
  fs.rmSync(folder, { recursive: true });
});

let count = 0;
/** Opens a text as a new document in the folder. */
async function open(text: string): Promise<string> {
  const uri = pathToFileURL(path.join(folder, `doc${++count}.layerif.yaml`)).href;
  await client.open(uri, text);
  return uri;
}

/** `|` marks the cursor. */
async function opened(marked: string): Promise<{ uri: string; line: number; character: number }> {
  const offset = marked.indexOf('|');
  const lines = marked.slice(0, offset).split('\n');
  const uri = await open(marked.slice(0, offset) + marked.slice(offset + 1));
  return { uri, line: lines.length - 1, character: lines.at(-1)!.length };
}

async function complete(marked: string): Promise<CompletionItem[]> {
  const { uri, line, character } = await opened(marked);
  return client.completion(uri, line, character);
}

const labels = (items: CompletionItem[]) => items.map(({ label }) => label);
const edit = (items: CompletionItem[], label: string) =>
  items.find((item) => item.label === label)?.textEdit as TextEdit;
const markdown = (hover: Hover | null) => (hover?.contents as MarkupContent | undefined)?.value ?? null;

test('says who it is and what it can', () => {
  assert.equal(client.initialized.serverInfo?.name, 'layerif');
  assert.equal(client.initialized.capabilities.codeLensProvider?.resolveProvider, true);
});

test('definition, outline and quick fixes over the protocol', async () => {
  const text = good.replace('dataset: reviews', 'dataset: review');
  const uri = await open(good);
  const textDocument = { uri };
  const lines = good.split('\n');
  const line = lines.findIndex((row) => row.includes('dataset: reviews'));
  const definition = await client.connection.sendRequest<Location[]>('textDocument/definition', {
    textDocument,
    position: { line, character: lines[line].indexOf('reviews') + 2 },
  });
  assert.equal(definition[0].range.start.line, lines.indexOf('  reviews:'));
  const symbols = await client.connection.sendRequest<DocumentSymbol[]>('textDocument/documentSymbol', {
    textDocument,
  });
  assert.deepEqual(
    symbols.find(({ name }) => name === 'tasks')!.children!.map(({ name }) => name),
    ['sentiment', 'capital'],
  );
  const broken = await open(text);
  await client.diagnostics(broken);
  const { diagnostics } = client.published.find((params) => params.uri === broken)!;
  const [action] = await client.connection.sendRequest<CodeAction[]>('textDocument/codeAction', {
    textDocument: { uri: broken },
    range: diagnostics[0].range,
    context: { diagnostics },
  });
  assert.equal(action.title, 'Change "review" to "reviews"');
});

test('a good file has no diagnostics', async () => {
  assert.deepEqual(await client.diagnostics(await open(good)), []);
});

test('mistakes in the text, then on the disk', async () => {
  const uri = await open(
    good.replace('estimator: datainf', 'estimator: datainv').replace('path: ./model', 'pth: ./model'),
  );
  assert.deepEqual(await client.diagnostics(uri), [
    '4:3 error unknown key "pth" in model; did you mean "path"?',
    '27:14 error score.estimator is "datainv": expected one of datainf, fisher, dot, cosine, relatif, lissa, ekfac, tracin; did you mean "datainf"?',
  ]);
  await client.change(
    uri,
    good
      .replace('./model', './modl')
      .replace('data/capitals', 'data/capital')
      .replace('{{review}}', '{{reviw}}')
      .replace('train[8:12]', 'train[8:20]'),
  );
  const [model, ...others] = await client.diagnostics(uri);
  assert.ok(
    model.startsWith(`4:9 error model ${path.join(folder, 'modl')} does not exist (did you mean "model"?)`),
    model,
  );
  assert.deepEqual(others, [
    `9:11 error dataset "capitals": the file "data/capital.jsonl" does not exist in ${folder} (did you mean "capitals.jsonl"?)`,
    '14:23 warning train[8:20] asks for rows up to 20, "train" of dataset "reviews" has 12: 4 rows are used',
    '15:18 error task "sentiment": doc_to_text uses "reviw", which is not a column of row 0; columns: review, sentiment (did you mean "review"?) (data/reviews.jsonl:1)',
  ]);
});

test('keys that do not go together are refused, with what to do', async () => {
  const uri = await open(good.replace('estimator: datainf', 'estimator: tracin'));
  assert.deepEqual(await client.diagnostics(uri), [
    '27:14 error tracin adds up over checkpoints of a training run: list them under score.checkpoints with path and learning_rate, or use dot for one checkpoint',
  ]);
});

test('a mistake in an included task file is shown at the include, with a link', async () => {
  fs.writeFileSync(path.join(folder, 'task.yaml'), 'task: quiz\ndoc_to_txt: question\ndoc_to_target: answer\n');
  const uri = await open(
    'version: 1\nmodel: { path: ./model }\ndatasets: { a: { path: data/reviews.jsonl } }\ntasks:\n  - include: task.yaml\n',
  );
  await client.diagnostics(uri);
  // Beside it stands that the few rows of this dataset leave none to validate.
  const { diagnostics } = client.published.find((params) => params.uri === uri)!;
  const diagnostic = diagnostics.find(({ message }) => (message as string).includes('doc_to_txt'))!;
  const file = path.join(folder, 'task.yaml');
  assert.deepEqual(diagnostic.range, { start: { line: 4, character: 13 }, end: { line: 4, character: 22 } });
  assert.equal(diagnostic.message, `${file}:2:1: unknown key "doc_to_txt" in tasks[0]; did you mean "doc_to_text"?`);
  assert.deepEqual(diagnostic.relatedInformation?.[0].location, {
    uri: pathToFileURL(file).href,
    range: { start: { line: 1, character: 0 }, end: { line: 1, character: 10 } },
  });
});

test('fast typing is judged once, after the pause', async () => {
  const uri = await open(good);
  await client.diagnostics(uri);
  for (const letters of ['e', 'ek', 'ekf']) await client.change(uri, good.replace('datainf', letters));
  const last = await client.change(uri, good.replace('estimator: datainf', 'estimator: dot'));
  assert.deepEqual(await client.diagnostics(uri, last), []);
  assert.deepEqual(
    client.published.filter((params) => params.uri === uri).map(({ version }) => version),
    [1, last],
  );
});

test('a file that appears on disk makes its diagnostic go', async () => {
  const uri = await open(good.replace('data/capitals.jsonl', 'data/late.jsonl'));
  assert.equal((await client.diagnostics(uri)).length, 1);
  fs.copyFileSync(path.join(folder, 'data', 'capitals.jsonl'), path.join(folder, 'data', 'late.jsonl'));
  const change = { uri: pathToFileURL(path.join(folder, 'data', 'late.jsonl')).href, type: 1 };
  await client.connection.sendNotification('workspace/didChangeWatchedFiles', { changes: [change] });
  await client.until(
    () => client.published.findLast((params) => params.uri === uri)!.diagnostics.length === 0,
    'no diagnostics',
  );
});

test('a closed file has no diagnostics', async () => {
  const uri = await open('version: 2\n');
  assert.ok((await client.diagnostics(uri)).length > 0);
  await client.connection.sendNotification('textDocument/didClose', { textDocument: { uri } });
  await client.until(
    () => client.published.findLast((params) => params.uri === uri)!.diagnostics.length === 0,
    'no diagnostics',
  );
});

test('keys come from the schema, with their sentences, without those that are there', async () => {
  const items = await complete(`${good}  lo|`);
  assert.deepEqual(labels(items), [
    'damping_factor',
    'damping',
    'loss',
    'aggregation',
    'modules',
    'layers',
    'projection',
    'accumulate',
    'until',
    'params',
    'per',
    'granularity',
    'relatif',
    'fisher',
    'checkpoints',
    'seed',
  ]);
  const loss = items.find(({ label }) => label === 'loss')!;
  assert.match((loss.documentation as MarkupContent).value, /every token \(LayerIF\)[\s\S]*Default: `all`/);
  assert.deepEqual(loss.textEdit, {
    range: { start: { line: 27, character: 2 }, end: { line: 27, character: 4 } },
    newText: 'loss: ',
  });

  const task = labels(await complete(`${good.replace(/score:\n.*\n/, '')}  - |`));
  assert.ok(task.includes('task') && task.includes('doc_to_text') && task.includes('include'));
  assert.ok(!task.includes('filter_list'), 'harness keys without effect are not offered');
});

test('words of a key: the estimators that are there come first', async () => {
  const items = await complete(good.replace('estimator: datainf', 'estimator: |'));
  assert.deepEqual(labels(items).slice(0, 3), ['datainf', 'fisher', 'dot']);
  assert.equal(items[0].preselect, true);
  assert.deepEqual(labels(await complete(`${good}  aggregation: |`)), ['positive', 'top25', 'sum']);
  assert.deepEqual(labels(await complete(`${good}  damping: { rule: |`)), [
    'mean_square',
    'absolute',
    'mean_eigenvalue',
  ]);
});

test('datasets, columns, splits, modules and files come from the disk', async () => {
  assert.deepEqual(labels(await complete(good.replace('dataset: reviews', 'dataset: |'))), ['reviews', 'capitals']);
  assert.deepEqual(labels(await complete(good.replace('doc_to_target: capital', 'doc_to_target: |'))), [
    'country',
    'capital',
  ]);
  assert.deepEqual(labels(await complete(good.replace('{{country}}', '{{co|'))), ['country', 'capital']);
  assert.deepEqual(labels(await complete(good.replace('train[:8]', '|'))), ['train', 'train[:9]', 'train[9:]']);
  assert.deepEqual(
    labels(await complete(good.replace('data/reviews.jsonl', 'data/reviews.jsonl\n    field_mapping: { text: |'))),
    ['review', 'sentiment'],
  );

  const modules = await complete(`${good}  modules: [|`);
  assert.deepEqual(labels(modules).slice(0, 4), ['*', 'self_attn.*', 'mlp.*', 'self_attn.q_proj']);
  assert.equal(modules[3].detail, '32 × 32');
  assert.equal(edit(modules, '*').newText, '"*"');
  assert.equal(edit(modules, 'mlp.*').newText, 'mlp.*');
  assert.equal(edit(await complete(`${good}  modules: ["|`), '*').newText, '*');

  assert.deepEqual(
    labels(await complete(good.replace('data/reviews.jsonl', 'data/|'))).filter((label) => label !== 'data/late.jsonl'),
    ['data/capitals.jsonl', 'data/reviews.jsonl'],
  );
  const model = await complete(good.replace('./model', './|'));
  assert.ok(labels(model).includes('./model') && labels(model).includes('./data'));
  assert.ok(!labels(model).includes('./tiny.layerif.yaml'));
});

test('completion while the line is not YAML yet uses what was readable before', async () => {
  const uri = await open(good);
  await client.diagnostics(uri);
  const broken = good.replace('doc_to_target: capital', 'doc_to_target: "');
  await client.change(uri, broken);
  const line = broken.split('\n').findIndex((text) => text.endsWith('doc_to_target: "'));
  assert.deepEqual(labels(await client.completion(uri, line, broken.split('\n')[line].length)), ['country', 'capital']);
});

test('scores: ids, options and words are completed; hover explains a score and an option', async () => {
  const before = good.replace(/score:\n[\s\S]*/, '');
  const ids = labels(await complete(`${before}scores:\n  - |`));
  for (const id of ['block_influence', 'alpha_hill', 'owl']) assert.ok(ids.includes(id), id);
  assert.deepEqual(labels(await complete(`${before}scores:\n  - owl:\n      |`)), ['multiple', 'texts', 'task']);
  assert.deepEqual(labels(await complete(`${before}scores:\n  - avss:\n      threshold: |`)), ['relative', 'absolute']);
  assert.deepEqual(labels(await complete(`${before}scores:\n  - owl: { texts: { dataset: |`)), ['reviews', 'capitals']);
  const at = async (marked: string) => {
    const { uri, line, character } = await opened(`${before}${marked}`);
    return markdown(await client.hover(uri, line, character));
  };
  assert.match(
    (await at('scores: [o|wl]'))!,
    /^\*\*owl\*\*: which layers lose weights, high = keep: OWL outlier ratio/,
  );
  assert.match((await at('scores: [{ o|wl: { multiple: 5 } }]'))!, /^\*\*owl\*\*\n\nOWL outlier ratio: 100/);
  assert.match((await at('scores: [{ owl: { mul|tiple: 5 } }]'))!, /^\*\*multiple\*\*\n\n[\s\S]*a number above 0/);
});

test('hover: schema, dataset, model, task, estimator', async () => {
  const at = async (marked: string) => {
    const { uri, line, character } = await opened(marked);
    return markdown(await client.hover(uri, line, character));
  };
  assert.match(
    (await at(good.replace('estimator: datainf', 'esti|mator: datainf')))!,
    /^\*\*estimator\*\*\n\nHow influence is computed/,
  );
  assert.match((await at(good.replace('estimator: datainf', 'estimator: data|inf')))!, /^\*\*datainf\*\*: /);
  assert.equal(
    await at(good.replace('data/reviews.jsonl', 'data/rev|iews.jsonl')),
    '**reviews**: 12 rows in 1 file\n\nColumns: `review`, `sentiment`\n\nSplits: train (12)',
  );
  assert.equal(
    await at(good.replace('dataset: capitals', 'dataset: capi|tals')),
    '**capitals**: 12 rows in 1 file\n\nColumns: `country`, `capital`\n\nSplits: train (12)',
  );
  const model = (await at(good.replace('path: ./model', 'path: ./mod|el')))!;
  assert.match(
    model,
    /^\*\*model\*\*: llama, safetensors, 3 layers\n\n[\d,.]+( million)? parameters, of which 27,648 are scored \(100\.0 % of the layers' matrices\)/,
  );
  assert.match(
    (await at(good.replace('task: sentiment', 'task: senti|ment')))!,
    /8 training samples × 4 validation samples/,
  );
  assert.match(
    (await at(good.replace('output_type: multiple_choice', 'output_type: multiple_|choice')))!,
    /^\*\*output_type\*\*/,
  );
  // The first row as it is scored, with the tokens of that text: tokens 1, 2, 3 ... of a tiny vocabulary of bytes.
  const [row] = tinyReviews(12) as { review: string; sentiment: string }[];
  const words = `Review: ${row.review}\nSentiment: ${row.sentiment}`;
  const first = (await at(good.replace('doc_to_text: "Review', 'doc_to_|text: "Review')))!;
  assert.ok(first.includes(`\n\n\`\`\`text\n${words}\n\`\`\``), first);
  const { length } = createTokenizer(openCheckpoint(path.join(folder, 'model')).tokenizer()).encode(words);
  assert.ok(first.includes(`First training sample: ${length} tokens\n`), first);
  const cut = good
    .replace('path: ./model', 'path: ./model\n  max_length: 5')
    .replace('doc_to_text: "R', 'doc_to_|text: "R');
  assert.match((await at(cut))!, /First training sample: cut to 5 tokens by max_length/);
  assert.equal(await at(good.replace('version: 1', 'version: 1 |')), null);
});

test('hints: rows of datasets and slices; none for what cannot be read, and none of a broken file', async () => {
  const hints = async (text: string) => {
    const uri = await open(text);
    const ask = () =>
      client.connection.sendRequest<InlayHint[]>('textDocument/inlayHint', {
        textDocument: { uri },
        range: { start: { line: 0, character: 0 }, end: { line: 99, character: 0 } },
      });
    // What does not come at once is left out, and the editor asks again.
    for (let found = await ask(), tries = 0; ; found = await ask(), tries++)
      if (found.length === 6 || tries === 20) return found.map(({ position, label }) => [position.line, label]);
  };
  assert.deepEqual(await hints(good), [
    [6, '12 rows'],
    [8, '12 rows'],
    [12, '8 rows'],
    [13, '4 rows'],
    [20, '8 rows'],
    [21, '4 rows'],
  ]);
  const gone = await hints(good.replace('data/reviews.jsonl', 'data/gone.jsonl'));
  assert.deepEqual(gone, [
    [8, '12 rows'],
    [20, '8 rows'],
    [21, '4 rows'],
  ]);
  assert.deepEqual(await hints(good.replace('version: 1', 'versio: 1')), []);
});

test('lenses: places at once, words when they are resolved, one plain argument', async () => {
  const uri = await open(good);
  const lenses = await client.lenses(uri);
  assert.deepEqual(
    lenses.map(({ range, command }) => [range.start.line, command]),
    [0, 5, 7, 10, 18].map((line) => [line, undefined]),
  );
  const commands = (await Promise.all(lenses.map((lens) => client.resolve(lens)))).map(({ command }) => command);
  assert.deepEqual(commands, [
    { title: 'Score Layers', command: 'layerif.scoreLayers', arguments: [{ uri }] },
    {
      title: 'Score Layers with This Dataset · 12 rows',
      command: 'layerif.scoreDataset',
      arguments: [{ uri, dataset: 'reviews' }],
    },
    {
      title: 'Score Layers with This Dataset · 12 rows',
      command: 'layerif.scoreDataset',
      arguments: [{ uri, dataset: 'capitals' }],
    },
    {
      title: 'Score This Task · 8 train × 4 validation',
      command: 'layerif.scoreTask',
      arguments: [{ uri, task: 'sentiment' }],
    },
    {
      title: 'Score This Task · 8 train × 4 validation',
      command: 'layerif.scoreTask',
      arguments: [{ uri, task: 'capital' }],
    },
  ]);
});

test('lenses of a file with mistakes stay, without numbers', async () => {
  const uri = await open(good.replace('estimator: datainf', 'estimator: nothing'));
  const lenses = await client.lenses(uri);
  assert.equal(lenses.length, 5);
  assert.equal((await client.resolve(lenses[3])).command?.title, 'Score This Task');
});

test('outline and places, of open files and of files on disk', async () => {
  const uri = pathToFileURL(path.join(folder, 'tiny.layerif.yaml')).href;
  assert.deepEqual(await client.ask(requests.outline, { uri }), {
    tasks: [
      { task: 'sentiment', dataset: 'reviews', line: 10 },
      { task: 'capital', dataset: 'capitals', line: 18 },
    ],
    datasets: [
      { dataset: 'reviews', line: 5 },
      { dataset: 'capitals', line: 7 },
    ],
  });
  assert.deepEqual(await client.ask(requests.locate, { uri, task: 'capital' }), {
    line: 18,
    character: 4,
  });
  assert.deepEqual(await client.ask(requests.locate, { uri, dataset: 'capitals' }), {
    line: 7,
    character: 2,
  });
  assert.equal(await client.ask(requests.locate, { uri, task: 'none' }), null);
  const broken = await open('tasks:\n  - task: a\n  - nothing: 1\n  - task: b\n');
  const outline = await client.ask(requests.outline, { uri: broken });
  assert.deepEqual(outline.tasks, [
    { task: 'a', dataset: '', line: 1 },
    { task: 'b', dataset: '', line: 3 },
  ]);
});
