import { test } from 'node:test';
import assert from 'node:assert/strict';
import { ProgressLine } from '../../server/src/cli/progress.ts';

function harness(interactive: boolean, columns = 80) {
  const clock = { now: 0 };
  const written: string[] = [];
  const progress = new ProgressLine({
    write: (text) => void written.push(text),
    interactive,
    columns,
    now: () => clock.now,
  });
  const update = (phase: 'forward' | 'backward', done: number, total: number, message = '') =>
    progress.update({ task: 'reviews', phase, done, total, message });
  return { clock, written, progress, update };
}

test('progress: plain lines at most once a second, but at the start of a phase and at the end', () => {
  const { clock, written, update } = harness(false);
  for (let done = 0; done <= 30; done++) {
    update('forward', done, 40, `reviews: forward sweep ${done} of 30`);
    clock.now += 100;
  }
  assert.deepEqual(written, [
    'reviews: forward sweep 0 of 30 (0 %)\n',
    'reviews: forward sweep 10 of 30 (25 %)\n',
    'reviews: forward sweep 20 of 30 (50 %, about 5 seconds left)\n',
    'reviews: forward sweep 30 of 30 (75 %, about 5 seconds left)\n',
  ]);
  update('backward', 30, 40);
  update('backward', 31, 40);
  update('backward', 40, 40);
  assert.deepEqual(written.slice(4), ['reviews backward (75 %, about 5 seconds left)\n', 'reviews backward (100 %)\n']);
});

test('progress: on a terminal one line is redrawn, never wider than the terminal, and taken away for a note', () => {
  const { clock, written, progress, update } = harness(true, 40);
  update('backward', 15, 30, 'layer 15 of the model with a very long name indeed');
  assert.ok(written[0].startsWith('\r\x1b[K'));
  assert.ok(written[0].length - '\r\x1b[K'.length < 40);
  clock.now += 10;
  update('backward', 16, 30);
  assert.equal(written.length, 1, 'not redrawn within 50 ms');
  progress.note('a note');
  assert.deepEqual(written.slice(1), ['\r\x1b[K', 'a note\n']);
});

test('progress: time left counts only what this run has done', () => {
  const { clock, written, update } = harness(false);
  update('backward', 20, 30); // resumed
  clock.now += 4000;
  update('backward', 22, 30);
  assert.equal(written.at(-1), 'reviews backward (73 %, about 15 seconds left)\n');
});
