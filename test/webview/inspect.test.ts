/** The page of an inspected model in a real browser; its questions are answered by the real reader from real graphs. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import type { FromWebview } from '../../protocol/webview.ts';
import { inspect } from '../../server/src/lsp/inspecting.ts';
import { accessibilityViolations, closePage, openPage, setTheme } from './page.ts';
import type { OpenPage } from './page.ts';
import type { ThemeName } from './themes.ts';

const graph = (name: string) => path.resolve(import.meta.dirname, '../reference/onnx_graphs', name);

type Ask = FromWebview & { type: 'ask'; what: 'inspectModel' };

async function asks({ sent }: OpenPage): Promise<Ask[]> {
  return (await sent()).filter((message): message is Ask => message.type === 'ask' && message.what === 'inspectModel');
}

/** As the extension answers: until nothing was asked for longer than the page waits between keys. */
async function answerAll(opened: OpenPage, file: string): Promise<void> {
  for (let answered = answeredOf(opened); ;) {
    await opened.page.waitForTimeout(300);
    const open = (await asks(opened)).filter(({ requestId }) => !answered.has(requestId));
    if (open.length === 0) return;
    for (const { requestId, params } of open) {
      answered.add(requestId);
      const answer = await inspect({ path: file, ...params });
      await opened.post({ type: 'answer', requestId, answer, failure: null });
    }
  }
}

const answeredOf = (opened: OpenPage) => {
  const known = replied.get(opened) ?? new Set<number>();
  replied.set(opened, known);
  return known;
};
const replied = new WeakMap<OpenPage, Set<number>>();

async function open(name: string, options: { width?: number; theme?: ThemeName } = {}): Promise<OpenPage> {
  const opened = await openPage('inspect', options);
  await opened.post({ type: 'inspecting', file: graph(name), revision: 0 });
  await answerAll(opened, graph(name));
  return opened;
}

const table = ({ page }: OpenPage, name: string) => page.getByRole('region', { name, exact: true });
const rows = async (opened: OpenPage, name: string) =>
  (await table(opened, name).locator('tbody tr').allInnerTexts()).map((text) => text.split(/\s*\t\s*/));

test('layers, modules with shapes and weights, coverage, what is not scored, what samples bring', async () => {
  const opened = await open('bert-torchscript.onnx');
  const { page, errors } = opened;
  const { model } = await inspect({ path: graph('bert-torchscript.onnx') });
  const own = model!.kinds[0].modules.reduce((sum, { parameters }) => sum + parameters, 0);
  assert.deepEqual(await rows(opened, 'Layers'), [
    ['0', 'bert.encoder.layer.0', '6', own.toLocaleString('en-US'), '50\u00a0%'],
    ['1', 'bert.encoder.layer.1', '6', own.toLocaleString('en-US'), '50\u00a0%'],
  ]);
  const modules = await rows(opened, 'Modules of every layer');
  assert.deepEqual(
    modules.map(([name]) => name),
    model!.kinds[0].modules.map(({ name }) => name),
  );
  const { shape, parameters } = model!.kinds[0].modules[4];
  assert.deepEqual(modules[4], [
    'intermediate.dense',
    `${shape[0]} \u00d7 ${shape[1]}`,
    '1',
    String(parameters.toLocaleString('en-US')),
  ]);
  const unscored = await rows(opened, 'Not scored');
  assert.ok(
    unscored.some(
      ([name, , members]) => /layer\.\*\.attention\.output\.LayerNorm\.weight/.test(name) && members === '2',
    ),
  );
  assert.match(
    await page.locator('.facts').innerText(),
    /Loss\s+cross-entropy of 3 classes\s+Output\s+logits\s+Samples bring\s+tokens/,
  );
  assert.match(await page.getByRole('status').innerText(), /^2 layers found by names such as/);
  assert.deepEqual(errors, []);
  await opened.screenshot('inspect');
  await closePage(page);
});

test('the preview follows the pattern; an error stands as the server says it and the last layers stay; then an experiment', async () => {
  const name = 'resnet-torchscript.onnx';
  const opened = await open(name);
  const { page, errors } = opened;
  const names = async () => (await rows(opened, 'Layers')).map((row) => row[1]);
  const first = await names();
  assert.equal(first.length, 3);
  assert.match(await page.locator('.facts').innerText(), /pixel_values \[batch, 3, 16, 16\]/);
  const field = page.getByRole('textbox', { name: 'Layers are named' });
  const before = (await asks(opened)).length;
  await field.pressSequentially('encoder.stages.{}', { delay: 5 });
  await answerAll(opened, graph(name));
  assert.deepEqual(await names(), ['resnet.encoder.stages.0', 'resnet.encoder.stages.1']);
  const asked = (await asks(opened)).slice(before);
  assert.ok(asked.length <= 5, `${asked.length} questions for 17 keys`);
  assert.deepEqual(asked.at(-1)!.params, { layersPattern: 'encoder.stages.{}', output: '' });
  assert.equal(await page.getByRole('heading', { name: /^Modules of layer/ }).count(), 2);

  await field.fill('encoder.block.{}');
  await answerAll(opened, graph(name));
  const { error } = await inspect({ path: graph(name), layersPattern: 'encoder.block.{}' });
  assert.ok((await page.getByRole('alert').innerText()).startsWith(error!.message));
  assert.deepEqual(await names(), ['resnet.encoder.stages.0', 'resnet.encoder.stages.1']);
  const button = page.locator('vscode-button', { hasText: 'Create Experiment' });
  assert.equal(await button.evaluate((node) => (node as HTMLButtonElement).disabled), true);
  await opened.screenshot('inspect-error');

  await field.fill('encoder.stages.{}');
  await answerAll(opened, graph(name));
  assert.equal(await page.getByRole('alert').count(), 0);
  await button.click();
  assert.deepEqual((await opened.sent()).at(-1), {
    type: 'createExperiment',
    layersPattern: 'encoder.stages.{}',
    output: '',
  });
  assert.deepEqual(errors, []);
  await closePage(page);
});

test('a file that changes is read again with what stands in the fields', async () => {
  const opened = await open('vit-dynamo.onnx');
  await opened.page.getByRole('textbox', { name: 'Output with the logits' }).fill('logits');
  await answerAll(opened, graph('vit-dynamo.onnx'));
  const before = (await asks(opened)).length;
  await opened.post({ type: 'inspecting', file: graph('vit-dynamo.onnx'), revision: 1 });
  await answerAll(opened, graph('vit-dynamo.onnx'));
  const after = await asks(opened);
  assert.equal(after.length, before + 1);
  assert.deepEqual(after.at(-1)!.params, { layersPattern: '', output: 'logits' });
  await closePage(opened.page);
});

test('a model that cannot be read says why; a checkpoint has no pattern', async () => {
  const gone = await open('gone.onnx');
  assert.match(await gone.page.getByRole('alert').innerText(), /gone\.onnx: there is no such file or folder/);
  assert.equal(await gone.page.locator('table').count(), 0);
  await closePage(gone.page);
  const folder = path.resolve(import.meta.dirname, '../reference/onnx_graphs');
  const checkpoint = await openPage('inspect');
  await checkpoint.post({ type: 'inspecting', file: folder, revision: 0 });
  assert.equal(await checkpoint.page.getByRole('textbox').count(), 0);
  await closePage(checkpoint.page);
});

test('axe finds nothing in four kinds of theme, with layers and with an error', async () => {
  const opened = await open('resnet-torchscript.onnx');
  for (const pattern of ['', 'nothing']) {
    await opened.page.getByRole('textbox', { name: 'Layers are named' }).fill(pattern);
    await answerAll(opened, graph('resnet-torchscript.onnx'));
    for (const theme of ['light', 'dark', 'high-contrast', 'high-contrast-light'] as const satisfies ThemeName[]) {
      await setTheme(opened.page, theme);
      assert.deepEqual(await accessibilityViolations(opened.page), [], `${theme} ${pattern}`);
    }
  }
  await closePage(opened.page);
});
