/**
 * Writes the generated parts of README.md and docs/: whatever stands between `<!-- generated:NAME -->` and `<!--
 * /generated -->`.
 *
 *   node scripts/generate-docs.mjs [--check]      --check only compares, and fails when a part is stale
 */
import { createRequire } from 'node:module';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { format, resolveConfig } from 'prettier';
import { fieldParts, pythonParts } from './fileFields.mjs';
import { scoreParts } from '../test/bench/scoreTable.mjs';
import { summary, table } from '../test/bench/table.mjs';
import { systemsPage } from './systemClaims.mjs';

const root = new URL('../', import.meta.url);
const at = (name) => fileURLToPath(new URL(name, root));

// Bundled first: Node 20 does not read TypeScript.
const { outputFiles } = await build({
  entryPoints: [at('server/src/cli/documents.ts')],
  bundle: true,
  write: false,
  platform: 'node',
  format: 'cjs',
  logLevel: 'error',
});
const loaded = { exports: {} };
new Function('module', 'exports', 'require', outputFiles[0].text)(
  loaded,
  loaded.exports,
  createRequire(import.meta.url),
);
const results = JSON.parse(readFileSync(at('test/bench/results.json'), 'utf8'));
const parts = {
  ...loaded.exports.generatedParts(),
  ...fieldParts(),
  ...pythonParts(),
  benchmark: summary(results),
  benchmarks: table(results),
  ...scoreParts(JSON.parse(readFileSync(at('test/bench/scoreResults.json'), 'utf8'))),
  systems: systemsPage(JSON.parse(readFileSync(at('examples/systems/results.json'), 'utf8'))),
};

const pages = [
  'README.md',
  ...readdirSync(at('docs')).flatMap((name) => (name.endsWith('.md') ? [`docs/${name}`] : [])),
];
const stale = [];
for (const page of pages) {
  const old = readFileSync(at(page), 'utf8');
  const filled = old.replaceAll(/(<!-- generated:(\w+) -->)[\s\S]*?(<!-- \/generated -->)/g, (_, start, name, end) => {
    if (!(name in parts))
      throw new Error(`${page}: there is no part "${name}"; there are ${Object.keys(parts).join(', ')}`);
    return `${start}\n\n${parts[name]}\n\n${end}`;
  });
  const text = await format(filled, { ...(await resolveConfig(at(page))), parser: 'markdown' });
  if (text === old) continue;
  stale.push(page);
  if (!process.argv.includes('--check')) writeFileSync(at(page), text);
}
if (process.argv.includes('--check') && stale.length > 0) {
  console.error(`${stale.join(', ')}: stale, run node scripts/generate-docs.mjs`);
  process.exit(1);
}
