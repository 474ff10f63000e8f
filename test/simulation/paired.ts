/**
 * Ways to train that are compared by seeds and samples (`forgetting`, `mastery`), where no way is better: how often
 * they are told apart.
 *
 *     node test/simulation/paired.ts        (Node 24) writes `paired.json`: seconds
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Random } from '../../server/src/random/random.ts';
import { wordOf } from '../../server/src/run/validate/validateComparison.ts';
import { paired } from '../../server/src/validation/comparison.ts';

/** Standard normal -> effect of a seed or a sample; without a mean. */
export const scatters = {
  normal: (z: number) => z,
  skewed: (z: number) => Math.exp(z) - Math.exp(0.5),
} as const;

export interface PairedCase {
  scatter: keyof typeof scatters;
  seeds: number;
  /** Held-out samples. */
  samples: number;
  /** Share of the variance within a seed that all its samples have in common. */
  alike: number;
}

/** @returns share of the cases in which a difference is claimed, though there is none */
export function falseClaims({ scatter, seeds, samples, alike }: PairedCase, cases: number, random: Random): number {
  const effect = () => scatters[scatter](random.normal());
  let claims = 0;
  for (let i = 0; i < cases; i++) {
    const effects = Array.from({ length: samples }, effect);
    const own = Array.from({ length: seeds }, () => {
      const common = effect();
      return effects.map((one) => one + Math.sqrt(alike) * common + Math.sqrt(1 - alike) * effect());
    });
    const none = own.map((row) => row.map(() => 0));
    if (wordOf(paired(own, none, 1), 'lower', 'seeds') !== 'not told apart') claims++;
  }
  return claims / cases;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const cases = 4000;
  const rows = (['normal', 'skewed'] as const).flatMap((scatter) =>
    [3, 8].flatMap((seeds) => [0, 0.5, 0.9].map((alike): PairedCase => ({ scatter, seeds, samples: 24, alike }))),
  );
  const found = rows.map((row) => ({ ...row, claims: falseClaims(row, cases, new Random(1, JSON.stringify(row))) }));
  const text = found.map((row) => `  ${JSON.stringify(row)}`).join(',\n');
  writeFileSync(new URL('paired.json', import.meta.url), `{ "seed": 1, "cases": ${cases}, "rows": [\n${text}\n] }\n`);
}
