/** Influence from sums of gradients of users' graphs equals that of their Grams: text, images, convolutions. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { CollectRequest, SumsPlan } from '../../protocol/engine.ts';
import { readSafetensors } from '../../server/src/checkpoints/safetensors.ts';
import { Runtime } from '../../server/src/engine/runtime/runtime.ts';
import { collectGraph } from '../../server/src/engine/userGraph/collectGraph.ts';
import { datainf } from '../../server/src/estimators/datainf.ts';
import { overValidation } from '../../server/src/estimators/layerScores.ts';
import { openGraph } from '../../server/src/graphs/open.ts';
import { readLayerGrams } from '../../server/src/run/files/gramFiles.ts';
import { folder, reference } from './reference.ts';

const damping = { rule: 'mean_square', factor: 0.1 } as const;

for (const graph of ['llama', 'bert', 'vit', 'resnet']) {
  for (const held of [2, 1]) {
    test(`${graph}, captures of ${held} of the samples held: the same as from Grams`, async (t) => {
      const modelPath = path.join(folder, `${graph}-dynamo.onnx`);
      const { found } = openGraph(modelPath);
      const { samples } = reference(graph);
      const train = [...samples, ...samples.slice(0, 1)];
      const layers = found.layers.map((_, i) => i);
      const modules = [...new Set(found.layers.flatMap((layer) => layer.modules.map(({ name }) => name)))];
      const sums: SumsPlan = { estimator: 'datainf', damping, subsample: { train: [1], validation: [0] }, held };
      const order = [1, ...train.map((_, i) => i).filter((i) => i !== 1)];
      const run = async (asked: SumsPlan | undefined) => {
        const workDir = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-sums-'));
        t.after(() => fs.rmSync(workDir, { recursive: true, force: true }));
        const request: CollectRequest = {
          modelPath,
          layers,
          modules,
          train,
          validation: samples.slice(0, 2),
          plan: {
            segmentLength: 2,
            weights: 'resident',
            boundaries: 'memory',
            batches: { train: order.map((i) => [i]), validation: [[0], [1]] },
            gradientTile: 1 << 18,
            projection: null,
            check: null,
            sums: asked,
            headRows: 1,
            checkpointSeconds: 1000,
          },
          workDir,
        };
        const summary = await collectGraph(new Runtime('cpu', 1), request, () => undefined);
        const grams = layers.map((layer) => {
          const file = path.join(workDir, `layer-${layer}.safetensors`);
          const names = readSafetensors(file)
            .names()
            .filter((name) => name.endsWith('.K'));
          const here = names.map((name) => name.slice(`${layer}.`.length, -'.K'.length));
          const size = (name: string) => {
            const { module } = found.layers[layer].modules.find((one) => one.name === name)!;
            return module.rows * module.columns;
          };
          return readLayerGrams(file, layer, here, size);
        });
        return { summary, grams };
      };
      const whole = await run(undefined);
      const summed = await run(sums);
      assert.deepEqual(summed.summary.trainLoss, whole.summary.trainLoss);
      assert.deepEqual(summed.summary.validationLoss, whole.summary.validationLoss);
      for (const layer of layers) {
        assert.equal(summed.grams[layer].length, whole.grams[layer].length);
        for (const { module, grams, sums: own } of summed.grams[layer]) {
          const { grams: right } = whole.grams[layer].find((one) => one.module === module)!;
          const expected = overValidation(datainf.influence(right, { damping }).B, right.n, right.m);
          const largest = Math.max(...expected.map(Math.abs));
          const off = Math.max(...expected.map((value, i) => Math.abs(own!.influence[i] - value)));
          assert.ok(off < 1e-5 * largest, `layer ${layer} ${module}: ${off / largest}`);
          assert.ok(Math.abs(grams.K[0] / right.K[right.n + 1] - 1) < 1e-6, 'Grams of the subsample');
          assert.ok(Math.abs(own!.validationSquares[1] / right.diagV[1] - 1) < 1e-5);
        }
      }
    });
  }
}
