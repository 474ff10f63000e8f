/** The tab Samples in a real browser: layers, search, filters, validation samples, the dataset without ticked rows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TokenInfluence } from '../../protocol/trust.ts';
import type { FromWebview } from '../../protocol/webview.ts';
import { crossLayerRules } from '../../server/src/estimators/crossLayer.ts';
import { choose } from './choose.ts';
import { accessibilityViolations, closePage, openPage, setTheme } from './page.ts';
import type { OpenPage } from './page.ts';
import { sampleResult } from './sampleResult.ts';
import type { ThemeName } from './themes.ts';

const TRAIN = 120;
const result = sampleResult({ layers: 4, tasks: ['sentiment'], train: TRAIN, validation: 9 });
const [task] = result.tasks;
const textOf = (index: number) =>
  index === 3 ? '<b onclick="x">\u05e9\u05dc\u05d5\u05dd</b>' : `Sample ${index} ${index % 2 ? 'odd' : 'even'}`;

/** Answers every request for texts, those that come while it does too, until no text is awaited. */
async function answer(opened: OpenPage): Promise<void> {
  const loading = opened.page.getByText('Loading text\u2026');
  do await answerOnce(opened);
  while ((await loading.count()) > 0);
}

async function answerOnce(opened: OpenPage): Promise<void> {
  for (const message of await opened.sent())
    if (message.type === 'samples')
      await opened.post({
        type: 'samples',
        requestId: message.requestId,
        answer: {
          samples: message.samples.map((index) => ({
            index,
            text: `${message.split} ${textOf(index)}`,
            answer: index % 2 ? ' positive' : ' negative',
            file: '/workspace/data/sentiment.jsonl',
            line: index + 1,
          })),
        },
      });
}
async function samplesTab(): Promise<OpenPage> {
  const opened = await openPage('results', { state: { tab: 'samples', layer: 1 }, height: 1200 });
  await opened.post({ type: 'result', result, file: '/workspace/x.layerif-result.json' });
  await answer(opened);
  return opened;
}
const panel = ({ page }: OpenPage) => page.locator('.panel');
const rows = ({ page }: OpenPage) => page.locator('table.rows tbody tr');
const places = async (opened: OpenPage) =>
  (await opened.page.locator('table.rows .at').allInnerTexts()).map((text) => Number(text.slice(1)) - 1);

test('one layer and all: most harmful first, by mean rank as layerif rows; more than fifty on demand', async () => {
  const opened = await samplesTab();
  const { page, errors } = opened;
  const all = Array.from({ length: TRAIN }, (_, i) => i);
  const order = (values: ArrayLike<number>) => [...all].sort((a, b) => values[a] - values[b] || a - b);
  assert.deepEqual(await places(opened), order(task.influence[1]).slice(0, 50));
  await page.locator('vscode-button', { hasText: 'Show 50 more of 70' }).click();
  assert.equal(await rows(opened).count(), 100);
  await choose(panel(opened), 'Layer', 'all');
  await answer(opened);
  const layers = task.influence.map((values) => Float64Array.from(values));
  const ranks = crossLayerRules.rank.aggregate({ n: TRAIN, m: 1, layers }, {});
  assert.deepEqual(await places(opened), order(ranks).slice(0, 50));
  await page
    .locator('table.rows thead')
    .getByRole('button', { name: /^Harms in/ })
    .click();
  const harms = all.map((i) => task.influence.filter((values) => values[i] < 0).length);
  assert.equal(harms[(await places(opened))[0]], Math.max(...harms));
  assert.deepEqual(errors, []);
  await closePage(page);
});

test('search, label, effect; validation samples; ids; the dataset without ticked samples is asked for', async () => {
  const opened = await samplesTab();
  const { page, errors } = opened;
  await choose(panel(opened), 'Label', 'label positive');
  await choose(panel(opened), 'Show', 'harmful');
  const harmful = task.influence[1].flatMap((value, i) => (value < 0 && i % 2 ? [i] : []));
  assert.equal(await page.locator('.row-table .caption').innerText(), `${harmful.length} rows of ${TRAIN}`);
  await choose(panel(opened), 'Show', '');
  await choose(panel(opened), 'Label', '');
  await page.getByRole('textbox', { name: 'Search' }).fill('ONCLICK');
  assert.equal(await rows(opened).count(), 1);
  assert.ok((await rows(opened).innerText()).includes(textOf(3)), 'markup is text');
  await page.locator('table.rows td.picked input').press(' ');
  await page.locator('vscode-button', { hasText: 'Copy Ids' }).click();
  assert.equal(
    ((await opened.sent()).at(-1) as FromWebview & { type: 'copy' }).text,
    'file,row,line\r\ndata/sentiment.jsonl,3,4\r\n',
  );
  await page.locator('vscode-button', { hasText: 'Write Dataset without These Rows' }).click();
  await page.waitForFunction(
    () => (window as unknown as { layerifSent: { what?: string }[] }).layerifSent.at(-1)?.what === 'rowsWithout',
  );
  const ask = (await opened.sent()).at(-1) as FromWebview & { type: 'ask'; what: 'rowsWithout' };
  assert.deepEqual([ask.what, ask.params], ['rowsWithout', { task: 'sentiment', samples: [3] }]);
  const written = {
    file: '/workspace/x.sentiment-without.jsonl',
    rows: 119,
    of: 120,
    notes: [],
    preview: '{"a": 1}\n',
  };
  await opened.post({ type: 'answer', requestId: ask.requestId, answer: { written, error: null }, failure: null });
  for (const theme of ['light', 'dark', 'high-contrast', 'high-contrast-light'] as ThemeName[]) {
    await setTheme(page, theme);
    assert.deepEqual(await accessibilityViolations(page), [], theme);
    if (theme === 'dark' || theme === 'high-contrast') await opened.screenshot(`samples-${theme}`);
  }
  await page.locator('vscode-button', { hasText: 'Write 119 Rows' }).click();
  assert.deepEqual((await opened.sent()).at(-1), { type: 'writeRows', what: 'rowsWithout', params: ask.params });
  await choose(panel(opened), 'Split', 'validation');
  await page.locator('.row-table .caption', { hasText: /^9 rows/ }).waitFor();
  await answer(opened);
  assert.equal(await rows(opened).count(), 9);
  assert.match(await rows(opened).first().innerText(), /validation Sample/);
  assert.equal(await page.locator('vscode-button', { hasText: 'Write Dataset' }).count(), 0);
  assert.deepEqual(errors, []);
  await closePage(page);
});

test('validation samples: tokens by the influence that layerif tokens has computed, over all layers or one', async () => {
  const opened = await samplesTab();
  const { page, errors } = opened;
  await choose(page, 'Split', 'validation');
  await answer(opened);
  const asked = async () =>
    (await opened.sent()).flatMap((message) =>
      message.type === 'ask' && message.what === 'tokenInfluence' ? [message] : [],
    );
  const open = async (place: number) => {
    const before = (await asked()).length;
    await page
      .getByRole('button', { name: /^Token influence of / })
      .nth(place)
      .click();
    while ((await asked()).length === before) await page.waitForTimeout(20);
    return (await asked()).at(-1)!;
  };
  const reply = (requestId: number, influence: TokenInfluence | null) =>
    opened.post({ type: 'answer', requestId, answer: { influence, error: null }, failure: null });
  const none = await open(0);
  await reply(none.requestId, null);
  const { validation } = none.params as { validation: number };
  assert.equal(
    await page.locator('tr.more code').innerText(),
    `layerif tokens RESULT --task sentiment --validation ${validation}`,
  );
  // Closed and opened again it is asked anew: it may have been computed.
  await page
    .getByRole('button', { name: /^Token influence of / })
    .first()
    .click();
  await reply((await open(0)).requestId, null);
  const asks = await open(1);
  const layer = (index: number, influence: number[]) => ({
    ...{ index, name: `model.layers.${index}`, influence },
    sum: influence.reduce((a, b) => a + b, 0),
  });
  await reply(asks.requestId, {
    ...{ format: 'layerif-tokens', version: 1, file: '/workspace/x.layerif-result.json', model: 'm' },
    ...{ task: 'sentiment', estimator: 'datainf', validation: 1, row: { file: 'a', row: 1, line: 2 } },
    tokens: ['Say', ' <b>', '\n', ' end'].map((text, t) => ({ position: t + 1, id: 10 + t, text })),
    layers: [layer(0, [1, -2, 0, 3]), layer(2, [1, -2, 0, -2])],
    ...{ difference: 0, coverage: 1 },
  });
  const map = page.getByRole('application', { name: /^4 predicted tokens of .* by influence over all 2 layers$/ });
  await map.waitFor();
  const looks = async () =>
    Promise.all((await page.locator('.token-text .token').all()).map((token) => token.getAttribute('class')));
  assert.deepEqual(await looks(), [
    'token helps shade-2',
    'token harms shade-4',
    'token shade-0',
    'token helps shade-1',
  ]);
  const words = page.locator('.token-words');
  assert.match(await words.innerText(), /^4 predicted tokens, influence \u22121\.00 together over all 2 layers/);
  await map.press('ArrowRight');
  assert.match(
    await words.innerText(),
    /^Token 2 " <b>" \(11\): influence \u22124\.00: training harms its prediction$/,
  );
  await choose(page, 'Influence over', '2');
  assert.deepEqual(await looks(), [
    'token helps shade-2',
    'token harms shade-4 current',
    'token shade-0',
    'token harms shade-4',
  ]);
  await page.locator('.token-map summary').click();
  assert.deepEqual(await page.locator('.token-map tbody tr').nth(3).locator('th, td').allTextContents(), [
    '4',
    '" end"',
    '13',
    '\u22122.00',
  ]);
  for (const theme of ['dark', 'light', 'high-contrast'] as ThemeName[]) {
    await setTheme(page, theme);
    assert.deepEqual(await accessibilityViolations(page), [], theme);
  }
  assert.deepEqual(errors, []);
  await closePage(page);
});
