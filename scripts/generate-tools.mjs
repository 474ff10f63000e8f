/**
 * Writes `contributes.languageModelTools` of package.json from the table of tools, `protocol/tools.ts`. `--check` only
 * compares and fails when it is stale.
 *
 *   node scripts/generate-tools.mjs [--check]
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { format, resolveConfig } from 'prettier';

const manifest = fileURLToPath(new URL('../package.json', import.meta.url));

// Bundled first: Node 20 does not read TypeScript.
const { outputFiles } = await build({
  entryPoints: [fileURLToPath(new URL('../protocol/tools.ts', import.meta.url))],
  bundle: true,
  write: false,
  format: 'esm',
});
const { editorTools } = await import(
  `data:text/javascript;base64,${Buffer.from(outputFiles[0].text).toString('base64')}`
);
const old = readFileSync(manifest, 'utf8');
const json = JSON.parse(old);
json.contributes.languageModelTools = editorTools();
const text = await format(JSON.stringify(json), { ...(await resolveConfig(manifest)), filepath: manifest });
if (text !== old) {
  if (process.argv.includes('--check')) {
    console.error('package.json: contributes.languageModelTools is stale, run node scripts/generate-tools.mjs');
    process.exit(1);
  }
  writeFileSync(manifest, text);
}
