/**
 * A page of ours in a real headless Chromium, as VS Code would show it: the same HTML shell with the same content
 * security policy, the built bundle, a stand-in for `acquireVsCodeApi`, and the variables of one of the four kinds of
 * theme. Needs `dist/webview` (`npm run build`) and a Chromium (`CHROMIUM`, default /usr/bin/chromium). No port is
 * opened.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after } from 'node:test';
import { chromium } from 'playwright-core';
import type { Browser, Frame, Page } from 'playwright-core';
import { pageHtml } from '../../extension/src/webviewHtml.ts';
import type { FromWebview, ToWebview } from '../../protocol/webview.ts';
import { themes } from './themes.ts';
import type { ThemeName } from './themes.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const ORIGIN = 'https://webview.test';
const NONCE = 'testnonce';

let running: Promise<Browser> | undefined;
after(async () => (await running)?.close());

/** The one browser of this process, ended with it. */
export function sharedBrowser(): Promise<Browser> {
  return (running ??= chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    chromiumSandbox: false,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  }));
}

/** What a page is at the moment. */
interface Shown {
  html: string;
  errors: string[];
}

const shown = new Map<Page, Shown>();
/** Closed pages are opened again: a new one, with a process of its own, costs five times as much as a new address. */
const closed: Page[] = [];

async function newPage(): Promise<Page> {
  const page = await (await sharedBrowser()).newPage();
  page.setDefaultTimeout(10_000);
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') shown.get(page)?.errors.push(message.text());
  });
  page.on('pageerror', (error) => shown.get(page)?.errors.push(String(error)));
  await page.route(`${ORIGIN}/**`, async (route) => {
    const name = new URL(route.request().url()).pathname.slice(1);
    if (name === '') return route.fulfill({ contentType: 'text/html', body: shown.get(page)!.html });
    const file = path.join(ROOT, 'dist/webview', name);
    if (!existsSync(file)) return route.fulfill({ status: 404 });
    return route.fulfill({
      contentType: name.endsWith('.css') ? 'text/css' : 'text/javascript',
      body: readFileSync(file),
    });
  });
  return page;
}

/** Ends what a page shows. */
export async function closePage(page: Page): Promise<void> {
  shown.delete(page);
  await page.mouse.move(0, 0);
  await page.goto('about:blank');
  closed.push(page);
}

export interface OpenPage {
  page: Page;
  /** Everything that the page sent to the extension, in order. */
  sent: () => Promise<FromWebview[]>;
  post: (message: ToWebview) => Promise<void>;
  /** Errors of the console and the page, content security policy violations among them. */
  errors: string[];
  screenshot: (name: string) => Promise<void>;
}

export async function openPage(
  kind: 'results' | 'layers' | 'comparison' | 'inspect' | 'header' | 'predict' | 'analysis',
  options: { theme?: ThemeName; width?: number; height?: number; state?: unknown } = {},
): Promise<OpenPage> {
  const theme = options.theme ?? 'dark';
  for (const file of [`${kind}.js`, `${kind}.css`])
    if (!existsSync(path.join(ROOT, 'dist/webview', file)))
      throw new Error(`dist/webview/${file} is missing: run "npm run build" first`);
  const page = closed.pop() ?? (await newPage());
  await page.setViewportSize({ width: options.width ?? 1000, height: options.height ?? 900 });
  const errors: string[] = [];
  const html = pageHtml({
    cspSource: ORIGIN,
    nonce: NONCE,
    scriptUri: `${ORIGIN}/${kind}.js`,
    styleUri: `${ORIGIN}/${kind}.css`,
    page: kind,
    title: 'LayerIF',
  });
  shown.set(page, { html, errors });
  const { bodyClass, variables } = themes[theme];
  const start = await page.addInitScript(
    ({ state, bodyClass, variables }) => {
      const sent: unknown[] = [];
      let stored = state;
      Object.assign(window, {
        layerifSent: sent,
        layerifState: () => stored,
        acquireVsCodeApi: () => ({
          postMessage: (message: unknown) => void sent.push(structuredClone(message)),
          getState: () => stored,
          setState: (next: unknown) => (stored = structuredClone(next)),
        }),
      });
      document.addEventListener('DOMContentLoaded', () => {
        document.body.className = bodyClass;
        for (const [name, value] of Object.entries(variables)) document.documentElement.style.setProperty(name, value);
      });
    },
    { state: options.state, bodyClass, variables },
  );
  await page.goto(`${ORIGIN}/`);
  await start.dispose();
  await page.waitForFunction(() => (window as unknown as { layerifSent: unknown[] }).layerifSent.length > 0);
  return {
    page,
    errors,
    sent: () => page.evaluate(() => (window as unknown as { layerifSent: FromWebview[] }).layerifSent),
    post: async (message) => {
      // As text: Playwright takes seconds for a large structure.
      await page.evaluate((text) => window.postMessage(JSON.parse(text), '*'), JSON.stringify(message));
      // Two frames: Preact renders in the first, charts measure and draw in the second.
      await page.evaluate(
        () =>
          new Promise<void>((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 30)))),
      );
    },
    screenshot: async (name) => {
      const folder = path.join(ROOT, '.cache/screenshots');
      mkdirSync(folder, { recursive: true });
      await page.screenshot({ path: path.join(folder, `webview-${name}.png`), fullPage: true });
    },
  };
}

/** Switches a loaded page to another theme, as VS Code does it: variables on <html>, class on <body>. */
export async function setTheme(page: Page, theme: ThemeName): Promise<void> {
  await page.evaluate(({ bodyClass, variables }) => {
    document.documentElement.removeAttribute('style');
    for (const [name, value] of Object.entries(variables)) document.documentElement.style.setProperty(name, value);
    document.body.className = bodyClass;
  }, themes[theme]);
  await page.waitForTimeout(60);
}

export interface Violation {
  id: string;
  help: string;
  nodes: string[];
}

/** axe-core over the whole page; through the debugger, so the content security policy does not stop it. */
export async function accessibilityViolations(page: Page | Frame): Promise<Violation[]> {
  await page.evaluate(readFileSync(path.join(ROOT, 'node_modules/axe-core/axe.min.js'), 'utf8'));
  return page.evaluate(async () => {
    const axe = (
      window as unknown as {
        axe: {
          run: (
            root: Document,
            options: unknown,
          ) => Promise<{
            violations: { id: string; help: string; nodes: { html: string; failureSummary: string }[] }[];
          }>;
        };
      }
    ).axe;
    const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'];
    const { violations } = await axe.run(document, { runOnly: rules });
    return violations.map(({ id, help, nodes }) => ({
      id,
      help,
      nodes: nodes.map((node) => `${node.html.slice(0, 200)} ${node.failureSummary}`),
    }));
  });
}
