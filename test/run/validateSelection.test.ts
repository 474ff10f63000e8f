/** Protocols that train on what scores of rows, tokens and facts choose, on a tiny model. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { fileKinds } from '../../protocol/files/kinds.ts';
import { parseFile } from '../../protocol/files/read.ts';
import type { ProtocolId } from '../../protocol/experiment.ts';
import type { ScoresFile } from '../../protocol/scores.ts';
import type { ProtocolResult } from '../../protocol/validation.ts';
import { validationReport } from '../../server/src/cli/validateReport.ts';
import { openDataset, firstOfSlice } from '../../server/src/data/splits.ts';
import { validateExperiment } from '../../server/src/run/validate/validate.ts';
import type { ValidateOptions } from '../../server/src/run/validate/validate.ts';
import { engine, machine, tinyWorkspace } from './workspace.ts';

test('rows of a slice within a slice', async (t) => {
  const { folder } = tinyWorkspace(t, { train: 10 });
  const dataset = await openDataset('reviews', { path: 'data/reviews.jsonl' }, folder);
  const first = (text: string, from: number, count: number) => firstOfSlice(dataset, text, from, count);
  assert.deepEqual(await first('train[2:9]', 3, 2), { text: 'train[5:7]', rows: 2 });
  assert.deepEqual(await first('train[2:9]', 5, 9), { text: 'train[7:9]', rows: 2 });
  assert.deepEqual(await first('train[:2]+train[5:7]+train[9:]', 1, 3), { text: 'train[1:2]+train[5:7]', rows: 3 });
  assert.deepEqual(await first('train[:2]+train[5:7]+train[9:]', 3, 90), { text: 'train[6:7]+train[9:15]', rows: 7 });
  assert.deepEqual(await first('train', 15, 4), { text: 'train', rows: 0 });
});

const sizes = (rest: string) =>
  `validate: { validation: 4, retrain: { rank: 2, alpha: 4, steps: 2, batch_size: 4, learning_rate: 0.02 }, ${rest} }\n`;

function workspace(t: TestContext, section: string) {
  const made = tinyWorkspace(t, { train: 20, layers: 2 });
  fs.appendFileSync(made.experiment, section);
  return made;
}

const run = (file: string, protocol: ProtocolId, options: Partial<ValidateOptions> = {}) =>
  validateExperiment({ file, machine, engine, protocols: [protocol], ...options });

/** Shares of the work that are told while something is done, in order. */
function told(shares: readonly number[]) {
  assert.ok(
    shares.every((share, i) => i === 0 || share >= shares[i - 1]),
    'what is done never falls',
  );
  assert.ok(shares[0] < 0.5 && shares.at(-1)! > 0.7, `from ${shares[0]} to ${shares.at(-1)}`);
  assert.ok(new Set(shares).size > 4, `${shares.join()}`);
}

const near = (found: number, expected: number, tolerance = 1e-9) =>
  assert.ok(Math.abs(found - expected) < tolerance, `${found} is not ${expected}`);

const waysOf = ({ comparisons }: ProtocolResult, table = 0) =>
  Object.fromEntries(comparisons![table].ways.map((one) => [one.way, one]));

test('selection: every score of rows against random choices, judged on samples that no score has seen', async (t) => {
  const section = `data_scores: [loss, length, bm25, random, influence, { token_mask: { threshold: 9 } }]\n${sizes('selection: { share: 0.25, draws: 4, held_out: 6 }')}`;
  const { experiment } = workspace(t, section);
  const { result, resultFile } = await run(experiment, 'selection');
  assert.equal(parseFile('validation', JSON.stringify(result), fileKinds.validation.schema).fault, null);
  const [protocol] = result.protocols;
  const ways = waysOf(protocol);
  assert.deepEqual(Object.keys(ways), [
    'loss',
    'length',
    'bm25',
    'random',
    'influence (datainf)',
    'random choices of 5 rows, mean of 4',
    'all 20 rows',
    'untrained',
  ]);
  for (const { difference, interval, p, value } of Object.values(ways).slice(0, 5)) {
    assert.ok(Number.isFinite(value) && interval![0] <= difference! && difference! <= interval![1]);
    assert.ok([1, 2, 3, 4, 5].some((rank) => Math.abs(p! * 5 - rank) < 1e-9));
    near(difference!, value - ways['random choices of 5 rows, mean of 4'].value);
  }
  // Five choices, four random ones, everything, and losses before.
  assert.equal(result.provenance.retrainings, 11);
  assert.match(protocol.how, /judged on 6 samples \(train\[24:30\]\) that no score has seen.* took 4 others/);
  assert.match(protocol.verdict.join('\n'), /with 4 draws it cannot be told at all/);
  const scores = JSON.parse(
    fs.readFileSync(path.join(path.dirname(resultFile), 'selection', 'tiny.layerif-scores.json'), 'utf8'),
  ) as ScoresFile;
  assert.deepEqual(
    scores.tables.map(({ score, rows }) => [score, rows!.split]),
    ['loss', 'length', 'bm25', 'random'].map((id) => [id, 'train[0:20]']),
  );
  assert.match(
    validationReport(result, resultFile),
    /Held-out loss \(nats per token\), lower is better +value +less random choices of 5 rows/,
  );

  // Interrupted, it goes on behind the trainings that are there, with the same numbers.
  const again = workspace(t, section);
  const abort = new AbortController();
  await assert.rejects(
    run(again.experiment, 'selection', {
      signal: abort.signal,
      onProgress: ({ message }) => /training selection-random-2/.test(message) && abort.abort(),
    }),
  );
  const messages: string[] = [];
  const second = await run(again.experiment, 'selection', { onProgress: ({ message }) => messages.push(message) });
  assert.deepEqual(second.result.protocols[0].comparisons, protocol.comparisons);
  assert.ok(!messages.some((message) => /training selection-random-0/.test(message)));
});

test('selection is not run without scores of rows, and refused without samples to judge on', async (t) => {
  const none = workspace(t, sizes('seeds: 1'));
  await assert.rejects(run(none.experiment, 'selection'), /selection: the experiment names no scores of rows/);
  const few = workspace(t, `data_scores: [length]\n${sizes('seeds: 1').replace('validation: 4', 'validation: 8')}`);
  await assert.rejects(
    run(few.experiment, 'selection'),
    /train\[20:30\] of reviews has 2 rows beyond the 8 that scores are compared with, at least 4/,
  );
});

test('forgetting: masks against none, on the task, on other texts and in the norm of the update', async (t) => {
  const forgetting = (threshold: number) =>
    sizes(`forgetting: { threshold: ${threshold}, corpus: { dataset: capitals, split: train }, texts: 5, seeds: 2 }`);
  const { experiment } = workspace(t, forgetting(300));
  const shares: number[] = [];
  const { result } = await run(experiment, 'forgetting', {
    onProgress: ({ done, total }) => shares.push(done / total),
  });
  told(shares);
  assert.equal(parseFile('validation', JSON.stringify(result), fileKinds.validation.schema).fault, null);
  const [protocol] = result.protocols;
  assert.deepEqual(
    protocol.comparisons!.map(({ name }) => name),
    ['Held-out loss of the task (nats per token)', 'Loss of other texts (nats per token)', 'Norm of the update'],
  );
  const norms = waysOf(protocol, 2);
  assert.deepEqual(Object.keys(norms), ['highest', 'lowest', 'random', 'no mask', 'untrained']);
  assert.ok(norms['no mask'].value > 0 && norms.untrained.value === 0);
  // A mask that masks nothing is no mask.
  const { experiment: without } = workspace(t, forgetting(1e9));
  const [same] = (await run(without, 'forgetting')).result.protocols;
  for (const table of [0, 1, 2]) {
    const ways = waysOf(same, table);
    assert.equal(ways.highest.difference, 0);
    assert.equal(ways.highest.value, ways['no mask'].value);
  }
  assert.match(
    same.verdict.join('\n'),
    /lowest masks every token of every row at threshold 1000000000 and is not trained/,
  );
});

test('forgetting needs other texts', async (t) => {
  const { experiment } = workspace(t, sizes('seeds: 1'));
  await assert.rejects(
    run(experiment, 'forgetting'),
    /forgetting: it needs texts that have nothing to do with the task/,
  );
});

test('mastery: facts of each level that has enough, against facts of any, by level of the held-out facts', async (t) => {
  const made = workspace(
    t,
    `data_scores: [{ mastery: { samples: 1, max_new_tokens: 4, texts: { dataset: capitals, split: train } } }]\n${sizes('mastery: { facts: 3, held_out: 4, max_new_tokens: 3, seeds: 2 }')}`,
  );
  made.edit(
    '    path: data/capitals.jsonl',
    '    path: data/capitals.jsonl\n    field_mapping: { subject: country, object: capital }',
  );
  const shares: Record<string, number[]> = {};
  const { result } = await run(made.experiment, 'mastery', {
    task: 'capital',
    onProgress({ message, done, total }) {
      const [phase] = /observing|completions|training mastery|answers/.exec(message)!;
      (shares[phase] ??= []).push(done / total);
    },
  });
  told(Object.values(shares).flat());
  assert.deepEqual(Object.keys(shares), ['observing', 'completions', 'training mastery', 'answers']);
  assert.ok(shares.completions.at(-1)! > shares.completions[0], 'completions move');
  assert.equal(parseFile('validation', JSON.stringify(result), fileKinds.validation.schema).fault, null);
  const [protocol] = result.protocols;
  const [whole, byLevel] = protocol.comparisons!;
  assert.deepEqual([whole.name, whole.better], ['Accuracy on held-out facts', 'higher']);
  assert.deepEqual(
    whole.ways.map(({ way }) => way),
    ['level 0', 'any level', 'untrained'],
  );
  assert.match(byLevel.name, /Accuracy on the 4 held-out facts of level 0/);
  for (const { value } of whole.ways) assert.ok(value >= 0 && value <= 1);
  assert.match(protocol.verdict.join('\n'), /Level 4 has 0 of 20 training facts, fewer than 3/);
  await assert.rejects(
    run(made.experiment, 'mastery', { task: 'sentiment' }),
    /mastery is of the dataset capitals, and the task "sentiment" asks about reviews/,
  );
});
