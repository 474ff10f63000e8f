/**
 * Scores of an experiment from the file to the tables: alone, beside influence, added later, changed, refused, killed
 * and resumed.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { ScoresFile } from '../../protocol/scores.ts';
import { runExperiment } from '../../server/src/run/influence/runExperiment.ts';
import type { RunOptions } from '../../server/src/run/influence/runExperiment.ts';
import { keyed, passesOf } from '../../server/src/run/scores/needs.ts';
import { readSafetensors } from '../../server/src/checkpoints/safetensors.ts';
import { commandLine } from '../cli/commandLine.ts';
import { momentsOf, runApart, withFaultyEngine } from './withFault.ts';
import { engine, machine, tinyWorkspace } from './workspace.ts';
import type { Workspace } from './workspace.ts';

const run = (file: string, options: Partial<RunOptions> = {}) => runExperiment({ file, machine, engine, ...options });

/** The experiment with these lines in place of its section `score`. */
function alone({ experiment }: Workspace, lines: string): void {
  const text = fs.readFileSync(experiment, 'utf8');
  fs.writeFileSync(experiment, `${text.slice(0, text.indexOf('score:'))}${lines}\n`);
}

function beside({ experiment }: Workspace, lines: string): void {
  fs.appendFileSync(experiment, `${lines}\n`);
}

const tables = (file: ScoresFile | null) =>
  file!.tables.map(({ score, options }) => `${score} ${JSON.stringify(options)}`);
const withoutTimes = ({ tables }: ScoresFile) => tables;

const cli = (baseDir: string, ...words: string[]) => commandLine(baseDir, [...words, '--device', 'cpu']);

test('scores alone: one pass for what reads the same texts, one for the weights; nothing twice', async (t) => {
  const workspace = tinyWorkspace(t);
  alone(workspace, 'scores: [block_influence, owl, alpha_hill]');
  const first = await run(workspace.experiment);
  assert.equal(first.result, null);
  assert.equal(first.scores!.status, 'complete');
  assert.deepEqual(
    tables(first.scores)
      .map((text) => text.split(' ')[0])
      .sort(),
    ['alpha_hill', 'block_influence', 'owl'],
  );
  const texts = 8;
  assert.deepEqual(
    first.passes.map(({ sessionRuns }) => sessionRuns),
    [3 * (1 + 3), 0], // three batches: embedding and three layers, inputs and outputs of which are looked at in the same run
  );
  assert.match(
    first.scores!.tables[0].texts!,
    new RegExp(`^train\\[:${texts}\\] of reviews: ${texts} texts, [\\d,]+ tokens$`),
  );
  const again = await run(workspace.experiment);
  assert.deepEqual([again.passes, again.scoresFile], [[], first.scoresFile]);
  assert.deepEqual(withoutTimes(again.scores!), withoutTimes(first.scores!));
  // A score more is the only thing that is computed; another option is another table.
  const more = await run(workspace.experiment, { set: ['owl.multiple=3'] });
  assert.equal(more.passes.length, 1);
  assert.ok(tables(more.scores).includes('owl {"multiple":3}') && tables(more.scores).includes('owl {"multiple":5}'));
  const owl = more.scores!.tables.filter(({ score }) => score === 'owl').map(({ values }) => values[0]!);
  assert.ok(owl[1] > owl[0], 'more entries lie above three times the mean than above five times');
});

test('beside influence: in the same folder; scores that are added later reopen the complete run', async (t) => {
  const workspace = tinyWorkspace(t);
  const bare = await run(workspace.experiment);
  assert.deepEqual([bare.scores, bare.reopened], [null, false]);
  beside(workspace, 'scores: [block_influence]');
  const added = await run(workspace.experiment);
  assert.equal(added.reopened, true);
  assert.equal(added.resultFile, bare.resultFile);
  assert.equal(added.scoresFile, bare.resultFile!.replace('-result.json', '-scores.json'));
  assert.deepEqual(JSON.parse(fs.readFileSync(bare.resultFile!, 'utf8')), bare.result);
  const observations = fs.readdirSync(path.join(path.dirname(bare.resultFile!), 'observations'));
  assert.equal(observations.length, 1);
  assert.match(observations[0], /^[0-9a-f]{16}\.safetensors$/);
  // Other influence is another run, with scores of its own.
  workspace.edit('estimator: datainf', 'estimator: dot');
  const other = await run(workspace.experiment);
  assert.notEqual(other.resultFile, bare.resultFile);
  assert.equal(other.reopened, false);
  const only = await run(workspace.experiment, { only: 'scores' });
  assert.deepEqual([only.scoresFile, only.passes], [other.scoresFile, []]);
  const influence = await run(workspace.experiment, { only: 'influence' });
  assert.equal(influence.scores, null);
});

test("scores of gradients: from the influence run's own sweep where it passes the texts, else by one of their own, with the same values", async (t) => {
  const workspace = tinyWorkspace(t);
  const asked = 'scores: [taylor, taylor_plus, snip, fisher_trace, block_influence]';
  beside(workspace, asked);
  const together = await run(workspace.experiment);
  assert.equal(together.passes.length, 1, 'only Block Influence needs a pass');
  assert.equal(together.scores!.tables.length, 5);
  const bare = tinyWorkspace(t);
  const influence = await run(bare.experiment);
  assert.deepEqual(together.result!.tasks, influence.result!.tasks);
  beside(bare, asked);
  const later = await run(bare.experiment);
  assert.deepEqual([later.reopened, later.passes.length], [true, 2]);
  const near = (a: ScoresFile, b: ScoresFile) => {
    const values = ({ tables }: ScoresFile) =>
      [...tables].sort((x, y) => x.score.localeCompare(y.score)).map(({ score, values: own }) => [score, own] as const);
    values(a).forEach(([score, own], at) => {
      const [other, expected] = values(b)[at];
      assert.equal(score, other);
      own.forEach((value, i) => {
        const [x, y] = [value ?? 0, expected[i] ?? 0];
        assert.ok(Math.abs(x - y) <= 2e-5 * Math.abs(y), `${score} ${i}: ${value} and ${expected[i]}`);
      });
    });
  };
  near(later.scores!, together.scores!);
  // The squared norms of the result are those of all modules together, for they are scored whole.
  const traces = together.scores!.tables.find(({ score }) => score === 'fisher_trace')!.values;
  together.result!.tasks[0].train.gradientSquaredNorm.forEach((squares, layer) => {
    const mean = squares.reduce((a, b) => a + b, 0) / squares.length;
    assert.ok(Math.abs(mean - traces[layer]!) < 1e-6 * mean);
  });
  // Other texts than the task's, or fewer modules, or projected gradients: a sweep of its own.
  for (const [from, to] of [
    [asked, `prune: { calibration: { dataset: reviews, split: "train[:4]" } }\n${asked}`],
    ['score:\n', 'score:\n  modules: ["mlp.*"]\n'],
    ['score:\n', 'score:\n  projection: 4\n'],
  ]) {
    const other = tinyWorkspace(t);
    beside(other, asked);
    other.edit(from, to);
    const { passes, scores } = await run(other.experiment);
    assert.equal(passes.length, 2, to);
    if (!to.includes('calibration')) near(scores!, together.scores!);
  }
});

test('texts of its own: a score reads the slice that it names, prune.calibration otherwise', async (t) => {
  const workspace = tinyWorkspace(t);
  alone(
    workspace,
    'prune: { calibration: { dataset: capitals, split: "train[:6]" } }\nscores:\n  - block_influence\n  - block_influence: { texts: { dataset: reviews, split: "train[:4]", max_length: 20 } }',
  );
  const { scores, passes } = await run(workspace.experiment);
  assert.deepEqual(
    scores!.tables.map(({ texts }) => texts!.replace(/, .*/, '')),
    ['train[:6] of capitals: 6 texts', 'train[:4] of reviews: 4 texts'],
  );
  assert.equal(passes.length, 2);
  assert.notDeepEqual(scores!.tables[0].values, scores!.tables[1].values);
});

test('an option in the file is the option of the table', async (t) => {
  const workspace = tinyWorkspace(t);
  alone(workspace, 'scores: [{ block_influence: { skip_first_token: true } }]');
  const { scores } = await run(workspace.experiment);
  assert.deepEqual(tables(scores), ['block_influence {"skip_first_token":true}']);
});

test('a memory limit that a pass does not fit is refused with numbers; needs that do not fit together go apart', async (t) => {
  const workspace = tinyWorkspace(t);
  alone(workspace, 'scores: [block_influence]');
  const tight = { ...machine, memoryBytes: 1 << 20 };
  await assert.rejects(
    run(workspace.experiment, { machine: tight }),
    /observing hidden_cosine on 8 texts needs about \d+ MiB of memory, the limit is 1.0 MiB/,
  );
  const variant = { variant: 'base' } as const;
  const needs = (['hidden_cosine', 'outliers', 'input_norms'] as const).map((of) =>
    keyed({ of, options: {} }, 'texts', variant),
  );
  const spectra = keyed({ of: 'weight_spectra', options: {} }, 'texts', variant);
  const names = (fits: number) =>
    passesOf([...needs, spectra, needs[0]], (pass) => pass.length <= fits).map((pass) =>
      pass.map(({ need }) => need.of),
    );
  assert.deepEqual(names(9), [['hidden_cosine', 'outliers', 'input_norms'], ['weight_spectra']]);
  assert.deepEqual(names(1), [['hidden_cosine'], ['outliers'], ['input_norms'], ['weight_spectra']]);
  assert.equal(spectra.need.texts, null);
  assert.equal(
    keyed({ of: 'outliers', options: { b: 1, a: 2 } }, 't', variant).key,
    keyed({ of: 'outliers', options: { a: 2, b: 1 } }, 't', variant).key,
  );
});

test('on the command line: bars, JSON, --only, --set, and one line for each mistake', async (t) => {
  const workspace = tinyWorkspace(t);
  const { folder, experiment } = workspace;
  beside(workspace, 'scores: [block_influence, owl]');
  const report = await cli(folder, 'score', experiment);
  assert.equal(report.code, 0, report.err);
  assert.match(
    report.out,
    /Influence: positive[\s\S]*Block Influence, .*: which blocks can go, a high value speaks for keeping it/,
  );
  assert.match(report.out, /OWL outlier ratio \(%\)[\s\S]*multiple 5[\s\S]*\n +0 +\S+ +█/);
  const json = await cli(folder, 'score', experiment, '--only', 'scores', '--json');
  assert.equal((JSON.parse(json.out) as ScoresFile).format, 'layerif-scores');
  const both = await cli(folder, 'score', experiment, '--json');
  assert.equal((JSON.parse(both.out) as { scores: ScoresFile }).scores.tables.length, 2);
  for (const [words, message] of [
    [['--set', 'owl.multiple=no'], /owl\.multiple "no" is not allowed: use a number above 0/],
    [['--set', 'owl.many=3'], /score owl has no option "many"; its options: multiple/],
    [['--set', 'alpha_hill.fit=peak'], /the experiment does not ask for alpha_hill; its scores: block_influence, owl/],
    [['--set', 'owl=3'], /--set "owl=3" is not of the form SCORE\.OPTION=VALUE/],
    [['--only', 'score'], /unknown part "score": did you mean "scores"/],
  ] as const) {
    const { code, err } = await cli(folder, 'score', experiment, ...words);
    assert.deepEqual([code, err.trimEnd().split('\n').length], [2, 1], err);
    assert.match(err, message);
  }
  workspace.edit('scores: [block_influence, owl]', '');
  const none = await cli(folder, 'score', experiment, '--only', 'scores');
  assert.equal(none.code, 2);
  assert.match(none.err, /declares no scores: add a line such as {2}scores: \[block_influence/);
});

test('killed at any moment, resumed behind the last finished layer: the same tables', async (t) => {
  /** Saves its state behind every layer. */
  const here = (file: string, pool = engine) => run(file, { only: 'scores', engine: pool, checkpointSeconds: 0 });
  const failing = (file: string, target: string, fault: string): Promise<unknown> =>
    target === 'engine'
      ? withFaultyEngine(fault, (pool) => here(file, pool))
      : runApart('scoresOnce.ts', [file], fault).then(({ status, stderr }) => {
          if (status !== 0) throw new Error(stderr);
        });
  const outcome = (folder: string) => {
    const runs = path.join(folder, 'runs', 'tiny');
    const names = fs.readdirSync(runs);
    assert.equal(names.length, 1, 'the interrupted run was resumed, not begun again');
    const file = path.join(runs, names[0], 'tiny.layerif-scores.json');
    assert.ok(!fs.existsSync(path.join(runs, names[0], 'observations', 'partial')));
    return withoutTimes(JSON.parse(fs.readFileSync(file, 'utf8')) as ScoresFile);
  };
  const lines = 'scores: [block_influence, owl, alpha_hill]';
  const whole = tinyWorkspace(t);
  alone(whole, lines);
  const counter = path.join(whole.folder, 'calls');
  await failing(whole.experiment, 'engine', `count engine ${counter}`);
  const calls = momentsOf(counter).length;
  assert.ok(calls > 20, `${calls} calls`);
  const expected = outcome(whole.folder);
  let resumed = 0;
  const every = process.env.LAYERIF_ALL_FAULTS ? 1 : 19;
  for (const target of ['engine', 'run']) {
    for (let call = 3; call <= (target === 'engine' ? calls : 14); call += every) {
      const workspace = tinyWorkspace(t);
      alone(workspace, lines);
      await assert.rejects(failing(workspace.experiment, target, `kill ${target} ${call}`));
      const { passes } = await here(workspace.experiment);
      resumed += passes.filter(({ resumedLayers }) => resumedLayers > 0).length;
      assert.deepEqual(outcome(workspace.folder), expected, `killed at call ${call} of the ${target}`);
    }
  }
  assert.ok(resumed > 0, 'at least one pass was continued in its middle');
});

test('export of scores: a table by its id, the claimed weights as bits, one sentence for what is not there', async (t) => {
  const workspace = tinyWorkspace(t);
  alone(workspace, 'scores: [{ spider: { mask: true } }, magnitude]');
  const { scores, scoresFile } = await run(workspace.experiment);
  const file = scoresFile!;
  const said = (...words: string[]) => cli(workspace.folder, 'export', file, ...words);
  const several = await said('--to', 'csv');
  assert.equal(several.code, 2);
  assert.match(
    several.err,
    /has 2 tables and --to csv takes one: name a score with --by, one of (spider, magnitude|magnitude, spider)/,
  );
  const csv = await said('--to', 'csv', '--by', 'spider', '--output', '-');
  assert.match(csv.out, /^layer,spider,low,high,reference,self_attn\.q_proj,/);
  assert.equal(csv.out.split('\r\n').length, 1 + 3 + 1);
  assert.match((await said('--to', 'csv', '--by', 'owl')).err, /has no table of owl; its scores: /);
  assert.match(
    (await said('--to', 'peft')).err,
    /holds no influence: name one of its scores with --by \((spider, magnitude|magnitude, spider)\), or a result \*\.layerif-result\.json/,
  );
  const mask = await said('--to', 'claimed-mask');
  assert.deepEqual([mask.code, mask.err], [0, '']);
  const { names, tensor } = readSafetensors(path.join(path.dirname(file), 'tiny.claimed-mask.safetensors'));
  assert.equal(names().length, 3 * 7);
  const ones = (layer: number) =>
    names()
      .filter((name) => name.startsWith(`layers.${layer}.`))
      .flatMap((name) => [...(tensor(name) as Uint8Array)])
      .reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0);
  const table = scores!.tables.find(({ score }) => score === 'spider')!;
  const weights = names()
    .filter((name) => name.startsWith('layers.0.'))
    .reduce((sum, name) => sum + 8 * (tensor(name) as Uint8Array).length, 0);
  for (const layer of [0, 1, 2]) assert.equal(ones(layer), Math.round(table.values[layer]! * weights));
});
