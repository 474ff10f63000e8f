/**
 * Sections of an experiment that their command refuses, one for each sentence: lines below the tiny workspace's file,
 * rows of a third dataset `own`, and what is changed beside them.
 */
import fs from 'node:fs';
import path from 'node:path';
import { rawTensors, writeRaw } from '../checkpoints/rewrite.ts';
import { writeGraphWorkspace } from '../graphs/tiny.ts';
import { writeTinyLlama } from '../tinyLlama.ts';
import { writeTinyAdapter } from './workspace.ts';

const test = path.join(import.meta.dirname, '..');

export interface ForeseenCase {
  sections: string;
  rows?: object[];
  /** Pieces of the experiment file, from and to. */
  edits?: [string, string][];
  /** Files beside the experiment: name -> content. */
  files?: Record<string, string>;
  /** What else is made or changed in the experiment's folder. */
  spoil?: (folder: string) => void;
  /** Default: the machine's. */
  memoryBytes?: number;
  says: RegExp;
  /** `error` where it is not given. */
  severity?: 'warning' | 'information';
}

function editConfig(model: string, change: (config: object) => object): void {
  const file = path.join(model, 'config.json');
  fs.writeFileSync(file, JSON.stringify(change(JSON.parse(fs.readFileSync(file, 'utf8')) as object)));
}

const biased: NonNullable<ForeseenCase['spoil']> = (folder) =>
  writeTinyAdapter(path.join(folder, 'adapter'), { bias: true });

const other = (folder: string): void => writeTinyLlama(path.join(folder, 'other'), { layers: 4, hidden: 64 });

const many = (count: number, row: (i: number) => object): object[] => Array.from({ length: count }, (_, i) => row(i));
const texts = (more: string): string => `texts: { dataset: own, split: "train[:20]", ${more} }`;
const two = many(20, (i) => ({ text: `text ${i}`, label: ['a', 'b'][i % 2], one: 'x', none: i === 3 ? '' : 'y' }));
const answered = many(20, (i) => ({ question: `q${i}?`, answer: `a${i}`, label: ['yes', 'no'][i % 2] }));
const facts = many(4, (i) => ({ subject: `s${i}`, relation: 'r', object: `o${i}` }));
/** An allocation file with these values. */
const allocation = (kind: string, values: number[]): string => {
  const golden = JSON.parse(fs.readFileSync(path.join(test, 'golden/files/tiny.layerif-allocation.json'), 'utf8')) as {
    allocations: { experts: { layers: object[] } };
  };
  const { experts } = golden.allocations;
  const layers = values.map((value, index) => ({ ...experts.layers[0], index, name: `model.layers.${index}`, value }));
  return JSON.stringify({ ...golden, allocations: { [kind]: { ...experts, kind, layers } } });
};

/** The other half of a tiny Llama's embedding is cut off. */
const narrowed = (model: string): void => {
  const rows = 40;
  writeRaw(
    model,
    rawTensors(model).map((tensor) =>
      /embed_tokens|lm_head/.test(tensor.name)
        ? { ...tensor, shape: [rows, tensor.shape[1]], bytes: tensor.bytes.subarray(0, rows * tensor.shape[1] * 4) }
        : tensor,
    ),
  );
  editConfig(model, (config) => ({ ...config, vocab_size: rows }));
};

/** The model as the text part of a multimodal one. */
const wrapped = (model: string): void => {
  const names = (name: string) => (name.startsWith('model.') ? name.replace('model.', 'model.language_model.') : name);
  writeRaw(
    model,
    rawTensors(model).map((tensor) => ({ ...tensor, name: names(tensor.name) })),
  );
  editConfig(model, (config) => ({
    architectures: ['LlavaForConditionalGeneration'],
    model_type: 'llava',
    text_config: config,
  }));
};

const replacedBy =
  (reference: string): NonNullable<ForeseenCase['spoil']> =>
  (folder) => {
    fs.rmSync(path.join(folder, 'model'), { recursive: true });
    fs.cpSync(path.join(test, 'reference', reference), path.join(folder, 'model'), { recursive: true });
  };

/** A speech encoder in the model's place, and scores alone. */
const speech: Pick<ForeseenCase, 'spoil' | 'edits'> = {
  spoil(folder) {
    for (const name of ['encoder.onnx', 'tones.wav'])
      fs.copyFileSync(path.join(test, 'reference/speech', name), path.join(folder, name));
  },
  edits: [
    ['./model', './encoder.onnx'],
    ['score:\n  estimator: datainf\n', ''],
  ],
};
const heard = many(4, (i) => ({
  wav: '../tones.wav',
  none: 7,
  gone: 'gone.wav',
  voice: ['a', 'b'][i % 2],
  tags: ['a'],
  spoken: ['a', null],
  times: [
    [0, 0.2],
    [0.2, 0.4],
  ],
}));

export const cases: readonly ForeseenCase[] = [
  // Texts with labels.
  {
    sections: `scores: [{ probe: { ${texts('label: nothere')} } }]`,
    rows: two,
    says: /no column "nothere" for the labels/,
  },
  {
    sections: `scores: [{ probe: { ${texts('label: one')} } }]`,
    rows: two,
    says: /all 20 texts .* have the label "x"/,
  },
  {
    sections: `scores: [{ probe: { ${texts('label: none')} } }]`,
    rows: two,
    says: /row 3 of dataset "own" has an empty label/,
  },
  {
    sections: `scores: [{ probe: { ${texts('')} } }]`,
    rows: many(20, (i) => ({ text: `text ${i}` })),
    says: /the texts of dataset "own" have no labels/,
  },
  {
    sections: `scores: [{ probe: { ${texts('')} } }]`,
    rows: many(20, (i) => ({ words: `text ${i}`, label: ['a', 'b'][i % 2] })),
    says: /row 0 of dataset "own" has no column "text"/,
  },
  {
    sections: `scores: [{ probe: { ${texts('')} } }]`,
    rows: many(20, (i) => ({ text: `text ${i}`, label: i === 0 ? 'a' : 'b' })),
    says: /1 of 20 texts .* have the label "a", at least 5 are needed for five folds/,
  },
  {
    sections: `scores: [{ probe: { ${texts('held_out: "train[20:22]"')} } }]`,
    rows: many(22, (i) => ({ text: `text ${i}`, label: i > 20 ? 'c' : ['a', 'b'][i % 2] })),
    says: /the held-out row 21 has the label "c", which no text/,
  },
  // Views.
  {
    sections: `scores: [{ pwcca: { view: label, vectors: 60, ${texts('label: one')} } }]`,
    rows: many(80, (i) => ({ text: `text ${i}`, one: 'x' })),
    edits: [['train[:20]', 'train[:80]']],
    says: /all 80 texts .* have the label "x"/,
  },
  {
    sections: `scores: [{ pwcca: { view: label, vectors: 60, ${texts('label: id')} } }]`,
    rows: many(80, (i) => ({ text: `text ${i}`, id: `l${i}` })),
    edits: [['train[:20]', 'train[:80]']],
    says: /60 labels for 60 vectors .* labels that hardly repeat tell nothing/,
  },
  {
    sections: `scores: [{ pwcca: { view: label, ${texts('label: label')} } }]`,
    rows: two,
    says: /20 vectors .* are too few to be told apart by fold/,
  },
  {
    sections: `scores: [{ pwcca: { view: position, ${texts('max_length: 2')} } }]`,
    rows: many(80, () => ({ text: 'x' })),
    edits: [['train[:20]', 'train[:80]']],
    says: /view position: all 80 drawn tokens .* have the same value/,
  },
  {
    sections: `scores: [{ pwcca: { view: label, ${texts('label: tags')} } }]`,
    rows: many(20, () => ({ text: 'a b', tags: ['x', 'y'] })),
    says: /the column "tags" of dataset "own" holds lists, one label for each word/,
  },
  {
    sections: `scores: [{ pwcca: { view: label, ${texts('label: tags')} } }]`,
    rows: many(20, () => ({ words: ['a', 'b', 'c'], tags: ['x', 'y'] })),
    says: /row 0 of dataset "own" has 3 words in "words" and 2 labels in "tags"/,
  },
  {
    sections: `scores: [{ pwcca: { view: label, ${texts('label: tags')} } }]`,
    rows: many(20, (i) => ({ words: ['a', 'b'], tags: ['x', i === 3 ? null : 'y'] })),
    says: /row 3 of dataset "own": entry 1 of column "tags" is empty; give each word a label/,
  },
  {
    sections: `scores: [{ pwcca: { view: label, ${texts('label: tags')} } }]`,
    rows: many(20, (i) => ({ words: i === 4 ? 'a b' : ['a', 'b'], tags: ['x', 'y'] })),
    says: /row 4 of dataset "own": column "words" is "a b", not a list/,
  },
  // Answers that are hallucinated or not.
  { sections: `scores: [{ eavss: { ${texts('')} } }]`, rows: two, says: /no column question or prompt/ },
  {
    sections: `scores: [{ eavss: { ${texts('')} } }]`,
    rows: many(20, (i) => ({ question: `q${i}?` })),
    says: /says nothing of hallucinated answers/,
  },
  {
    sections: `scores: [{ eavss: { ${texts('answer: answer')} } }]`,
    rows: many(20, (i) => ({ question: `q${i}?`, answer: `a${i}` })),
    says: /no column that says which answers are hallucinated/,
  },
  {
    sections: `scores: [{ eavss: { ${texts('answer: nowhere, label: label')} } }]`,
    rows: answered,
    says: /has no column "nowhere" for answer/,
  },
  {
    sections: `scores: [{ eavss: { ${texts('answer: answer, label: label')} } }]`,
    rows: answered,
    says: /nothing says which label means a hallucinated answer/,
  },
  {
    sections: `scores: [{ eavss: { ${texts('answer: answer, label: label, hallucinated: maybe')} } }]`,
    rows: answered,
    says: /no answer has the label "maybe"/,
  },
  {
    sections: `scores: [{ eavss: { texts: { dataset: own, split: "train[:2]", answer: answer, label: label, hallucinated: "yes" } } }]`,
    rows: answered,
    says: /1 of 2 answers .* are hallucinated.*at least \d+ of each kind are needed/,
  },
  {
    sections: `scores: [{ eavss: { ${texts('aliases: answer, max_new_tokens: 999')} } }]`,
    rows: answered,
    says: /max_new_tokens 999 leaves no room for a prompt/,
  },
  // Two models.
  { sections: `scores: [{ fusion: { ${texts('')} } }]`, rows: two, says: /name the second one with fusion\.second/ },
  {
    sections: `scores: [{ fusion: { second: ./nowhere, ${texts('')} } }]`,
    rows: two,
    says: /model .*nowhere does not exist/,
  },
  {
    sections: `scores: [{ fusion: { second: ./encoder.onnx, ${texts('')} } }]`,
    rows: two,
    spoil: speech.spoil!,
    says: /fusion\.second .* takes no tokens/,
  },
  { sections: 'scores: [ila]', says: /score ila masks what fine-tuning has changed, and the experiment names nothing/ },
  {
    sections: 'scores: [ila]',
    spoil: biased,
    edits: [['path: ./model\n', 'path: ./model\n  adapter: ./adapter\n']],
    says: /score ila masks products of factors, and .*adapter has a bias beside those of/,
  },
  { sections: 'scores: [{ ila: { tuned: ./other } }]', spoil: other, says: /ila\.tuned .*other: tensor .* has shape/ },
  {
    sections: 'scores: [{ pwcca: { view: tuned } }]',
    says: /view tuned compares two models, and the experiment names one/,
  },
  {
    sections: 'scores: [{ pwcca: { view: tuned, tuned: ./other } }]',
    spoil: other,
    says: /pwcca\.tuned .* has 4 layers, .* has 3/,
  },
  {
    sections: 'scores: [{ pwcca: { view: tuned, tuned: ./narrow, skip_first_token: false } }]',
    spoil(folder) {
      fs.cpSync(path.join(folder, 'model'), path.join(folder, 'narrow'), { recursive: true });
      narrowed(path.join(folder, 'narrow'));
    },
    says: /pwcca\.tuned .* has a vocabulary of \d+, and the texts have the token \d+/,
  },
  {
    sections: 'scores: [avss, { pwcca: { view: tuned } }]',
    says: /view tuned compares two models/,
    severity: 'warning',
  },
  // Scores that follow others, or influence.
  { sections: 'scores: [{ removal: {} }]', says: /score removal leaves out the layers that it is told/ },
  { sections: 'scores: [{ removal: { layers: "9" } }]', says: /removal\.layers/ },
  {
    sections: 'scores: [{ removal: { by: influence } }]',
    edits: [['score:\n  estimator: datainf\n', '']],
    says: /score removal cannot follow influence: there is no complete result/,
  },
  {
    sections: 'scores: [ndr]',
    edits: [['score:\n  estimator: datainf\n', '']],
    says: /there is no complete influence of training samples to look at/,
  },
  { sections: 'scores: [{ ndr: { task: nothere } }]', says: /there is no influence for a task "nothere"/ },
  {
    sections: 'scores: [{ ndr: { noisy: "{{ 0 }}" } }]',
    says: /none of the 8 training samples of task sentiment are mislabelled/,
  },
  {
    sections: 'scores: [{ avss: { task: nothere } }]',
    says: /there is no task "nothere": tasks are sentiment, capital/,
  },
  // Rows.
  {
    sections: 'data_scores: [{ loss: { texts: { dataset: own, split: train } } }]',
    rows: answered,
    says: /no column "text", and no task over it has a doc_to_text: name a task/,
  },
  {
    sections: 'data_scores: [{ loss: { texts: { dataset: own, split: train } } }]',
    rows: [{ text: 'a' }, { text: null }],
    says: /row 1 of dataset "own" has no text/,
  },
  {
    sections: 'data_scores: [{ similarity: { layer: 9 } }]',
    says: /similarity\.layer 9 is beyond the last layer: use -1 to 2/,
  },
  {
    sections: 'data_scores: [{ diversity: { among: bm25 } }]',
    says: /diversity\.among "bm25" is not among the data_scores/,
  },
  {
    sections: 'data_scores: [{ loss: { texts: { dataset: capitals, split: train } } }, { diversity: { among: loss } }]',
    says: /diversity\.among loss scores other rows/,
  },
  {
    sections: 'data_scores: [{ token_mask: { variant: dpf } }]',
    says: /token_mask with the variant .* compares an adapter/,
  },
  { sections: 'data_scores: [mastery]', says: /row 0: a fact needs a text in the column subject/ },
  {
    sections: 'data_scores: [{ mastery: { texts: { dataset: own, split: train } } }]',
    rows: facts.map((fact) => ({ ...fact, text: 'x' })),
    says: /mastery has no prompt for facts of the dataset "own"/,
  },
  {
    sections: 'data_scores: [{ mastery: { templates: none.yaml, texts: { dataset: own, split: train } } }]',
    rows: facts,
    says: /templates of mastery: cannot read .*none\.yaml: there is no such file/,
  },
  {
    sections: 'data_scores: [{ mastery: { templates: t.yaml, texts: { dataset: own, split: train } } }]',
    rows: facts,
    files: { 't.yaml': 'r: ["no place"]\n' },
    says: /templates of mastery: "no place" of r is not a text with \{subject\} in it/,
  },
  {
    sections: 'data_scores: [{ mastery: { templates: t.yaml, texts: { dataset: own, split: train } } }]',
    rows: facts,
    files: { 't.yaml': 'other: ["{subject} is"]\n' },
    says: /t\.yaml has no templates for the relation "r"/,
  },
  {
    sections:
      'data_scores: [{ mastery: { scorer: ./g/llama-torchscript.onnx, templates: t.yaml, texts: { dataset: own, split: train } } }]',
    rows: facts,
    files: { 't.yaml': 'r: ["{subject} is"]\n' },
    spoil: (folder) => writeGraphWorkspace(path.join(folder, 'g'), 'llama-torchscript', ''),
    says: /mastery\.scorer .* is an ONNX graph, which writes no answers/,
  },
  { sections: 'data_scores: [{ influence: { task: nothere } }]', says: /there is no influence for a task "nothere"/ },
  // Training.
  { sections: 'train: { task: nothere, steps: 1 }', says: /has no task "nothere" to train on/ },
  { sections: 'train: { steps: 1, layers: [9] }', says: /train\.layers: layer 9 does not exist/ },
  { sections: 'train: { steps: 1, modules: [nothing] }', says: /train\.modules: .* matches no module/ },
  { sections: 'train: { steps: 1, loss_mask: nomask }', says: /row 0: there is no column "nomask"/ },
  // Experts.
  { sections: 'train_experts: { allocations: [uniform, uniform] }', says: /uniform is named twice/ },
  { sections: 'train_experts: { allocations: [nothing] }', says: /nothing/ },
  {
    sections: 'train_experts: { allocations: [none.json] }',
    says: /cannot read the allocation .*none\.json: it does not exist/,
  },
  {
    sections: 'train_experts: { allocations: [a/x.json, b/x.json] }',
    says: /train_experts\.allocations: two files are called x/,
  },
  {
    sections: 'train_experts: { allocations: [layerif] }',
    says: /the allocation layerif reads a result, and .* holds no complete one/,
    severity: 'information',
  },
  { sections: 'train_experts: { modules: [nothing] }', says: /train_experts\.modules: .* matches no module/ },
  {
    sections: 'train_experts: {}',
    edits: [['    output_type: multiple_choice', '    output_type: multiple_choice\n    test_split: train[4:9]']],
    says: /4 of 5 documents .* are trained on, so accuracy would measure memory/,
  },
  {
    sections: 'train_experts: {}',
    edits: [
      [
        '    doc_to_choice: [negative, positive]\n    output_type: multiple_choice',
        '    output_type: loglikelihood_rolling',
      ],
    ],
    says: /has output_type loglikelihood_rolling, which has no right answers to count/,
  },
  // Validation.
  {
    sections: 'validate: { protocols: [mastery] }',
    says: /nothing could be validated: mastery: the experiment does not name mastery/,
  },
  {
    sections: 'validate: { protocols: [loo, selection] }',
    says: /validate leaves out selection: the experiment names no scores of rows/,
    severity: 'warning',
  },
  {
    sections: 'validate: {}',
    edits: [['train[:8]', 'train[:3]']],
    says: /task "sentiment" has 3 training and \d validation samples; validation by retraining needs at least 4 and 2/,
  },
  {
    sections: 'data_scores: [length]\nvalidate: { protocols: [selection] }',
    says: /beyond the \d+ that scores are compared with, at least 4 are needed to judge selections/,
  },
  {
    sections: 'validate: { protocols: [forgetting], forgetting: { corpus: { dataset: own, split: train } } }',
    rows: [{ text: 'one text' }],
    says: /validate\.forgetting\.corpus: train of own has 1 texts of two tokens or more/,
  },
  // Pruning.
  {
    sections: 'prune: { map: none.json }',
    says: /cannot read the allocation .*none\.json: it does not exist.*--kind sparsity/,
  },
  {
    sections: 'prune: { structure: layers, map: none.json }',
    says: /cannot read the allocation .*none\.json: it does not exist.*--kind drop/,
  },
  {
    sections: 'prune: { map: layerif }',
    says: /the map layerif reads a result, and .* holds no complete one/,
    severity: 'information',
  },
  {
    sections: 'prune: { calibration: { dataset: own, split: train } }',
    rows: [{ text: 'short' }],
    says: /the calibration texts .* have \d+ tokens together, at least 64 are needed/,
  },
  { sections: 'prune: { output: model }', says: /the output .*model is, holds or lies in the model's folder/ },
  { sections: 'prune: { output: data }', says: /the output .*data exists and is not an empty folder/ },
  {
    sections: 'prune: { by: avss, map: uniform }',
    says: /the score avss would not be read: the map uniform needs no scores/,
  },
  // Evaluation.
  { sections: 'evaluate: { max_length: 100000 }', says: /evaluate\.max_length: 100000 is more than the \d+ positions/ },
  { sections: 'evaluate: { tasks: [nothere] }', says: /nothere/ },
  {
    sections: 'evaluate: { perplexity: { dataset: own, split: train } }',
    rows: [{ text: '' }],
    says: /evaluate\.perplexity: train of own has \d tokens, at least 2 are needed/,
  },
  {
    sections: 'evaluate: {}',
    edits: [
      ['output_type: multiple_choice', 'output_type: multiple_choice\n    metric_list: [{ metric: bleu }]'],
      ['output_type: loglikelihood\n', 'output_type: loglikelihood\n    metric_list: [{ metric: bleu }]\n'],
    ],
    says: /nothing is left to evaluate: task "sentiment"/,
  },
  // The model.
  {
    sections: '',
    edits: [['estimator: datainf', 'estimator: datainf\n  layers: [9]']],
    says: /score\.layers: layer 9 does not exist/,
  },
  {
    sections: '',
    edits: [['estimator: datainf', 'estimator: datainf\n  params: lora']],
    says: /score\.params: "lora" scores the factors of an adapter/,
  },
  {
    sections: '',
    edits: [['estimator: datainf', 'estimator: datainf\n  modules: [nothing]']],
    says: /score\.modules: \["nothing"\] matches no module/,
  },
  {
    sections: '',
    edits: [['estimator: datainf', 'estimator: datainf\n  granularity: head\n  modules: ["mlp.*"]']],
    says: /score\.granularity: none of the scored modules .* is known to consist of attention heads/,
  },
  {
    sections: '',
    edits: [['estimator: datainf', 'estimator: tracin\n  checkpoints: [{ path: ./other, learning_rate: 0.1 }]']],
    spoil: other,
    says: /score\.checkpoints: \.\/other is another architecture/,
  },
  {
    sections: '',
    edits: [['    output_type: multiple_choice', '    output_type: multiple_choice\n    apply_chat_template: true']],
    says: /has no chat template/,
  },
  ...(
    [
      ['[{ "name": "a", "template": "x" }]', 'b', /has no chat template "b"; its templates are a/],
      ['"{% if %}"', 'true', /the chat template of .* is not valid/],
      [`"{{ raise_exception('no') }}"`, 'true', /the model's chat template refuses row 0: no/],
    ] as const
  ).map(([template, name, says]): ForeseenCase => ({
    sections: '',
    files: { 'model/tokenizer_config.json': `{ "chat_template": ${template} }` },
    edits: [['    output_type: multiple_choice', `    output_type: multiple_choice\n    apply_chat_template: ${name}`]],
    says,
  })),
  {
    sections: 'prune: {}',
    spoil: (folder) => wrapped(path.join(folder, 'model')),
    says: /cannot be pruned in place; save it by itself first/,
  },
  {
    sections: 'prune: { structure: layers, map: alphapruning, by: avss }',
    spoil: replacedBy('gemma2/soft_caps'),
    says: /differ by a rule on their number|holds no complete one/,
    severity: 'information',
  },
  {
    sections: 'prune: { structure: layers, map: drop.json }',
    files: { 'drop.json': allocation('drop', [0, 1, 0]) },
    spoil: replacedBy('gemma2/soft_caps'),
    says: /layers of gemma2 differ by a rule on their number/,
  },
  {
    sections: 'prune: { structure: layers, map: drop.json }',
    files: { 'drop.json': allocation('drop', [0, 0, 0]) },
    says: /0 of 3 layers would be left out/,
  },
  {
    sections: 'train_experts: { allocations: [experts.json] }',
    files: { 'experts.json': allocation('experts', [1, 2]) },
    says: /experts\.json is an allocation for 2 layers, the model has 3/,
  },
  {
    sections: 'train_experts: { allocations: [experts.json] }',
    files: { 'experts.json': allocation('experts', [0, 0, 0]) },
    says: /experts\.json gives no layer an expert/,
  },
  ...['validate: {}', 'evaluate: {}', 'train: { steps: 1 }'].map((sections): ForeseenCase => ({
    sections,
    spoil: replacedBy('classification/llama'),
    edits: [
      [' [negative, positive]', ' [negative, neutral, positive]'],
      [
        `  - task: capital
    dataset: capitals
    training_split: train[:8]
    validation_split: train[8:12]
    doc_to_text: "The capital of {{country}} is "
    doc_to_target: capital
    output_type: loglikelihood
`,
        '',
      ],
    ],
    says: /is a sequence classifier with \d+ classes; .* needs a causal language model/,
  })),
  // Audio.
  {
    sections: '',
    spoil: (folder) => fs.writeFileSync(path.join(folder, 'model/adapter_config.json'), '{}'),
    says: /holds a whole model and a PEFT adapter .* give the folder as model\.adapter too/,
  },
  {
    sections: `scores: [{ pwcca: { view: label, ${texts('audio: wav, label: voice')} } }]`,
    rows: heard,
    says: /texts\.audio is for a graph with one input \[1, mels, frames\]/,
  },
  {
    ...speech,
    sections: `scores: [{ pwcca: { view: token_frequency, ${texts('audio: wav')} } }]`,
    rows: heard,
    says: /audio has no tokens/,
  },
  {
    ...speech,
    sections: `scores: [{ pwcca: { view: label, ${texts('audio: nowhere')} } }]`,
    rows: heard,
    says: /has no column "nowhere"/,
  },
  {
    ...speech,
    sections: `scores: [{ pwcca: { view: position, ${texts('audio: none')} } }]`,
    rows: heard,
    says: /row 0: column "none" is no path of a \.wav file/,
  },
  {
    ...speech,
    sections: `scores: [{ pwcca: { view: position, ${texts('audio: gone')} } }]`,
    rows: heard,
    says: /row 0: .*gone\.wav/,
  },
  {
    ...speech,
    sections: `scores: [{ pwcca: { view: label, ${texts('audio: wav, label: tags')} } }]`,
    rows: heard,
    says: /column "tags" is no label of the whole audio/,
  },
  {
    ...speech,
    sections: `scores: [{ pwcca: { view: label, ${texts('audio: wav, label: spoken, times: times')} } }]`,
    rows: heard,
    says: /row 0 of dataset "own": "spoken" entry 1 is empty; give each stretch a label/,
  },
  {
    ...speech,
    sections: `scores: [{ pwcca: { view: position, texts: { dataset: own, split: "train[:1]", audio: wav } } }]`,
    rows: heard,
    says: /drawn frames .* are too few/,
  },
  {
    ...speech,
    sections: `scores: [{ block_influence: { texts: { dataset: own, split: train } } }]`,
    rows: heard,
    says: /takes no tokens, so it reads no texts/,
  },
  { ...speech, sections: 'scores: [taylor]', rows: heard, says: /score taylor reads gradients, and of the ONNX graph/ },
  // The machine.
  ...(
    [
      ['prune: { method: sparsegpt }', /prune is refused on this machine: not enough memory: pruning with sparsegpt/],
      ['train: { steps: 1 }', /train is refused on this machine: training [\d,]+ numbers needs about/],
      ['train_experts: { allocations: [uniform] }', /train-experts is refused on this machine: training/],
      ['scores: [avss]', /score is refused on this machine: observing hidden_moments on 8 texts needs about/],
      ['', /score is refused on this machine: not enough memory: the run needs about/],
    ] as const
  ).map(([sections, says]): ForeseenCase => ({ sections, memoryBytes: 1 << 20, says, severity: 'warning' })),
];
