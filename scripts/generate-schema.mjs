/**
 * Writes media/layerif.schema.json from the zod schema that the validator uses. `--check` only compares and fails when
 * it is stale.
 *
 *   node scripts/generate-schema.mjs [--check]
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const target = new URL('../media/layerif.schema.json', import.meta.url);

// Bundled first: Node 20 does not read TypeScript.
const { outputFiles } = await build({
  entryPoints: [fileURLToPath(new URL('../server/src/config/jsonSchema.ts', import.meta.url))],
  bundle: true,
  write: false,
  platform: 'node',
  format: 'esm',
});
const { experimentJsonSchemaText } = await import(
  `data:text/javascript;base64,${Buffer.from(outputFiles[0].text).toString('base64')}`
);
const text = experimentJsonSchemaText();

if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== text) {
    console.error('media/layerif.schema.json is stale: run node scripts/generate-schema.mjs');
    process.exit(1);
  }
} else {
  writeFileSync(target, text);
}
