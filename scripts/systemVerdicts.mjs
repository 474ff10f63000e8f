/** How verdicts on claims of other systems are worded, and what they are made of. Pure. */

export const holds = (because) => ({ verdict: 'holds', because });
export const fails = (because) => ({ verdict: 'does not hold', because });
export const open = (because) => ({ verdict: 'cannot be told', because });

export const short = (value) =>
  Math.abs(value) >= 1e4 ? Math.round(value).toLocaleString('en-US') : Number(value.toPrecision(3)).toString();

/** An estimate against a bound: below, above, or with how many samples it would be told. */
export function against(value, [low, high], bound, n, words) {
  if (high < bound) return holds(words.below);
  if (low > bound) return fails(words.above);
  const half = (high - low) / 2;
  const needed = Math.ceil(n * (half / Math.max(1e-9, Math.abs(value - bound))) ** 2);
  return open(`${words.between}; n = ${needed.toLocaleString('en-US')} would tell a difference of this size`);
}

export const tableOf = ({ tables }, score, options = {}) =>
  tables.findLast(
    (table) => table.score === score && Object.entries(options).every(([name, value]) => table.options[name] === value),
  );
