/**
 * Every kind of file that the program reads, in a folder in which it is sound, and what the command line does with it.
 * `messages.ts` damages the file and looks at what is said. To add a kind, add a row.
 */
import fs from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { Graph } from '../../server/src/onnx/graph.ts';
import { encodeModel } from '../../server/src/onnx/model.ts';
import type { Value } from '../../server/src/onnx/types.ts';
import { bytesOf, ggufBytes, llamaMetadata } from '../checkpoints/files.ts';
import { rawTensors, writeRaw } from '../checkpoints/rewrite.ts';
import { textExperiment, tokenizerJson, writeGraphWorkspace } from '../graphs/tiny.ts';
import { filled, reference as tokenizers } from '../reference/tokenizers/cases.ts';
import { writeSafetensors, writeTinyLlama, writeTinyWorkspace } from '../tinyLlama.ts';

const reference = path.join(import.meta.dirname, '../reference');
const golden = path.join(import.meta.dirname, '../golden/files');

/** Words of a command line; `score` stands for a run that shares its engine with others. */
export type Words = readonly string[];

export interface Input {
  name: string;
  /** Writes the sound folder. @returns the file to damage, and what is done with it */
  place(folder: string): { file: string; commands: readonly Words[] };
  /** Names of other files that may stand in a message in place of this one's, such as the one that names it. */
  alsoNamed?: readonly string[];
  /** A JSON text, whose values and keys are damaged too. */
  json?: boolean;
}

const EXPERIMENT = 'tiny.layerif.yaml';
const scored: readonly Words[] = [
  ['check', EXPERIMENT],
  ['score', EXPERIMENT],
];

const edited = (file: string, change: (text: string) => string): void =>
  fs.writeFileSync(file, change(fs.readFileSync(file, 'utf8')));
const lines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

/** The smallest experiment that trains and validates: one task, two rows on each side. */
function tiny(folder: string, layers = 1): string {
  writeTinyWorkspace(folder, { layers, hidden: 8, heads: 2, keyValueHeads: 1, train: 2, estimator: 'dot' });
  edited(path.join(folder, EXPERIMENT), (text) =>
    text
      .replace(/ {2}capitals:\n.*\n/, '')
      .replace(/ {2}- task: capital\n(.*\n)*?(?=score)/, '')
      .replace('train[2:3]', 'train[1:3]'),
  );
  return folder;
}

/** A file of the tiny model's folder. */
const ofModel = (name: string, prepare?: (model: string, folder: string) => void): Input => ({
  name,
  json: name.endsWith('.json'),
  place(folder) {
    const model = path.join(tiny(folder), 'model');
    prepare?.(model, folder);
    return { file: path.join(model, name), commands: [['inspect', 'model'], ...scored] };
  },
});

const json = (file: string, value: unknown): void => fs.writeFileSync(file, JSON.stringify(value));

/** The same model in two files with their index. */
function sharded(model: string): void {
  const tensors = rawTensors(model);
  const parts = [tensors.slice(0, 5), tensors.slice(5)];
  const names = parts.map((_, i) => `model-0000${i + 1}-of-00002.safetensors`);
  parts.forEach((part, i) => {
    writeRaw(model, part);
    fs.renameSync(path.join(model, 'model.safetensors'), path.join(model, names[i]));
  });
  const weight_map = Object.fromEntries(parts.flatMap((part, i) => part.map(({ name }) => [name, names[i]])));
  json(path.join(model, 'model.safetensors.index.json'), { metadata: { total_size: 1 }, weight_map });
}

/** In place of tokenizer.json; the embedding gets a row for each of their tokens. */
function otherTokenizer(model: string, files: Record<string, unknown>): void {
  const ROWS = 1200;
  fs.rmSync(path.join(model, 'tokenizer.json'));
  fs.rmSync(path.join(model, 'tokenizer_config.json'));
  for (const [name, content] of Object.entries(files))
    if (name !== 'config.json')
      fs.writeFileSync(
        path.join(model, name),
        typeof content === 'string' || Buffer.isBuffer(content) ? content : JSON.stringify(content),
      );
  const grown = rawTensors(model).map((tensor) => {
    if (!/embed_tokens|lm_head/.test(tensor.name)) return tensor;
    const [rows, columns] = tensor.shape;
    const times = Math.ceil(ROWS / rows);
    const bytes = Buffer.concat(Array.from({ length: times }, () => tensor.bytes)).subarray(0, 4 * ROWS * columns);
    return { ...tensor, shape: [ROWS, columns], bytes };
  });
  writeRaw(model, grown);
  edited(path.join(model, 'config.json'), (text) => text.replace(/"vocab_size": \d+/, `"vocab_size": ${ROWS}`));
}

function slowTokenizer(model: string): void {
  const folders = tokenizers('folders.json') as Record<string, { files: Record<string, unknown> }>;
  otherTokenizer(model, filled(folders['slow qwen2'].files) as Record<string, unknown>);
}

function sentencePiece(model: string): void {
  const { models } = tokenizers('sentencepiece.json') as { models: Record<string, string> };
  otherTokenizer(model, { 'tokenizer.model': Buffer.from(models.bpe_user, 'base64') });
}

function adapter(folder: string): void {
  const to = path.join(folder, 'adapter');
  fs.mkdirSync(to);
  const name = 'base_model.model.model.layers.0.self_attn.q_proj';
  const factor = (shape: number[]) => ({ shape, data: new Float32Array(16).fill(0.1) });
  writeSafetensors(path.join(to, 'adapter_model.safetensors'), {
    [`${name}.lora_A.weight`]: factor([2, 8]),
    [`${name}.lora_B.weight`]: factor([8, 2]),
  });
  json(path.join(to, 'adapter_config.json'), {
    ...{ peft_type: 'LORA', r: 2, lora_alpha: 4, target_modules: ['q_proj'], layers_to_transform: [0] },
    ...{ base_model_name_or_path: '../model', task_type: 'CAUSAL_LM', bias: 'none', fan_in_fan_out: false },
  });
  edited(path.join(folder, EXPERIMENT), (text) =>
    text.replace('path: ./model\n', 'path: ./model\n  adapter: ./adapter\n'),
  );
}

const ofAdapter = (name: string): Input => ({
  name: `adapter/${name}`,
  json: name.endsWith('.json'),
  place(folder) {
    tiny(folder);
    adapter(folder);
    return { file: path.join(folder, 'adapter', name), commands: [['inspect', 'adapter'], ...scored] };
  },
});

/** A Llama of one layer with the letters A to P as vocabulary. */
function ggufModel(): Buffer {
  const letters = [...'ABCDEFGHIJKLMNOP'];
  const tensor = (name: string, ...shape: number[]) => {
    const size = shape.reduce((product, n) => product * n, 1);
    return {
      name,
      type: 0,
      shape,
      data: bytesOf(Float32Array.from({ length: size }, (_, i) => 0.3 * Math.sin(i + 1))),
    };
  };
  const block: [name: string, ...shape: number[]][] = [
    ['attn_norm', 8],
    ['attn_q', 8, 8],
    ['attn_k', 4, 8],
    ['attn_v', 4, 8],
    ['attn_output', 8, 8],
    ['ffn_norm', 8],
    ['ffn_gate', 16, 8],
    ['ffn_up', 16, 8],
    ['ffn_down', 8, 16],
  ];
  return ggufBytes({
    metadata: llamaMetadata({
      'tokenizer.ggml.model': 'gpt2',
      'tokenizer.ggml.pre': 'llama-bpe',
      'tokenizer.ggml.tokens': { texts: [...letters, 'AB'] },
      'tokenizer.ggml.token_type': { i32s: [...letters.map(() => 1), 1] },
      'tokenizer.ggml.merges': { texts: ['A B'] },
      'tokenizer.ggml.bos_token_id': { u32: 0 },
    }),
    tensors: [
      tensor('token_embd.weight', 17, 8),
      ...block.map(([name, ...shape]) => tensor(`blk.0.${name}.weight`, ...shape)),
      tensor('output_norm.weight', 8),
      tensor('output.weight', 17, 8),
    ],
  });
}

function graphFolder(folder: string): string {
  const task = '    doc_to_text: "{{text}}"\n    doc_to_target: mood\nscore:\n  estimator: dot\n';
  const written = writeGraphWorkspace(folder, 'llama-torchscript', textExperiment('llama-torchscript', task));
  fs.renameSync(written, path.join(folder, EXPERIMENT));
  const file = path.join(folder, 'llama-torchscript.onnx');
  fs.writeFileSync(
    path.join(folder, 'moods.jsonl'),
    lines(Array.from({ length: 8 }, (_, i) => ({ text: 'sun ab', mood: 'abc'[i % 3] }))),
  );
  return file;
}

/** A language model of two matrices whose numbers lie in `data`. */
function externalGraph(file: string, data: string): void {
  const g = new Graph('external');
  const bytes = Buffer.from(Float32Array.from({ length: 61 * 4 + 2 * 16 }, (_, i) => Math.sin(i)).buffer);
  let at = 0;
  const weight = (name: string, shape: [number, number]): Value => {
    const length = 4 * shape[0] * shape[1];
    at += length;
    return g.external(name, 'float32', shape, { location: path.basename(data), offset: at - length, length });
  };
  let x = g.gather(weight('embed', [61, 4]), g.input('input_ids', 'int64', ['batch', 'tokens']), 0);
  for (const layer of [0, 1]) {
    const [before, w] = [x, weight(`model.layers.${layer}.mlp.weight`, [4, 4])];
    x = g.add(
      before,
      g.scope(`model/layers.${layer}/mlp`, () => g.matMul(before, w)),
    );
  }
  const head = g.initializer('lm_head.weight', 'float32', [4, 61], new Float32Array(244).fill(0.1));
  g.output(g.matMul(x, head), 'logits');
  fs.writeFileSync(file, encodeModel(g));
  fs.writeFileSync(data, bytes);
}

const graphWords: readonly Words[] = [['inspect', 'llama-torchscript.onnx'], ...scored];

/** A dataset of two columns in one format. */
const ofData = (name: string, content: () => string | Buffer, damagedJson = false): Input => ({
  name: `data/${name}`,
  json: damagedJson,
  place(folder) {
    tiny(folder);
    const file = path.join(folder, 'data', name);
    fs.writeFileSync(file, content());
    edited(path.join(folder, EXPERIMENT), (text) => text.replace('data/reviews.jsonl', `data/${name}`));
    return { file, commands: scored };
  },
});

const reviews = ['fine', 'dull', 'odd', 'bright'].map((review, i) => ({
  review,
  sentiment: i % 2 ? 'negative' : 'positive',
}));
const csv = (delimiter: string): string =>
  [['review', 'sentiment'], ...reviews.map(Object.values)].map((row) => row.join(delimiter)).join('\n');

/** A file of the references with its first column as text. */
const ofReference = (name: string, bytes: () => Buffer, text: string): Input => ({
  name: `data/${name}`,
  place(folder) {
    tiny(folder);
    const file = path.join(folder, 'data', name);
    fs.writeFileSync(file, bytes());
    edited(path.join(folder, EXPERIMENT), (own) =>
      own
        .replace('data/reviews.jsonl', `data/${name}`)
        .replace('train[1:3]', 'train[:2]')
        .replace(
          /doc_to_text(.*\n)*?(?=score)/,
          `doc_to_text: "a {{${text}}}"\n    output_type: loglikelihood_rolling\n`,
        ),
    );
    return { file, commands: scored };
  },
});

interface ArrowReference {
  cases: { file: string; rows: Record<string, unknown>[] }[];
  folders: { files: Record<string, string>; splits: Record<string, Record<string, unknown>[]> }[];
}
const arrows = (): ArrowReference =>
  JSON.parse(fs.readFileSync(path.join(reference, 'data/arrow.json'), 'utf8')) as ArrowReference;

/** Files of a folder that `datasets` saved. */
const ofSaved = (name: string): Input => ({
  name: `data/saved/${name}`,
  json: name.endsWith('.json'),
  place(folder) {
    tiny(folder);
    const { files, splits } = arrows().folders[0];
    const to = path.join(folder, 'data', 'saved');
    for (const [own, text] of Object.entries(files)) {
      fs.mkdirSync(path.dirname(path.join(to, own)), { recursive: true });
      fs.writeFileSync(path.join(to, own), Buffer.from(text, 'base64'));
    }
    const [column] = Object.keys(Object.values(splits)[0][0]);
    edited(path.join(folder, EXPERIMENT), (own) =>
      own
        .replace('data/reviews.jsonl', 'data/saved')
        .replace(/train\[.*\]/g, 'train[:2]')
        .replace(
          /doc_to_text(.*\n)*?(?=score)/,
          `doc_to_text: "a {{${column}}}"\n    output_type: loglikelihood_rolling\n`,
        ),
    );
    const wanted = Object.keys(files).find((own) => own.endsWith(name))!;
    return { file: path.join(to, wanted), commands: scored };
  },
});

/** A task in a file of its own. */
const included = (name: string, content: string): Input => ({
  name,
  alsoNamed: [EXPERIMENT],
  place(folder) {
    tiny(folder);
    const task = `task: own\ndataset_path: json\ndataset_kwargs: { data_files: data/reviews.jsonl }\ntraining_split: train[:2]\nvalidation_split: train[1:3]\ndoc_to_text: "{{review}}"\ndoc_to_target: sentiment\noutput_type: loglikelihood\n`;
    fs.writeFileSync(path.join(folder, 'own.yaml'), task);
    fs.writeFileSync(path.join(folder, name), content === '' ? task : content);
    edited(path.join(folder, EXPERIMENT), (text) =>
      text.replace(/tasks:\n(.*\n)*?(?=score)/, `tasks:\n  - include: ${name}\n`),
    );
    return { file: path.join(folder, name), commands: scored };
  },
});

/** One of our own files, as a golden copy of it lies in the repository. */
const ofOurs = (name: string, commands: (name: string) => Words[]): Input => ({
  name: `ours/${name}`,
  json: name.endsWith('.json'),
  place(folder) {
    for (const own of fs.readdirSync(golden)) fs.copyFileSync(path.join(golden, own), path.join(folder, own));
    return { file: path.join(folder, name), commands: commands(name) };
  },
});

/** A file that an option or a section names. */
const named = (
  name: string,
  content: string | Buffer,
  commands: readonly Words[],
  more = '',
  prepare: (folder: string) => void = () => undefined,
): Input => ({
  name: `named/${name}`,
  json: name.endsWith('.json'),
  place(folder) {
    tiny(folder, 3);
    prepare(folder);
    edited(path.join(folder, EXPERIMENT), (text) => text + more);
    fs.writeFileSync(path.join(folder, name), content);
    return { file: path.join(folder, name), commands };
  },
});

const wav = path.join(reference, 'speech');
const RESULT = 'tiny.layerif-result.json';
const goldenResult = (): string => fs.readFileSync(path.join(golden, RESULT), 'utf8');
const allocation = (): string => fs.readFileSync(path.join(golden, 'tiny.layerif-allocation.json'), 'utf8');

export const inputs: readonly Input[] = [
  ofModel('model.safetensors'),
  ofModel('config.json'),
  ofModel('tokenizer.json'),
  ofModel('tokenizer_config.json'),
  ofModel('special_tokens_map.json', (model) =>
    json(path.join(model, 'special_tokens_map.json'), {
      bos_token: '<s>',
      eos_token: { content: '</s>', lstrip: false, normalized: false, rstrip: false, single_word: false },
    }),
  ),
  ofModel('added_tokens.json', (model) => json(path.join(model, 'added_tokens.json'), { '<pad>': 297 })),
  ofModel('model.safetensors.index.json', sharded),
  ofModel('model-00002-of-00002.safetensors', sharded),
  ofModel('tokenizer.model', sentencePiece),
  ofModel('vocab.json', slowTokenizer),
  ofModel('merges.txt', slowTokenizer),
  ofAdapter('adapter_config.json'),
  ofAdapter('adapter_model.safetensors'),
  {
    name: 'step/model.safetensors',
    place(folder) {
      tiny(folder);
      writeTinyLlama(path.join(folder, 'step'), { layers: 1, hidden: 8, heads: 2, keyValueHeads: 1, seed: 2 });
      edited(path.join(folder, EXPERIMENT), (text) =>
        text.replace('estimator: dot', 'estimator: tracin\n  checkpoints: [{ path: step, learning_rate: 0.5 }]'),
      );
      return { file: path.join(folder, 'step', 'model.safetensors'), commands: scored };
    },
  },
  {
    name: 'model.gguf',
    place(folder) {
      tiny(folder);
      const file = path.join(folder, 'model.gguf');
      fs.writeFileSync(file, ggufModel());
      fs.writeFileSync(path.join(folder, 'data/reviews.jsonl'), lines(['CAB', 'BCD', 'DAB'].map((text) => ({ text }))));
      edited(path.join(folder, EXPERIMENT), (text) =>
        text
          .replace('./model', './model.gguf')
          .replace(/doc_to_text(.*\n)*?(?=score)/, 'doc_to_text: text\n    output_type: loglikelihood_rolling\n'),
      );
      return { file, commands: [['inspect', 'model.gguf'], ...scored] };
    },
  },
  {
    name: 'the second part of a split GGUF',
    place(folder) {
      fs.cpSync(path.join(reference, 'gguf_split'), folder, { recursive: true });
      const part = (n: number): string => `llama-0000${n}-of-00003.gguf`;
      return { file: path.join(folder, part(2)), commands: [['inspect', part(1)]] };
    },
  },
  {
    name: 'graph.onnx',
    place: (folder) => ({ file: graphFolder(folder), commands: graphWords }),
  },
  {
    name: 'external data of a graph',
    place(folder) {
      externalGraph(graphFolder(folder), path.join(folder, 'weights.data'));
      return { file: path.join(folder, 'weights.data'), commands: graphWords };
    },
  },
  {
    name: 'tokenizer.json beside a graph',
    json: true,
    place(folder) {
      graphFolder(folder);
      json(path.join(folder, 'tokenizer.json'), tokenizerJson(false));
      return { file: path.join(folder, 'tokenizer.json'), commands: graphWords };
    },
  },
  ofData('rows.jsonl', () => lines(reviews)),
  ofData('rows.json', () => JSON.stringify(reviews), true),
  ofData('rows.csv', () => csv(',')),
  ofData('rows.tsv', () => csv('\t')),
  ofData('rows.jsonl.gz', () => gzipSync(lines(reviews))),
  ofData('rows.csv.gz', () => gzipSync(csv(','))),
  ofReference('rows.jsonl.zst', () => fs.readFileSync(path.join(reference, 'data/rows.jsonl.zst')), 'text'),
  ofReference('snappy.parquet', () => fs.readFileSync(path.join(reference, 'data/snappy.parquet')), 'text'),
  ofReference('zstd.parquet', () => fs.readFileSync(path.join(reference, 'data/zstd.parquet')), 'text'),
  ofReference(
    'a.arrow',
    () => Buffer.from(arrows().cases[0].file, 'base64'),
    Object.keys(arrows().cases[0].rows[0])[0],
  ),
  ofReference('rows.txt', () => Buffer.from('one two\nthree four\nfive six\n'), 'text'),
  ofSaved('state.json'),
  ofSaved('.arrow'),
  {
    name: 'data/tones.wav',
    alsoNamed: ['of rows'],
    place(folder) {
      for (const name of ['encoder.onnx', 'tones.wav']) fs.copyFileSync(path.join(wav, name), path.join(folder, name));
      const row = { audio: 'tones.wav', voice: 'a' };
      fs.writeFileSync(path.join(folder, 'rows.jsonl'), lines([row, row, { ...row, voice: 'b' }]));
      fs.writeFileSync(
        path.join(folder, EXPERIMENT),
        'version: 1\nmodel: { path: ./encoder.onnx }\ndatasets:\n  rows: { path: rows.jsonl }\ntasks:\n' +
          '  - { task: s, dataset: rows, training_split: train, validation_split: train, doc_to_text: audio, doc_to_target: voice }\n' +
          'scores:\n  - mean_cca: { vectors: 60, texts: { dataset: rows, split: train, audio: audio, label: voice } }\n',
      );
      return { file: path.join(folder, 'tones.wav'), commands: scored };
    },
  },
  {
    name: EXPERIMENT,
    place: (folder) => ({
      file: path.join(tiny(folder), EXPERIMENT),
      commands: scored,
    }),
  },
  included('task.yaml', ''),
  included('chained.yaml', 'include: own.yaml\ntask: chained\nnum_fewshot: 1\n'),
  ofOurs('tiny.layerif-result.json', (name) => [
    ['rows', name, '--task', 'sentiment'],
    ['allocate', name, '--task', 'sentiment'],
    ['export', name, '--to', 'csv'],
    ['compare', name],
    ['damping', name],
    ['table', name],
  ]),
  ofOurs('grams.safetensors', () => [
    ['damping', 'tiny.layerif-result.json'],
    ['compare', 'tiny.layerif-result.json', '--estimator', 'dot,datainf'],
  ]),
  ofOurs('tiny.layerif-scores.json', (name) => [
    ['export', name, '--to', 'csv', '--by', 'block_influence'],
    ['compare', name],
  ]),
  ofOurs('tiny.layerif-allocation.json', (name) => [['export', name, '--to', 'peft']]),
  ofOurs('tiny.layerif-evaluation.json', (name) => [['table', name]]),
  named(
    'map.layerif-allocation.json',
    allocation(),
    [['check', EXPERIMENT]],
    'prune: { map: map.layerif-allocation.json }\n',
  ),
  named(
    'outliers.json',
    '[1, 2, 3]',
    [['allocate', RESULT, '--kind', 'sparsity', '--rule', 'owl', '--outliers', 'outliers.json']],
    '',
    (folder) => fs.writeFileSync(path.join(folder, RESULT), goldenResult().replaceAll('/workspace', folder)),
  ),
  named('prompts.jsonl', '{"prompt": "a"}\n', [
    ['generate', 'model', '--prompts', 'prompts.jsonl', '--max-new-tokens', '1'],
  ]),
  named('board.csv', 'name,a,b,c\nx,1,2,p\ny,2,3,q\nz,3,5,p\nu,4,1,q\n', [
    ['analyse', 'board.csv', '--response', 'a,b', '--factor', 'c'],
  ]),
  named('config.json', fs.readFileSync(path.join(reference, 'llama/minimal/config.json')), [
    ['predict', 'config.json', '--tokens', '1T'],
  ]),
];
