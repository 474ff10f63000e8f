/**
 * `npm ci` in a folder of this repository, only when it is needed: no `node_modules`, or a lock file that is newer than
 * the last installation. Plain Node 20 without any package: this runs in a fresh clone.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * True when the packages of `folder` are installed and match its lock file. `proof` is a path that a finished
 * installation leaves.
 */
export function packagesAreInstalled(folder, proof) {
  const record = join(folder, 'node_modules', '.package-lock.json'); // written by npm at the end
  if (!existsSync(record) || (proof && !existsSync(join(folder, proof)))) return false;
  return statSync(record).mtimeMs >= statSync(join(folder, 'package-lock.json')).mtimeMs;
}

/**
 * Installs what the lock file of `folder` names; npm's output is shown only when it fails.
 * @throws Error with npm's own words when npm fails.
 */
export function installPackages(folder, environment = {}) {
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
  // Under `npm start` the running npm is known; called by hand there is `npm` on PATH (a .cmd file on Windows, hence
  // the shell).
  const npm = process.env.npm_execpath;
  const [command, all, shell] = npm?.endsWith('.js')
    ? [process.execPath, [npm, ...args], false]
    : ['npm', args, process.platform === 'win32'];
  const result = spawnSync(command, all, {
    cwd: folder,
    shell,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    stdio: ['ignore', 'pipe', 'pipe'],
    // A second guard beside .npmrc: no download of CUDA libraries by onnxruntime-node.
    env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip', ...environment },
  });
  if (result.status === 0) return;
  const why = result.error?.message ?? `exit code ${result.status ?? result.signal}`;
  throw new Error(`npm ci failed in ${folder} (${why}). What npm said:\n${result.stdout ?? ''}${result.stderr ?? ''}`);
}
