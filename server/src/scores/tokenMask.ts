/**
 * Selective token masking: tokens of an answer that the model finds improbable are left out of the loss of fine-tuning,
 * not out of its input, which keeps it from forgetting. With ppl_t = exp(-log P(token t | before)) and a threshold τ a
 * token is masked where
 *
 *     highest   ppl_t > τ, the method
 *     lowest    ppl_t < τ
 *     random    drawn: as many draws with replacement as `highest` masks, so that fewer are masked
 *     dpf       ppl_t(adapter) - ppl_t(base) > τ
 *     stm_dpf   as `highest` by the base model, and wherever the adapter made the token less probable
 *
 * The adapter of the last two has been trained on these rows before (`model.adapter`). The published script gives token
 * 0 a constant above τ, so that it is always masked; here it is never predicted and never counted.
 */
import { percent } from './tables.ts';
import { Random } from '../random/random.ts';
import { defineDataScore, mark, orNull, rowsWhere, scorerOption } from './dataTypes.ts';
import type { RowNeed } from './dataTypes.ts';
import { startsOf, tokenLosses } from './rowLosses.ts';
import { entry } from '../lists/entry.ts';
import { nth } from '../lists/nth.ts';

export const maskVariants = ['highest', 'lowest', 'random', 'dpf', 'stm_dpf'] as const;
export type MaskVariant = (typeof maskVariants)[number];

/** For the share by threshold: those of the paper, and a grid that a slider moves on. */
const PAPER = [1.5, 2.5, 10, 25, 1000] as const;
const GRID = Array.from({ length: 81 }, (_, i) => Math.exp((i * Math.log(10000)) / 80));

export interface MaskOptions {
  threshold: number;
  variant: MaskVariant;
  seed: number;
}

/** Whether tokens are compared with those of the base model. */
export const comparesModels = (variant: MaskVariant): boolean => variant === 'dpf' || variant === 'stm_dpf';

/** What is held against the threshold. @param perplexity @param base of a token, the second one by the base model */
function judged(variant: MaskVariant, perplexity: number, base: number): number {
  if (variant === 'dpf') return perplexity - base;
  if (variant === 'stm_dpf') return perplexity > base ? Infinity : base;
  return perplexity;
}

/**
 * 1 for tokens that are left out of the loss.
 * @param perplexities of the counted tokens of a row
 * @param base the same by the base model, for `dpf` and `stm_dpf`
 * @param row its index, for what is drawn
 */
export function maskedTokens(
  perplexities: readonly number[],
  base: readonly number[] | null,
  row: number,
  { threshold, variant, seed }: MaskOptions,
): Uint8Array {
  const masked = Uint8Array.from(perplexities, (perplexity, t) => {
    const value = judged(variant, perplexity, base?.[t] ?? NaN);
    return Number(variant === 'lowest' ? value < threshold : value > threshold);
  });
  if (variant !== 'random') return masked;
  const random = new Random(seed, `token_mask ${row}`);
  const drawn = new Uint8Array(masked.length);
  const count = masked.reduce((sum, one) => sum + one, 0);
  for (let i = 0; i < count; i++) drawn[random.integer(masked.length)] = 1;
  return drawn;
}

export const tokenMask = defineDataScore({
  id: 'token_mask',
  version: 1,
  title: 'Tokens that stay in the loss',
  question: 'trust_data',
  subject: 'token',
  unit: 'share',
  higherMeans: 'keep',
  formula: 'share of the tokens of the answer that are not masked; masked: perplexity above the threshold',
  source: 'Selective Token Masking, arXiv 2501.14315',
  status: 'published',
  options: {
    scorer: scorerOption,
    threshold: {
      type: 'number',
      default: 2.5,
      least: 0,
      words: 'Perplexity of a token above which it is masked; for dpf the difference of perplexities.',
    },
    variant: {
      type: 'choice',
      default: 'highest',
      choices: maskVariants,
      words:
        'Which tokens are masked: the improbable ones, the probable ones, random ones, or by what an adapter made of them.',
    },
    seed: { type: 'number', default: 42, least: 0, whole: true, words: 'Of the variant random.' },
  },
  tokens: true,
  needs: ({ variant }): Record<string, RowNeed> => ({
    own: tokenLosses('answered'),
    ...(comparesModels(variant) ? { base: { ...tokenLosses('answered'), base: true } } : {}),
  }),
  open: (options) => {
    const { variant } = options;
    const kept: number[] = [];
    const masked: number[] = [];
    const perplexity: number[] = [];
    const at = [...new Set([...PAPER, ...GRID])].sort((a, b) => a - b);
    /** Tokens whose value lies above each threshold, as a difference of counts; below it for `lowest`. */
    const above = new Float64Array(at.length + 1);
    let tokens = 0;
    return {
      rows({ observed }) {
        const own = entry(observed, 'own');
        const starts = startsOf(own.samples);
        own.text.forEach((index) => {
          const row = kept.length;
          if (index < 0) {
            for (const list of [kept, masked, perplexity]) list.push(NaN);
            return;
          }
          const { own: mine, base: other } = tokenPerplexities(
            own,
            comparesModels(variant) ? entry(observed, 'base') : null,
            index,
            nth(starts, index),
          );
          const mask = maskedTokens(mine, other, row, options);
          const count = mask.reduce((sum, one) => sum + one, 0);
          kept.push(1 - count / mask.length);
          masked.push(count);
          perplexity.push(Math.exp(mine.reduce((sum, value) => sum + Math.log(value), 0) / mine.length));
          tokens += mask.length;
          mine.forEach((value, t) => {
            const judge = judged(variant, value, other?.[t] ?? NaN);
            const place = firstAtLeast(at, judge);
            above[place] = nth(above, place) + 1;
          });
        });
      },
      numbers() {
        const all = masked.reduce((sum, count) => sum + (Number.isNaN(count) ? 0 : count), 0);
        // A token is above the thresholds before the first that is at least its value.
        let left = tokens;
        const shares = at.map((_, i) => {
          left -= nth(above, i);
          return (variant === 'lowest' ? tokens - left : left) / tokens;
        });
        const paper = PAPER.map((threshold) => `${threshold}: ${percent(nth(shares, at.indexOf(threshold)))}`);
        return {
          values: orNull(kept),
          parts: { 'masked tokens': orNull(masked), perplexity: orNull(perplexity) },
          ...(variant === 'random' || tokens === 0 ? {} : { thresholds: { at, masked: shares } }),
          marks: [
            ...mark(
              rowsWhere(kept.length, (row) => Number.isNaN(kept[row])),
              'no token of an answer',
              true,
            ),
            ...mark(
              rowsWhere(kept.length, (row) => kept[row] === 0),
              'every token of the answer is masked',
              true,
            ),
          ],
          notes: [
            ...(tokens === 0
              ? ['no answer has a token, so that nothing is masked']
              : [
                  `${all} of ${tokens} tokens of the answers are masked (${percent(all / tokens)}); mean perplexity of a row ${mean(perplexity)}`,
                ]),
            ...(variant === 'random' || tokens === 0 ? [] : [`masked at a threshold of ${paper.join(', ')}`]),
            ...(variant === 'highest' || variant === 'lowest'
              ? []
              : ['this variant follows the published script; its paper does not say more of it']),
          ],
        };
      },
    };
  },
});

/** @param values at least one is a number */
function mean(values: readonly number[]): string {
  const known = values.filter((value) => !Number.isNaN(value));
  return (known.reduce((sum, value) => sum + value, 0) / known.length).toFixed(2);
}

/** Index of the first number that is at least `value`; their count where there is none. */
function firstAtLeast(sorted: readonly number[], value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (nth(sorted, middle) >= value) high = middle;
    else low = middle + 1;
  }
  return low;
}

interface TokenTexts {
  samples: readonly { tokens: Int32Array; countedFrom: number }[];
  tensors: Record<string, { data: ArrayLike<number> }>;
}

/** Perplexities of the counted tokens of a text, by the model and by the base model. @param start of its tokens */
export function tokenPerplexities(
  own: TokenTexts,
  base: TokenTexts | null,
  text: number,
  start: number,
): { own: number[]; base: number[] | null } {
  const { tokens, countedFrom } = nth(own.samples, text);
  const of = ({ tensors }: TokenTexts) =>
    Array.from({ length: tokens.length - countedFrom }, (_, t) =>
      Math.exp(-nth(entry(tensors, 'logProbability').data, start + countedFrom + t)),
    );
  return { own: of(own), base: base && of(base) };
}
