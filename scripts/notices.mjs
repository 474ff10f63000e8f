/**
 * `dist/ThirdPartyNotices.txt`: name, version and licence of every package whose code is in a bundle or ships beside
 * it, as their licences ask. Taken from what esbuild really bundled, so it cannot fall behind.
 */
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Shipped as packages, not bundled. */
const besides = ['node_modules/onnxruntime-node', 'node_modules/onnxruntime-common'];

/**
 * What packages without a licence file come with: their licence, and the notices of the libraries inside a native
 * library.
 */
const beside = {
  'onnxruntime-node': ['LICENSE', 'ThirdPartyNotices.txt'],
  'onnxruntime-common': ['LICENSE'],
};
const ourCopies = fileURLToPath(new URL('../third-party/onnxruntime/', import.meta.url));

/** Folder of the package that a bundled file belongs to. */
const packageOf = (file) => file.match(/^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0];

function notice(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((entry) => /^(licen[cs]e|copying)/i.test(entry));
  const texts = file ? [join(folder, file)] : (beside[name] ?? []).map((copy) => join(ourCopies, copy));
  const text =
    texts.map((path) => readFileSync(path, 'utf8').trim()).join('\n\n') ||
    `(${license}; the package has no licence file)`;
  return { name, text: `${name} ${version}: ${license ?? 'see below'}\n\n${text}\n` };
}

/** @param outputs the `outputs` of esbuild's metafiles, merged. */
export function writeNotices(outputs, file) {
  const folders = new Set(besides.filter((folder) => existsSync(folder)));
  for (const { inputs } of Object.values(outputs)) {
    for (const input of Object.keys(inputs)) {
      const folder = packageOf(input);
      if (folder) folders.add(folder);
    }
  }
  const notices = [...folders].map(notice).sort((a, b) => a.name.localeCompare(b.name));
  const line = `\n${'-'.repeat(80)}\n\n`;
  writeFileSync(
    file,
    `LayerIF contains or ships with the following packages.\n${line}${notices.map(({ text }) => text).join(line)}`,
  );
}
