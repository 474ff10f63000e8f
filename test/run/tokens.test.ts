import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import type { TokenInfluence } from '../../protocol/trust.ts';
import { tokensReport } from '../../server/src/cli/tokens.ts';
import { openRun } from '../../server/src/run/influence/rescore.ts';
import { keptTokenInfluence, tokensFile } from '../../server/src/run/influence/tokenFiles.ts';
import { tokenInfluence } from '../../server/src/run/influence/tokens.ts';
import { engine, machine, score, tinyWorkspace } from './workspace.ts';

for (const estimator of ['datainf', 'fisher', 'dot', 'ekfac']) {
  test(`${estimator}: the tokens of a sample add up to its influence, layer by layer`, async (t) => {
    const { experiment, edit } = tinyWorkspace(t, { estimator });
    if (estimator === 'ekfac') edit('  estimator: ekfac\n', '  estimator: ekfac\n  fisher: empirical\n');
    const { result, resultFile } = await score(experiment, { tasks: ['sentiment'] });
    const { influence, file } = await tokenInfluence(resultFile, { validation: 2, machine, engine });
    assert.deepEqual(JSON.parse(fs.readFileSync(file, 'utf8')) as TokenInfluence, influence);
    const tokens = result.tasks[0].validation.rows[2].tokens;
    assert.equal(influence.tokens.length, tokens - 1, 'all but the first token are predicted');
    assert.deepEqual(
      influence.tokens.map(({ position }) => position),
      Array.from({ length: tokens - 1 }, (_, i) => i + 1),
    );
    assert.equal(influence.layers.length, 3);
    assert.ok(influence.difference < 1e-4, `${influence.difference}`);
    for (const layer of influence.layers) {
      assert.ok(layer.influence.some((value) => Math.abs(value) > 0.01 * Math.abs(layer.sum)));
    }
    if (estimator === 'dot') {
      // The sum over training samples of C, from the stored Grams.
      const { grams } = openRun(resultFile);
      influence.layers.forEach(({ index, sum }) => {
        const expected = grams.layer('sentiment', index).reduce((total, { grams: { n, m, C } }) => {
          for (let i = 0; i < n; i++) total += C[i * m + 2];
          return total;
        }, 0);
        assert.ok(Math.abs(sum / expected - 1) < 1e-4, `layer ${index}: ${sum}, expected ${expected}`);
      });
      assert.match(tokensReport(influence), /\n +sum +/);
    }
  });
}

test('with loss: target the tokens of the answer alone; heads too', async (t) => {
  const { experiment, edit } = tinyWorkspace(t);
  edit('  estimator: datainf\n', '  estimator: datainf\n  loss: target\n  granularity: head\n');
  const { result, resultFile } = await score(experiment);
  const { influence } = await tokenInfluence(resultFile, { task: 'capital', validation: 0, machine, engine });
  assert.ok(influence.tokens.length < result.tasks[1].validation.rows[0].tokens - 1);
  // What the page asks for: the written file, nothing for a sample without one, a sentence for a damaged one.
  assert.deepEqual(keptTokenInfluence(resultFile, 'capital', 0), JSON.parse(JSON.stringify(influence)));
  assert.equal(keptTokenInfluence(resultFile, 'capital', 1), null);
  fs.writeFileSync(
    tokensFile(resultFile, 'capital', 1),
    '{"format":"layerif-tokens","tokens":[{}],"layers":[{"influence":[]}]}',
  );
  assert.throws(
    () => keptTokenInfluence(resultFile, 'capital', 1),
    /is damaged: a layer has not one number for each token; remove it and run layerif tokens .* --task capital --validation 1 again/,
  );
  assert.ok(influence.difference < 1e-4, `${influence.difference}`);
});

test('what cannot be split is refused with its reason', async (t) => {
  const { experiment, edit, folder } = tinyWorkspace(t);
  const { resultFile } = await score(experiment);
  const ask = (options: object) => tokenInfluence(resultFile, { validation: 0, machine, engine, ...options });
  await assert.rejects(ask({}), /has 2 tasks: choose one with --task: sentiment, capital/);
  await assert.rejects(ask({ task: 'capital', validation: 4 }), /has no validation sample 4: use 0 to 3/);
  edit('estimator: datainf', 'estimator: cosine');
  await assert.rejects(ask({ task: 'capital' }), /the section score of .* changed since the run/);
  const cosine = await score(experiment);
  await assert.rejects(
    tokenInfluence(cosine.resultFile, { task: 'capital', validation: 0, machine, engine }),
    /does not exist for estimator cosine/,
  );
  const data = `${folder}/data/capitals.jsonl`;
  edit('estimator: cosine', 'estimator: datainf');
  fs.writeFileSync(data, fs.readFileSync(data, 'utf8').replace(/"\}/, 's"}'));
  await assert.rejects(ask({ task: 'capital' }), /the data of .* changed since the run/);
});
