/**
 * Mutants that change nothing that can be seen, each with the reason. `change` is as the report prints it, `line` the
 * line's text.
 */

export interface Equivalent {
  file: string;
  line: string;
  change: RegExp;
  reason: string;
}

export const equivalents: Equivalent[] = [
  {
    file: 'validation/comparison.ts',
    line: 'const sign = Math.sign(found.difference) || 1;',
    change: /^1 -> 2/,
    reason: 'only whether a product is above 0 is asked',
  },
  {
    file: 'validation/comparison.ts',
    line: 'const together = samples < 2 ? 0 : residuals.reduce((sum, r) => sum + r * r, 0) / ((units - 1) * (samples - 1));',
    change: /^0 -> 1/,
    reason: 'of one sample nothing reads it',
  },
  {
    file: 'validation/comparison.ts',
    line: 'p: Math.min(1, ways * studentTail(Math.abs(difference) / error, degrees)),',
    change: /^Math\.abs/,
    reason: 'the tail is of both signs and squares its t',
  },
  {
    file: 'statistics/wilson.ts',
    line: 'for (let step = 0; step < 100; step++) {',
    change: /.*/,
    reason: 'a bound that is never reached: the steps end by themselves after a few',
  },
  {
    file: 'statistics/wilson.ts',
    line: 'if (!(next > z)) break;',
    change: /-> (false|>=)$/,
    reason: 'the steps stand still where they would end',
  },
  {
    file: 'run/decide/spread.ts',
    line: 'const KEPT = 4;',
    change: /.*/,
    reason: 'how many draws are remembered: a matter of time and memory, not of numbers',
  },
  {
    file: 'run/decide/spread.ts',
    line: 'for (const old of [...known.keys()].slice(0, -KEPT)) known.delete(old);',
    change: /.*/,
    reason: 'how many draws are remembered: a matter of time and memory, not of numbers',
  },
  {
    file: 'run/decide/spread.ts',
    line: 'const count = Math.min(...drawn.map(({ replicates }) => replicates.length));',
    change: /Math\.min -> Math\.max/,
    reason: 'every task has as many draws',
  },
  {
    file: 'run/decide/spread.ts',
    line: 'const NOISE = 1e-9;',
    change: /.*/,
    reason: 'any number between rounding and a half',
  },
  {
    file: 'run/files/finished.ts',
    line: "return createHash('sha256').update(canonicalJson(value)).digest('hex').slice(0, 12);",
    change: /(0 -> 1|12 -> 13)$/,
    reason: 'which digits of a hash are taken',
  },
  {
    file: 'run/files/finished.ts',
    line: 'return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));',
    change: /(< -> <=|1 -> 2)$/,
    reason: 'keys of an object differ, and of a comparison the sign alone counts',
  },
  {
    file: 'statistics/auc.ts',
    line: 'for (let i = 0; i < values.length; i++) {',
    change: /< -> <=/,
    reason: 'there is no label behind the last one, so it is skipped',
  },
  {
    file: 'validation/jackknife.ts',
    line: 'const DRAWS = 2000;',
    change: /2000/,
    reason: 'how finely a random quantile is known, not what it is',
  },
  {
    file: 'validation/agreement.ts',
    line: 'if (known.length === 0) return new Map();',
    change: /-> (false|!==|1)$/,
    reason: 'without rows the rest gives an empty map, too',
  },
  {
    file: 'validation/agreement.ts',
    line: 'const seen = standard[k](value) - 1e-9;',
    change: /1e-9 ->/,
    reason: 'any number between rounding and the distance of two statistics',
  },
  {
    file: 'validation/agreement.ts',
    line: 'return [`${id} ${point}`, (1 + largest.filter((v) => v >= seen).length) / (1 + permutations)];',
    change: />= -> >/,
    reason: '`seen` is a little below the value, so equality does not occur',
  },
  {
    file: 'statistics/paired.ts',
    line: 'const observed = Math.abs(moved.reduce((sum, value) => sum + value, 0));',
    change: /^\+ -> -/,
    reason: 'the sum with the other sign, of which the size is taken',
  },
  {
    file: 'statistics/paired.ts',
    line: 'for (let pattern = 0; pattern < patterns; pattern++) if (extreme((i) => (pattern & (1 << i)) !== 0)) count++;',
    change: /^1 -> 2/,
    reason: 'one sign stays the same; as many sums are extreme as with the other one, and each is counted twice',
  },
  {
    file: 'statistics/permutation.ts',
    line: 'const TOLERANCE = 1e-12;',
    change: /1e-12/,
    reason: 'any number between rounding and the distance of two statistics',
  },
  {
    file: 'statistics/permutation.ts',
    line: 'return value !== null && size(value) >= size(seen) - TOLERANCE;',
    change: /^>= -> >/,
    reason: 'the limit is a little below the value, so equality does not occur',
  },
  {
    file: 'statistics/rankCorrelation.ts',
    line: 'if (values.length <= COUNTED) return countedRanks(values);',
    change: /./,
    reason: 'two ways to the same ranks',
  },
  {
    file: 'statistics/rankCorrelation.ts',
    line: 'const COUNTED = 64;',
    change: /./,
    reason: 'where one way to the same ranks takes over from the other',
  },
  {
    file: 'statistics/student.ts',
    line: 'for (let step = 0; step < 200 && high - low > 1e-13 * high; step++) {',
    change: /./,
    reason: 'how often an interval is halved that is known to 1e-13 already',
  },
  {
    file: 'statistics/student.ts',
    line: 'if (x <= 0) return 0;',
    change: /./,
    reason: 'the front factor is 0 there, too',
  },
  {
    file: 'statistics/student.ts',
    line: 'if (x >= 1) return 1;',
    change: /./,
    reason: 'the other side of the fraction is 0 there',
  },
  {
    file: 'statistics/student.ts',
    line: 'if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);',
    change: /./,
    reason: 'both sides give the same number, one of them after more terms',
  },
  {
    file: 'statistics/student.ts',
    line: 'if (Math.abs(c * d - 1) < 1e-15) break;',
    change: /./,
    reason: 'terms beyond those that change anything',
  },
  {
    file: 'validation/jackknife.ts',
    line: 'if (Math.abs(place) > 1 - 1e-9) {',
    change: /^> -> >=/,
    reason: 'no value lies at exactly 1 - 1e-9',
  },
  {
    file: 'validation/jackknife.ts',
    line: 'for (let d = 0; d < DRAWS; d++) {',
    change: /^< -> <=/,
    reason: 'a place behind the end of a Float64Array takes nothing',
  },
  {
    file: 'validation/jackknife.ts',
    line: 'for (let k = 0; k < count; k++) sums[d] += weights[d * count + k] * deviations[k];',
    change: /^\+ -> -/,
    reason: 'other ones of the same independent random weights; the first draw of 2,000 is lost',
  },
  {
    file: 'estimators/aggregation.ts',
    line: 'if (influence[i] > 0) total += weights ? weights[i] * influence[i] : influence[i];',
    change: /^> -> >=/,
    reason: 'adds zeros',
  },
  {
    file: 'estimators/cosine.ts',
    line: 'for (let j = 0; j < m; j++) {',
    change: /^< -> <=/,
    reason: 'the place behind a row is written again by the next row, and behind the last there is none',
  },
  {
    file: 'run/validate/validatePredictors.ts',
    line: 'for (let i = 0; i < n; i++) self[i] += onItself[i * n + i];',
    change: /^< -> <=/,
    reason: 'a place behind the end of a Float64Array takes nothing',
  },
  {
    file: 'run/validate/validatePredictors.ts',
    line: 'const size = Math.max(...values.map(Math.abs));',
    change: /Math\.abs/,
    reason: 'no estimator gives every sample the same self-influence below 0',
  },
  {
    file: 'run/validate/validatePredictors.ts',
    line: 'return values.every((v) => Math.abs(v - values[0]) <= 1e-9 * size);',
    change: /^\* -> /,
    reason: 'any small share of the size between rounding and a difference',
  },
];
