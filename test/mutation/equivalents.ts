/** Mutants that change nothing that can be seen, each with the reason. `change` is as the report prints it, `line` the line's text. */

export interface Equivalent {
  file: string;
  line: string;
  change: RegExp;
  reason: string;
}

export const equivalents: Equivalent[] = [
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
    file: 'validation/jackknife.ts',
    line: 'const least = Math.min(...parts.map(({ deviations }) => deviations.length - 1));',
    change: /.*/,
    reason: 'degrees of freedom of no scatter at all, which nothing reads',
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
];
