/** Mistakes in the sections beside `score`: prune, evaluate, train_experts, scores. */
import { scoreExamples } from '../../server/src/config/scoresSchema.ts';
import { scores } from '../../server/src/scores/scores.ts';
import { small } from './files.ts';
import { inTask, testMistakes } from './mistakes.ts';

const ids = scores.map(({ id }) => id).join(', ');

testMistakes([
  {
    name: 'an unknown calibration dataset',
    text: `${small}prune: { calibration: { dataset: review, split: train } }\n`,
    says: ['12:34: there is no dataset "review"; did you mean "reviews"?'],
  },
  {
    name: 'an unknown evaluated task',
    text: `${small}evaluate: { tasks: [sentiment, capitals] }\n`,
    says: ['12:32: there is no task "capitals": tasks are sentiment'],
  },
  {
    name: 'experts without a rank',
    text: `${small}train_experts: { rank: 0, seeds: 1.5 }\n`,
    says: [
      '12:24: train_experts.rank is 0: expected a whole number of at least 1',
      '12:34: train_experts.seeds is 1.5: expected a whole number of at least 1',
    ],
  },
  {
    name: 'an unknown key of train_experts',
    text: `${small}train_experts: { allocation: [layerif] }\n`,
    says: ['12:18: unknown key "allocation" in train_experts; did you mean "allocations"?'],
  },
  {
    name: 'layers that are trained: a range that runs backwards',
    text: `${small}train: { layers: 9-3 }\n`,
    says: ['12:18: train.layers "9-3" runs backwards: write "3-9"'],
  },
  {
    name: 'layers that are trained: words',
    text: `${small}train: { layers: last }\n`,
    says: ['12:18: train.layers is "last": expected all or a list such as [0,5,7] or text such as "8-15"'],
  },
  {
    name: 'scores: an empty list',
    text: inTask('scores: []'),
    says: [`12:9: scores is []: expected a list such as ${JSON.stringify(scoreExamples)}`],
  },
  {
    name: 'scores: a word in place of a list',
    text: inTask('scores: owl'),
    says: [`12:9: scores is "owl": expected a list such as ${JSON.stringify(scoreExamples)}`],
  },
  {
    name: 'scores: a misspelt id',
    text: inTask('scores: [block_influnce]'),
    says: [
      `12:10: scores[0] is "block_influnce": expected one of ${ids} or a mapping with the keys ${ids}; did you mean "block_influence"?`,
    ],
  },
  {
    name: 'scores: a number',
    text: inTask('scores: [7]'),
    says: [`12:10: scores[0] is 7: expected one of ${ids} or a mapping with the keys ${ids}`],
  },
  {
    name: 'scores: two scores in one entry',
    text: inTask('scores: [{ owl: {}, avss: {} }]'),
    says: ['12:10: scores[0] is a mapping: one score for each entry of the list'],
  },
  {
    name: 'scores: an option that is not allowed',
    text: inTask('scores: [{ owl: { multiple: 0 } }]'),
    says: ['12:29: scores[0].owl.multiple is 0: expected a number above 0'],
  },
  {
    name: 'scores: an unknown option',
    text: inTask('scores: [{ owl: { many: 3 } }]'),
    says: ['12:19: unknown key "many" in scores[0].owl: allowed are multiple, texts, task'],
  },
  {
    name: 'scores: a misspelt choice',
    text: inTask('scores: [{ avss: { threshold: relativ } }]'),
    says: [
      '12:31: scores[0].avss.threshold is "relativ": expected one of relative, absolute; did you mean "relative"?',
    ],
  },
  {
    name: 'scores: no flag',
    text: inTask('scores: [{ block_influence: { skip_first_token: 1 } }]'),
    says: ['12:49: scores[0].block_influence.skip_first_token is 1: expected true or false'],
  },
  {
    name: 'scores: texts of no dataset',
    text: inTask('scores: [{ owl: { texts: { dataset: gone, split: train } } }]'),
    says: ['12:37: there is no dataset "gone": datasets are reviews'],
  },
]);
