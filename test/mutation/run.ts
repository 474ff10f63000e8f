/**
 * Mutation test: does some test notice each small fault? Every mutant runs the tests of `targets.ts` from sources, in a
 * process of its own whose engine children see the same mutant (`hook.mjs`). Answers are kept in `.cache/mutation.json`
 * under a hash of the mutant and its tests, so that only what changed is run again.
 *
 *     npm run test:mutation -- [--only WORD] [--share 1/10] [--limit COUNT] [--report]
 *
 * --only: targets whose path contains the word; --share k/of: every of-th mutant, from the k-th; --report: from the
 * kept answers alone.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { equivalents } from './equivalents.ts';
import { mutantsOf } from './operators.ts';
import { targets } from './targets.ts';

const root = path.resolve(import.meta.dirname, '../..');
const cacheFile = path.join(root, '.cache/mutation.json');
const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    share: { type: 'string' },
    limit: { type: 'string' },
    report: { type: 'boolean' },
  },
});
const [share, of] = (options.share ?? '1/1').split('/').map(Number);
if (!(share >= 1 && share <= of)) throw new Error(`--share ${options.share}: use k/of, such as 1/10`);
const TIMEOUT = 60_000;

type Answer = 'killed' | 'survived';
const known = existsSync(cacheFile) ? (JSON.parse(readFileSync(cacheFile, 'utf8')) as Record<string, Answer>) : {};

const read = (file: string) => readFileSync(path.join(root, file), 'utf8');
const counts = { all: 0, killed: 0, survived: 0, equivalent: 0, open: 0 };
const survivors: string[] = [];
let left = Number(options.limit ?? Infinity);

for (const { file, tests } of targets) {
  if (options.only !== undefined && !file.includes(options.only)) continue;
  const source = read(file);
  const present = tests.filter((name) => existsSync(path.join(root, name)));
  const texts = present.map(read).join('\n');
  const lines = source.split('\n');
  const own = { killed: 0, run: 0 };
  let sound = false;
  for (const [k, mutant] of mutantsOf(file, source).entries()) {
    counts.all++;
    const line = lines[mutant.line - 1].trim();
    if (equivalents.some((e) => file.endsWith(e.file) && line === e.line && e.change.test(mutant.change))) {
      counts.equivalent++;
      continue;
    }
    const changed = source.slice(0, mutant.start) + mutant.replacement + source.slice(mutant.end);
    const key = createHash('sha256').update(`${file}\n${changed}\n${texts}`).digest('hex').slice(0, 24);
    let answer: Answer | undefined = known[key];
    if (answer === undefined && (options.report || k % of !== share - 1 || left <= 0)) {
      counts.open++;
      continue;
    }
    if (answer === undefined) {
      left--;
      // Tests that fail without a fault would kill everything.
      if (!sound && answerOf(file, source, present) === 'killed')
        throw new Error(`${present.join(', ')} fail as they are`);
      sound = true;
      answer = answerOf(file, changed, present);
      known[key] = answer;
      mkdirSync(path.dirname(cacheFile), { recursive: true });
      writeFileSync(cacheFile, JSON.stringify(known));
    }
    counts[answer]++;
    own.run++;
    if (answer === 'killed') own.killed++;
    else survivors.push(`${file}:${mutant.line}  ${mutant.change}    ${line}`);
  }
  if (own.run > 0) process.stderr.write(`${file}: ${own.killed} of ${own.run} killed\n`);
}

const run = counts.killed + counts.survived;
process.stdout.write(
  [
    ...survivors,
    '',
    `${counts.killed} of ${run} mutants killed (${((100 * counts.killed) / run).toFixed(1)} %); ${counts.all} in all, ${counts.equivalent} equivalent, ${counts.open} not run.`,
    '',
  ].join('\n'),
);

function answerOf(file: string, source: string, tests: readonly string[]): Answer {
  const url = pathToFileURL(path.join(root, file)).href;
  const hook = pathToFileURL(path.join(import.meta.dirname, 'hook.mjs')).href;
  for (const name of tests) {
    const { status } = spawnSync(process.execPath, [name], {
      cwd: root,
      // The engine's children inherit both.
      env: { ...process.env, NODE_OPTIONS: `--import=${hook}`, LAYERIF_MUTANT: JSON.stringify({ url, source }) },
      timeout: TIMEOUT,
      stdio: 'ignore',
    });
    if (status !== 0) return 'killed'; // also what never ends
  }
  return 'survived';
}
