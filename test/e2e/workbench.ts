/** Words to act on a workbench with: what a user would do, by what a user sees. */
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { SuiteContext, TestContext } from 'node:test';
import type { Frame, Locator, Page } from 'playwright-core';
import { root } from './harness.ts';
import type { Workbench } from './harness.ts';

/** Asks until the answer is neither null nor false; on a busy machine the first answers take seconds. */
export async function until<T>(what: string, ask: () => Promise<T>, milliseconds = 20_000): Promise<NonNullable<T>> {
  const end = Date.now() + milliseconds;
  for (;;) {
    const answer = await ask();
    if (answer !== null && answer !== undefined && answer !== false) return answer;
    if (Date.now() > end) throw new Error(`${what}: not within ${milliseconds / 1000} s`);
    await delay(100);
  }
}

const succeeds = (action: Promise<void>) =>
  action.then(
    () => true,
    () => false,
  );

/**
 * Opens the quick input by a key, types, and takes an entry. A page that is still loading may swallow a key, and a list
 * that was opened before the extensions were known does not get their entries later.
 */
export async function takeEntry(page: Page, key: string, text: string, entry: string): Promise<void> {
  const input = page.locator('.quick-input-widget input[type=text]');
  const row = page.locator('.quick-input-widget .monaco-list-row', { hasText: entry }).first();
  const appears = (what: Locator, timeout: number) => succeeds(what.waitFor({ state: 'visible', timeout }));
  await until(
    `the entry ${entry}`,
    async () => {
      await page.keyboard.press(key);
      // VS Code's own lists close, at any of these steps, when something else takes the focus.
      const filled = (await appears(input, 3000)) && (await succeeds(input.fill(text, { timeout: 3000 })));
      if (!filled) return false;
      if ((await appears(row, 5000)) && (await succeeds(row.click({ timeout: 3000 })))) return true;
      await page.keyboard.press('Escape');
      return false;
    },
    60_000,
  );
  // Else the tooltip of whatever comes up below it takes the next click.
  await page.mouse.move(0, 0);
}

/**
 * Before a reload: the workbench writes its state every few seconds, and what it has not written is lost. Waits until a
 * written value holds all of the words.
 */
export async function windowSaves(page: Page, words: readonly string[]): Promise<void> {
  await until('the window has saved what the page remembers', () => page.evaluate(isSaved, words), 90_000);
}

/** Runs in the page. */
async function isSaved(words: readonly string[]): Promise<boolean> {
  const answer = <T>(request: IDBRequest<T>) =>
    new Promise<T>((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error ?? new Error('no answer'));
    });
  for (const { name } of await indexedDB.databases()) {
    const database = await answer(indexedDB.open(name ?? ''));
    for (const store of database.objectStoreNames) {
      const values = await answer(database.transaction(store).objectStore(store).getAll());
      if (values.some((value) => typeof value === 'string' && words.every((word) => value.includes(word)))) return true;
    }
    database.close();
  }
  return false;
}

export async function runCommand(page: Page, title: string): Promise<void> {
  await takeEntry(page, 'F1', `>${title}`, title);
}

/** Takes a colour theme by its name in the picker. */
export async function chooseTheme(page: Page, name: string): Promise<void> {
  await until(
    `the theme ${name}`,
    async () => {
      await runCommand(page, 'Preferences: Color Theme');
      const list = page.locator('.quick-input-widget');
      const take = async () => {
        await list.locator('input[placeholder^="Select Color Theme"]').fill(name, { timeout: 5000 });
        await list.locator('.monaco-list-row', { hasText: name }).first().click({ timeout: 5000 });
      };
      return succeeds(take());
    },
    60_000,
  );
}

/** Opens a file in the first editor group. */
export async function openFile(page: Page, name: string): Promise<void> {
  await page.keyboard.press('Control+1'); // else it opens in the group of the webview that was clicked last
  await takeEntry(page, 'Control+P', name, name);
  await editor(page, name).locator('.view-lines').waitFor();
}

/** The editor that shows a file, by its address. */
export function editor(page: Page, name: string): Locator {
  return page.locator(`.editor-instance .monaco-editor[data-uri$="${name}"]`);
}

/** Number of the line that the cursor is on, from the status bar; null when no text has the focus. */
export async function cursorLine(page: Page): Promise<number | null> {
  const text = await page
    .locator('.statusbar-item[id="status.editor.selection"]')
    .textContent({ timeout: 2000 })
    .catch(() => null);
  return Number(text?.match(/Ln (\d+)/)?.[1] ?? NaN) || null;
}

export function lens(page: Page, text: string | RegExp): Locator {
  return page.locator('.codelens-decoration a', { hasText: text });
}

/**
 * Clicks a lens. Right after a run the server has its lenses drawn anew; a click between the old and the new ones meets
 * a command that VS Code has just dropped, as it would for a very quick user, who clicks again.
 */
export async function clickLens(page: Page, text: string | RegExp, place = 0): Promise<void> {
  await until(
    `the lens ${text}`,
    async () => {
      await lens(page, text).nth(place).waitFor();
      await delay(1000);
      await lens(page, text).nth(place).click();
      const dropped = notification(page, 'Actual command not found');
      if (!(await succeeds(dropped.waitFor({ timeout: 500 })))) return true;
      await runCommand(page, 'Notifications: Clear All Notifications');
      return false;
    },
    60_000,
  );
}

export function notification(page: Page, text: string | RegExp): Locator {
  return page.locator('.notifications-toasts .notification-list-item', { hasText: text });
}

/** The innermost frame of the webview that shows an element. */
export async function webview(page: Page, selector: string, milliseconds = 20_000): Promise<Frame> {
  return until(
    `a webview with ${selector}`,
    async () => {
      for (const frame of page.frames()) {
        if (frame === page.mainFrame()) continue;
        const count = await frame
          .locator(selector)
          .count()
          .catch(() => 0); // a frame may go while we look
        if (count) return frame;
      }
      return null;
    },
    milliseconds,
  );
}

/** For eyes: `.cache/screenshots/e2e-<name>.png`. */
export async function screenshot(page: Page, name: string): Promise<void> {
  const file = join(root, '.cache', 'screenshots', `e2e-${name}.png`);
  mkdirSync(dirname(file), { recursive: true });
  await page.screenshot({ path: file });
}

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe finds wrong in a frame, one line each. */
export async function accessibilityFaults(frame: Frame): Promise<string[]> {
  await frame.evaluate(axeSource); // through the debugger, so the page's content security policy stays as it is
  return frame.evaluate(async () => {
    interface Axe {
      run(
        node: Document,
        options: object,
      ): Promise<{ violations: { id: string; help: string; nodes: { html: string; failureSummary?: string }[] }[] }>;
    }
    const { violations } = await (globalThis as unknown as { axe: Axe }).axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'],
    });
    return violations.map(
      ({ id, help, nodes }) =>
        `${id}: ${help}: ${nodes.map(({ html, failureSummary }) => `${html.slice(0, 200)} ${failureSummary ?? ''}`).join(' | ')}`,
    );
  });
}

/** The results page of the active group, once it shows a result or a run. */
export const resultsPage = (page: Page) => webview(page, 'body[data-layerif-page="results"] main header', 60_000);

/** Bars of the layer chart, one per layer and task. */
export const bars = (frame: Frame): Locator => frame.locator('.layerif-bar rect, .layerif-bar path');

/** Opens the container of the activity bar with our three views. */
export async function openSideBar(page: Page): Promise<void> {
  const item = page.locator('.activitybar .action-label[aria-label="LayerIF"]');
  if ((await page.locator('.sidebar .composite.title h2', { hasText: 'LayerIF' }).count()) === 0) await item.click();
  await page.locator('.sidebar .pane-header', { hasText: 'Runs' }).waitFor();
}

/** Rows of one of our trees. */
export function treeRows(page: Page, view: 'Runs' | 'Experiments'): Locator {
  return page
    .locator('.sidebar .pane', { has: page.locator('.pane-header', { hasText: view }) })
    .locator('.monaco-list-row');
}

/** Takes an entry of the menu of a row, which stays open when it is clicked right after it opened. */
export async function chooseInMenu(page: Page, row: Locator, entry: RegExp): Promise<void> {
  const label = page.locator('.context-view .action-label', { hasText: entry });
  await until('the menu', async () => {
    await row.click({ button: 'right' });
    return succeeds(label.hover({ timeout: 5000 }));
  });
  await until('the menu has taken the click', async () => {
    await delay(500);
    await succeeds(label.click({ timeout: 2000 }));
    return (await label.count()) === 0;
  });
}

/** Opens the workbench of a test file; its words are in sight then. */
export async function enter({ page, url }: Workbench): Promise<void> {
  await page.goto(url);
  await page.locator('.monaco-workbench').waitFor({ timeout: 60_000 });
}

/** Scores the tiny experiment by its lens. @returns its page of results, complete */
export async function scoreTiny(page: Page): Promise<Frame> {
  await openFile(page, 'tiny.layerif.yaml');
  await clickLens(page, /^Score Layers$/);
  const frame = await resultsPage(page);
  await frame.locator('.status', { hasText: 'Complete' }).waitFor({ timeout: 60_000 });
  return frame;
}

/** After each step: of a failed one a picture and the logs, which name most causes at once. */
export async function explainFailure(step: TestContext | SuiteContext, bench: Workbench): Promise<void> {
  const { page } = bench;
  if (!('passed' in step) || step.passed) return;
  await runCommand(page, 'Notifications: Show Notifications').catch(() => undefined); // toasts may be gone
  await screenshot(page, `failed-${step.name.replace(/[^\w]+/g, '-')}`).catch(() => undefined);
  console.error(bench.logs());
}
