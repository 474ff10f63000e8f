/** How runs end: what is given back, in which order, what a cancel becomes, and what is on disk at which moment. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { complete, untilEnd } from '../../server/src/run/files/ending.ts';
import type { OnEnd } from '../../server/src/run/files/ending.ts';
import { provenanceOf } from '../../server/src/run/files/provenance.ts';
import { version } from '../../server/src/run/files/version.ts';
import { LayerifError } from '../../protocol/errors.ts';

/** Opens three things, the second of which takes a while to be given back. */
function opening(log: string[], end: () => never | string) {
  return (onEnd: OnEnd) => {
    for (const name of ['engine', 'model', 'folder']) {
      onEnd(async () => {
        if (name === 'model') await new Promise((resolve) => setTimeout(resolve, 1));
        log.push(name);
      });
    }
    return Promise.resolve().then(end);
  };
}

test('what was opened is given back, the last first, one after the other, after an answer and after an error', async () => {
  const log: string[] = [];
  assert.equal(
    await untilEnd(
      undefined,
      opening(log, () => 'answer'),
    ),
    'answer',
  );
  assert.deepEqual(log.splice(0), ['folder', 'model', 'engine']);
  const fault = new Error('the disk');
  await assert.rejects(
    untilEnd(
      undefined,
      opening(log, () => {
        throw fault;
      }),
    ),
    (error) => error === fault,
  );
  assert.deepEqual(log, ['folder', 'model', 'engine']);
});

test('what is opened before a run fails is given back, nothing else', async () => {
  const log: string[] = [];
  await assert.rejects(
    untilEnd(undefined, (onEnd) => {
      onEnd(() => log.push('engine'));
      throw new LayerifError('badModel', 'no such file');
    }),
    { code: 'badModel' },
  );
  assert.deepEqual(log, ['engine']);
});

test('what a cancel made others throw is cancelled; our own errors say more and stay', async () => {
  const abort = new AbortController();
  abort.abort();
  const end = (error: Error) =>
    untilEnd(abort.signal, () => Promise.reject(error)).catch((found: LayerifError) => found);
  const reason = abort.signal.reason as Error;
  assert.equal((await end(reason)).code, 'cancelled');
  assert.equal((await end(new LayerifError('cannotWrite', 'the disk is full'))).code, 'cannotWrite');
  const running = new AbortController().signal;
  await assert.rejects(
    untilEnd(running, () => Promise.reject(new Error('other'))),
    { message: 'other' },
  );
});

test('the complete file is there before its parts are removed, and parts outlive a file that cannot be written', (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-ending-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'a.json');
  const content = { status: 'partial' as 'partial' | 'complete', provenance: { date: 'before' }, numbers: [1] };
  let seen: unknown = null;
  complete(file, content, { clear: () => void (seen = JSON.parse(fs.readFileSync(file, 'utf8'))) });
  assert.deepEqual(seen, content);
  assert.equal(content.status, 'complete');
  assert.ok(Math.abs(Date.parse(content.provenance.date) - Date.now()) < 60_000);
  let cleared = false;
  const nowhere = path.join(file, 'b.json'); // below a file
  assert.throws(() => complete(nowhere, content, { clear: () => (cleared = true) }), { code: 'cannotWrite' });
  assert.equal(cleared, false);
});

test('provenance: one shape for every verb', () => {
  const engine = { onnxruntime: '1.30.0', device: 'cpu', threads: 2, pid: 1, deviceNote: null } as const;
  const { date, ...rest } = provenanceOf(engine, { seconds: { total: 1 }, dataSha256: { a: 'ff' }, seed: 3 });
  assert.match(date, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.deepEqual(rest, {
    layerif: version,
    onnxruntime: '1.30.0',
    device: 'cpu',
    threads: 2,
    seconds: { total: 1 },
    dataSha256: { a: 'ff' },
    seed: 3,
  });
});
