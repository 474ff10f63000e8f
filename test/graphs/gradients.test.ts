/** Per-sample gradients of exported models against PyTorch in float64 (test/reference/onnx_graphs). */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { openGraph } from '../../server/src/graphs/open.ts';
import { folder, measure, reference } from './reference.ts';

interface Row {
  graph: string;
  layers: string[];
  /** Of every layer together. */
  modules: number;
  rest: string[];
}

const bert = ['bert.pooler.dense', 'classifier'];
const resnet = ['resnet.embedder.embedder.convolution', 'classifier.1'];
const stages = ['0.layers.0', '0.layers.1', '1.layers.0'].map((name) => `resnet.encoder.stages.${name}`);
const rows: readonly Row[] = [
  { graph: 'gpt2', layers: ['transformer.h.0', 'transformer.h.1'], modules: 8, rest: ['lm_head'] },
  { graph: 'llama', layers: ['model.layers.0', 'model.layers.1'], modules: 14, rest: ['lm_head'] },
  { graph: 'bert', layers: ['bert.encoder.layer.0', 'bert.encoder.layer.1'], modules: 12, rest: bert },
  {
    graph: 'vit',
    layers: ['vit.layers.0', 'vit.layers.1'],
    modules: 12,
    rest: ['vit.embeddings.patch_embeddings.projection', 'classifier'],
  },
  { graph: 'resnet', layers: stages, modules: 8, rest: resnet },
  { graph: 'resnet_batchnorm', layers: stages, modules: 8, rest: resnet },
];

for (const exporter of ['torchscript', 'dynamo']) {
  for (const row of rows) {
    test(`${row.graph} by the ${exporter} exporter: layers by their Hugging Face names, losses and gradients`, async () => {
      const opened = openGraph(path.join(folder, `${row.graph}-${exporter}.onnx`));
      assert.deepEqual(
        opened.found.layers.map(({ name }) => name),
        row.layers,
      );
      assert.deepEqual(
        opened.found.rest.map((module) => module.path),
        row.rest,
      );
      const { loss, errors } = await measure(opened, reference(row.graph));
      assert.equal(errors.size, row.modules);
      assert.ok(loss < 2e-6, `loss: relative error ${loss}`);
      for (const [module, error] of errors) assert.ok(error < 1e-5, `${module}: ${error}`);
    });
  }
}

for (const stored of ['int8', 'uint8', 'bfloat16']) {
  test(`matrices stored as ${stored}, the head's too: losses and gradients of the numbers that are stored`, async () => {
    const opened = openGraph(path.join(folder, `llama-${stored}.onnx`));
    const { loss, errors } = await measure(opened, reference(`llama_${stored}`));
    assert.equal(errors.size, 14);
    assert.ok(loss < 2e-6, `loss: relative error ${loss}`);
    for (const [module, error] of errors) assert.ok(error < 1e-5, `${module}: ${error}`);
  });
}
