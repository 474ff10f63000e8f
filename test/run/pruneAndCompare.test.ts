/** Pruning in several ways and comparing, on a tiny model. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { LayerifError } from '../../protocol/errors.ts';
import { evaluateExperiment } from '../../server/src/run/evaluate/evaluate.ts';
import { pruneAndCompare } from '../../server/src/run/prune/pruneAndCompare.ts';
import type { CompareOptions } from '../../server/src/run/prune/pruneAndCompare.ts';
import { pruneExperiment } from '../../server/src/run/prune/prune.ts';
import { engine, machine, score, tinyWorkspace } from './workspace.ts';

const compare = (file: string, options: Partial<CompareOptions> = {}) =>
  pruneAndCompare({ file, machine, engine, ...options });

test('dense first, then every map; the numbers are those of the written model, evaluated', async (t) => {
  const { experiment, folder } = tinyWorkspace(t);
  await score(experiment);
  const maps = ['reversed', 'layerif', 'uniform', 'owl'];
  const { comparison, comparisonFile } = await compare(experiment, { maps, sparsities: [0.5] });
  assert.equal(comparison.status, 'complete');
  assert.deepEqual(
    comparison.prunings.map((p) => p.map),
    ['none', 'uniform', 'reversed', 'layerif', 'owl'],
  );
  assert.deepEqual(JSON.parse(fs.readFileSync(comparisonFile, 'utf8')), comparison);
  const value = (map: string) => comparison.prunings.find((p) => p.map === map)!.metrics.map((m) => m.value);
  const dense = await evaluateExperiment({ file: experiment, machine, engine });
  const accuracies = ({ evaluation }: typeof dense) =>
    Object.values(evaluation.results).flatMap((r) =>
      ['acc,none', 'acc_norm,none'].flatMap((key) => (key in r ? [r[key]] : [])),
    );
  assert.deepEqual(value('none'), accuracies(dense));
  const output = path.join(folder, 'pruned');
  const written = await pruneExperiment({ file: experiment, machine, engine, map: 'layerif', sparsity: 0.5, output });
  const again = await evaluateExperiment({ file: experiment, machine, engine, model: output });
  assert.deepEqual(value('layerif'), accuracies(again));
  const own = comparison.prunings.find((p) => p.map === 'layerif')!;
  assert.ok(Math.abs(own.achieved - written.report.achieved) < 1e-12);
  assert.ok(own.layers.some((sparsity) => Math.abs(sparsity - 0.5) > 0.05));
  for (const { map, metrics } of comparison.prunings) {
    for (const { againstUniform } of metrics)
      assert.equal(againstUniform === null, map === 'none' || map === 'uniform');
  }
});

test('a cancelled comparison goes on where it was', async (t) => {
  const { experiment } = tinyWorkspace(t);
  const stop = new AbortController();
  const seen: string[] = [];
  await assert.rejects(
    compare(experiment, {
      maps: ['uniform'],
      sparsities: [0.25, 0.5],
      signal: stop.signal,
      onProgress: ({ message }) => {
        if (message.startsWith('wanda 0.5')) stop.abort();
      },
    }),
    (error: LayerifError) => error.code === 'cancelled',
  );
  const { comparison } = await compare(experiment, {
    maps: ['uniform'],
    sparsities: [0.25, 0.5],
    onProgress: ({ message }) => seen.push(message.split(':')[0]),
  });
  assert.deepEqual([...new Set(seen)], ['wanda 0.5 uniform']);
  assert.deepEqual(
    comparison.prunings.map((p) => p.sparsity),
    [0, 0.25, 0.5],
  );
});

test('the gate fails a pruning that loses too much, and passes a harmless one', async (t) => {
  const { experiment, edit } = tinyWorkspace(t);
  edit('datasets:', 'evaluate: { gate: { max_drop: 5 } }\ndatasets:');
  const passed = await compare(experiment, { maps: ['uniform'], methods: ['magnitude'], sparsities: [0.1] });
  assert.deepEqual(passed.comparison.gate, { maxDrop: 5, passed: true, failures: [] });
});

test('a rule without a result, unknown words and layers are refused', async (t) => {
  const { experiment } = tinyWorkspace(t);
  const refusals: [Partial<CompareOptions>, RegExp][] = [
    [{ maps: ['layerif'] }, /the map layerif reads a result, and .* holds no complete one .* layerif score/],
    [{ methods: ['obs'] }, /"obs" is not available: use one of magnitude, wanda, sparsegpt/],
    [{ structure: 'layers' }, /structure layers cannot be compared in memory/],
    [{ tasks: ['nothing'] }, /there is no task "nothing" to evaluate/],
  ];
  for (const [options, message] of refusals) {
    await assert.rejects(compare(experiment, options), (error: Error) => {
      assert.ok(error instanceof LayerifError, String(error));
      assert.match(error.message, message);
      return true;
    });
  }
});
