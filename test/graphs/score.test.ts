/** Whole runs over user-supplied graphs: text, images and arrays in, a result out; equal to what its captures say. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { PNG } from 'pngjs';
import { checkExperiment } from '../../server/src/run/check/check.ts';
import { inspectModel } from '../../server/src/run/inputs/inspect.ts';
import { exportResult } from '../../server/src/run/decide/export.ts';
import { scoreExperiment } from '../../server/src/run/influence/score.ts';
import { EnginePool } from '../../server/src/run/machine/enginePool.ts';
import { textExperiment, writeGraphWorkspace } from './tiny.ts';

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-graph-runs-'));
after(() => fs.rmSync(root, { recursive: true, force: true }));
const machine = { device: 'cpu' as const, threads: 1 };
const engine = new EnginePool();
after(() => engine.dispose());

test('a causal graph: checked without problems, scored by layers under their Hugging Face names', async () => {
  const task = '    doc_to_text: "{{text}}"\n    doc_to_target: mood\n';
  const file = writeGraphWorkspace(path.join(root, 'llama'), 'llama-dynamo', textExperiment('llama-dynamo', task));
  assert.deepEqual((await checkExperiment(file)).problems, []);
  const { result } = await scoreExperiment({ file, machine, engine });
  assert.equal(result.status, 'complete');
  assert.deepEqual(
    result.tasks[0].layers.map(({ name }) => name),
    ['model.layers.0', 'model.layers.1'],
  );
  assert.equal(result.model.coverage, 1);
  assert.ok(result.tasks[0].train.loss.every((loss) => loss > 0 && loss < 50));
  // Layers captured one at a time give the same numbers as all at once: the plan follows the memory limit.
  const { result: narrow } = await scoreExperiment({
    file,
    machine: { ...machine, memoryBytes: 2 ** 30 },
    engine,
    outputDir: path.join(root, 'again'),
  });
  assert.deepEqual(narrow.tasks[0].layers, result.tasks[0].layers);
});

test('decisions from a graph: what needs its modules is refused with what to do, the rest is written', async () => {
  const folder = path.join(root, 'llama');
  const { resultFile } = await scoreExperiment({ file: path.join(folder, 'moods.layerif.yaml'), machine, engine });
  const to = (target: string, kind?: 'rank' | 'experts') =>
    exportResult({ resultFile, to: target, machine, request: kind === undefined ? {} : { kind } });
  await assert.rejects(
    to('peft'),
    /^LayerifError: target peft: PEFT adapts the modules of a PyTorch model, and \.\/llama-dynamo\.onnx is an ONNX graph; score the folder or \.gguf file that the graph was made from, or use --to csv or --to markdown$/,
  );
  await assert.rejects(
    to('csv', 'rank'),
    /^LayerifError: rank needs the shapes of the model's modules, and \.\/llama-dynamo\.onnx is an ONNX graph; allocate experts, tune/,
  );
  const { content, notes } = await to('csv');
  assert.equal(String(content).trim().split('\n').length, 3);
  assert.ok(notes.includes('the model is an ONNX graph: sizes of layers are the mean'));
});

test('a text classifier: labels by name or number, and a label that the graph has no class for', async () => {
  const folder = path.join(root, 'bert');
  const named = textExperiment(
    'bert-torchscript',
    '    doc_to_text: text\n    doc_to_target: mood\n    doc_to_choice: [good, bad, so]\n',
  );
  const numbered = textExperiment('bert-torchscript', '    doc_to_text: text\n    doc_to_target: label\n');
  const score = async (experiment: string) => {
    const file = writeGraphWorkspace(folder, 'bert-torchscript', experiment);
    return (await scoreExperiment({ file, machine, engine, outputDir: path.join(folder, 'runs') })).result.tasks[0];
  };
  assert.deepEqual((await score(named)).influence, (await score(numbered)).influence);
  const file = writeGraphWorkspace(folder, 'bert-torchscript', numbered);
  fs.appendFileSync(path.join(folder, 'moods.jsonl'), '');
  fs.writeFileSync(
    path.join(folder, 'moods.jsonl'),
    fs.readFileSync(path.join(folder, 'moods.jsonl'), 'utf8').replace('"label":1', '"label":7'),
  );
  await assert.rejects(scoreExperiment({ file, machine, engine }), /the class of row 1 is 7; .* has 3 classes, 0 to 2/);
});

function writeImages(folder: string): { pixels: number[][] } {
  const pixels: number[][] = [];
  const rows = Array.from({ length: 8 }, (_, i) => {
    const png = new PNG({ width: 8, height: 8 });
    for (let p = 0; p < 64; p++)
      for (let c = 0; c < 4; c++) png.data[4 * p + c] = c === 3 ? 255 : (37 * i + 11 * p + 83 * c) % 256;
    fs.writeFileSync(path.join(folder, `${i}.png`), PNG.sync.write(png));
    pixels.push(Array.from({ length: 192 }, (_, k) => png.data[4 * (k % 64) + Math.floor(k / 64)] / 255 / 0.5 - 1));
    return JSON.stringify({ image: `${i}.png`, label: i % 3 });
  });
  fs.writeFileSync(path.join(folder, 'moods.jsonl'), rows.join('\n') + '\n');
  return { pixels };
}

function npy(shape: number[], values: readonly number[]): Buffer {
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.join(', ')},), }`.padEnd(117) + '\n';
  const head = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, text.length & 255, text.length >> 8]);
  return Buffer.concat([head, Buffer.from(text, 'latin1'), Buffer.from(Float32Array.from(values).buffer)]);
}

test('a vision classifier: images with declared normalisation, and the same numbers as .npy arrays', async () => {
  const folder = path.join(root, 'vit');
  const images = textExperiment(
    'vit-dynamo',
    '    doc_to_target: label\n    inputs: { pixel_values: { column: image, mean: [0.5], std: [0.5] } }\n',
  );
  const file = writeGraphWorkspace(folder, 'vit-dynamo', images);
  const { pixels } = writeImages(folder);
  assert.deepEqual((await checkExperiment(file)).problems, []);
  const fromImages = (await scoreExperiment({ file, machine, engine, outputDir: path.join(folder, 'a') })).result
    .tasks[0];
  fs.writeFileSync(path.join(folder, 'x.npy'), npy([8, 3, 8, 8], pixels.flat()));
  fs.writeFileSync(
    path.join(folder, 'y.npy'),
    npy(
      [8],
      Array.from({ length: 8 }, (_, i) => i % 3),
    ),
  );
  const arrays = textExperiment('vit-dynamo', '    doc_to_target: label\n    inputs: { pixel_values: x }\n').replace(
    '{ path: moods.jsonl }',
    '{ arrays: { x: x.npy, label: y.npy } }',
  );
  fs.writeFileSync(file, arrays);
  assert.deepEqual((await checkExperiment(file)).problems, []);
  const fromArrays = (await scoreExperiment({ file, machine, engine, outputDir: path.join(folder, 'b') })).result
    .tasks[0];
  fromImages.train.loss.forEach((loss, i) => assert.ok(Math.abs(loss - fromArrays.train.loss[i]) < 1e-5));
  fs.writeFileSync(file, images.replace('column: image', 'column: picture'));
  await assert.rejects(
    scoreExperiment({ file, machine, engine }),
    /input "pixel_values" .* takes the column "picture", which row 0 does not have; columns: image, label/,
  );
});

test('keys of graphs are refused for other models, and other keys for graphs', async () => {
  const task = '    doc_to_text: text\n    doc_to_target: label\n';
  const write = (extra: string) =>
    writeGraphWorkspace(path.join(root, 'keys'), 'bert-dynamo', textExperiment('bert-dynamo', task, extra));
  await assert.rejects(
    scoreExperiment({ file: write('score: { projection: 8 }\n'), machine, engine }),
    /gradients of \.onnx models are exact/,
  );
  await assert.rejects(
    scoreExperiment({ file: write('score: { estimator: ekfac }\n'), machine, engine }),
    /set fisher: empirical/,
  );
  const { result } = await scoreExperiment({
    file: write('score: { estimator: ekfac, fisher: empirical }\n'),
    machine,
    engine,
  });
  assert.equal(result.score.estimator, 'ekfac');
});

test('inspect shows the layers of a graph, and those of another pattern', () => {
  const graph = path.join(import.meta.dirname, '../reference/onnx_graphs/resnet-torchscript.onnx');
  const found = inspectModel(graph);
  assert.deepEqual([found.format, found.layers, found.coverage], ['onnx', 3, 1]);
  assert.deepEqual(found.kinds[0].modules[0], { name: 'layer.0.convolution', shape: [8, 36], parameters: 288 });
  const stages = inspectModel(graph, '.', { graph: { pattern: 'encoder.stages.{}' } });
  assert.deepEqual(stages.layerNames, ['resnet.encoder.stages.0', 'resnet.encoder.stages.1']);
});
