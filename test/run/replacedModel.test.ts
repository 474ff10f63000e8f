/**
 * A checkpoint that is replaced or truncated between two runs, in the middle of one, or under a warm engine: never a
 * mix of two models.
 */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import type { LayerifError } from '../../protocol/errors.ts';
import { EnginePool } from '../../server/src/run/machine/enginePool.ts';
import { writeTinyLlama } from '../tinyLlama.ts';
import { numbersOf, score, tinyWorkspace } from './workspace.ts';
import type { Workspace } from './workspace.ts';
import type { ScoreOptions } from '../../server/src/run/influence/score.ts';

/** Other weights of the same shapes in the same folder, under the time of the old file: what a careless copy does. */
function replace({ model, folder }: Workspace, seed = 99): () => void {
  const file = path.join(model, 'model.safetensors');
  const { mtime } = fs.statSync(file);
  const kept = path.join(folder, `kept-${seed}.safetensors`);
  fs.renameSync(file, kept);
  const other = path.join(folder, `other-${seed}`);
  fs.mkdirSync(other);
  writeTinyLlama(other, { seed });
  fs.renameSync(path.join(other, 'model.safetensors'), file);
  assert.equal(fs.statSync(file).size, fs.statSync(kept).size);
  fs.utimesSync(file, mtime, mtime);
  return () => fs.renameSync(kept, file); // same length and time of the contents as before
}

/** Stops after the first finished layer; what the run said. */
async function interrupted({ experiment }: Workspace, options: Partial<ScoreOptions> = {}): Promise<string> {
  const abort = new AbortController();
  let resultFile = '';
  await assert.rejects(
    score(experiment, {
      ...options,
      signal: abort.signal,
      checkpointSeconds: 0,
      onEvent: (event) => {
        if (event.type === 'started') resultFile = event.resultFile;
        if (event.type === 'layers') abort.abort();
      },
    }),
    { code: 'cancelled' },
  );
  return resultFile;
}

test('replaced after an interrupted run: a new run with the numbers of the new model; the old one is kept', async (t) => {
  const workspace = tinyWorkspace(t);
  const before = await interrupted(workspace);
  replace(workspace);
  const run = await score(workspace.experiment);
  assert.notEqual(run.resultFile, before);
  assert.ok(fs.existsSync(before));
  fs.rmSync(path.join(workspace.folder, 'runs'), { recursive: true });
  const fresh = await score(workspace.experiment, { engine: undefined });
  assert.deepEqual(numbersOf(run.result), numbersOf(fresh.result));
});

test('only config.json differs: a new run', async (t) => {
  const workspace = tinyWorkspace(t);
  const before = await interrupted(workspace);
  const file = path.join(workspace.model, 'config.json');
  const config = JSON.parse(fs.readFileSync(file, 'utf8')) as Record<string, unknown>;
  fs.writeFileSync(file, JSON.stringify({ ...config, rope_theta: 500_000 }));
  const run = await score(workspace.experiment);
  assert.notEqual(run.resultFile, before);
});

test('replaced in the middle of a run: one message, nothing of it is resumed, not even with the old model back', async (t) => {
  const workspace = tinyWorkspace(t);
  const whole = await score(workspace.experiment, { engine: undefined, outputDir: 'elsewhere' });
  let restore = () => undefined as unknown;
  let seen = 0;
  await assert.rejects(
    score(workspace.experiment, {
      checkpointSeconds: 0,
      onEvent: (event) => {
        if (event.type === 'layers' && ++seen === 2) restore = replace(workspace);
      },
    }),
    (error: LayerifError) => {
      assert.equal(error.code, 'badModel');
      assert.match(
        error.message,
        /model\.safetensors was changed while the run was reading it, .*run again, which starts anew/,
      );
      return true;
    },
  );
  assert.equal(seen, 2);
  restore();
  const run = await score(workspace.experiment);
  assert.deepEqual(numbersOf(run.result), numbersOf(whole.result));
});

test('another model in between: finished layers are computed anew, and the log says why', async (t) => {
  const workspace = tinyWorkspace(t);
  const whole = await score(workspace.experiment, { engine: undefined, outputDir: 'elsewhere' });
  const before = await interrupted(workspace);
  replace(workspace)();
  // The interrupted run is found again by its contents, but its layers might be of the other model.
  const run = await score(workspace.experiment);
  assert.equal(run.resultFile, before);
  assert.ok(
    run.events.some(
      (event) => event.type === 'log' && /files were written since the run was interrupted/.test(event.text),
    ),
  );
  assert.deepEqual(numbersOf(run.result), numbersOf(whole.result));
});

test('truncated between two runs: one message that names the file; whole again, the interrupted run is found', async (t) => {
  const workspace = tinyWorkspace(t);
  const whole = await score(workspace.experiment, { engine: undefined, outputDir: 'elsewhere' });
  const before = await interrupted(workspace);
  const file = path.join(workspace.model, 'model.safetensors');
  const bytes = fs.readFileSync(file);
  for (const length of [0, 100, bytes.length - 1]) {
    fs.truncateSync(file, length);
    await assert.rejects(score(workspace.experiment), (error: LayerifError) => {
      assert.equal(error.code, 'badModel');
      assert.match(error.message, /model\.safetensors/);
      assert.ok(!error.message.includes('\n'));
      return true;
    });
    fs.writeFileSync(file, bytes);
  }
  assert.ok(fs.existsSync(before));
  const run = await score(workspace.experiment);
  assert.equal(run.resultFile, before);
  assert.deepEqual(numbersOf(run.result), numbersOf(whole.result));
});

test('a warm engine sees a changed file, though its length and time are the same', async (t) => {
  const workspace = tinyWorkspace(t);
  const engine = new EnginePool();
  t.after(() => engine.dispose());
  const first = await score(workspace.experiment, { engine });
  const restore = replace(workspace);
  const second = await score(workspace.experiment, { engine });
  assert.notDeepEqual(numbersOf(second.result), numbersOf(first.result));
  assert.notEqual(second.result.model.sha256, first.result.model.sha256);
  const alone = await score(workspace.experiment, { engine: undefined, outputDir: 'alone' });
  assert.deepEqual(numbersOf(second.result), numbersOf(alone.result));
  restore();
  const third = await score(workspace.experiment, { engine });
  assert.deepEqual(numbersOf(third.result), numbersOf(first.result));
});

test('a full disk while layers arrive: one message, the engine stays usable, and the run is resumed', async (t) => {
  const workspace = tinyWorkspace(t);
  const engine = new EnginePool();
  t.after(() => engine.dispose());
  const whole = await score(workspace.experiment, { engine, outputDir: 'elsewhere' });
  let resultFile = '';
  const full = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
  await assert.rejects(
    score(workspace.experiment, {
      engine,
      checkpointSeconds: 0,
      onEvent: (event) => {
        if (event.type === 'started') resultFile = event.resultFile;
        if (event.type === 'layers') throw full;
      },
    }),
    /no space left/,
  );
  const run = await score(workspace.experiment, { engine });
  assert.equal(run.resultFile, resultFile);
  assert.deepEqual(numbersOf(run.result), numbersOf(whole.result));
});

for (const code of ['EROFS', 'EACCES'] as const) {
  test(`an output folder that answers ${code}: one message before anything is computed`, async (t) => {
    const workspace = tinyWorkspace(t);
    const { mkdirSync } = fs;
    t.mock.method(fs, 'mkdirSync', (folder: string, options?: fs.MakeDirectoryOptions) => {
      if (folder.includes('runs')) throw Object.assign(new Error(`${code}: ${folder}`), { code });
      return mkdirSync(folder, options);
    });
    const engine = new EnginePool();
    t.after(() => engine.dispose());
    const layers: string[] = [];
    const onEvent = ({ type }: { type: string }) => void layers.push(type);
    await assert.rejects(score(workspace.experiment, { engine, onEvent }), (error: LayerifError) => {
      assert.equal(error.code, 'cannotWrite');
      assert.match(
        error.message,
        /^cannot write .*runs.*: (the disk is read-only|permission is missing); choose another folder with output_dir or --output$/,
      );
      return true;
    });
    assert.ok(!layers.includes('layers'));
    t.mock.restoreAll();
    assert.equal((await score(workspace.experiment, { engine })).result.status, 'complete');
  });
}

test('a read-only output folder: one message before anything is computed', { skip: asRoot() }, async (t) => {
  const workspace = tinyWorkspace(t);
  const output = path.join(workspace.folder, 'runs');
  fs.mkdirSync(output, { mode: 0o555 });
  await assert.rejects(score(workspace.experiment), (error: LayerifError) => {
    assert.equal(error.code, 'cannotWrite');
    assert.match(
      error.message,
      /^cannot write .*: permission is missing; choose another folder with output_dir or --output$/,
    );
    return true;
  });
  fs.chmodSync(output, 0o755);
  assert.deepEqual(fs.readdirSync(output), []);
  assert.equal((await score(workspace.experiment)).result.status, 'complete');
});

/** Permissions do not bind root. */
function asRoot(): string | false {
  return process.getuid?.() === 0 ? 'runs as root' : false;
}
