/** A second run on a warm model makes no session and reads no weight; Grams and losses are those of the first. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { CollectRequest } from '../../protocol/engine.ts';
import { readSafetensors } from '../../server/src/checkpoints/safetensors.ts';
import { collect } from '../../server/src/engine/grams/collect.ts';
import { Model } from '../../server/src/engine/sweep/model.ts';
import { Runtime } from '../../server/src/engine/runtime/runtime.ts';
import type { Graph } from '../../server/src/onnx/graph.ts';
import { casesFolder, samplesOf } from './reference.ts';

const NAME = 'llama/biases';

class CountingRuntime extends Runtime {
  made: string[] = [];

  override session(graph: Graph) {
    this.made.push(graph.name);
    return super.session(graph);
  }
}

test('a second run on the same model makes no session and reads no weight', async (t) => {
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-warm-'));
  const runtime = new CountingRuntime('cpu', 1);
  const modelPath = path.join(casesFolder, NAME);
  const model = Model.open(runtime, modelPath);
  const { architecture } = model;
  const [a, b, c] = samplesOf(NAME);
  const request: CollectRequest = {
    modelPath,
    layers: Array.from({ length: architecture.layers }, (_, layer) => layer),
    modules: architecture.modules(0).map(({ name }) => name),
    train: [a, c],
    validation: [b],
    plan: {
      segmentLength: 1,
      weights: 'resident',
      batches: { train: [[0], [1]], validation: [[0]] },
      gradientTile: 1 << 20,
      boundaries: 'memory',
      projection: null,
      check: null,
      headRows: 512,
      checkpointSeconds: 10,
    },
    workDir: scratch,
  };
  const read = t.mock.method(fs, 'readSync');
  const run = async (name: string) => {
    const before = { sessions: runtime.made.length, reads: read.mock.callCount() };
    const workDir = path.join(scratch, name);
    const { trainLoss, validationLoss } = await collect(model, { ...request, workDir }, () => undefined);
    const sessions = runtime.made.slice(before.sessions);
    const reads = read.mock.callCount() - before.reads;
    return { sessions, reads, losses: [...trainLoss, ...validationLoss], workDir };
  };
  try {
    const first = await run('first');
    assert.ok(first.sessions.length >= 5 && first.reads > 0, 'the first run makes sessions and reads weights');
    const second = await run('second');
    assert.deepEqual(second.sessions, []);
    assert.equal(second.reads, 0);
    assert.deepEqual(second.losses, first.losses);
    const file = `layer-${architecture.layers - 1}.safetensors`;
    const grams = [first, second].map(({ workDir }) => readSafetensors(path.join(workDir, file)));
    for (const name of grams[0].names()) assert.deepEqual(grams[1].tensor(name), grams[0].tensor(name), name);
  } finally {
    await model.release();
    fs.rmSync(scratch, { recursive: true, force: true });
  }
});
