/**
 * A speech encoder: the log-mel front end equals transformers' WhisperFeatureExtractor, hidden states those of its
 * WhisperEncoder in float64 (test/reference/speech), scores of labelled stretches of audio, and audio that is refused.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { readSafetensors } from '../../server/src/checkpoints/safetensors.ts';
import { logMel, SAMPLE_RATE } from '../../server/src/linear/logMel.ts';
import { decodeWav } from '../../server/src/data/wav.ts';
import { Runtime } from '../../server/src/engine/runtime/runtime.ts';
import { observeGraph } from '../../server/src/engine/userGraph/observeGraph.ts';
import { checkExperiment } from '../../server/src/run/check/check.ts';
import { runExperiment } from '../../server/src/run/influence/runExperiment.ts';

const folder = path.join(import.meta.dirname, '../reference/speech');
const { tensor } = readSafetensors(path.join(folder, 'speech.safetensors'));
const names = ['tones', 'noise'];
const melOf = (name: string) =>
  logMel(decodeWav(fs.readFileSync(path.join(folder, `${name}.wav`)), SAMPLE_RATE), 80, 100);

test('the log-mel spectrogram is that of transformers', () => {
  for (const [i, name] of names.entries()) {
    const { data, used } = melOf(name);
    const expected = tensor(`features.${name}`);
    const largest = data.reduce((most, value, at) => Math.max(most, Math.abs(value - Number(expected[at]))), 0);
    assert.ok(largest < 1e-4, `${name}: ${largest}`);
    assert.equal(used, [80, 50][i]);
  }
});

test("hidden states of the encoder are those of transformers, before the final norm that is in the graph's own last output", async () => {
  const texts = names.map((name, i) => {
    const { shape, data, used } = melOf(name);
    return {
      tokens: new Int32Array(0),
      countedFrom: 1,
      arrays: { input_features: { shape: [...shape], data } },
      frames: { used, all: 100 },
      // Two frames make a position; the last stretch is shorter than one.
      spans: [
        { place: 2 * i, from: 0, to: 20 },
        { place: 2 * i + 1, from: 21.2, to: 21.4 },
      ],
    };
  });
  const { observations } = await observeGraph(
    new Runtime('cpu', 1),
    {
      ...{ modelPath: path.join(folder, 'encoder.onnx'), texts, groups: [[[0]], [[1]]], ablated: [] },
      ...{ weights: 'resident', keepChanges: false, boundaries: 'memory', headRows: 1 },
      ...{ workDir: null, key: '', checkpointSeconds: 0 },
      observations: [{ name: 'states', of: 'span_states', options: { spans: 4 } }],
    },
    () => undefined,
  );
  const { data } = observations.states.states;
  names.forEach((name, i) => {
    const states = tensor(`states.${name}`);
    for (let depth = 0; depth < 3; depth++) {
      for (let h = 0; h < 16; h++) {
        const at = (position: number) => Number(states[(depth * 50 + position) * 16 + h]);
        const mean = Array.from({ length: 10 }, (_, t) => at(t)).reduce((a, b) => a + b, 0) / 10;
        const found = (place: number) => data[(depth * 4 + place) * 16 + h];
        assert.ok(Math.abs(found(2 * i) - mean) < 2e-4, `${name} ${depth} ${h}: ${found(2 * i)}, not ${mean}`);
        assert.ok(Math.abs(found(2 * i + 1) - at(10)) < 2e-4, `${name} ${depth} ${h}`);
      }
    }
  });
});

function workspace(rows: object[], scores: string, wavs: Record<string, Uint8Array> = {}): string {
  const own = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-speech-'));
  for (const name of ['encoder.onnx', 'tones.wav', 'noise.wav'])
    fs.copyFileSync(path.join(folder, name), path.join(own, name));
  for (const [name, bytes] of Object.entries(wavs)) fs.writeFileSync(path.join(own, name), bytes);
  fs.writeFileSync(path.join(own, 'speech.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'));
  fs.writeFileSync(
    path.join(own, 'speech.layerif.yaml'),
    `version: 1
model: { path: ./encoder.onnx }
datasets:
  speech: { path: speech.jsonl }
tasks:
  - { task: speech, dataset: speech, training_split: train, validation_split: train, doc_to_text: audio, doc_to_target: voice }
scores:
${scores}`,
  );
  return path.join(own, 'speech.layerif.yaml');
}

const run = async (file: string) => (await runExperiment({ file, machine: { device: 'cpu', threads: 1 } })).scores!;

test('labels of stretches with times, of whole audio, and drawn frames: tables of an encoder without logits', async (t) => {
  const rows = Array.from({ length: 16 }, (_, i) => ({
    audio: `${names[i % 2]}.wav`,
    voice: names[i % 2],
    phones: ['a', 'b', 'a', 'c', 'b'],
    times: [0, 1, 2, 3, 4].map((k) => [0.1 * k, 0.1 * k + 0.09]),
  }));
  const texts = (label: string) => `texts: { dataset: speech, split: train, audio: audio, ${label} }`;
  const file = workspace(
    rows,
    `  - cluster_information: { clusters: 3, permutations: 20, ${texts('label: phones, times: times')} }
  - mean_cca: { vectors: 100, ${texts('label: voice')} }
  - pwcca: { view: label, ${texts('label: phones, times: times')} }
  - block_influence
`,
  );
  t.after(() => fs.rmSync(path.dirname(file), { recursive: true, force: true }));
  // What the run leaves out is all that `check` has to say of audio.
  const { problems } = await checkExperiment(file);
  assert.deepEqual(
    problems.map(({ severity, path: where }) => [severity, where]),
    [['warning', ['scores', 3]]],
  );
  assert.match(problems[0].message, /takes the column "input_features", which row 0 does not have/);
  const { tables, refused } = await run(file);
  assert.deepEqual(tables.map(({ score }) => score).sort(), ['cluster_information', 'mean_cca', 'pwcca']);
  const information = tables.find(({ score }) => score === 'cluster_information')!;
  assert.match(information.notes[0], /^80 stretches of 16 texts, 3 labels; /);
  assert.equal(information.values.length, 2);
  assert.equal(refused!.length, 1);
});

test('a stretch of audio without a label is named with its file and row', async (t) => {
  const row = {
    audio: `${names[0]}.wav`,
    times: [
      [0, 0.2],
      [0.2, 0.4],
    ],
  };
  const rows = [
    ['a', 'b'],
    ['a', null],
  ].map((phones) => ({ ...row, phones }));
  const texts = 'texts: { dataset: speech, split: train, audio: audio, label: phones, times: times }';
  const file = workspace(rows, `  - pwcca: { view: label, ${texts} }\n`);
  t.after(() => fs.rmSync(path.dirname(file), { recursive: true, force: true }));
  await assert.rejects(run(file), /row 1 of dataset "speech": "phones" entry 1 is empty; give each stretch a label/);
});

/** A .wav header with these numbers and 3200 zeros. */
function wav({ channels = 1, rate = 16000, bits = 16, kind = 1 }): Uint8Array {
  const bytes = Buffer.alloc(44 + 3200);
  bytes.write('RIFF', 0, 'latin1');
  bytes.writeUInt32LE(36 + 3200, 4);
  bytes.write('WAVEfmt ', 8, 'latin1');
  [16, kind | (channels << 16), rate].forEach((value, i) => bytes.writeUInt32LE(value, 16 + 4 * i));
  bytes.writeUInt16LE(bits, 34);
  bytes.write('data', 36, 'latin1');
  bytes.writeUInt32LE(3200, 40);
  return bytes;
}

test('audio of another rate, several channels, another coding, none at all: named', () => {
  const cases: [Uint8Array, RegExp][] = [
    [wav({ rate: 44100 }), /44100 samples a second, 16000 are read; convert it \(ffmpeg/],
    [wav({ channels: 2 }), /the audio has 2 channels, one is read/],
    [wav({ bits: 24 }), /24-bit of format 1, 16-bit PCM/],
    [wav({ kind: 3, bits: 32 }), /32-bit of format 3/],
    [wav({}).subarray(0, 44), /holds no samples/],
    [wav({}).subarray(0, 30), /holds no samples/],
    [Buffer.from('ID3 not a wav at all'), /no \.wav \(RIFF\/WAVE\) file/],
  ];
  for (const [bytes, message] of cases) assert.throws(() => decodeWav(bytes, SAMPLE_RATE), message);
  assert.equal(decodeWav(wav({}), SAMPLE_RATE).samples.length, 1600);
});
