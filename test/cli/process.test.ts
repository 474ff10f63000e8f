/** The command line as a user's shell sees it: streams, exit codes, files. Everything runs on a tiny checkpoint. */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { GradientCheckReport } from '../../protocol/check.ts';
import type { Result } from '../../protocol/result.ts';
import type { Estimate } from '../../protocol/run.ts';
import { writeTinyWorkspace } from '../tinyLlama.ts';
import { layerif } from './layerifProcess.ts';

let folder = '';
const cpu = ['--device', 'cpu', '--threads', '1'];
before(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'layerif-cli-'));
  writeTinyWorkspace(folder);
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** One line, no stack. */
function assertOneLine(stderr: string, message: RegExp): void {
  assert.match(stderr, message);
  assert.equal(stderr.trimEnd().split('\n').length, 1, stderr);
}

test('layerif --version and --help answer on standard output alone', async () => {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  const shown = await layerif(['--version'], { cwd: folder });
  assert.deepEqual(shown, { code: 0, signal: null, stdout: `${manifest.version}\n`, stderr: '' });
  const help = await layerif(['--help'], { cwd: folder });
  assert.deepEqual([help.code, help.stderr], [0, '']);
  for (const command of ['score', 'check', 'estimate', 'inspect', 'list'])
    assert.match(help.stdout, new RegExp(`^  ${command} `, 'm'));
});

test('layerif without a command, with an unknown one or an unknown option: exit 2, standard output empty', async () => {
  const nothing = await layerif([], { cwd: folder });
  assert.deepEqual([nothing.code, nothing.stdout], [2, '']);
  assert.match(nothing.stderr, /Usage: layerif COMMAND/);
  const unknown = await layerif(['scroe', 'x'], { cwd: folder });
  assert.deepEqual([unknown.code, unknown.stdout], [2, '']);
  assertOneLine(unknown.stderr, /did you mean "score"/);
  const option = await layerif(['score', 'x', '--jason'], { cwd: folder });
  assert.equal(option.code, 2);
  assertOneLine(option.stderr, /did you mean "--json"/);
});

test('layerif list: every kind has lines with a source', async () => {
  for (const kind of ['estimators', 'scores', 'families', 'formats']) {
    const { code, stdout, stderr } = await layerif(['list', kind], { cwd: folder });
    assert.deepEqual([code, stderr], [0, ''], kind);
    const lines = stdout.trimEnd().split('\n');
    assert.ok(lines.length >= 2, kind);
    for (const line of lines) assert.match(line, /^\S+ {2,}\S.* {2,}\S/, line);
  }
  assert.match((await layerif(['list', 'estimators'], { cwd: folder })).stdout, /^datainf .*Kwon/m);
  assert.equal((await layerif(['list', 'estimator'], { cwd: folder })).code, 2);
});

test('layerif inspect: family, modules, shapes and coverage, for people and as JSON', async () => {
  const human = await layerif(['inspect', 'model'], { cwd: folder });
  assert.equal(human.code, 0, human.stderr);
  assert.match(human.stdout, /^model: llama, safetensors, 3 layers/);
  assert.match(human.stdout, /^self_attn\.k_proj +16 × 32 +512$/m);
  assert.match(human.stdout, /coverage 100\.0 %/);
  assert.match(human.stdout, /^ {2}model\.layers\.\*\.input_layernorm\.weight \(3\)$/m);
  const json = await layerif(['inspect', path.join(folder, 'model'), '--json'], { cwd: tmpdir() });
  const inspection = JSON.parse(json.stdout) as { layers: number; coverage: number; modules: unknown[] };
  assert.deepEqual([inspection.layers, inspection.coverage, inspection.modules.length], [3, 1, 7]);
  const missing = await layerif(['inspect', './nowhere'], { cwd: folder });
  assert.deepEqual([missing.code, missing.stdout], [2, '']);
  assertOneLine(missing.stderr, /nowhere/);
});

test('layerif check: silent success, or file:line:column: message and exit 2', async () => {
  const good = await layerif(['check', 'tiny.layerif.yaml'], { cwd: folder });
  assert.equal(good.code, 0, good.stdout + good.stderr);
  const text = readFileSync(path.join(folder, 'tiny.layerif.yaml'), 'utf8').replace(
    'doc_to_target: sentiment',
    'doc_to_taget: sentiment',
  );
  writeFileSync(path.join(folder, 'broken.layerif.yaml'), text);
  const line = text.split('\n').findIndex((row) => row.includes('doc_to_taget')) + 1;
  const bad = await layerif(['check', 'broken.layerif.yaml'], { cwd: folder });
  assert.equal(bad.code, 2);
  assert.match(bad.stdout, new RegExp(`^broken\\.layerif\\.yaml:${line}:5: .*doc_to_taget.*doc_to_target`, 'm'));
  const scored = await layerif(['score', 'broken.layerif.yaml', ...cpu], { cwd: folder });
  assert.deepEqual([scored.code, scored.stdout], [2, '']);
  assert.match(scored.stderr, new RegExp(`broken\\.layerif\\.yaml:${line}:5: `));
});

test('layerif check --gradients: a table with what it means, JSON, and exit 2 for a mistake in the file', async () => {
  const human = await layerif(['check', 'tiny.layerif.yaml', '--gradients', ...cpu], { cwd: folder });
  assert.equal(human.code, 0, human.stderr);
  assert.match(human.stdout, /^loss along the gradient = its norm +\d\S+ +0\.0100 +passed$/m);
  assert.match(human.stdout, /^Every check passed\.$/m);
  const json = await layerif(['check', 'tiny.layerif.yaml', '--gradients', '--json', ...cpu], { cwd: folder });
  const report = JSON.parse(json.stdout) as GradientCheckReport;
  assert.deepEqual([report.format, report.passed, report.checks.length], ['layerif-gradient-check', true, 6]);
  const bad = await layerif(['check', 'broken.layerif.yaml', '--gradients', ...cpu], { cwd: folder });
  assert.deepEqual([bad.code, bad.stdout], [2, '']);
  const problems = await layerif(['check', 'broken.layerif.yaml', '--json'], { cwd: folder });
  assert.equal(problems.code, 2);
  assert.match(
    (JSON.parse(problems.stdout) as { problems: { message: string }[] }).problems[0].message,
    /doc_to_taget/,
  );
});

test('layerif estimate: a plan, and exit 3 when the memory does not suffice', async () => {
  const human = await layerif(['estimate', 'tiny.layerif.yaml', ...cpu], { cwd: folder });
  assert.equal(human.code, 0, human.stderr);
  assert.match(human.stdout, /^sentiment +8 +4 /m);
  const json = await layerif(['estimate', 'tiny.layerif.yaml', '--json', '--task', 'capital', ...cpu], { cwd: folder });
  const estimate = JSON.parse(json.stdout) as Estimate;
  assert.deepEqual(
    estimate.tasks.map(({ task, train, validation }) => [task, train, validation]),
    [['capital', 8, 4]],
  );
  assert.equal(estimate.refusal, null);
  const refused = await layerif(['estimate', 'tiny.layerif.yaml', '--memory', '0.001', ...cpu], { cwd: folder });
  assert.equal(refused.code, 3, refused.stdout + refused.stderr);
  assert.match(refused.stdout, /^Does not fit: /m);
  const score = await layerif(['score', 'tiny.layerif.yaml', '--memory', '0.001', ...cpu], { cwd: folder });
  assert.deepEqual([score.code, score.stdout], [3, '']);
  assertOneLine(score.stderr, /GiB|MiB/);
});

test('layerif score --json: standard output is the result document and nothing else', async () => {
  const output = path.join(folder, 'out-json');
  const { code, stdout, stderr } = await layerif(
    ['score', 'tiny.layerif.yaml', '--json', '--output', 'out-json', ...cpu],
    { cwd: folder },
  );
  assert.equal(code, 0, stderr);
  const result = JSON.parse(stdout) as Result;
  assert.equal(result.status, 'complete');
  assert.deepEqual(
    result.tasks.map(({ task }) => task),
    ['sentiment', 'capital'],
  );
  for (const task of result.tasks) {
    assert.equal(task.layers.length, 3);
    assert.equal(task.influence.length, 3);
    assert.equal(task.influence[0].length, 8);
    for (const layer of task.layers) {
      const positive = task.influence[layer.index].reduce((sum, value) => sum + Math.max(0, value), 0);
      assert.ok(
        Math.abs(layer.score - positive) <= 1e-9 * positive,
        'the score is the helpful mass of the influence beside it',
      );
    }
  }
  const file = path.join(output, 'tiny', readdirSync(path.join(output, 'tiny'))[0], 'tiny.layerif-result.json');
  assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), result);
  assert.match(stderr, /sentiment 8 × 4/, 'progress goes to standard error');
});

test('layerif score: chart, samples, coverage and the result file; one task by --task', async () => {
  const { code, stdout, stderr } = await layerif(
    ['score', 'tiny.layerif.yaml', '--task', 'sentiment', '--output', 'out-text', ...cpu],
    { cwd: folder },
  );
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^sentiment: 8 train × 4 validation, datainf, model$/m);
  assert.equal(stdout.match(/^ +[012] {2}█/gm)?.length, 3);
  assert.match(stdout, /^ +\S+ {2}data\/reviews\.jsonl:\d+ {2}Review: \w+/m);
  assert.doesNotMatch(stdout, /capital/);
  const file = /^Result (.*)$/m.exec(stdout)?.[1];
  assert.ok(file && existsSync(path.resolve(folder, file)), file);
  assert.doesNotMatch(stderr, /\x1b/, 'no terminal codes where there is no terminal'); // eslint-disable-line no-control-regex
});

test('layerif score: a task that is not there, a file that is not there; the stack only with --verbose', async () => {
  const task = await layerif(['score', 'tiny.layerif.yaml', '--task', 'sentimant', ...cpu], { cwd: folder });
  assert.deepEqual([task.code, task.stdout], [2, '']);
  assertOneLine(task.stderr, /"sentimant".*sentiment, capital/);
  const file = await layerif(['score', 'nowhere.layerif.yaml'], { cwd: folder });
  assert.deepEqual([file.code, file.stdout], [2, '']);
  assertOneLine(file.stderr, /nowhere\.layerif\.yaml/);
  const verbose = await layerif(['score', 'nowhere.layerif.yaml', '--verbose'], { cwd: folder });
  assert.match(verbose.stderr, /\n +at /);
});

test('npm run layerif: relative paths start where npm was called, for our own script alone', async () => {
  const elsewhere = path.join(folder, 'elsewhere');
  mkdirSync(elsewhere);
  const ours = { INIT_CWD: folder, npm_lifecycle_event: 'layerif' };
  assert.equal((await layerif(['check', 'tiny.layerif.yaml'], { cwd: elsewhere, env: ours })).code, 0);
  const other = { INIT_CWD: elsewhere, npm_lifecycle_event: 'test' };
  assert.equal((await layerif(['check', 'tiny.layerif.yaml'], { cwd: folder, env: other })).code, 0);
});

test('Ctrl-C: exit 130, the partial result stays, the same command continues it', async () => {
  const large = path.join(folder, 'large');
  writeTinyWorkspace(large, { layers: 12, hidden: 128, train: 64 });
  const words = ['score', 'tiny.layerif.yaml', '--json', ...cpu];
  let sent = false;
  const cancelled = await layerif(words, {
    cwd: large,
    onStderr(text, child) {
      if (sent || !/\(\d+ %/.test(text)) return;
      sent = true;
      child.kill('SIGINT');
    },
  });
  assert.deepEqual([cancelled.code, cancelled.signal, cancelled.stdout], [130, null, ''], cancelled.stderr);
  assert.match(cancelled.stderr, /the same command continues there/);
  const runs = path.join(large, 'runs', 'tiny');
  const [run] = readdirSync(runs);
  const partial = JSON.parse(readFileSync(path.join(runs, run, 'tiny.layerif-result.json'), 'utf8')) as Result;
  assert.equal(partial.status, 'partial');

  const again = await layerif(words, { cwd: large });
  assert.equal(again.code, 0, again.stderr);
  assert.match(again.stderr, /Continuing the interrupted run/);
  assert.deepEqual(readdirSync(runs), [run]);
  assert.equal((JSON.parse(again.stdout) as Result).status, 'complete');
});
