/**
 * `npm run test:desktop`: the in-host suite in a desktop VS Code, which @vscode/test-electron downloads.
 *
 *   VSCODE_VERSION=1.101.0 npm run test:desktop          another version than the newest stable one
 *   VSCODE_EXECUTABLE=/usr/bin/code npm run test:desktop an installed one: no download
 *
 * Needs a display; on Linux without one: xvfb-run -a npm run test:desktop. `npm test` runs the same suite in
 * code-server instead.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { downloadAndUnzipVSCode, runTests } from '@vscode/test-electron';
import { buildBundles, bundlesAreFresh } from './bundles.mjs';
import { testNode } from './testEnvironment.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const version = process.env.VSCODE_VERSION ?? 'stable';

/**
 * The test sources are TypeScript, which needs a newer Node than the product: this one if it will do, else the test
 * environment's.
 */
function fill(folder) {
  const node = Number(process.versions.node.split('.')[0]) >= 24 ? process.execPath : testNode;
  if (!existsSync(node)) throw new Error(`This is Node ${process.versions.node}; the tests need Node 24 or newer.`);
  const call = (file, name, argument) =>
    `const { ${name} } = await import(${JSON.stringify(pathToFileURL(join(root, file)).href)}); await ${name}(${argument});`;
  const program =
    call('test/tinyLlama.ts', 'writeTinyWorkspace', JSON.stringify(folder)) +
    call('test/host/bundle.ts', 'bundleHostSuite', '');
  const result = spawnSync(node, ['--input-type=module', '--eval', program], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (result.status !== 0) throw new Error('The in-host suite could not be built.');
}

async function obtain() {
  if (process.env.VSCODE_EXECUTABLE) return process.env.VSCODE_EXECUTABLE;
  try {
    return await downloadAndUnzipVSCode({ version, cachePath: join(root, '.vscode-test') });
  } catch (error) {
    const why = error.errors?.[0]?.message ?? error.cause?.message ?? error.message;
    throw new Error(
      `VS Code (${version}) could not be downloaded (${why}). On a machine without internet set VSCODE_EXECUTABLE to an installed VS Code, ` +
        'or run the same suite in code-server: npm run test:host.',
      { cause: error },
    );
  }
}

const folder = mkdtempSync(join(tmpdir(), 'layerif-desktop-'));
try {
  const vscodeExecutablePath = await obtain();
  if (!bundlesAreFresh(root)) buildBundles(root);
  fill(folder);
  await runTests({
    vscodeExecutablePath,
    extensionDevelopmentPath: root,
    extensionTestsPath: join(root, 'out/host/index.cjs'),
    launchArgs: [folder, '--disable-extensions'],
  });
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
