/** Are the bundles in `dist/` there and newer than what they are made of? Plain Node 20 without any package. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const sources = ['protocol', 'extension/src', 'server/src', 'webview/src', 'esbuild.mjs', 'package-lock.json'];
const bundles = [
  'extension.cjs',
  'server.cjs',
  'serverWorker.cjs',
  'engine.cjs',
  'cli.cjs',
  'cliWork.cjs',
  'webview/results.js',
  'webview/layers.js',
];

function newestTime(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(
    stat.mtimeMs,
    ...readdirSync(path, { recursive: true }).map((name) => statSync(join(path, name)).mtimeMs),
  );
}

export function bundlesAreFresh(root) {
  const files = bundles.map((name) => join(root, 'dist', name));
  if (!files.every((file) => existsSync(file))) return false;
  const oldest = Math.min(...files.map((file) => statSync(file).mtimeMs));
  return sources.every((source) => newestTime(join(root, source)) <= oldest);
}

/** @throws Error when the build fails; esbuild has printed why. */
export function buildBundles(root, args = []) {
  const result = spawnSync(process.execPath, ['esbuild.mjs', ...args], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (result.status !== 0) throw new Error('The build failed; esbuild says why above.');
}
