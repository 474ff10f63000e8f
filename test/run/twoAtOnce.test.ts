/** Two processes at once on one experiment or output, and the lock by which they know of each other. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { lockOwner, ownerText, releaseLock, takeLock, withLock } from '../../server/src/hub/lock.ts';
import { openRunFolder } from '../../server/src/run/files/results.ts';
import { descendants } from '../lsp/descendants.ts';
import { tinyWorkspace } from './workspace.ts';

/** Only Linux tells the processes below one. */
const notLinux = process.platform !== 'linux';

const cli = process.env.LAYERIF_CLI ?? fileURLToPath(new URL('../../server/src/cli/cliMain.ts', import.meta.url));
const lockModule = new URL('../../server/src/hub/lock.ts', import.meta.url).href;
const quiet = '--disable-warning=ExperimentalWarning';

interface Outcome {
  code: number | null;
  said: string;
}

function start(...args: string[]): { child: ChildProcess; said: () => string; ended: Promise<Outcome> } {
  const child = spawn(process.execPath, [quiet, cli, ...args, '--device', 'cpu', '--threads', '1'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const ended = new Promise<Outcome>((resolve) => child.on('close', (code) => resolve({ code, said })));
  return { child, said: () => said, ended };
}

const twice = (...args: string[]) => Promise.all([start(...args).ended, start(...args).ended]);

/** Files of a kind below the runs' folder, read. */
function written(folder: string, suffix: string): Record<string, unknown>[] {
  return fs
    .readdirSync(path.join(folder, 'runs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(suffix))
    .map((name) => JSON.parse(fs.readFileSync(path.join(folder, 'runs', name), 'utf8')) as Record<string, unknown>);
}

function temporary(t: TestContext): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-lock-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test('score: the second says who computes, waits, and takes the result over', { skip: notLinux }, async (t) => {
  const { folder, experiment } = tinyWorkspace(t, { layers: 2 });
  const first = start('score', experiment);
  while (!first.said().includes(': about ') && first.child.exitCode === null)
    await Promise.race([once(first.child.stderr!, 'data'), first.ended]);
  // Stopped while it holds the run, so that the second one comes in between however fast either is.
  const [working] = descendants(first.child.pid!);
  process.kill(working, 'SIGSTOP');
  const second = start('score', experiment);
  try {
    while (!second.said().includes('waiting') && second.child.exitCode === null)
      await Promise.race([once(second.child.stderr!, 'data'), second.ended]);
  } finally {
    process.kill(working, 'SIGCONT');
  }
  for (const { code, said } of [await first.ended, await second.ended]) assert.equal(code, 0, said);
  assert.match(second.said(), new RegExp(`waiting for process ${working} on ${os.hostname()} \\(.*which writes `));
  assert.match(second.said(), /Influence is complete in .*; another process has computed it meanwhile/);
  const results = written(folder, '.layerif-result.json');
  assert.deepEqual(
    results.map(({ status }) => status),
    ['complete'],
  );
  assert.deepEqual(
    fs.readdirSync(path.join(folder, 'runs', 'tiny')).filter((name) => name.includes('lock')),
    [],
    'no lock stays',
  );
});

test('evaluate: two at once have a folder each, with the same numbers', async (t) => {
  const { folder, experiment } = tinyWorkspace(t, { layers: 2 });
  for (const { code, said } of await twice('evaluate', experiment)) assert.equal(code, 0, said);
  const [one, other, ...more] = written(folder, '.layerif-evaluation.json');
  assert.equal(more.length, 0);
  assert.ok(one.results);
  assert.deepEqual(one.results, other.results);
});

test('prune: the second waits, says for whom, and then finds the output there', async (t) => {
  const { folder, experiment } = tinyWorkspace(t, { layers: 2 });
  const args = [
    'prune',
    experiment,
    '--method',
    'magnitude',
    '--sparsity',
    '0.5',
    '--output',
    path.join(folder, 'out'),
  ];
  const outcomes = await twice(...args);
  const [done, refused] = outcomes.sort((a, b) => a.code! - b.code!);
  assert.equal(done.code, 0, done.said);
  assert.equal(refused.code, 2, refused.said);
  assert.match(refused.said, /out exists and is not an empty folder/);
  assert.ok(fs.existsSync(path.join(folder, 'out', 'config.json')));
  assert.deepEqual(
    fs.readdirSync(folder).filter((name) => name.startsWith('out')),
    ['out'],
    'neither lock nor parts stay',
  );

  // This process has the output: the command waits until it lets go.
  const output = path.join(folder, 'other');
  assert.equal(takeLock(`${output}.lock`), true);
  const waiting = start(...args.slice(0, -1), output);
  while (!waiting.said().includes('waiting') && waiting.child.exitCode === null)
    await Promise.race([once(waiting.child.stderr!, 'data'), waiting.ended]);
  const line = waiting
    .said()
    .split('\n')
    .find((text) => text.includes('waiting'));
  assert.ok(line?.includes(`waiting for process ${process.pid} on ${os.hostname()} (`), waiting.said());
  assert.ok(line?.includes(`which writes ${output}`), line);
  assert.equal(fs.existsSync(output), false);
  releaseLock(`${output}.lock`);
  const { code, said } = await waiting.ended;
  assert.equal(code, 0, said);
});

test('prune-and-compare: the second waits for the first; one file, complete', async (t) => {
  const { folder, experiment } = tinyWorkspace(t, { layers: 2 });
  const outcomes = await twice('prune-and-compare', experiment, '--map', 'uniform', '--method', 'magnitude');
  for (const { code, said } of outcomes) assert.equal(code, 0, said);
  const files = written(folder, '.layerif-pruning-comparison.json');
  assert.deepEqual(
    files.map(({ status }) => status),
    ['complete'],
  );
});

test('run folders: two of the same second are two; one that another has is left alone until its process is gone', (t) => {
  const output = temporary(t);
  const names = ['aaaaaa11', 'aaaaaa11'].map((hash) => {
    const run = openRunFolder(output, 'x', hash, '.json');
    // Another living process has it.
    fs.writeFileSync(
      path.join(run.folder, 'partial', 'lock'),
      JSON.stringify({ host: os.hostname(), pid: process.ppid, since: '', command: '' }),
    );
    return run.runId;
  });
  assert.equal(new Set(names).size, 2);
  for (const name of names)
    fs.writeFileSync(
      path.join(output, 'x', name, 'partial', 'lock'),
      JSON.stringify({ host: os.hostname(), pid: 2 ** 22 + 1, since: '', command: '' }),
    );
  const resumed = openRunFolder(output, 'x', 'aaaaaa11', '.json');
  assert.deepEqual([resumed.resumed, names.includes(resumed.runId)], [true, true]);
});

test('the lock of a process that is killed is taken over, with its name until then', async (t) => {
  const file = path.join(temporary(t), 'lock');
  const script = `const { takeLock } = await import(${JSON.stringify(lockModule)}); console.log(takeLock(${JSON.stringify(file)})); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, [quiet, '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  assert.equal(String(said), 'true\n');
  assert.equal(takeLock(file), false);
  const owner = lockOwner(file)!;
  assert.deepEqual([owner.pid, owner.host], [child.pid, os.hostname()]);
  assert.match(ownerText(owner), new RegExp(`^process ${child.pid} on .*since \\d{4}-\\d\\d-\\d\\dT.*Z\\)$`));
  let waited = 0;
  const order: string[] = [];
  await withLock(
    file,
    () => {
      order.push('work');
      assert.equal(lockOwner(file)!.pid, process.pid);
      return Promise.resolve();
    },
    undefined,
    (holder) => {
      waited += 1;
      if (waited > 1) return;
      order.push(`wait for ${holder?.pid}`);
      child.kill('SIGKILL');
    },
  );
  assert.deepEqual(order, [`wait for ${child.pid}`, 'work']);
  assert.equal(fs.existsSync(file), false);
});

test('the lock of another host, and one that cannot be read, hold for five minutes after the last touch', (t) => {
  const folder = temporary(t);
  for (const [name, content] of [
    ['host', JSON.stringify({ host: 'elsewhere', pid: process.pid, since: '', command: 'layerif score' })],
    ['cut', '{"host": "elsewh'],
    ['empty', ''],
    ['list', '[1]'],
    ['null', 'null'],
  ]) {
    const file = path.join(folder, name);
    fs.writeFileSync(file, content);
    const at = (secondsAgo: number) => fs.utimesSync(file, new Date(), new Date(Date.now() - 1000 * secondsAgo));
    at(240);
    assert.equal(takeLock(file), false, name);
    assert.equal(fs.readFileSync(file, 'utf8'), content);
    at(360);
    assert.equal(takeLock(file), true, name);
    releaseLock(file);
    assert.equal(fs.existsSync(file), false);
  }
  assert.deepEqual(fs.readdirSync(folder), []);
});

test('a wait that is cancelled ends, and leaves the lock to its owner', async (t) => {
  const file = path.join(temporary(t), 'lock');
  fs.writeFileSync(file, JSON.stringify({ host: os.hostname(), pid: process.ppid, since: '', command: '' }));
  const abort = new AbortController();
  const never = withLock(
    file,
    () => assert.fail('it worked without the lock'),
    abort.signal,
    () => abort.abort(),
  );
  await assert.rejects(never, { name: 'AbortError' });
  assert.equal(lockOwner(file)!.pid, process.ppid);
});
