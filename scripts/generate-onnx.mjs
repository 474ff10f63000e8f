/**
 * Regenerates `server/src/onnx/gen/` from `server/src/onnx/onnx.proto` (the official schema), offline, with the
 * installed buf and protoc-gen-es. Output is JavaScript with declarations: the schema has enums, which type stripping
 * cannot erase.
 *
 * Run: node scripts/generate-onnx.mjs. Take a new onnx.proto from the `onnx` release on PyPI or GitHub.
 */
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const root = fileURLToPath(new URL('..', import.meta.url));
const bin = (name) => fileURLToPath(new URL(`../node_modules/.bin/${name}`, import.meta.url));

// npm may not have run buf's install script, which puts the platform's binary in place; it needs no network.
execFileSync(process.execPath, [require.resolve('@bufbuild/buf/install.js')], { cwd: root, stdio: 'inherit' });

const template = {
  version: 'v2',
  plugins: [{ local: bin('protoc-gen-es'), out: 'server/src/onnx/gen', opt: ['target=js+dts'] }],
};
execFileSync(
  bin('buf'),
  ['generate', 'server/src/onnx', '--path', 'server/src/onnx/onnx.proto', '--template', JSON.stringify(template)],
  {
    cwd: root,
    stdio: 'inherit',
  },
);
