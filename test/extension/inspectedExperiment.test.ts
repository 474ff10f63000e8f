/**
 * What an experiment from an inspected model says: a whole experiment by the schema, with the model's own inputs in it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspectedExperiment } from '../../extension/src/inspectedExperiment.ts';
import type { InspectedGraph } from '../../protocol/inspection.ts';
import { parseExperiment } from '../../server/src/config/experiment.ts';

const graph: InspectedGraph = {
  task: 'classification',
  how: '',
  logits: 'logits',
  outputs: ['logits'],
  classes: 3,
  tokens: true,
  length: null,
  arrays: [],
  normalisation: null,
};

/** As VS Code inserts it when every place keeps its value. */
function inserted(parts: {
  graph: InspectedGraph | null;
  modelPath?: string;
  layersPattern?: string;
  output?: string;
}) {
  const snippet = inspectedExperiment({
    model: { graph: parts.graph },
    modelPath: parts.modelPath ?? './models/x.onnx',
    layersPattern: parts.layersPattern ?? '',
    output: parts.output ?? '',
  });
  return snippet
    .replace(/\$\{\d+:((?:\\.|[^}\\])*)\}/g, (_, value: string) => value)
    .replace(/\$0$/, '')
    .replace(/\\([\\$}])/g, '$1');
}

function experimentOf(parts: Parameters<typeof inserted>[0]) {
  const text = inserted(parts);
  const { experiment, problems } = parseExperiment(text, '/w/x.layerif.yaml');
  assert.deepEqual([problems, experiment === null], [[], false], text);
  return { text, ...experiment! };
}

test('a checkpoint and a causal graph: prompt and answer; nothing that was not typed', () => {
  for (const own of [null, { ...graph, task: 'causal', classes: 61 } as const]) {
    const { model, tasks, datasets } = experimentOf({ graph: own });
    assert.deepEqual(model, { path: './models/x.onnx', max_length: 128 });
    assert.equal(tasks[0].doc_to_text, 'Review: {{text}}\nSentiment:');
    assert.deepEqual([tasks[0].doc_to_target, tasks[0].inputs], ['label', undefined]);
    assert.deepEqual(Object.keys(datasets), [tasks[0].dataset]);
  }
});

test('pattern, output and path come back as they were typed, whatever is in them', () => {
  const odd = { modelPath: './my models/$x {1} \\ é: #.onnx', layersPattern: 'encoder.${stage}.{}', output: 'no' };
  const { model } = experimentOf({ graph, ...odd });
  assert.deepEqual([model.path, model.layers_pattern, model.output], [odd.modelPath, odd.layersPattern, odd.output]);
  for (const output of ['12', '-', 'true', '1.5', 'null', '~', '*a', 'a: b'])
    assert.equal(experimentOf({ graph, output }).model.output, output);
});

test('a classifier of texts says which classes there are, and keeps to the length of its graph', () => {
  const { text, model, tasks } = experimentOf({ graph: { ...graph, length: 16 } });
  assert.equal(model.max_length, 16);
  assert.equal(tasks[0].doc_to_text, '{{text}}');
  assert.match(text, /doc_to_target: label +# a class, 0 to 2;/);
  assert.match(experimentOf({ graph: { ...graph, classes: null } }).text, /a class, counted from 0;/);
});

test('images: a column, the size where the graph leaves it open, the declared normalisation', () => {
  const vision = { ...graph, tokens: false };
  const fixed = experimentOf({ graph: { ...vision, arrays: [{ name: 'pixel_values', shape: ['n', 3, 8, 8] }] } });
  assert.deepEqual(fixed.tasks[0].inputs, {
    pixel_values: { column: 'image', mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
  });
  assert.equal(fixed.tasks[0].doc_to_text, undefined);
  assert.deepEqual(Object.keys(fixed.datasets), ['images']);
  const declared = experimentOf({
    graph: {
      ...vision,
      arrays: [{ name: 'x:0', shape: [1, 'h', 'w', 3] }],
      normalisation: { mean: [0.1, 0.2, 0.3], std: [1, 1, 0.5] },
    },
  });
  assert.deepEqual(declared.tasks[0].inputs, {
    'x:0': { column: 'image', size: [224, 224], mean: [0.1, 0.2, 0.3], std: [1, 1, 0.5], layout: 'channels_last' },
  });
});

test('other arrays, several of them, beside tokens', () => {
  const arrays: InspectedGraph['arrays'] = [
    { name: 'features', shape: ['n', 12] },
    { name: 'age', shape: ['n'] },
  ];
  const { tasks, text } = experimentOf({ graph: { ...graph, arrays } });
  assert.deepEqual(tasks[0].inputs, { features: { column: 'features' }, age: { column: 'age' } });
  assert.equal(tasks[0].doc_to_text, '{{text}}');
  assert.match(text, /column: features +# numbers or \.npy files, 12\n/);
});
