/**
 * Bundles everything that runs: extension host, language server, engine and command line for Node, the pages for webviews.
 *
 *   node esbuild.mjs [--production] [--watch]
 *
 * Node bundles end in `.cjs`: the package is `"type": "module"`, and both Node and VS Code read a `.js` beside such a manifest
 * as an ES module, in a clone and in the VSIX alike. `onnxruntime-node` is loaded by the engine alone and is never bundled,
 * because it finds its native library beside its own files.
 *
 * To add a bundle, add a row to a table below.
 */
import { context, build } from 'esbuild';
import { chmodSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { writeNotices } from './scripts/notices.mjs';

const root = fileURLToPath(new URL('.', import.meta.url));

/** Bundle -> entry, and what stays outside. */
const nodeBundles = {
  extension: { entry: 'extension/src/extension.ts', external: ['vscode'] },
  server: { entry: 'server/src/lsp/serverMain.ts', external: [] },
  serverWorker: { entry: 'server/src/lsp/workerMain.ts', external: [] },
  engine: { entry: 'server/src/engine/engineMain.ts', external: ['onnxruntime-node'] },
  // The command line and its child, which does the work: starting both costs little more than one.
  cli: { entry: 'server/src/cli/cliMain.ts', external: [] },
  cliWork: { entry: 'server/src/cli/workMain.ts', external: [] },
};
const webviewBundles = {
  results: 'webview/src/results.tsx',
  layers: 'webview/src/layers.tsx',
  comparison: 'webview/src/comparison.tsx',
  inspect: 'webview/src/inspect.tsx',
  header: 'webview/src/header.tsx',
  predict: 'webview/src/predict.tsx',
  analysis: 'webview/src/analysis.tsx',
  chat: 'webview/src/chat.tsx',
};

const production = process.argv.includes('--production');
const watch = process.argv.includes('--watch');

/** Sources may say where they are (`import.meta.url`); a CommonJS bundle answers with its own place. */
const placeOfBundle = "const bundleUrl = require('node:url').pathToFileURL(__filename).href;";

function shared() {
  return {
    absWorkingDir: root,
    bundle: true,
    minify: production,
    sourcemap: production ? false : 'linked',
    metafile: true,
    legalComments: 'none',
    logLevel: 'warning',
    define: { 'process.env.NODE_ENV': JSON.stringify(production ? 'production' : 'development') },
  };
}

function nodeOptions(name, { entry, external }) {
  const options = shared();
  const hashbang = name === 'cli' && !readFileSync(entry, 'utf8').startsWith('#!') ? '#!/usr/bin/env node\n' : '';
  return {
    ...options,
    entryPoints: [entry],
    outfile: `dist/${name}.cjs`,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    external,
    define: {
      ...options.define,
      'import.meta.url': 'bundleUrl',
      'import.meta.dirname': '__dirname',
      'import.meta.filename': '__filename',
    },
    banner: { js: hashbang + placeOfBundle },
    // Packages that offer both: the ES module half is the one that can be shaken.
    mainFields: ['module', 'main'],
  };
}

function webviewOptions(entries) {
  return {
    ...shared(),
    entryPoints: entries,
    outdir: 'dist/webview',
    platform: 'browser',
    format: 'iife',
    // Electron 34, the oldest that VS Code 1.101 ships.
    target: 'chrome132',
    jsx: 'automatic',
    jsxImportSource: 'preact',
  };
}

process.chdir(root);
// A development build replaces files in place: a command line or an editor may be running from them.
if (production) rmSync('dist', { recursive: true, force: true });
const all = Object.entries(nodeBundles).map(([name, bundle]) => nodeOptions(name, bundle));
all.push(webviewOptions(webviewBundles));

if (watch) {
  for (const options of all) await (await context({ ...options, logLevel: 'info' })).watch();
} else {
  const started = performance.now();
  // All bundles are tried, so that one run shows every error; esbuild prints them itself.
  const outcomes = await Promise.allSettled(all.map((options) => build(options)));
  const results = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  if (results.length < all.length) process.exitCode = 1;
  if (existsSync('dist/cli.cjs')) chmodSync('dist/cli.cjs', 0o755);
  if (production)
    writeNotices(Object.assign({}, ...results.map(({ metafile }) => metafile.outputs)), 'dist/ThirdPartyNotices.txt');
  console.log(`built ${results.length} bundles in ${Math.round(performance.now() - started)} ms`);
}
