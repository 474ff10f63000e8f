/** Whole validations of a tiny model: what the file holds, controls, resume, cancel, refusals. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { LayerifError } from '../../protocol/errors.ts';
import type { ValidationResult } from '../../protocol/validation.ts';
import { validateExperiment } from '../../server/src/run/validate/validate.ts';
import type { ValidateOptions } from '../../server/src/run/validate/validate.ts';
import { engine, machine, tinyWorkspace } from './workspace.ts';

const sizes =
  'validate: { subsets: 6, leave_out: 4, group_size: 3, retrain: { rank: 2, alpha: 4, steps: 3, learning_rate: 0.02 }, retrieval: { train_per_class: 2, validation_per_class: 1 } }\n';

function workspace(t: TestContext, section = sizes) {
  const made = tinyWorkspace(t, { train: 10 });
  fs.appendFileSync(made.experiment, section);
  return made;
}

const run = (file: string, options: Partial<ValidateOptions> = {}) =>
  validateExperiment({ file, machine, engine, ...options });

/** What two runs of the same validation share. */
function numbers(result: ValidationResult) {
  return result.protocols.map(({ seconds, ...rest }) => ({ ...rest, seconds: typeof seconds }));
}

test('every protocol shows every estimator at every point beside all controls, and says what follows', async (t) => {
  const { experiment } = workspace(t);
  const { result, resultFile } = await run(experiment);
  assert.match(path.basename(resultFile), /^tiny\.layerif-validation\.json$/);
  assert.deepEqual(JSON.parse(fs.readFileSync(resultFile, 'utf8')), JSON.parse(JSON.stringify(result)));
  assert.equal(result.status, 'complete');
  assert.deepEqual(result.skipped, []);
  assert.deepEqual(result.layers, [1, 2]);
  assert.deepEqual(
    result.protocols.map(({ protocol }) => protocol),
    ['lds', 'loo', 'mislabel', 'retrieval', 'surrogate'],
  );
  for (const { protocol, measures, verdict } of result.protocols) {
    assert.ok(verdict.length > 0);
    for (const { name, rows } of measures) {
      const has = (id: string, point: string | null) => rows.some((r) => r.predictor === id && r.point === point);
      for (const id of ['datainf', 'fisher', 'dot']) {
        for (const point of protocol === 'surrogate' ? ['surrogate'] : ['pretrained', 'trained'])
          assert.ok(has(id, point), `${protocol} ${name}: ${id} at ${point}`);
      }
      // BM25 says nothing about a sample by itself.
      const texts = name.endsWith('self-influence') ? ['length'] : ['length', 'bm25'];
      for (const id of ['random', 'uniform', ...texts]) assert.ok(has(id, null), `${protocol} ${name}: ${id}`);
      assert.ok(rows.every(({ value }) => value === null || (value >= -1 && value <= 1)));
    }
    assert.match(verdict.join(' '), /gradient dot/);
  }
  const surrogate = result.protocols.at(-1)!;
  for (const { name, rows } of surrogate.measures) {
    const exact = rows.find(({ predictor }) => predictor === 'exact_hessian')!;
    assert.ok(exact.value! > 0.6, `a convex model, ${name}: ${exact.value}`);
  }
  // 6 subsets, 1 on everything, 1 control, 8 groups, 2 for mislabels, 1 for retrieval
  assert.equal(result.provenance.retrainings, 19);
  assert.ok(!fs.existsSync(path.join(path.dirname(resultFile), 'partial')));
});

test('an interrupted validation goes on: finished trainings are not run again, the numbers are those of an uninterrupted one', async (t) => {
  const whole = await run(workspace(t).experiment, { protocols: ['lds'] });
  const { experiment } = workspace(t);
  const abort = new AbortController();
  const seen: string[] = [];
  await assert.rejects(
    run(experiment, {
      protocols: ['lds'],
      signal: abort.signal,
      onProgress: ({ message }) => {
        seen.push(message);
        if (/training lds-3/.test(message)) abort.abort();
      },
    }),
    (error) => error instanceof LayerifError && error.code === 'cancelled',
  );
  const again: string[] = [];
  let resumed = false;
  const { result } = await run(experiment, {
    protocols: ['lds'],
    onStarted: (started) => (resumed = started.resumed),
    onProgress: ({ message }) => again.push(message),
  });
  assert.ok(resumed);
  assert.ok(seen.some((m) => /training lds-0/.test(m)) && !again.some((m) => /training lds-0/.test(m)));
  assert.ok(again.some((m) => /training lds-5/.test(m)));
  assert.deepEqual(numbers(result), numbers(whole.result));
});

test('what a task does not have is named, what it has is run', async (t) => {
  const { experiment } = workspace(t);
  const { result } = await run(experiment, { task: 'capital', protocols: ['mislabel', 'surrogate', 'lds'] });
  assert.deepEqual(
    result.protocols.map(({ protocol }) => protocol),
    ['lds'],
  );
  const reasons = result.skipped.map(({ protocol, reason }) => `${protocol}: ${reason}`).join('\n');
  assert.match(reasons, /mislabel: task "capital" has no choices/);
  assert.match(reasons, /surrogate: all training samples have the same answer/); // its first token is a space
  await assert.rejects(
    run(experiment, { task: 'capital', protocols: ['mislabel'] }),
    /nothing could be validated.*no choices/,
  );
});

test('bad settings are refused before anything is computed', async (t) => {
  const { experiment } = workspace(t, 'validate: { retrain: { layers: [7] } }\n');
  await assert.rejects(
    run(experiment),
    /validate\.retrain\.layers: layer 7 does not exist; the model has layers 0 to 2/,
  );
  const few = workspace(t, 'validate: { train: 3 }\n');
  await assert.rejects(run(few.experiment), /validate\.train/);
  const small = workspace(t);
  await assert.rejects(
    run(small.experiment, { machine: { ...machine, memoryBytes: 1 << 20 }, engine }),
    (error) => error instanceof LayerifError && error.code === 'notEnoughMemory',
  );
});

test('seeds average retrainings and change them', async (t) => {
  const { experiment } = workspace(t, sizes.replace('subsets: 6', 'subsets: 6, seeds: 2'));
  const { result } = await run(experiment, { protocols: ['lds'] });
  assert.equal(result.provenance.retrainings, 6 * 2 + 2);
});
