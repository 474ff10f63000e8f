/** Mistakes in the section `score`: estimators and their settings, layers, modules, projections. */
import { score, testMistakes } from './mistakes.ts';

const estimators = 'datainf, fisher, dot, cosine, relatif, lissa, ekfac, tracin';

testMistakes([
  {
    name: 'a misspelt estimator',
    text: score('  estimator: datinf\n'),
    says: [`13:14: score.estimator is "datinf": expected one of ${estimators}; did you mean "datainf"?`],
  },
  {
    name: 'an unlike estimator',
    text: score('  estimator: shapley\n'),
    says: [`13:14: score.estimator is "shapley": expected one of ${estimators}`],
  },
  {
    name: 'a fisher for another estimator',
    text: score('  estimator: dot\n  fisher: empirical\n'),
    says: ['14:3: score.fisher is for the estimator ekfac, this experiment uses "dot": remove the key'],
  },
  {
    name: 'an unknown fisher',
    text: score('  estimator: ekfac\n  fisher: exact\n'),
    says: ['14:11: score.fisher is "exact": expected one of true, empirical'],
  },
  {
    name: 'damping twice',
    text: score('  damping_factor: 1\n  damping: { factor: 1 }\n'),
    says: ['14:3: score.damping says the same as damping_factor: keep one of them'],
  },
  {
    name: 'damping of zero',
    text: score('  damping_factor: 0\n'),
    says: ['13:19: score.damping_factor is 0: expected a number above 0'],
  },
  {
    name: 'damping that is not a number',
    text: score('  damping: { factor: .nan }\n'),
    says: ['13:22: score.damping.factor is NaN: expected a number above 0'],
  },
  {
    name: 'layers that are negative',
    text: score('  layers: [0, -1]\n'),
    says: ['13:15: score.layers[1] is -1: expected a whole number of at least 0'],
  },
  {
    name: 'layers that are a word',
    text: score('  layers: last\n'),
    says: ['13:11: score.layers is "last": expected all or a list such as [0,5,7] or text such as "8-15"'],
  },
  {
    name: 'layers that run backwards',
    text: score('  layers: "9-3"\n'),
    says: ['13:11: score.layers "9-3" runs backwards: write "3-9"'],
  },
  {
    name: 'no module',
    text: score('  modules: []\n'),
    says: ['13:12: score.modules is []: expected a list such as ["mlp.*"]'],
  },
  {
    name: 'a projection that is a word',
    text: score('  projection: sketch\n'),
    says: ['13:15: score.projection is "sketch": expected one of auto, none or a whole number of at least 1'],
  },
]);
