/**
 * Small inputs of every kind that went wrong once, written into a folder and run as a user would, by `run.mjs`. An
 * input that says the same in another form has to give the losses of the plain one, one that cannot be right has to be
 * refused by `check` in these words.
 *
 *   npm run test:cases -- [WORD]      kinds whose name contains the word; needs `npm run build`
 *   npm run test:cases -- FOLDER...   inputs that lie elsewhere
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import zlib from 'node:zlib';
import { stringify } from 'yaml';
import { rawTensors, writeRaw } from '../checkpoints/rewrite.ts';
import { writeTinyLlama } from '../tinyLlama.ts';
import { cell, outcomeOf, showFolders } from './run.mjs';

type Json = Record<string, unknown>;

interface Kind {
  name: string;
  /** Another kind whose losses these are, or words of `check`. */
  expected: { as: string } | { check: string } | null;
  /** Of the experiment, in place of its own keys. */
  dataset?: Json;
  task?: Json;
  sections?: Json;
  make?: (folder: string) => void;
}

const rows = [
  { text: 'a fine film', label: 1, n: 'no one left' },
  { text: 'dull, and far too long', label: 0, n: 'they slept' },
  { text: 'it is "fine"', label: 1, n: 'so they say' },
  { text: 'rain again', label: 0, n: 'all day' },
  { text: 'sun at last', label: 1, n: 'for once' },
  { text: 'not a word of it', label: 0, n: 'is true' },
];
const lines = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
const csv = (end: string, index = false): string =>
  [
    `${index ? ',' : ''}text,label,n`,
    ...rows.map(({ text, label, n }, i) => `${index ? `${i},` : ''}${quoted(text)},${label},${n}`),
    '',
  ].join(end);

/** Node 22.15 and newer have it; the types are those of Node 20. */
const zstd = (text: string): Uint8Array =>
  (zlib as unknown as { zstdCompressSync: (text: string) => Uint8Array }).zstdCompressSync(text);

const write = (name: string, content: string | Uint8Array) => (folder: string) => {
  fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
  fs.writeFileSync(path.join(folder, name), content);
};
const data = (name: string, content: string | Uint8Array, more: Json = {}): Pick<Kind, 'dataset' | 'make'> => ({
  dataset: { path: name, ...more },
  make: write(name, content),
});

function config(change: Json, drop: readonly string[] = []) {
  return (folder: string): void => {
    const file = path.join(folder, 'model/config.json');
    const read = JSON.parse(fs.readFileSync(file, 'utf8')) as Json;
    for (const key of drop) delete read[key];
    fs.writeFileSync(file, JSON.stringify({ ...read, ...change }));
  };
}
function tensors(change: (raw: ReturnType<typeof rawTensors>) => ReturnType<typeof rawTensors>) {
  return (folder: string): void => {
    const model = path.join(folder, 'model');
    writeRaw(model, change(rawTensors(model)));
  };
}
const both =
  (...steps: ((folder: string) => void)[]) =>
  (folder: string): void => {
    for (const step of steps) step(folder);
  };
/** The vocabulary's tokens `<s>` and `</s>` beside tokenizer.json. */
const added = (change: (tokens: Json[]) => Json[]) => (folder: string) => {
  const file = path.join(folder, 'model/tokenizer.json');
  const read = JSON.parse(fs.readFileSync(file, 'utf8')) as { added_tokens: Json[] };
  fs.writeFileSync(file, JSON.stringify({ ...read, added_tokens: change(read.added_tokens) }));
};

const rope = { rope_type: 'linear', factor: 4, rope_theta: 10000 };
const shots = [
  { text: 'warm', label: 1, n: '' },
  { text: 'cold', label: 0, n: '' },
];

export const kinds: readonly Kind[] = [
  { name: 'plain', expected: null },
  // Data in other forms.
  { name: 'data: lines named .json', expected: { as: 'plain' }, ...data('d.json', lines) },
  { name: 'data: an array named .jsonl', expected: { as: 'plain' }, ...data('d.jsonl', JSON.stringify(rows)) },
  { name: 'data: .jsonl.gz', expected: { as: 'plain' }, ...data('d.jsonl.gz', zlib.gzipSync(lines)) },
  { name: 'data: .jsonl.zst', expected: { as: 'plain' }, ...data('d.jsonl.zst', zstd(lines)) },
  { name: 'data: CSV', expected: { as: 'plain' }, ...data('d.csv', csv('\n')) },
  { name: 'data: CSV with CR LF', expected: { as: 'plain' }, ...data('d.csv', csv('\r\n')) },
  { name: 'data: CSV with CR alone', expected: { as: 'plain' }, ...data('d.csv', csv('\r')) },
  { name: 'data: CSV with an index without name', expected: { as: 'plain' }, ...data('d.csv', csv('\n', true)) },
  { name: 'data: float labels', expected: { as: 'plain' }, ...data('d.csv', csv('\n').replace(/,([01]),/g, ',$1.0,')) },
  {
    name: 'data: NaN in a column that nothing reads',
    expected: { as: 'plain' },
    ...data('d.jsonl', lines.replaceAll('"n":"so they say"', '"n":NaN')),
  },
  {
    name: 'data: a glob in a folder with brackets',
    expected: { as: 'plain' },
    dataset: { path: 'data (v2) [a]/*.jsonl' },
    make: write('data (v2) [a]/d.jsonl', lines),
  },
  {
    name: 'data: columns by other names',
    expected: { as: 'plain' },
    ...data('d.jsonl', lines.replaceAll('"text"', '"review"'), { field_mapping: { text: 'review' } }),
  },
  // Text.
  {
    name: 'text: choices as a mapping',
    expected: { as: 'plain' },
    task: { doc_to_choice: { 0: 'bad', 1: 'good' } },
  },
  {
    name: 'text: a condition on a column that only other rows have',
    expected: { as: 'plain' },
    ...data('d.jsonl', lines.replace('"sun at last"', '"sun at last","other":"o"')),
    task: { doc_to_text: '{% if other %}{{other}} {% endif %}{{text}} is' },
  },
  {
    name: 'text: examples of fewshot_config',
    expected: { as: 'text: the same examples written out' },
    task: { num_fewshot: 2, fewshot_config: { sampler: 'first_n', samples: shots } },
  },
  {
    name: 'text: the same examples written out',
    expected: null,
    task: { doc_to_text: 'warm is good\n\ncold is bad\n\n{{text}} is' },
  },
  {
    name: 'text: loglikelihood has no delimiter, as in lm-evaluation-harness',
    expected: { as: 'text: loglikelihood with an empty delimiter' },
    task: { output_type: 'loglikelihood', doc_to_choice: undefined, doc_to_target: '{{n}}' },
  },
  {
    name: 'text: loglikelihood with an empty delimiter',
    expected: null,
    task: { output_type: 'loglikelihood', doc_to_choice: undefined, doc_to_target: '{{n}}', target_delimiter: '' },
  },
  // Which model.
  {
    name: 'model: tied by config.json, with another head in the file',
    expected: { as: 'plain' },
    make: config({ tie_word_embeddings: true }),
  },
  {
    name: 'model: untied, and no head in the file',
    expected: { check: 'lm_head.weight' },
    make: both(
      tensors((raw) => raw.filter(({ name }) => name !== 'lm_head.weight')),
      config({ tie_word_embeddings: false }),
    ),
  },
  {
    name: 'model: names without prefix',
    expected: { as: 'plain' },
    make: tensors((raw) => raw.map((tensor) => ({ ...tensor, name: tensor.name.replace(/^model\./, '') }))),
  },
  {
    name: 'model: a tensor that nothing reads',
    expected: { as: 'plain' },
    make: tensors((raw) => [...raw, { name: 'model.ids', dtype: 'I64', shape: [2], bytes: new Uint8Array(16) }]),
  },
  {
    name: 'model: rope_scaling beside rope_parameters',
    expected: { as: 'model: rope_scaling' },
    make: config({ rope_scaling: rope, rope_parameters: { rope_type: 'default', rope_theta: 500 } }, ['rope_theta']),
  },
  {
    name: 'model: rope_scaling',
    expected: null,
    make: config({ rope_scaling: rope }, ['rope_theta', 'rope_parameters']),
  },
  { name: 'model: gelu_python', expected: { as: 'model: gelu' }, make: config({ hidden_act: 'gelu_python' }) },
  { name: 'model: gelu', expected: null, make: config({ hidden_act: 'gelu' }) },
  {
    name: 'model: a reward model',
    expected: { check: 'has no tensor score.weight' },
    make: config({ architectures: ['LlamaForSequenceClassification'] }),
  },
  {
    name: 'model: quantised by GPTQ',
    expected: { check: 'is quantised (GPTQ)' },
    make: both(
      config({ quantization_config: { quant_method: 'gptq', bits: 4 } }),
      tensors((raw) =>
        raw.map((tensor) => ({ ...tensor, name: tensor.name.replace('q_proj.weight', 'q_proj.qweight') })),
      ),
    ),
  },
  {
    name: 'model: vocabulary larger than the embedding',
    expected: { check: 'embed_tokens.weight has shape' },
    make: config({ vocab_size: 4000 }),
  },
  // Which tokens.
  {
    name: 'tokens: special tokens in added_tokens.json',
    expected: { as: 'plain' },
    make: both(
      added((tokens) => tokens.filter(({ content }) => content !== '</s>')),
      write('model/added_tokens.json', JSON.stringify({ '</s>': 1 })),
    ),
  },
  {
    name: 'tokens: one beyond the embedding',
    expected: { check: "is outside the model's vocabulary" },
    make: added((tokens) => [...tokens, { ...tokens[0], id: 5000, content: 'fine' }]),
  },
  // Sections that will be refused.
  {
    name: 'sections: a map that is not there',
    expected: { check: 'it does not exist' },
    sections: { prune: { method: 'magnitude', map: 'none.json' } },
  },
  {
    name: 'sections: scores without labels',
    expected: { check: 'has no column "none" for the labels' },
    sections: { scores: [{ probe: { texts: { dataset: 'd', split: 'train', label: 'none' } } }] },
  },
];

/** @returns the experiment file */
export function writeKind({ dataset, task, sections, make }: Kind, folder: string): string {
  writeTinyLlama(path.join(folder, 'model'));
  write('rows.jsonl', lines)(folder);
  make?.(folder);
  const experiment = {
    version: 1,
    model: { path: './model' },
    datasets: { d: dataset ?? { path: 'rows.jsonl' } },
    tasks: [
      {
        ...{ task: 't', dataset: 'd', training_split: 'train[:4]', validation_split: 'train[4:6]' },
        ...{ doc_to_text: '{{text}} is', doc_to_target: 'label', doc_to_choice: ['bad', 'good'] },
        ...{ output_type: 'multiple_choice', ...task },
      },
    ],
    score: { estimator: 'dot' },
    ...sections,
  };
  const file = path.join(folder, 'e.layerif.yaml');
  fs.writeFileSync(file, stringify(experiment));
  return file;
}

function main(word = ''): void {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-kinds-'));
  const wanted = new Set(kinds.filter(({ name }) => name.includes(word)).map(({ name }) => name));
  for (const { name, expected } of kinds)
    if (wanted.has(name) && expected !== null && 'as' in expected) wanted.add(expected.as);
  if (wanted.size === 0) throw new Error(`no input's name contains "${word}", and it is no folder`);
  const got = new Map<string, { got: string; verdict: string; loss?: number[] }>();
  kinds.forEach((kind, i) => {
    if (!wanted.has(kind.name)) return;
    const check = kind.expected !== null && 'check' in kind.expected ? kind.expected.check : null;
    got.set(kind.name, outcomeOf(writeKind(kind, path.join(folder, `${i}`)), { loss: null, check, score: null }));
  });
  console.log('| input | expected | got | |\n| --- | --- | --- | --- |');
  let wrong = 0;
  for (const { name, expected } of kinds) {
    const own = got.get(name);
    if (!own) continue;
    const same = expected !== null && 'as' in expected ? got.get(expected.as) : undefined;
    const equal = same?.loss?.every((value, i) => Math.abs(value - (own.loss?.[i] ?? NaN)) <= 1e-6 * Math.abs(value));
    const right = expected === null ? own.loss !== undefined : (equal ?? own.verdict === 'equal');
    if (!right) wrong++;
    const words = expected === null ? '' : 'as' in expected ? `as ${expected.as}` : expected.check;
    console.log(`| ${cell(name)} | ${cell(words)} | ${cell(own.got)} | ${right ? 'right' : 'WRONG'} |`);
  }
  fs.rmSync(folder, { recursive: true });
  console.log(`\n${got.size} inputs, ${wrong} wrong`);
  process.exitCode = wrong > 0 ? 1 : 0;
}

if (process.argv[1] === import.meta.filename) {
  const given = process.argv.slice(2);
  const folders = given.filter((name) => fs.statSync(name, { throwIfNoEntry: false })?.isDirectory());
  if (folders.length > 0) showFolders(folders.map((name) => path.resolve(name)));
  else main(given[0]);
}
