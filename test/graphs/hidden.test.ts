/**
 * Hidden states of users' graphs: those of the same model in float64 PyTorch (test/reference/onnx_graphs/hidden.py),
 * for both exporters, and inputs of their matrices (inputs.py); scores on graphs by both exporters are alike; what a
 * graph cannot give is named.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import type { EncodedSample } from '../../protocol/samples.ts';
import type { ObserveRequest } from '../../protocol/scores.ts';
import { readSafetensors } from '../../server/src/checkpoints/safetensors.ts';
import { Runtime } from '../../server/src/engine/runtime/runtime.ts';
import { observeGraph } from '../../server/src/engine/userGraph/observeGraph.ts';
import { runExperiment } from '../../server/src/run/influence/runExperiment.ts';
import { folder } from './reference.ts';
import { textExperiment, writeGraphWorkspace } from './tiny.ts';

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-graph-hidden-'));
after(() => fs.rmSync(root, { recursive: true, force: true }));
const hidden = readSafetensors(path.join(folder, 'hidden.safetensors'));
const runtime = new Runtime('cpu', 1);

/** The samples of make.py, with a stretch for each position. */
function samplesOf(name: string): EncodedSample[] {
  const { tensor } = readSafetensors(path.join(folder, `${name}.safetensors`));
  let place = 0;
  return [0, 1, 2].map((i) => {
    const positions = hidden.tensor(`${name}.${i}`).length / 3 / 16;
    const spans = Array.from({ length: positions }, (_, t) => ({ place: place++, from: t, to: t + 1 }));
    if (name === 'vit') {
      const pixels = { shape: [3, 8, 8], data: tensor(`input.pixel_values.${i}`) as Float32Array };
      return { tokens: new Int32Array(0), countedFrom: 1, arrays: { pixel_values: pixels }, spans };
    }
    const tokens = Int32Array.from(tensor(`input.input_ids.${i}`) as Int32Array);
    return { tokens, countedFrom: 1, spans };
  });
}

const passOf = (modelPath: string, texts: EncodedSample[]): ObserveRequest => ({
  modelPath,
  texts,
  groups: texts.map((_, i) => [[i]]),
  ablated: [],
  weights: 'resident',
  keepChanges: false,
  boundaries: 'memory',
  headRows: 1,
  observations: [],
  workDir: null,
  key: '',
  checkpointSeconds: 0,
});

for (const name of ['gpt2', 'llama', 'bert', 'vit']) {
  for (const exporter of ['torchscript', 'dynamo']) {
    test(`${name}-${exporter}: states before the first layer and behind each, alone and with all texts at once`, async () => {
      const texts = samplesOf(name);
      const spans = texts.reduce((sum, text) => sum + text.spans!.length, 0);
      const pass = passOf(path.join(folder, `${name}-${exporter}.onnx`), texts);
      const observations = [
        { name: 'states', of: 'span_states', options: { spans } },
        { name: 'sizes', of: 'weight_sizes', options: {} },
      ] as ObserveRequest['observations'];
      for (const groups of [pass.groups, [texts.map((_, i) => [i])]]) {
        const found = (await observeGraph(runtime, { ...pass, observations, groups }, () => undefined)).observations;
        const { data } = found.states.states;
        let [start, largest] = [0, 0];
        for (const [i, text] of texts.entries()) {
          const own = hidden.tensor(`${name}.${i}`);
          const count = text.spans!.length * 16;
          for (let depth = 0; depth < 3; depth++) {
            for (let k = 0; k < count; k++)
              largest = Math.max(
                largest,
                Math.abs(Number(own[depth * count + k]) - data[depth * spans * 16 + start + k]),
              );
          }
          start += count;
        }
        assert.ok(largest < 2e-5, `largest difference ${largest}`);
        assert.ok(Object.keys(found.sizes).length >= 8);
      }
    });
  }
}

const norms = readSafetensors(path.join(folder, 'inputs.safetensors'));

for (const name of ['gpt2', 'llama', 'bert', 'vit']) {
  for (const exporter of ['torchscript', 'dynamo']) {
    test(`${name}-${exporter}: inputs of the matrices and OWL's outliers are those of float64 PyTorch`, async () => {
      const texts = samplesOf(name);
      const observations: ObserveRequest['observations'] = [
        { name: 'norms', of: 'input_norms', options: {} },
        { name: 'owl', of: 'outliers', options: { multiple: 2 } },
      ];
      const groups = [texts.map((_, i) => [i])];
      const pass = { ...passOf(path.join(folder, `${name}-${exporter}.onnx`), texts), observations, groups };
      const found = (await observeGraph(runtime, pass, () => undefined)).observations;
      const modules = Object.keys(found.norms);
      assert.ok(modules.length >= 8, modules.join());
      for (const module of modules) {
        const wanted = norms.tensor(`${name}.${module}`);
        const { data } = found.norms[module];
        assert.equal(data.length, wanted.length);
        wanted.forEach((value, i) =>
          assert.ok(Math.abs(data[i] / Number(value) - 1) < 1e-4, `${module} ${i}: ${data[i]}`),
        );
      }
      const own = norms.tensor(`${name}.owl`);
      own.forEach((value, layer) => assert.ok(Math.abs(found.owl.percent.data[layer] - Number(value)) < 1e-4));
    });
  }
}

test('a convolution in a layer has no inputs that are read, which is said', async () => {
  const modelPath = path.join(folder, 'resnet-dynamo.onnx');
  const observations: ObserveRequest['observations'] = [{ name: 'owl', of: 'outliers', options: { multiple: 5 } }];
  const pass = { ...passOf(modelPath, [{ tokens: new Int32Array(0), countedFrom: 1 }]), observations };
  await assert.rejects(
    observeGraph(runtime, pass, () => undefined),
    /resnet-dynamo\.onnx.* is a convolution, whose inputs are not read/,
  );
});

test('a graph of convolutions has states of another form, which are named', async () => {
  const modelPath = path.join(folder, 'resnet-dynamo.onnx');
  const pixels = readSafetensors(path.join(folder, 'resnet.safetensors')).tensor(
    'input.pixel_values.0',
  ) as Float32Array;
  const arrays = { pixel_values: { shape: [3, 16, 16], data: pixels } };
  const observations = [{ name: 'states', of: 'hidden_change', options: { skip_first_token: false } }];
  const pass = { ...passOf(modelPath, [{ tokens: new Int32Array(0), countedFrom: 1, arrays }]), observations };
  await assert.rejects(
    observeGraph(runtime, pass, () => undefined),
    /the value between layers at depth 0 .* is float32 \[1, \d+, \d+, \d+\], not float32 \[1, positions, \d+\]/,
  );
});

/** Twelve texts of twenty tokens, and these scores alone. */
function alone(name: string, graph: string, scores: string): string {
  const task =
    '    doc_to_text: "{{text}}"\n    doc_to_target: mood\n    doc_to_choice: [good, bad, so]\n    output_type: multiple_choice\n';
  const experiment = `${textExperiment(graph, task)}scores:\n${scores}`.replace('train[:5]', 'train[:12]');
  const file = writeGraphWorkspace(path.join(root, name), graph, experiment);
  const rows = Array.from({ length: 20 }, (_, i) => ({
    text: `${['good film', 'bad film', 'a fine day'][i % 3]} ${'rain or sun again'.slice(i % 9)}`.slice(0, 14),
    mood: ['good', 'bad', 'so'][i % 3],
  }));
  fs.writeFileSync(path.join(root, name, 'moods.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'));
  return file;
}

test('scores of a causal graph, both exporters alike; what a graph cannot give is named and the others finish', async () => {
  const ids =
    'block_influence relative_magnitude angular_distance cka effective_rank avss magnitude alpha_hill owl'.split(' ');
  const views = `  - mean_cca: { view: position, vectors: 60 }
  - cluster_information: { view: position, clusters: 4, vectors: 60 }
`;
  const all: number[][] = [];
  for (const exporter of ['torchscript', 'dynamo']) {
    const file = alone(
      exporter,
      `llama-${exporter}`,
      [...ids, 'logit_lens', 'taylor'].map((id) => `  - ${id}\n`).join('') + views,
    );
    const { scores } = await runExperiment({ file, machine: { device: 'cpu', threads: 1 } });
    assert.deepEqual(
      scores!.refused!.map(({ score }) => score),
      ['logit_lens', 'taylor'],
    );
    assert.match(
      scores!.refused![0].message,
      /logit_lens reads what the head makes of hidden states, and of the ONNX graph .*llama/,
    );
    assert.match(scores!.refused![1].message, /taylor reads gradients/);
    assert.deepEqual(
      scores!.tables.map(({ score }) => score).sort(),
      [...ids, 'mean_cca', 'cluster_information'].sort(),
    );
    const compared = scores!.tables.filter(({ score }) => ids.includes(score));
    compared.sort((a, b) => ids.indexOf(a.score) - ids.indexOf(b.score));
    all.push(compared.flatMap(({ values }) => values.map(Number)));
  }
  all[0].forEach((value, i) => {
    const other = all[1][i];
    assert.ok(Math.abs(value - other) < 1e-4 * Math.max(1, Math.abs(value)), `${i}: ${value} and ${other}`);
  });
});

test('a text classifier: a probe on its layers', async () => {
  const file = alone(
    'bert',
    'bert-dynamo',
    '  - block_influence\n  - probe: { texts: { dataset: moods, split: "train[:12]", label: mood, held_out: "train[12:]" } }\n',
  );
  const { scores } = await runExperiment({ file, machine: { device: 'cpu', threads: 1 } });
  assert.equal(scores!.refused, undefined);
  assert.deepEqual(scores!.tables.map(({ score }) => score).sort(), ['block_influence', 'probe']);
});
