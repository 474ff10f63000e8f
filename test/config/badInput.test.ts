/** Mistakes in the shape of an experiment file: YAML, sections and keys that are there or missing. */
import { small } from './files.ts';
import { testMistakes } from './mistakes.ts';

const modelKeys = 'path, revision, adapter, max_length, sequence_len, cutoff_len, layers_pattern, output';

testMistakes([
  {
    name: 'an empty file',
    text: '',
    says: ['1:1: the file is empty: an experiment needs version, model, datasets and tasks'],
  },
  {
    name: 'a list instead of a mapping',
    text: '- 1\n',
    says: [
      `1:1: the experiment is [1]: expected a mapping with the keys version, description, model, datasets, tasks, score, allocate, prune, evaluate, validate, scores, data_scores, train_experts, train, output_dir`,
    ],
  },
  {
    name: 'broken YAML, one problem per line',
    text: small.replace('[negative, positive]', '[negative, positive'),
    says: ['12:1: broken YAML: a bracket is opened above and not closed; add ]'],
  },
  {
    name: 'a tab as indentation',
    text: 'version: 1\nmodel:\n\tpath: x\n',
    says: ['3:1: broken YAML: a tab stands in the indentation; use spaces'],
  },
  {
    name: 'two documents',
    text: `${small}---\n${small}`,
    says: ['12:1: broken YAML: a second document begins here; an experiment is one document: remove the line ---'],
  },
  {
    name: 'an alias without anchor',
    text: small.replace('doc_to_target: label', 'doc_to_target: *label'),
    says: ['10:20: *label refers to an anchor &label that does not stand above it'],
  },
  {
    name: 'aliases that explode',
    text: bomb(),
    says: [
      '6:25: the aliases up to *l4 stand for more than 100000 values: aliases of aliases grow fast; write the values out',
    ],
  },
  {
    name: 'merge keys that explode',
    text: mergeBomb(),
    says: [
      '14:18: the aliases up to *m12 stand for more than 100000 values: aliases of aliases grow fast; write the values out',
    ],
  },
  {
    name: 'an alias within what it stands for',
    text: 'version: 1\nmodel: &m { path: *m }\n',
    says: ['2:19: *m stands within &m, so that it would hold itself: write the value out'],
  },
  {
    name: 'a merge key of what is no mapping',
    text: 'version: 1\nmodel: &m [a]\ntasks: { <<: *m }\n',
    says: ['3:10: << takes a mapping, or a list of mappings: give an alias (*name) of one'],
  },
  {
    name: 'a duplicate key',
    text: small.replace('  path: ./models/tiny', '  path: a\n  path: b'),
    says: ['4:3: duplicate key "path", it already stands in line 3: remove one of the two'],
  },
  {
    name: 'a wrong version',
    text: small.replace('version: 1', 'version: 2'),
    says: ['1:10: version is 2: this program reads version 1'],
  },
  { name: 'no version', text: small.replace('version: 1\n', ''), says: ['1:1: version is missing: expected 1'] },
  {
    name: 'no model',
    text: small.replace('model:\n  path: ./models/tiny\n', ''),
    says: [`1:1: model is missing: expected a mapping with the keys ${modelKeys}`],
  },
  {
    name: 'a model without value',
    text: small.replace('model:\n  path: ./models/tiny\n', 'model:\n'),
    says: [`2:1: model has no value: expected a mapping with the keys ${modelKeys}`],
  },
  {
    name: 'a model that is a text',
    text: small.replace('model:\n  path: ./models/tiny\n', 'model: ./m\n'),
    says: [`2:8: model is "./m": expected a mapping with the keys ${modelKeys}`],
  },
  {
    name: 'no model path',
    text: small.replace('  path: ./models/tiny', '  revision: main'),
    says: ['2:1: model.path is missing: expected text such as "./models/SmolLM2-135M-Instruct"'],
  },
  {
    name: 'a misspelt section, not also missing',
    text: small.replace('model:', 'modle:'),
    says: ['2:1: unknown key "modle"; did you mean "model"?'],
  },
  {
    name: 'an unknown key without likeness',
    text: `${small}colour: red\n`,
    says: [
      '12:1: unknown key "colour": allowed are version, description, model, datasets, tasks, score, allocate, prune, evaluate, validate, scores, data_scores, train_experts, train, output_dir',
    ],
  },
  {
    name: 'camel case',
    text: small.replace('doc_to_text', 'docToText'),
    says: ['9:5: unknown key "docToText" in tasks[0]; did you mean "doc_to_text"?'],
  },
  {
    name: 'an unknown key of a reserved section',
    text: `${small}allocate: { experts: { totl: 3 } }\n`,
    says: ['12:24: unknown key "totl" in allocate.experts; did you mean "total"?'],
  },
  {
    name: 'keys of JavaScript objects',
    text: `${small}constructor: 1\n__proto__: 2\n`,
    says: [
      '12:1: unknown key "constructor": allowed are version, description, model, datasets, tasks, score, allocate, prune, evaluate, validate, scores, data_scores, train_experts, train, output_dir',
      '13:1: unknown key "__proto__": allowed are version, description, model, datasets, tasks, score, allocate, prune, evaluate, validate, scores, data_scores, train_experts, train, output_dir',
    ],
  },
  {
    name: 'several mistakes at once, in the order of the text',
    text: small.replace('path: ./models/tiny', 'pth: x').replace('doc_to_target', 'doc_to_traget'),
    says: [
      '3:3: unknown key "pth" in model; did you mean "path"?',
      '10:5: unknown key "doc_to_traget" in tasks[0]; did you mean "doc_to_target"?',
    ],
  },
]);

function bomb(): string {
  const levels = Array.from({ length: 12 }, (_, i) => `l${i + 1}: &l${i + 1} [${Array(9).fill(`*l${i}`).join(', ')}]`);
  return `l0: &l0 [x]\n${levels.join('\n')}\n`;
}

function mergeBomb(): string {
  const levels = Array.from({ length: 30 }, (_, i) => `m${i + 1}: &m${i + 1} { <<: [*m${i}, *m${i}], k: ${i} }`);
  return `m0: &m0 { k: 1 }\n${levels.join('\n')}\n`;
}
