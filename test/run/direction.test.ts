/** Which way scores are read stands in what `allocate` and `prune` print, and in the report of a pruned model. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { allocationKinds } from '../../protocol/allocation.ts';
import { directionSentence } from '../../protocol/direction.ts';
import { allocationReport } from '../../server/src/cli/allocate.ts';
import { pruningReport } from '../../server/src/cli/prune.ts';
import { allocateResult } from '../../server/src/run/decide/allocate.ts';
import { pruneExperiment } from '../../server/src/run/prune/prune.ts';
import { engine, machine, score, tinyWorkspace } from './workspace.ts';

test('a sentence for every kind and both directions, none without scores', () => {
  for (const kind of allocationKinds) {
    const [more, less] = [true, false].map((higherMeansMore) =>
      directionSentence({ kind, quantity: { name: 'tail exponent', higherMeansMore } }),
    );
    assert.match(more!, /^Direction: a layer with a higher tail exponent (gets|is) .*\.$/);
    assert.notEqual(more, less);
    assert.equal(directionSentence({ kind, quantity: null }), null);
  }
});

test('prune and allocate name result, task, estimator and direction; the numbers go that way', async (t) => {
  const { experiment, folder } = tinyWorkspace(t);
  const { result, resultFile } = await score(experiment);
  const order = result.tasks[0].layers.map(({ score }) => score);
  const most = order.indexOf(Math.max(...order));
  const least = order.indexOf(Math.min(...order));
  const how = { file: experiment, machine, engine, method: 'magnitude' as const, task: 'sentiment' };
  const rows = [
    ['layerif', 'is pruned more: the paper reads much influence'],
    ['reversed', 'is pruned less, against the paper: a control'],
  ] as const;
  for (const [map, words] of rows) {
    const { report, output } = await pruneExperiment({ ...how, map, output: path.join(folder, map) });
    assert.deepEqual(
      { ...report.scores, direction: '' },
      { resultFile, tasks: ['sentiment'], estimator: 'datainf', direction: '' },
    );
    assert.ok(report.scores!.direction.startsWith(`Direction: a layer with a higher score ${words}`));
    const share = (layer: number) => report.layers[layer].requested;
    assert.ok(map === 'layerif' ? share(most) > share(least) : share(most) < share(least));
    assert.deepEqual(JSON.parse(fs.readFileSync(path.join(output, 'layerif-pruning.json'), 'utf8')), report);
    const said = pruningReport(report, output, folder).split('\n');
    assert.equal(said[1], `Scores of ${path.relative(folder, resultFile)}, task sentiment, estimator datainf.`);
    assert.equal(said[2], report.scores!.direction);
    assert.match(said[0], new RegExp(`, map ${map}$`));
  }
  const uniform = await pruneExperiment({ ...how, output: path.join(folder, 'uniform') });
  assert.equal(uniform.report.scores, undefined);

  const experts = await allocateResult({ resultFile, tasks: ['sentiment'], request: { kind: 'experts' } });
  assert.match(
    allocationReport(experts),
    /\nScores of .*tiny\.layerif-result\.json\.\nDirection: a layer with a higher score gets more experts\.\n/,
  );
  const dropped = await allocateResult({ resultFile, tasks: ['sentiment'], request: { kind: 'drop', count: 1 } });
  assert.match(allocationReport(dropped), /Direction: a layer with a higher score is dropped later\./);
  assert.deepEqual(
    dropped.layers.filter(({ value }) => value === 1).map(({ index }) => index),
    [least],
  );
});
