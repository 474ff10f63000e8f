/**
 * Packs the VSIX of one platform: `npm run package [-- --target linux-x64]` writes
 * `.cache/layerif-<version>-<target>.vsix`.
 *
 * One VSIX per platform, because ONNX Runtime is native and all platforms together weigh over 100 MB. `.vscodeignore`
 * is the allow list; its one line for native libraries is narrowed to the target's folder here. vsce needs Node 22: the
 * test environment's runs it where that is installed or can be, else this one with vsce from npx.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installPackages, packagesAreInstalled } from './packages.mjs';
import { ensureTestEnvironment, testNode, vsce } from './testEnvironment.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Target of vsce -> files of `onnxruntime-node/bin/napi-v6`. ONNX Runtime 1.30 has none for Macs with Intel processors.
 */
export const nativeFiles = {
  'linux-x64': ['linux/x64/**'],
  'linux-arm64': ['linux/arm64/**'],
  'darwin-arm64': ['darwin/arm64/libonnxruntime.1.dylib', 'darwin/arm64/*.node'], // the package holds the library twice
  'win32-x64': ['win32/x64/**'],
  'win32-arm64': ['win32/arm64/**'],
};
const vsceVersion = JSON.parse(readFileSync(join(root, 'test-env', 'package.json'), 'utf8')).dependencies[
  '@vscode/vsce'
];
const anyNative = '!node_modules/onnxruntime-node/bin/napi-v6/**';

export function vsixPath(target) {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return join(root, '.cache', `layerif-${version}-${target}.vsix`);
}

function vsceCommand(log) {
  if (existsSync(testNode) && existsSync(vsce)) return [testNode, vsce];
  if (Number(process.versions.node.split('.')[0]) >= 22) {
    const npx = join(dirname(process.env.npm_execpath ?? ''), 'npx-cli.js');
    if (!existsSync(npx)) throw new Error('Run this as npm run package: it needs npx.');
    return [process.execPath, npx, '--yes', `@vscode/vsce@${vsceVersion}`];
  }
  ensureTestEnvironment(log);
  return [testNode, vsce];
}

/** Packs (vsce builds for production by the script `vscode:prepublish`) and returns the path of the VSIX. */
export function packageVsix(target, log = console.log) {
  if (!nativeFiles[target])
    throw new Error(
      `No VSIX for "${target}": ONNX Runtime has native libraries for ${Object.keys(nativeFiles).join(', ')}.`,
    );
  const allowed = readFileSync(join(root, '.vscodeignore'), 'utf8');
  if (!allowed.includes(anyNative)) throw new Error(`.vscodeignore has no line "${anyNative}" to narrow to ${target}.`);
  mkdirSync(join(root, '.cache'), { recursive: true });
  const ignoreFile = join('.cache', `vscodeignore-${target}`);
  const narrowed = nativeFiles[target].map((glob) => anyNative.replace('**', glob)).join('\n');
  writeFileSync(join(root, ignoreFile), allowed.replace(anyNative, narrowed));
  const file = vsixPath(target);
  const [program, ...first] = vsceCommand(log);
  const result = spawnSync(
    program,
    [...first, 'package', '--target', target, '--ignoreFile', ignoreFile, '--out', file],
    {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 1 << 26,
    },
  );
  if (result.status !== 0) throw new Error(`vsce package failed:\n${result.stdout}${result.stderr}`);
  log(`${file} (${(statSync(file).size / 1e6).toFixed(1)} MB)`);
  return file;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const at = process.argv.indexOf('--target');
  try {
    if (!packagesAreInstalled(root)) installPackages(root);
    packageVsix(at > 0 ? process.argv[at + 1] : `${process.platform}-${process.arch}`);
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
}
