/**
 * The systems that score rows and tokens, predict scores or test differences: as `systemClaims.mjs`, with what its rows
 * share. Pure.
 */
import { against, fails, holds, open, short } from './systemVerdicts.mjs';

const comparisonOf = (file, protocol, name) =>
  file.protocols.find((one) => one.protocol === protocol).comparisons.find((one) => one.name.startsWith(name));
const wayOf = ({ ways }, name) => ways.find(({ way }) => way === name || way.startsWith(`${name} (`));
const valueOf = ({ ways }, name) => ways.find(({ way }) => way.startsWith(name))?.value ?? null;

const wordsOf = (p) => (p === null ? '' : `p ${short(p)}`);

/** What rows of one score are worth beside random ones. @param size rows of a choice */
function chosenRows(comparison, name, size) {
  const { value, difference, interval, p } = wayOf(comparison, name);
  const random = valueOf(comparison, 'random choices');
  return {
    measured: [
      {
        what: `${size} rows by ${name}: held-out loss less that of random choices (nats per token)`,
        value: difference,
        interval,
        beside: `${short(value)} against ${short(random)} of random rows, ${short(valueOf(comparison, 'all '))} of all rows, ${short(valueOf(comparison, 'untrained'))} untrained; ${wordsOf(p)} by rank`,
      },
    ],
    ...against(difference, interval, 0, size, {
      below: 'they are better than random rows',
      above: 'they are worse than random rows',
      between: `${short(difference)} nats lie within the scatter of random choices`,
    }),
  };
}

/** Rows of the other scores of a run, for comparison. */
const besideRows = (comparison, names, size) =>
  names
    .filter((name) => wayOf(comparison, name))
    .flatMap((name) => chosenRows(comparison, name, size).measured)
    .map((row) => ({ ...row, what: `for comparison ${row.what}` }));

/**
 * "A few chosen rows are as good as all": no test stands beside all rows, so that random choices, which scatter by their
 * interval, are the measure.
 */
function asGoodAsAll(comparison, name, size) {
  const { value, difference, interval } = wayOf(comparison, name);
  const half = (interval[1] - interval[0]) / 2;
  const behind = value - valueOf(comparison, 'all ');
  return {
    measured: [
      {
        what: `${size} rows by ${name}: held-out loss less that of all rows, the same steps (nats per token)`,
        value: behind,
        interval: [behind - half, behind + half],
        beside: `the interval is the scatter of random choices; those are ${short(value - difference - valueOf(comparison, 'all '))} behind all rows on average`,
      },
    ],
    ...against(behind, [behind - half, behind + half], 0, size, {
      below: 'they are better than all rows',
      above: `all rows are better by ${short(behind)} nats`,
      between: `${short(behind)} nats lie within the scatter of random choices`,
    }),
  };
}

/** A way of a comparison against its baseline. @param n samples behind the interval; @param words of `against` */
function apart(comparison, name, n, what, words) {
  const { value, difference, interval, p } = wayOf(comparison, name);
  const sign = comparison.better === 'lower' ? 1 : -1;
  const [low, high] = interval.map((end) => sign * end).sort((a, b) => a - b);
  return {
    measured: [
      {
        what,
        value: difference,
        interval,
        beside: `${short(value)} against ${short(valueOf(comparison, baselineOf(comparison)))}; untrained ${short(valueOf(comparison, 'untrained'))}; ${wordsOf(p)}`,
      },
    ],
    ...against(sign * difference, [low, high], 0, n, words),
  };
}

const baselineOf = ({ baseline }) => baseline.replace(/^facts of /, '');

/** Student's t, both tails together 5 %, with 7 degrees of freedom: eight models. */
const T_OF_EIGHT = 2.364624;

/** Of the analysis of variance, and the F that three groups of ten must pass for it. */
const LEVEL = 0.05;
const F_OF_THREE = 3.354131;

export const dataSystems = [
  {
    id: 'superfiltering',
    title: 'IFD and Superfiltering',
    paper: 'arXiv 2308.12032 and 2402.00530',
    n: '48 definitions, 12 of them for each training; 19 random choices; 32 held-out definitions',
    experiments: ['superfiltering'],
    steps: [['validate', 'superfiltering']],
    measure(found) {
      const comparison = comparisonOf(found('superfiltering', 'validation'), 'selection', 'Held-out loss');
      const own = chosenRows(comparison, 'ifd_ppl', 12);
      return [
        {
          claim: 'The rows of highest IFD are better to train on than as many random ones.',
          ...own,
          measured: [...own.measured, ...besideRows(comparison, ['ifd_loss', 'loss', 'length'], 12)],
        },
        {
          claim: 'A small share of the rows, chosen by IFD, is at least as good as all of them.',
          ...asGoodAsAll(comparison, 'ifd_ppl', 12),
        },
      ];
    },
  },
  {
    id: 'influence-selection',
    title: 'Influence as a data score',
    paper: 'arXiv 2402.04333 (LESS), with the influence of arXiv 2310.00902 (DataInf)',
    n: '48 sentences, 12 of them for each training; 19 random choices; 32 held-out sentences',
    experiments: ['influence-selection'],
    steps: [['validate', 'influence-selection']],
    measure(found) {
      const comparison = comparisonOf(found('influence-selection', 'validation'), 'selection', 'Held-out loss');
      const own = chosenRows(comparison, 'influence', 12);
      return [
        {
          claim: 'Rows with influence on a few samples of the task are better to train on than as many random ones.',
          ...own,
          measured: [
            ...own.measured,
            ...besideRows(comparison, ['ifd_ppl', 'similarity', 'bm25', 'loss', 'length'], 12),
          ],
        },
        {
          claim: 'A small share of the rows, chosen by influence, is at least as good as all of them.',
          ...asGoodAsAll(comparison, 'influence', 12),
        },
      ];
    },
  },
  {
    id: 'token-masking',
    title: 'Selective token masking',
    paper: 'arXiv 2501.14315',
    n: '48 definitions, three seeds; 32 held-out definitions, 32 sentences as other texts',
    experiments: ['token-masking'],
    steps: [['validate', 'token-masking']],
    measure(found) {
      const file = found('token-masking', 'validation');
      const { how } = file.protocols.find(({ protocol }) => protocol === 'forgetting');
      const [, tokens, masked] = /\((\d+) tokens, of which perplexities above [\d.]+ mask (\d+)\)/
        .exec(how)
        .map(Number);
      const comparison = (name) => comparisonOf(file, 'forgetting', name);
      const other = comparison('Loss of other texts');
      const lost = valueOf(other, 'no mask') - valueOf(other, 'untrained');
      return [
        {
          claim: 'Masking the improbable tokens keeps what the model can do on other texts.',
          ...apart(
            other,
            'highest',
            32,
            'perplexity above 2.5 masked: loss of other texts less that without a mask (nats per token)',
            {
              below: `training without a mask costs ${short(lost)} nats on other texts, with it less`,
              above: 'more is forgotten with the mask',
              between: `training without a mask costs ${short(lost)} nats on other texts, which the mask does not change beyond chance`,
            },
          ),
        },
        {
          claim: 'The task is learned no worse.',
          ...apart(
            comparison('Held-out loss of the task'),
            'highest',
            32,
            'perplexity above 2.5 masked: held-out loss of the task less that without a mask (nats per token)',
            {
              below: 'the task is even learned better',
              above: 'the task is learned worse with the mask',
              between: 'the difference is not told from 0',
            },
          ),
        },
        {
          claim: 'Masks change the weights less.',
          ...apart(
            comparison('Norm of the update'),
            'highest',
            3,
            'perplexity above 2.5 masked: norm of the update less that without a mask',
            {
              below: 'the update is smaller',
              above: 'the update is larger',
              between: 'the difference is not told from 0',
            },
          ),
        },
        {
          claim: 'A threshold of 2.5 masks a fifth to a quarter of the tokens.',
          measured: [
            {
              what: 'share of the tokens of the answers with a perplexity above 2.5',
              value: masked / tokens,
              interval: wilson(masked, tokens),
              beside: `${masked} of ${tokens}; the paper’s share is that of code and of models twenty times as large`,
            },
          ],
          ...(wilson(masked, tokens)[0] > 0.25
            ? fails(`${Math.round((100 * masked) / tokens)} % of the tokens are masked`)
            : holds(`${Math.round((100 * masked) / tokens)} % of the tokens are masked`)),
        },
      ];
    },
  },
  {
    id: 'mastery',
    title: '60 data points',
    paper: 'arXiv 2409.15825',
    n: '80 facts, 8 of them for each training, three seeds; 32 facts that are asked about',
    experiments: ['mastery'],
    steps: [['validate', 'mastery']],
    measure(found) {
      const comparison = comparisonOf(found('mastery', 'validation'), 'mastery', 'Accuracy on held-out facts');
      const [after, before] = ['any level', 'untrained'].map((name) => valueOf(comparison, name));
      const gain = after - before;
      // Of two shares of as many facts; that they are the same facts is left out, which makes it wider.
      const half = 1.96 * Math.sqrt((after * (1 - after) + before * (1 - before)) / 32);
      const levels = comparison.ways.filter(({ difference }) => difference !== null);
      const best = levels.reduce((a, b) => (b.value > a.value ? b : a));
      const middle = levels.find(({ way }) => way === 'level 2') ?? null;
      return [
        {
          claim: 'A few dozen facts suffice to make the model answer questions.',
          measured: [
            {
              what: '8 facts of any level: accuracy on held-out facts less that of the untrained model',
              value: gain,
              interval: [gain - half, gain + half],
              beside: `${short(after)} against ${short(before)}`,
            },
          ],
          ...against(-gain, [-gain - half, -gain + half], 0, 32, {
            below: 'the model answers more after training on 8 facts',
            above: 'the model answers less after training',
            between: 'the gain is not told from 0',
          }),
        },
        {
          claim: 'Facts that the model knows in part (level 2) are the best to tune on.',
          measured: levels.map(({ way, value, difference, interval, p }) => ({
            what: `8 facts of ${way}: accuracy less that of facts of any level`,
            value: difference,
            interval,
            beside: `${short(value)} against ${short(after)}; ${wordsOf(p)}`,
          })),
          ...(middle === null
            ? open(
                `of 80 facts fewer than 8 are of level 2, so that nothing was trained on it; ${best.way} does best here. n = 1,000 facts would hold enough`,
              )
            : against(-middle.difference, middle.interval.map((end) => -end).reverse(), 0, 32, {
                below: `level 2 is better than any level${best === middle ? ' and the best of all' : `, though ${best.way} does best`}`,
                above: 'level 2 is worse than any level',
                between: `level 2 is not told from any level; ${best.way} does best here`,
              })),
        },
      ];
    },
  },
  {
    id: 'performance-law',
    title: 'Performance Law',
    paper: 'arXiv 2408.09895; constants of the first author’s planner',
    n: 'eight models whose published MMLU is quoted from memory',
    experiments: ['performance-law.csv'],
    steps: [['predict', 'performance-law']],
    measure(found) {
      const rows = found('performance-law', 'predictions');
      const errors = rows.map(({ predicted, published }) => predicted - published);
      const mean = errors.reduce((sum, error) => sum + error, 0) / errors.length;
      const deviation = Math.sqrt(errors.reduce((sum, error) => sum + (error - mean) ** 2, 0) / (errors.length - 1));
      const half = (T_OF_EIGHT * deviation) / Math.sqrt(errors.length);
      const rmse = Math.sqrt(errors.reduce((sum, error) => sum + error ** 2, 0) / errors.length);
      return [
        {
          claim: 'MMLU follows from the shape of a model and its training tokens.',
          measured: [
            {
              what: 'mean of prediction less published score (points)',
              value: mean,
              interval: [mean - half, mean + half],
              beside: `root mean square error ${short(rmse)} points`,
            },
            ...rows.map(({ model, predicted, published }) => ({
              what: `${model}: predicted MMLU`,
              value: predicted,
              interval: null,
              beside: `published ${published}`,
            })),
          ],
          ...open(
            `single predictions are ${short(rmse)} points off and Llama 2 comes out too high, but eight scores from memory are no test; the n = 55 models of the paper with the scores of their reports would tell`,
          ),
        },
      ];
    },
  },
  {
    id: 'reassessment',
    title: 'Comprehensive Reassessment',
    paper: 'arXiv 2403.15250; layers of one model, which are not independent, stand in for models of a leaderboard',
    n: '30 layers in three groups of ten, 24 sentences',
    experiments: ['reassessment'],
    steps: [
      ['score', 'reassessment'],
      ['table', 'reassessment', '--unit', 'layer'],
      [
        ...['analyse', 'reassessment', '--factor', 'layer', '--bins', 'layer=10,20'],
        ...['--response', 'layer_drop,block_influence,angular_distance', '--smooth', 'layer'],
        ...[
          '--features',
          'block_influence,relative_magnitude,angular_distance',
          '--project',
          'tsne',
          '--perplexity',
          '8',
        ],
      ],
    ],
    measure(found) {
      const { comparisons, models } = found('reassessment', 'analysis');
      const told = comparisons.filter(({ anova }) => anova.p < LEVEL);
      const largest = comparisons.reduce((a, b) => (b.anova.etaSquared > a.anova.etaSquared ? b : a));
      const needed = Math.ceil((largest.rows * F_OF_THREE) / largest.anova.f);
      const neighbours = comparisons.map(({ response, groups: [, middle, late], pairs }) => ({
        response,
        ...pairs.find((pair) => pair.a === middle.name && pair.b === late.name),
      }));
      const apartPairs = neighbours.filter(({ p }) => p < LEVEL);
      return [
        {
          claim: 'Groups of models differ in their scores, by the analysis of variance.',
          measured: comparisons.map(({ response, anova, levene }) => ({
            what: `${response} of early, middle and late layers: η²`,
            value: anova.etaSquared,
            interval: null,
            beside: `F(${anova.between}, ${anova.within}) = ${short(anova.f)}, p ${short(anova.p)}; Levene p ${short(levene.p)}`,
          })),
          ...(told.length === comparisons.length
            ? holds('the groups differ in each of the scores')
            : open(
                `the groups differ in ${told.length} of ${comparisons.length} scores at 5 %; n = ${needed} layers would tell the largest effect, η² ${short(largest.anova.etaSquared)}`,
              )),
        },
        {
          claim: 'Neighbouring groups need not differ although groups do (the paper: 3–7B and 7–13B on ARC).',
          measured: neighbours.map(({ response, a, b, difference, interval, p }) => ({
            what: `${response}: late layers (${b}) less middle ones (${a}), Tukey–Kramer`,
            value: difference,
            interval,
            beside: `p ${short(p)}, 95 % for all pairs together`,
          })),
          ...(apartPairs.length === neighbours.length
            ? fails('middle and late layers differ in each of the scores')
            : told.length === 0
              ? open(
                  `no group is told from another, so that neighbours say nothing; n = ${needed} layers would tell more`,
                )
              : holds(
                  `in ${neighbours.length - apartPairs.length} of ${neighbours.length} scores middle and late layers are not told apart`,
                )),
        },
        {
          claim: 'Scores follow size along a curve that is not a line.',
          measured: models.map(({ response, terms: [curve], adjustedR2 }) => ({
            what: `${response} along the layers: effective degrees of freedom of the curve`,
            value: curve.edf,
            interval: null,
            beside: `adjusted R² ${short(adjustedR2)}, approximate p ${short(curve.p)}`,
          })),
          ...(models.every(({ terms: [curve] }) => curve.edf > 2 && curve.p < LEVEL)
            ? holds('each curve has more than two degrees of freedom, a line has one')
            : open('not every curve is told from a line; n = 100 layers would tell')),
        },
      ];
    },
  },
];

/** 95 % of a share. */
function wilson(successes, n) {
  const z = 1.959964;
  const p = successes / n;
  const centre = (p + (z * z) / (2 * n)) / (1 + (z * z) / n);
  const half = (z / (1 + (z * z) / n)) * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n));
  return [centre - half, centre + half];
}
