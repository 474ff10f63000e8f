/**
 * `npm start`: from a fresh clone to scored layers. Installs packages, builds, obtains the demo model, scores the
 * example experiment, and says where the result is. Each step is left out when its work is already done.
 *
 *   npm start [-- [--hub] [any option of `layerif score`]]      --hub: the original weights, from the Hugging Face hub
 *
 * Needs Node 20.19 or newer and nothing else: nothing is imported from a package until npm has installed it.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildBundles, bundlesAreFresh } from './bundles.mjs';
import { installPackages, packagesAreInstalled } from './packages.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const example = join(root, 'examples', 'sentiment-and-capitals.layerif.yaml');
const hub = process.argv.includes('--hub');
const scoreOptions = process.argv.slice(2).filter((argument) => argument !== '--hub');
// Standard output belongs to the command line's own output (`--json` must stay one document).
const say = (text) => console.error(text);
/** Where npm was called: relative options are meant from there. */
const calledFrom = process.env.INIT_CWD ?? process.cwd();

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  say(`LayerIF needs Node 20.19 or newer; this is ${process.version}. Get one from https://nodejs.org.`);
  process.exit(1);
}

function newestResult(folder) {
  if (!existsSync(folder)) return undefined;
  const files = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.layerif-result.json'));
  const byTime = files.map((name) => join(folder, name)).sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  return byTime[0];
}

function outputFolder() {
  const inline = scoreOptions.find((option) => option.startsWith('--output='));
  const at = scoreOptions.indexOf('--output');
  const given = inline ? inline.slice('--output='.length) : at >= 0 ? scoreOptions[at + 1] : undefined;
  return given === undefined ? join(root, 'examples', 'runs') : resolve(calledFrom, given);
}

let experiment;
try {
  if (!packagesAreInstalled(root)) {
    say('Installing packages (npm ci) ...');
    installPackages(root);
  }
  if (!bundlesAreFresh(root)) {
    say('Building ...');
    buildBundles(root);
  }
  const { ensureDemoModel } = await import('./demoModel.mjs');
  const model = await ensureDemoModel({ hub });
  const { experimentOver } = await import('./demoExperiment.mjs');
  experiment = await experimentOver(example, model);
  say(
    model.source === 'hub'
      ? 'Scoring the original bfloat16 weights of SmolLM2-135M-Instruct, from the Hugging Face hub.'
      : 'Scoring the 4-bit form of SmolLM2-135M-Instruct (npm start -- --hub takes the original weights).',
  );
} catch (error) {
  say(error.message);
  process.exit(1);
}

const scored = spawnSync(process.execPath, [join(root, 'dist', 'cli.cjs'), 'score', experiment, ...scoreOptions], {
  stdio: 'inherit',
  cwd: calledFrom,
});
if (scored.status !== 0) process.exit(scored.status ?? 1);

const result = newestResult(outputFolder());
if (result) {
  say(`
To see it as charts, open ${relative(calledFrom, result)} in VS Code with LayerIF:
  - from this clone: open the folder in VS Code, press F5, and open the file in the window that comes up; or
  - npm run package, then code --install-extension .cache/layerif-<version>-<platform>.vsix
In the editor, open ${relative(calledFrom, experiment)} and click "Score Layers" to run it again.`);
}
