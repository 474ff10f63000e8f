/** Names, places and writing of results. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { LayerifError } from '../../protocol/errors.ts';
import type { Result } from '../../protocol/result.ts';
import {
  experimentName,
  newFolder,
  newRunId,
  openRunFolder,
  readResult,
  resultFiles,
  runOfHash,
  writeJson,
} from '../../server/src/run/files/results.ts';
import { lastScored } from '../../server/src/run/files/scoredIndex.ts';
import { numbersOf, score, tinyWorkspace } from './workspace.ts';

function folder(t: TestContext): string {
  const made = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-results-'));
  t.after(() => fs.rmSync(made, { recursive: true, force: true }));
  return made;
}

const partial = { format: 'layerif-result', version: 1, status: 'partial', tasks: [] } as unknown as Result;

test('the name of an experiment', () => {
  assert.equal(experimentName('/a/reviews.layerif.yaml'), 'reviews');
  assert.equal(experimentName('/a/reviews.layerif.yml'), 'reviews');
  assert.equal(experimentName('/a/b/layerif.yaml'), 'b');
});

test('a run id is UTC time and six digits of the hash', () => {
  assert.equal(newRunId('abcdef0123', new Date('2026-02-03T04:05:06.789Z')), '20260203T040506Z-abcdef');
});

test('an interrupted run of the same hash is continued, one of another hash or a complete one is not', (t) => {
  const output = folder(t);
  const first = openRunFolder(output, 'x', 'aaaaaa11');
  assert.equal(first.resumed, false);
  writeJson(first.resultFile, partial);
  assert.deepEqual(openRunFolder(output, 'x', 'aaaaaa11'), { ...first, resumed: true });
  assert.equal(openRunFolder(output, 'x', 'bbbbbb11').resumed, false);
  writeJson(first.resultFile, { ...partial, status: 'complete' });
  assert.equal(openRunFolder(output, 'x', 'aaaaaa11').resumed, false);
});

test('a folder in which nothing was written yet is taken, one with something of others is not', (t) => {
  const output = folder(t);
  const runs = path.join(output, 'x');
  fs.mkdirSync(path.join(runs, '20260203T040506Z-aaaaaa'), { recursive: true });
  fs.mkdirSync(path.join(runs, '20260203T040506Z-bbbbbb', 'notes'), { recursive: true });
  const { runId, resumed } = openRunFolder(output, 'x', 'aaaaaa11');
  assert.deepEqual([runId, resumed], ['20260203T040506Z-aaaaaa', true]);
  assert.equal(openRunFolder(output, 'x', 'bbbbbb11').resumed, false);
});

test('a run that another living process has is left alone', (t) => {
  const output = folder(t);
  const first = openRunFolder(output, 'x', 'aaaaaa11');
  writeJson(first.resultFile, partial);
  fs.writeFileSync(path.join(first.folder, 'partial', 'lock'), String(process.ppid));
  assert.equal(openRunFolder(output, 'x', 'aaaaaa11').resumed, false);
});

test('a file that is no result is refused by what it is', (t) => {
  const file = path.join(folder(t), 'x.layerif-result.json');
  fs.writeFileSync(file, '{"format":"other","version":3}');
  assert.throws(() => readResult(file), /is not a LayerIF result of version 1 \(format "other", version 3\)/);
  fs.writeFileSync(file, '{"format":');
  assert.throws(() => readResult(file), /cannot read the result .*JSON/);
});

test('result files, newest first, and when each task was last scored', (t) => {
  const output = folder(t);
  const add = (id: string, status: string, tasks: string[], date: string) => {
    const run = path.join(output, 'x', id);
    fs.mkdirSync(run, { recursive: true });
    const result = {
      format: 'layerif-result',
      version: 1,
      status,
      provenance: { date },
      tasks: tasks.map((task) => ({ task })),
    };
    fs.writeFileSync(path.join(run, 'x.layerif-result.json'), JSON.stringify(result));
  };
  add('20260101T000000Z-aaaaaa', 'complete', ['a', 'b'], '2026-01-01T00:00:00Z');
  add('20260102T000000Z-bbbbbb', 'complete', ['a'], '2026-01-02T00:00:00Z');
  add('20260103T000000Z-cccccc', 'partial', ['b'], '2026-01-03T00:00:00Z');
  assert.deepEqual(
    resultFiles(output, 'x').map((file) => path.basename(path.dirname(file))),
    ['20260103T000000Z-cccccc', '20260102T000000Z-bbbbbb', '20260101T000000Z-aaaaaa'],
  );
  const cache = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-scored-'));
  t.after(() => fs.rmSync(cache, { recursive: true }));
  const before = process.env.XDG_CACHE_HOME;
  t.after(() => (before === undefined ? delete process.env.XDG_CACHE_HOME : (process.env.XDG_CACHE_HOME = before)));
  process.env.XDG_CACHE_HOME = cache;
  const dates = () => Object.fromEntries([...lastScored(output, 'x')].map(([task, { date }]) => [task, date]));
  const expected = { a: '2026-01-02T00:00:00.000Z', b: '2026-01-01T00:00:00.000Z' };
  const newest = resultFiles(output, 'x')[1];
  fs.utimesSync(newest, 1e9, 1e9);
  assert.deepEqual(dates(), expected);
  // From the index: what was read once is not read again while size and time are the same.
  fs.writeFileSync(newest, ' '.repeat(fs.statSync(newest).size));
  fs.utimesSync(newest, 1e9, 1e9);
  assert.deepEqual(dates(), expected);
  fs.writeFileSync(newest, 'damaged');
  assert.deepEqual(dates(), { a: '2026-01-01T00:00:00.000Z', b: '2026-01-01T00:00:00.000Z' });
  fs.writeFileSync(path.join(cache, 'layerif', 'scored.json'), '{"version":1,"entries":{"x":null}}');
  assert.deepEqual(dates(), { a: '2026-01-01T00:00:00.000Z', b: '2026-01-01T00:00:00.000Z' });
});

/** Mounts a disk of 4 MB; answers why it cannot be done here. */
function mountSmallDisk(on: string): string | false {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', on], { stdio: 'pipe' });
    return false;
  } catch (error) {
    return `a small disk cannot be mounted here: ${(error as Error).message.split('\n')[0]}`;
  }
}

function withoutSmallDisk(): string | false {
  const probe = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-mount-'));
  const reason = mountSmallDisk(probe);
  if (reason === false) execFileSync('umount', [probe]);
  fs.rmdirSync(probe);
  return reason;
}

test(
  'a full disk: one sentence, finished layers are kept, a later run resumes',
  { skip: withoutSmallDisk() },
  async (t) => {
    const disk = path.join(folder(t), 'disk');
    fs.mkdirSync(disk);
    assert.equal(mountSmallDisk(disk), false);
    try {
      const { experiment } = tinyWorkspace(t);
      const whole = await score(experiment);
      const options = { outputDir: disk, checkpointSeconds: 0 };
      const filler = path.join(disk, 'filler');
      const fill = (event: { type: string }) => {
        if (event.type === 'layers' && !fs.existsSync(filler)) fillDisk(filler);
      };
      await assert.rejects(score(experiment, { ...options, onEvent: fill }), (error: LayerifError) => {
        assert.equal(error.code, 'cannotWrite', error.message);
        assert.match(error.message, /free some space and run again, what is finished is kept/);
        return true;
      });
      fs.rmSync(filler);
      const again = await score(experiment, options);
      const [started] = again.events;
      assert.ok(started.type === 'started' && started.resumed);
      assert.deepEqual(numbersOf(again.result), numbersOf(whole.result));
    } finally {
      execFileSync('umount', ['-l', disk]);
    }
  },
);

/** Takes all space that is left. */
function fillDisk(file: string): void {
  const block = Buffer.alloc(4096);
  const fd = fs.openSync(file, 'w');
  try {
    while (fs.writeSync(fd, block) === block.length);
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
  } finally {
    fs.closeSync(fd);
  }
}

test('a new folder takes the next free second, and the run of a hash is found by its digits', (t) => {
  const output = folder(t);
  const at = (date: Date): string => newRunId('abcdef01', date);
  const names = [newFolder(path.join(output, 'x'), at), newFolder(path.join(output, 'x'), at)];
  assert.ok(names[1] > names[0], names.join(' '));
  assert.equal(runOfHash(output, 'x', 'abcdef99')!.runId, names[1]);
  assert.equal(runOfHash(output, 'x', '123456'), null);
});
