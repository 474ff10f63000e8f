/** The store of finished parts: what fits is found again, what does not is removed before anything is written. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { canonicalJson, FinishedParts, tokensHash } from '../../server/src/run/files/finished.ts';

function temporary(t: TestContext): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-finished-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  return path.join(folder, 'partial');
}

test('a part is found again by what it is, its plan and its computation, in whatever order their keys stand', (t) => {
  const folder = temporary(t);
  const first = new FinishedParts(folder, { model: 'a', data: 'b' });
  assert.equal(first.removed, false);
  first.part({ grams: 0, checkpoint: 1 }, { rank: null, batches: [[1, 2]] }).write({ loss: [0.1] });
  first.part('untrained').write(7);
  const again = new FinishedParts(folder, { data: 'b', model: 'a' });
  assert.equal(again.removed, false);
  const part = again.part({ checkpoint: 1, grams: 0 }, { batches: [[1, 2]], rank: null });
  assert.equal(part.replaced, false);
  assert.deepEqual(part.read(), { loss: [0.1] });
  assert.equal(again.part('untrained').read(), 7);
  assert.equal(again.part({ grams: 1, checkpoint: 1 }, { rank: null }).read(), null);
});

test('another plan of a part removes its files and its value at once, and nothing else', (t) => {
  const folder = temporary(t);
  const parts = new FinishedParts(folder, 'run');
  const exact = parts.part('task', { projection: null });
  fs.mkdirSync(exact.folder);
  fs.writeFileSync(path.join(exact.folder, 'layer-0.safetensors'), 'exact');
  exact.write('exact');
  parts.part('other task', { projection: null }).write('kept');
  const projected = parts.part('task', { projection: 64 });
  assert.equal(projected.replaced, true);
  assert.equal(projected.read(), null);
  assert.notEqual(projected.folder, exact.folder);
  assert.equal(fs.existsSync(exact.folder), false);
  assert.equal(parts.part('task', { projection: null }).read(), null);
  assert.equal(parts.part('other task', { projection: null }).read(), 'kept');
});

test('parts of another computation, and what an older version left, go when the store is opened; the lock stays', (t) => {
  const folder = temporary(t);
  new FinishedParts(folder, 'model a').part('task').write(1);
  fs.mkdirSync(path.join(folder, 'task-0'));
  fs.writeFileSync(path.join(folder, 'origin.json'), '{}');
  fs.writeFileSync(path.join(folder, 'lock'), '1');
  const other = new FinishedParts(folder, 'model b');
  assert.equal(other.removed, true);
  assert.deepEqual(fs.readdirSync(folder), ['lock']);
  assert.equal(other.part('task').read(), null);
  assert.equal(new FinishedParts(folder, 'model b').removed, false);
});

test('a single entry of another computation is told of', (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-finished-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  fs.writeFileSync(path.join(folder, 'old'), '');
  assert.equal(new FinishedParts(folder, 'now').removed, true);
  assert.equal(new FinishedParts(folder, 'now').removed, false);
});

test('a part is computed once, and what is kept is what is given', async (t) => {
  const parts = new FinishedParts(temporary(t), 'run');
  let computed = 0;
  const compute = () => Promise.resolve({ n: ++computed, text: undefined });
  assert.deepEqual(await parts.part('a').once(compute), { n: 1 });
  assert.deepEqual(await parts.part('a').once(compute), { n: 1 });
  assert.deepEqual(await parts.part('b').once(compute), { n: 2 });
  parts.discard();
  assert.deepEqual(await parts.part('a').once(compute), { n: 3 });
  parts.clear();
  assert.equal(fs.existsSync(parts.folder), false);
});

test('keys are told apart by their values, not by the order of their names', () => {
  assert.equal(canonicalJson({ b: [1, { d: 1, c: null }], a: undefined }), '{"b":[1,{"c":null,"d":1}]}');
  assert.equal(canonicalJson({ a: Int32Array.of(1, 2) }), canonicalJson({ a: [1, 2] }));
  assert.notEqual(canonicalJson([1, 2]), canonicalJson([2, 1]));
  const one = { tokens: Int32Array.of(1, 2), countedFrom: 1 };
  assert.notEqual(tokensHash([one, one]), tokensHash([one]));
  assert.notEqual(tokensHash([one]), tokensHash([{ ...one, countedFrom: 2 }]));
});
