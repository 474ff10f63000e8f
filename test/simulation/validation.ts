/**
 * Made-up validations with a known truth: how often `validate` says what is not so. Every protocol that gives verdicts
 * is measured on predictors that know nothing and on predictors that all know equally much, with samples that are
 * independent or alike.
 *
 * Training sample i changes the loss of validation sample j by T_ij. `alike` is the share of T's (and of the
 * predictors' and the noise's) variance that all validation samples have in common: near 1 they all tell the same
 * story, and the shared training subsets are what decides. Alike training samples, too, share a large part of their
 * gradients, the same for all; for retrieval a class does.
 */
import type { AgreementRow } from '../../protocol/validation.ts';
import { Random } from '../../server/src/random/random.ts';
import { agreementRows } from '../../server/src/validation/agreement.ts';
import type { Predictor } from '../../server/src/validation/agreement.ts';
import {
  detection,
  leaveOut,
  linearDatamodeling,
  overColumns,
  retrieval,
} from '../../server/src/validation/agreementMeasures.ts';
import type { Agreement } from '../../server/src/validation/agreementMeasures.ts';
import type { Change, Statistic } from '../../server/src/validation/resampling.ts';
import { verdictOf } from '../../server/src/run/validate/validateVerdict.ts';

export interface Case {
  protocol: keyof typeof protocols;
  alike: number;
  /** Correlation of every predictor with the truth: 0 knows nothing. */
  skill: number;
  n: number;
  m: number;
  /** Subsets or groups. */
  units: number;
}

export interface Rates {
  cases: number;
  /** Some sentence says that an estimator beats gradient dot, or a control, or is worse: nothing is. */
  falseBeatsDot: number;
  falseWorse: number;
  falseBeatsControls: number;
  /** Some estimator is called better than chance (skill 0 only). */
  falseAboveChance: number | null;
  /** Share of the 95 % intervals that hold the truth, its standard error over cases, and the same for 90 %. */
  coverage: number;
  coverageError: number;
  coverage90: number;
  coverage90Error: number;
  /** Share of the differences to dot whose interval holds 0, each by itself. */
  differenceCoverage: number;
  width: number;
}

const ESTIMATORS = ['datainf', 'fisher', 'cosine', 'relatif', 'lissa'];
const CONTROLS = ['bm25', 'similarity'];

interface World {
  n: number;
  m: number;
  /** A draw of n x m effects whose validation samples share `alike` of the variance. */
  effects: () => Float64Array;
  truth: Float64Array;
  random: Random;
  case: Case;
}

/** Truth -> how a predictor's agreement is measured, and what it shows for one that knows nothing. */
const protocols = {
  lds: (world: World) => linearDatamodeling(world.n, world.m, subsets(world), losses(world, subsets(world))),
  'lds, mean loss': (world: World) => {
    const halves = subsets(world);
    const gains = losses(world, halves).map((row) => row.map((loss) => -loss));
    return leaveOut(world.n, world.m, halves, gains, 'spearman');
  },
  loo: (world: World) => leaveOut(world.n, world.m, groups(world, 1), effectsOf(world, groups(world, 1)), 'spearman'),
  'loo, groups': (world: World) =>
    leaveOut(world.n, world.m, groups(world, 8), effectsOf(world, groups(world, 8)), 'spearman'),
  // The classifier's retraining is exact: no noise.
  surrogate: (world: World) => {
    const halves = subsets(world);
    return linearDatamodeling(world.n, world.m, halves, losses(world, halves, 0));
  },
  'mislabel, self-influence': (world: World) => detection(changed(world)),
  'mislabel, harm': (world: World) => detection(changed(world), world.m),
  retrieval: ({ n, m }: World) =>
    retrieval(
      n,
      {
        train: Array.from({ length: n }, (_, i) => i % 10),
        validation: Array.from({ length: m }, (_, j) => j % 10),
      },
      'auc',
    ),
} satisfies Record<string, (world: World) => Agreement>;

export const protocolNames = Object.keys(protocols) as (keyof typeof protocols)[];

/** @param permutations for p; 999 in the product */
export function simulate(one: Case, repeats: number, seed: number, permutations = 199): Rates {
  const random = new Random(seed, JSON.stringify(one));
  const counts = { dot: 0, worse: 0, controls: 0, chance: 0, differences: 0, all: 0 };
  type Seen = { value: number; interval: [number, number] }[];
  const seen: Record<0.9 | 0.95, Seen[]> = { 0.9: [], 0.95: [] };
  const valuesOf = (rows: readonly AgreementRow[]): Seen =>
    rows.flatMap(({ value, interval }) => (value !== null && interval ? [{ value, interval }] : []));
  const chance = one.protocol === 'retrieval' || one.protocol.startsWith('mislabel') ? 0.5 : 0;
  for (let repeat = 0; repeat < repeats; repeat++) {
    const world = worldOf(one, random);
    const agreement = replayed(protocols[one.protocol](world));
    const predictors = [...ESTIMATORS, 'dot', ...CONTROLS].map((id) => predictorOf(id, world));
    const values = ({ B, self }: Predictor) => (one.protocol === 'mislabel, self-influence' ? self : B);
    const rows = agreementRows(predictors, agreement, { seed: repeat, values, permutations });
    const text = verdictOf({ name: '', chance, rows }).join(' ');
    // The verdict speaks of the best estimator; every other one must be right, too.
    const leads = rows.flatMap(({ overDot }) => overDot?.interval ?? []);
    if (/It beats gradient dot/.test(text)) counts.dot++;
    if (rows.some(({ overDot }) => overDot?.interval && overDot.interval[1] < 0)) counts.worse++;
    if (/It beats every control/.test(text)) counts.controls++;
    if (rows.some(({ p }) => p !== undefined && p <= 0.05)) counts.chance++;
    counts.all += leads.length / 2;
    for (const { overDot } of rows) {
      if (overDot?.interval && overDot.interval[0] <= 0 && overDot.interval[1] >= 0) counts.differences++;
    }
    seen[0.95].push(valuesOf(rows));
    seen[0.9].push(
      valuesOf(agreementRows(predictors, agreement, { seed: repeat, values, permutations: 0, level: 0.9 })),
    );
  }
  const all = seen[0.95].flat();
  const mean = (list: readonly number[]) => list.reduce((sum, value) => sum + value, 0) / list.length;
  const truth = one.skill === 0 ? chance : mean(all.map(({ value }) => value));
  /** By case, since the predictors of a case share its subsets. */
  const coverage = (cases: readonly Seen[]): [share: number, error: number] => {
    const shares = cases.map((own) => mean(own.map(({ interval: [a, b] }) => (a <= truth && truth <= b ? 1 : 0))));
    const center = mean(shares);
    return [center, Math.sqrt(mean(shares.map((own) => (own - center) ** 2)) / (shares.length - 1))];
  };
  const share = (count: number) => count / repeats;
  return {
    cases: repeats,
    falseBeatsDot: share(counts.dot),
    falseWorse: share(counts.worse),
    falseBeatsControls: share(counts.controls),
    falseAboveChance: one.skill === 0 ? share(counts.chance) : null,
    coverage: coverage(seen[0.95])[0],
    coverageError: coverage(seen[0.95])[1],
    coverage90: coverage(seen[0.9])[0],
    coverage90Error: coverage(seen[0.9])[1],
    differenceCoverage: counts.differences / counts.all,
    width: mean(all.map(({ interval: [a, b] }) => b - a)),
  };
}

/** The same answers for the same predictor and question, so that another level costs nothing. */
function replayed(agreement: Agreement): Agreement {
  const known = new Map<Float64Array, Statistic>();
  return {
    ...agreement,
    of(values) {
      const own = known.get(values) ?? rememberedStatistic(agreement.of(values));
      known.set(values, own);
      return own;
    },
  };
}

function rememberedStatistic(statistic: Statistic): Statistic {
  const known = new Map<string, ReturnType<Statistic['withoutEach']>>();
  const single = new Map<string, number | null>();
  const once = <T>(memory: Map<string, T>, key: string, make: () => T): T => {
    if (!memory.has(key)) memory.set(key, make());
    return memory.get(key)!;
  };
  const keyOf = (halves: Change['halves']) => JSON.stringify([...(halves ?? [])]);
  return {
    value: (change = {}) =>
      change.order ? statistic.value(change) : once(single, keyOf(change.halves), () => statistic.value(change)),
    withoutEach: (halves) => once(known, keyOf(halves), () => statistic.withoutEach(halves)),
  };
}

function worldOf(one: Case, random: Random): World {
  const { n, m, alike } = one;
  const effects = () => {
    const common = normals(n, random);
    return Float64Array.from(
      { length: n * m },
      (_, at) => Math.sqrt(alike) * common[Math.floor(at / m)] + Math.sqrt(1 - alike) * random.normal(),
    );
  };
  return { n, m, effects, truth: effects(), random, case: one };
}

function predictorOf(id: string, { n, m, effects, truth, random, case: { skill, alike, protocol } }: World): Predictor {
  const own = effects();
  const shared = protocol === 'retrieval' ? classEffects(n, m, alike, skill, random) : normals(m, random);
  const B = own.map((noise, at) => {
    if (protocol === 'retrieval') return shared[at];
    // What all training samples have in common is large and says nothing.
    return skill * truth[at] + Math.sqrt(1 - skill ** 2) * noise + 10 * alike * shared[at % m];
  });
  // Self-influence knows the label as harm does: see `changed`.
  const self = overColumns(B, n, m).map((sum) => -sum);
  const control = id === 'dot' || CONTROLS.includes(id);
  return { id, point: CONTROLS.includes(id) ? null : 'trained', control, B, self };
}

/** Similarity of classes by chance, more for the same one with skill, and a scatter of samples. */
function classEffects(n: number, m: number, alike: number, skill: number, random: Random): Float64Array {
  const between = normals(100, random);
  return Float64Array.from({ length: n * m }, (_, at) => {
    const [a, b] = [Math.floor(at / m) % 10, (at % m) % 10];
    const same = a === b ? 2 * skill : 0;
    return Math.sqrt(alike) * between[10 * a + b] + same + Math.sqrt(1 - alike) * random.normal();
  });
}

const memory = new WeakMap<World, Map<string, number[][]>>();

/** The same list for every call with the same world. */
function once(world: World, key: string, make: () => number[][]): number[][] {
  const own = memory.get(world) ?? new Map<string, number[][]>();
  memory.set(world, own);
  if (!own.has(key)) own.set(key, make());
  return own.get(key)!;
}

function subsets(world: World): number[][] {
  const { n, random, case: one } = world;
  return once(world, 'halves', () => Array.from({ length: one.units }, () => random.subset(n, n / 2)));
}

function groups(world: World, size: number): number[][] {
  const { n, random, case: one } = world;
  return once(world, `groups of ${size}`, () =>
    size === 1
      ? random.subset(n, Math.min(one.units, n)).map((i) => [i])
      : Array.from({ length: one.units }, () => random.subset(n, size)),
  );
}

/** The noise of training is as large as what half of it comes from. @param noise relative to the effects of a subset */
function losses(world: World, halves: readonly (readonly number[])[], noise = 0.5): number[][] {
  const { n, m, truth, random, case: one } = world;
  const size = noise * Math.sqrt(n / 4);
  return halves.map((subset) => {
    const common = random.normal();
    return Array.from({ length: m }, (_, j) => {
      const error = Math.sqrt(one.alike) * common + Math.sqrt(1 - one.alike) * random.normal();
      return size * error - subset.reduce((sum, i) => sum + truth[i * m + j], 0);
    });
  });
}

function effectsOf(world: World, list: readonly (readonly number[])[]): number[][] {
  const { m, truth, random, case: one } = world;
  return list.map((group) => {
    const common = random.normal();
    return Array.from({ length: m }, (_, j) => {
      const error = Math.sqrt(one.alike) * common + Math.sqrt(1 - one.alike) * random.normal();
      return 0.5 * Math.sqrt(group.length) * error + group.reduce((sum, i) => sum + truth[i * m + j], 0);
    });
  });
}

/**
 * A fifth of the labels, those of samples that harm more than a noisy threshold; by chance alone where the predictors
 * know nothing.
 */
function changed({ n, m, truth, random }: World): boolean[] {
  const harm = overColumns(truth, n, m).map((sum) => -sum / Math.sqrt(m));
  const order = Array.from(harm, (h, i) => ({ i, h: h + random.normal() })).sort((a, b) => b.h - a.h);
  const found = new Set(order.slice(0, Math.round(n / 5)).map(({ i }) => i));
  return Array.from({ length: n }, (_, i) => found.has(i));
}

function normals(count: number, random: Random): Float64Array {
  return Float64Array.from({ length: count }, () => random.normal());
}
