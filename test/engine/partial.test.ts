/** What the engine finds in its folder is of its own composition, or gone, before it writes. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { CollectRequest } from '../../protocol/engine.ts';
import type { ModuleGrams } from '../../server/src/engine/grams/grams.ts';
import { PartialRun } from '../../server/src/engine/grams/partial.ts';

const request: CollectRequest = {
  modelPath: '/model',
  layers: [0, 1],
  modules: ['mlp.up_proj'],
  train: [],
  validation: [],
  plan: {
    segmentLength: 1,
    weights: 'resident',
    batches: { train: [], validation: [] },
    gradientTile: 1024,
    boundaries: 'memory',
    projection: null,
    check: null,
    headRows: 8,
    checkpointSeconds: 0,
  },
  workDir: '',
};

const changes: [string, Partial<CollectRequest>][] = [
  ['projection', { plan: { ...request.plan, projection: { rank: 4, seed: 0 } } }],
  [
    'way to influence',
    {
      plan: {
        ...request.plan,
        sums: {
          estimator: 'dot',
          damping: { rule: 'absolute', factor: 1 },
          subsample: { train: [], validation: [] },
          held: 0,
        },
      },
    },
  ],
  ['tile of gradients', { plan: { ...request.plan, gradientTile: 512 } }],
  ['rows of the head', { plan: { ...request.plan, headRows: 4 } }],
  ['modules', { modules: ['mlp.down_proj'] }],
  ['estimator', { ekfac: { fisher: 'empirical', seed: 0, damping: { relative: true, factors: [0.1] } } }],
  ['model', { modelPath: '/other' }],
  ['adapter', { adapter: '/adapter' }],
];

for (const [what, change] of changes) {
  test(`another ${what}: finished layers are removed`, (t) => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-partial-'));
    t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
    const grams: ModuleGrams = { K: Float64Array.of(1), C: Float64Array.of(1), diagV: Float64Array.of(1) };
    const first = new PartialRun(folder, request, []);
    first.writeLayer(1, new Map([['mlp.up_proj', grams]]));
    // Where weights and activations lie, and which layers are asked for, changes no number.
    const { plan } = request;
    const same = new PartialRun(
      folder,
      { ...request, layers: [1], plan: { ...plan, weights: 'streamed', boundaries: 'files', checkpointSeconds: 9 } },
      [],
    );
    assert.deepEqual([same.discarded, same.hasLayer(1)], [false, true]);
    const other = new PartialRun(folder, { ...request, ...change }, []);
    assert.deepEqual([other.discarded, other.hasLayer(1)], [true, false]);
    assert.equal(new PartialRun(folder, request, []).discarded, false, 'there was nothing left to remove');
  });
}
