/**
 * The systems beside LayerIF: what each paper claims, which experiments of examples/systems look at it, and how a verdict
 * follows from the runs. A verdict is `holds`, `does not hold` or `cannot be told`, always of this model and these texts;
 * the last with the n that would tell. Pure: what is read is handed in by `systems.mjs`.
 *
 * To add a system: an experiment in examples/systems, a row here (of scores of rows and of statistics in
 * `dataSystemClaims.mjs`), `npm run systems -- ID`, `npm run docs`.
 */
import { dataSystems } from './dataSystemClaims.mjs';
import { against, fails, holds, open, short, tableOf } from './systemVerdicts.mjs';

export { against } from './systemVerdicts.mjs';

/** Performance of 90 % is read as a loss that rises by no more than this, in nats. */
const TENTH = Math.log(1 / 0.9);

/** Rows of a removal: what is measured, in nats, beside random sets. */
function removalRow(table, words) {
  const perplexity = Number(/whole model ([\d.]+)/.exec(table.notes.join(' '))[1]);
  return {
    what: `${words}: layers ${table.axes[0].labels[0]} left out, rise of the loss (nats)`,
    value: table.values[0],
    interval: table.intervals[0],
    beside: `perplexity ${short(table.parts.perplexity[0])} instead of ${short(perplexity)}; random sets of as many layers rise by ${short(table.reference.value)} on average`,
  };
}

/** "Removing the lowest quarter keeps nine tenths": perplexity stands in for the tasks of the paper. */
function keeps(table, n) {
  const [value] = table.values;
  return against(value, table.intervals[0], TENTH, n, {
    below: `the loss rises by ${short(value)} nats, less than the ${short(TENTH)} of a perplexity that is a tenth higher`,
    above: `the perplexity is ${short(Math.exp(value))} times as high`,
    between: `the rise of ${short(value)} nats is not told from a tenth`,
  });
}

/** "Chooses better than chance": random sets are few, so that their share cannot be small. */
function beatsRandom(table) {
  const [value] = table.values;
  const random = Number(/mean of (\d+) random/.exec(table.reference.words)[1]);
  const [p] = table.p;
  if (p <= 0.05) return holds(`less harm than all but ${short(p)} of random sets`);
  const least = 1 / (1 + random);
  if (p > least + 1e-9)
    return value > table.reference.value
      ? fails(`${short(value)} nats, more than random sets do on average (${short(table.reference.value)})`)
      : open(`p ${short(p)} beside ${random} random sets; 19 of them and more would tell`);
  return open(
    `less harm than each of ${random} random sets (${short(value)} against ${short(table.reference.value)} nats on average), whose p cannot be below ${short(least)}; n = 19 random sets would tell`,
  );
}

const agreementWith = (file, label) => {
  const table = tableOf(file, 'agreement');
  const labels = table.axes[0].labels;
  const at = labels.indexOf(label) * labels.length + labels.indexOf('layer_drop');
  return { value: table.values[at], interval: table.intervals?.[at] ?? null };
};

/** Prunings by a map against the same sparsity everywhere. */
function pruning({ prunings }, map, n) {
  const uniform = prunings.find((one) => one.map === 'uniform' && one.method !== 'dense');
  const own = prunings.find((one) => one.map === map);
  const [metric] = own.metrics;
  const [dense] = prunings.find(({ method }) => method === 'dense').metrics;
  const { difference, interval } = metric.againstUniform;
  return {
    measured: [
      {
        what: `map ${map}, ${Math.round(100 * own.achieved)} % of the weights zero: loss against the same sparsity everywhere (nats)`,
        value: difference,
        interval,
        beside: `perplexity ${short(metric.value)} against ${short(uniform.metrics[0].value)}, ${short(dense.value)} before pruning; ${metric.documents} windows`,
      },
    ],
    ...(interval
      ? against(difference, interval, 0, n, {
          below: 'the map loses less than the same sparsity everywhere',
          above: 'the map loses more than the same sparsity everywhere',
          between: 'the difference is not told from 0',
        })
      : open('one window alone has no interval; two and more would tell')),
  };
}

export const systems = [
  {
    id: 'avss',
    title: 'AVSS',
    paper: 'arXiv 2411.02117',
    n: '24 sentences, 688 counted tokens',
    experiments: ['avss'],
    steps: [['score', 'avss']],
    measure(found) {
      const file = found('avss');
      const own = tableOf(file, 'removal', { by: 'avss' });
      const beside = ['block_influence', 'layer_drop'].map((by) =>
        removalRow(tableOf(file, 'removal', { by }), `lowest quarter by ${by}, for comparison`),
      );
      const agreement = agreementWith(file, 'avss');
      return [
        {
          claim:
            'Removing about a quarter of the layers, those with the lowest AVSS, keeps more than 90 % of the performance.',
          measured: [removalRow(own, 'lowest quarter by AVSS'), ...beside],
          ...keeps(own, 24),
        },
        {
          claim: 'AVSS tells which layers matter.',
          measured: [{ what: 'Spearman of AVSS with the measured harm of leaving one layer out', ...agreement }],
          ...against(-agreement.value, agreement.interval.map((value) => -value).reverse(), 0, 24, {
            below: 'the order of AVSS agrees with the measured one',
            above: 'the order of AVSS is, if anything, the reverse of the measured one',
            between: 'the agreement is not told from 0',
          }),
        },
      ];
    },
  },
  {
    id: 'eavss',
    title: 'EAVSS',
    paper: 'arXiv 2411.10069; the formulas are ours, the paper’s could not be confirmed',
    n: '96 questions about capitals, right and wrong answers',
    experiments: ['eavss'],
    steps: [['score', 'eavss']],
    measure(found) {
      const table = tableOf(found('eavss'), 'eavss');
      const p = table.p ?? [];
      const prone = new Set((table.marks ?? []).flatMap(({ at }) => at));
      const least = Math.min(...p.filter((value) => value !== null));
      return [
        {
          claim: 'Some layers behave differently on hallucinated than on truthful answers.',
          measured: [
            {
              what: 'layers that stand out after Benjamini–Hochberg',
              value: prone.size,
              interval: null,
              beside: `of ${table.values.length}; smallest p ${short(least)}, labels shuffled 1,000 times`,
            },
          ],
          ...(prone.size > 0
            ? holds(`${prone.size} layers stand out: ${[...prone].sort((a, b) => a - b).join(', ')}`)
            : open(
                `no layer stands out of shuffled labels; the smallest p is ${short(least)}. The paper’s datasets have thousands of questions; n = 1,000 would tell differences a third as large`,
              )),
        },
      ];
    },
  },
  {
    id: 'fusion',
    title: 'Layer-aware embedding fusion: two models together',
    paper: 'arXiv 2504.05764; pooling, head and operators are ours',
    n: '160 sentences with two labels, five folds; the second model is the demo model tuned on 48 other sentences',
    experiments: ['fusion-train', 'fusion'],
    steps: [
      ['train', 'fusion-train'],
      ['model', 'fusion-train'],
      ['score', 'fusion'],
    ],
    measure(found) {
      const table = tableOf(found('fusion'), 'fusion');
      const [first, second, concat] = table.values;
      // Differences over the same drawn texts, as the table words them.
      const [, gain, low, high] = /concat ([+-]?[\d.]+) \[([+-]?[\d.]+), ([+-]?[\d.]+)\]/.exec(
        table.notes.join(' ').replaceAll('−', '-'),
      );
      const interval = [Number(low), Number(high)];
      const bound = { below: 'not more than the better model alone', above: 'more', between: 'within the scatter' };
      const verdict = against(-Number(gain), [-interval[1], -interval[0]], 0, 160, {
        below: `both together tell ${short(100 * Number(gain))} points more than the better model`,
        above: `both together are ${bound.below}`,
        between: `a difference of ${short(100 * Number(gain))} points is ${bound.between}`,
      });
      return [
        {
          claim: 'Vectors of two models together tell the labels better than those of the better one.',
          measured: [
            {
              what: 'sentiment: gain of both vectors side by side over the better model',
              value: Number(gain),
              interval,
              beside: `${short(concat)} together, ${short(first)} and ${short(second)} alone; ${table.notes[2]}`,
            },
          ],
          ...verdict,
        },
      ];
    },
  },
  {
    id: 'probe',
    title: 'Layer-aware embedding fusion: which layer to embed with',
    paper: 'arXiv 2504.05764; pooling and head are ours',
    n: '160 sentences with two labels, 160 questions with their regions, five folds',
    experiments: ['probe'],
    steps: [['score', 'probe']],
    measure(found) {
      const { tables } = found('probe');
      const probes = tables.filter(({ score }) => score === 'probe');
      const rows = probes.map((table) => {
        const values = table.values.map((value) => value ?? -1);
        const best = values.indexOf(Math.max(...values));
        const last = values.length - 1;
        const error = (layer) => {
          const interval = table.intervals?.[layer];
          return interval ? (interval[1] - interval[0]) / 2 : 0;
        };
        const half = Math.hypot(error(best), error(last));
        return {
          table,
          best,
          last,
          gain: values[best] - values[last],
          half,
          tied: table.marks?.find(({ words }) => /tied|standard error/.test(words))?.at ?? [best],
        };
      });
      const name = ({ texts }) => /of (\w+)/.exec(texts ?? '')?.[1] ?? 'texts';
      return [
        ...rows.map(({ table, best, last, gain, half }) => ({
          claim: `A layer before the last is the better embedding (${name(table)}).`,
          measured: [
            {
              what: `${name(table)}: gain of layer ${best}, the best of ${last + 1}, over the last layer`,
              value: gain,
              interval: [gain - half, gain + half],
              beside: `${short(table.values[best])} against ${short(table.values[last])}; the best of many layers is flattered by the choice`,
            },
          ],
          ...(gain - half > 0
            ? holds(`layer ${best} is better than the last by more than both scatter`)
            : open(
                `the gain of ${short(gain)} is within its scatter; n = ${Math.ceil(160 * (half / Math.max(gain, 0.005)) ** 2).toLocaleString('en-US')} would tell it`,
              )),
        })),
        {
          claim: 'Which layers are best depends on the dataset.',
          measured: rows.map(({ table, tied }) => ({
            what: `${name(table)}: layers that are tied with the best`,
            value: tied.length,
            interval: null,
            beside: tied.join(', '),
          })),
          ...(rows.length > 1 && rows[0].tied.every((layer) => !rows[1].tied.includes(layer))
            ? holds('the two sets of best layers have none in common')
            : open(
                'the two sets of best layers overlap, so that one layer may be best for both; n = 1,000 texts a dataset would make the sets smaller',
              )),
        },
      ];
    },
  },
  {
    id: 'ila',
    title: 'ILA',
    paper: 'arXiv 2410.17875; settings of the mask unconfirmed',
    n: 'two adapters, each trained by 12 steps on 48 samples; masks by 12 steps of 8 texts, two seeds',
    experiments: ['ila-sentiment-train', 'ila-sentiment', 'ila-capitals-train', 'ila-capitals'],
    steps: ['sentiment', 'capitals'].flatMap((name) => [
      ['train', `ila-${name}-train`],
      ['adapter', `ila-${name}-train`],
      ['score', `ila-${name}`],
    ]),
    measure(found) {
      const tables = ['ila-sentiment', 'ila-capitals'].map((name) => tableOf(found(name), 'ila'));
      const modules = tables.map(modulesOf);
      const names = [...modules[0].keys()].filter((name) => modules[1].has(name));
      const k = Math.floor(0.75 * names.length);
      const tops = modules.map((own) => new Set([...names].sort((a, b) => own.get(b) - own.get(a)).slice(0, k)));
      const shared = [...tops[0]].filter((name) => tops[1].has(name)).length;
      const jaccard = shared / (2 * k - shared);
      const p = names.length;
      const mean = (k * k) / names.length;
      const scatter = Math.sqrt((mean * (1 - k / names.length) * (names.length - k)) / (names.length - 1));
      const bounds = [mean - 2 * scatter, mean + 2 * scatter].map((both) => both / (2 * k - both));
      const seeds = tables.map(({ notes }) => /between seeds: ([^;]+)/.exec(notes.join(' '))?.[1] ?? '');
      // Seeds that differ themselves put a ceiling on what two datasets can share.
      const steady = seeds.every((words) => words.split(',').every((word) => Number(word) >= 0.95));
      return [
        {
          claim: 'The important layers of two datasets overlap by nearly 90 %.',
          measured: [
            {
              what: `Jaccard index of the highest three quarters of ${p} modules`,
              value: jaccard,
              interval: null,
              beside: `by chance ${short(mean / (2 * k - mean))} (${short(bounds[0])} to ${short(bounds[1])} in 95 % of random orders); Spearman between seeds ${seeds.join(' and ')}`,
            },
          ],
          ...(jaccard >= 0.85
            ? holds('the index is near 0.9, far above chance')
            : jaccard > bounds[1] && steady
              ? fails(`the overlap is above chance, and ${short(jaccard)} is below 0.9`)
              : open(
                  `an index of ${short(jaccard)} from masks whose seeds agree no better than this says little; the defaults (128 steps of 32 texts, three seeds: n = 12,288) and adapters trained to the end would tell`,
                )),
        },
      ];
    },
  },
  {
    id: 'spider',
    title: 'SPIDER',
    paper: 'arXiv 2411.10928; the share by layer is ours',
    n: '24 sentences in eight batches',
    experiments: ['spider'],
    steps: [['score', 'spider']],
    measure(found) {
      const { values, intervals, reference } = tableOf(found('spider'), 'spider');
      const apart = values.filter((_, layer) => {
        const [low, high] = intervals[layer];
        const chance = reference.value[layer];
        return low > chance || high < chance;
      }).length;
      const steps = values.map((value, layer) => value - reference.value[layer]);
      const largest = steps.reduce((best, step) => (Math.abs(step) > Math.abs(best) ? step : best), 0);
      return [
        {
          claim: 'The weights that matter for a task are others than those that matter for what was learned before.',
          measured: [
            {
              what: 'layers whose claimed share differs from that of the same gradient in random order',
              value: apart,
              interval: null,
              beside: `of ${values.length}, 3 by chance; the largest difference is ${short(100 * largest)} points of a share of ${short(100 * values[steps.indexOf(largest)])} %`,
            },
          ],
          ...(apart >= 8
            ? holds(
                `in ${apart} of ${values.length} layers the share is not that of chance, though it differs by ${short(100 * Math.abs(largest))} points at most`,
              )
            : open('too few layers differ from chance; n = 100 texts would halve the intervals')),
        },
      ];
    },
  },
  {
    id: 'neighbours',
    title: 'ShortGPT, angular distance, Shortened LLaMA',
    paper: 'arXiv 2403.03853, 2403.17887, 2402.02834',
    n: '24 sentences, 688 counted tokens, five random sets',
    experiments: ['neighbours'],
    steps: [['score', 'neighbours']],
    measure(found) {
      const file = found('neighbours');
      const by = (score) => tableOf(file, 'removal', { by: score });
      const influence = agreementWith(file, 'block_influence');
      return [
        {
          claim:
            'ShortGPT: without the quarter of the layers of lowest Block Influence the model keeps about nine tenths of its performance.',
          measured: [removalRow(by('block_influence'), 'lowest quarter by Block Influence')],
          ...keeps(by('block_influence'), 24),
        },
        {
          claim: 'ShortGPT: Block Influence chooses layers better than chance.',
          measured: [
            { what: 'Spearman of Block Influence with the measured harm of leaving one layer out', ...influence },
          ],
          ...beatsRandom(by('block_influence')),
        },
        {
          claim: 'Angular distance: many layers can go with little harm.',
          measured: [removalRow(by('angular_distance'), 'lowest quarter by angular distance of one layer')],
          ...keeps(by('angular_distance'), 24),
        },
        {
          claim: 'Shortened LLaMA: Taylor importance chooses layers better than chance.',
          measured: [removalRow(by('taylor'), 'lowest quarter by Taylor importance')],
          ...beatsRandom(by('taylor')),
        },
      ];
    },
  },
  {
    id: 'layerif',
    title: 'LayerIF',
    paper: 'arXiv 2505.23811',
    n: '32 training and 16 validation samples; perplexity of 96 other sentences',
    experiments: ['layer-influence'],
    steps: [
      ['score', 'layer-influence'],
      ['prune-and-compare', 'layer-influence', '--map', 'uniform,layerif,reversed', '--sparsity', '0.5'],
    ],
    measure(found) {
      const comparison = found('layer-influence', 'comparison');
      const own = pruning(comparison, 'layerif', 96);
      const control = pruning(comparison, 'reversed', 96);
      return [
        {
          claim: 'A sparsity map by layer influence prunes to 50 % with less loss than the same sparsity everywhere.',
          ...own,
          measured: [
            ...own.measured,
            ...control.measured.map((row) => ({ ...row, what: `for comparison the opposite ${row.what}` })),
          ],
        },
      ];
    },
  },
  {
    id: 'owl-alphapruning',
    title: 'OWL and AlphaPruning',
    paper: 'arXiv 2310.05175 and 2410.10912',
    n: '24 calibration sentences; perplexity of 96 other sentences',
    experiments: ['owl-alphapruning'],
    steps: [
      ['score', 'owl-alphapruning'],
      ['prune-and-compare', 'owl-alphapruning', '--map', 'uniform,owl,alphapruning', '--sparsity', '0.7'],
    ],
    measure(found) {
      const comparison = found('owl-alphapruning', 'comparison');
      return [
        {
          claim: 'OWL: at 70 % sparsity a map by outliers loses less than the same sparsity everywhere.',
          ...pruning(comparison, 'owl', 96),
        },
        {
          claim:
            'AlphaPruning: at 70 % sparsity a map by tails of spectra loses less than the same sparsity everywhere.',
          ...pruning(comparison, 'alphapruning', 96),
        },
      ];
    },
  },
  ...dataSystems,
];

/** Experiments are named without their ending, other files with it. */
export const fileOf = (name) => (name.includes('.') ? name : `${name}.layerif.yaml`);

/** Values of the linear modules of an `ila` table. */
function modulesOf({ parts }) {
  const modules = Object.entries(parts).filter(([name]) => name.includes('.') || name.endsWith('_proj'));
  return new Map(
    modules.flatMap(([name, part]) =>
      part.flatMap((value, layer) => (value === null ? [] : [[`${layer}.${name}`, value]])),
    ),
  );
}

const timeOf = (seconds) =>
  seconds === null
    ? 'The run was interrupted and went on, so that its time is not known.'
    : `${seconds === 0 ? 'A few seconds' : `${seconds} s`} on the machine of the last run.`;

/** The generated part of docs/systems.md. @param results of `systems.mjs`; @param rows the table of systems */
export function systemsPage(results, rows = systems) {
  const known = rows.filter(({ id }) => results.systems[id]);
  const cell = (text) => String(text).replaceAll('|', '\\|');
  const number = ({ value, interval }) =>
    value === null ? 'undefined' : `${short(value)}${interval ? ` [${interval.map(short).join(', ')}]` : ''}`;
  const overview = known.flatMap(({ id, title }) =>
    results.systems[id].claims.map(
      ({ claim, verdict }, i) =>
        `| ${i === 0 ? `[${cell(title)}](#${anchor(title)})` : ''} | ${cell(claim)} | ${verdict === 'holds' ? verdict : `**${verdict}**`} |`,
    ),
  );
  return [
    '| system | claim | on the demo model |',
    '| --- | --- | --- |',
    ...overview,
    '',
    ...known.flatMap((system) => {
      const { claims, seconds } = results.systems[system.id];
      const links = system.experiments.map((name) => `[${name}](../examples/systems/${fileOf(name)})`).join(', ');
      return [
        `### ${system.title}`,
        '',
        `${system.paper}. ${links}; n: ${system.n}. ${timeOf(seconds)}`,
        '',
        ...claims.flatMap(({ claim, measured, verdict, because }) => [
          `**${claim}** ${capital(verdict)}: ${because}.`,
          '',
          '| measured | value | beside |',
          '| --- | --- | --- |',
          ...measured.map((row) => `| ${cell(row.what)} | ${number(row)} | ${cell(row.beside ?? '')} |`),
          '',
        ]),
      ];
    }),
    `${results.date}, ${results.machine}; other programs used the machine, so that times are upper bounds.`,
  ].join('\n');
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
const anchor = (title) =>
  title
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');
