/**
 * `generation_kwargs` of lm-evaluation-harness tasks: which words are followed, which change nothing, which are
 * refused.
 */
import { lookup } from '../text/lookup.ts';

/** Most new tokens by the harness' names for them, the first that is given counts. */
const lengths = ['max_gen_toks', 'max_new_tokens', 'max_tokens', 'max_completion_tokens'] as const;

const isCount = (value: unknown): boolean => Number.isInteger(value) && (value as number) > 0;
const isNumber = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value);
const isText = (value: unknown): boolean => typeof value === 'string';

/** What a value may be; null may always be, and means the default. */
const followed: Readonly<Record<string, { fits: (value: unknown) => boolean; allowed: string }>> = {
  until: {
    fits: (value) => isText(value) || (Array.isArray(value) && value.every(isText)),
    allowed: 'a text or a list of texts',
  },
  ...Object.fromEntries(lengths.map((key) => [key, { fits: isCount, allowed: 'a whole number from 1' }])),
  do_sample: { fits: (value) => typeof value === 'boolean', allowed: 'true or false' },
  temperature: { fits: (value) => isNumber(value) && (value as number) >= 0, allowed: 'a number from 0' },
  top_k: { fits: (value) => Number.isInteger(value) && (value as number) >= 0, allowed: 'a whole number from 0' },
  top_p: {
    fits: (value) => isNumber(value) && (value as number) > 0 && (value as number) <= 1,
    allowed: 'above 0, at most 1',
  },
  min_p: {
    fits: (value) => isNumber(value) && (value as number) >= 0 && (value as number) < 1,
    allowed: 'from 0, below 1',
  },
  repetition_penalty: { fits: (value) => isNumber(value) && (value as number) > 0, allowed: 'a number above 0' },
  seed: { fits: (value) => Number.isInteger(value) && (value as number) >= 0, allowed: 'a whole number from 0' },
};

/** With the values that change nothing. */
const harmless: Readonly<Record<string, readonly unknown[]>> = {
  num_beams: [1],
  use_cache: [true, false],
  num_return_sequences: [1],
  no_repeat_ngram_size: [0],
};

/** The first word that is not followed, in a sentence; null where there is none. */
export function unfollowed(kwargs: Readonly<Record<string, unknown>>): string | null {
  for (const [key, value] of Object.entries(kwargs)) {
    if (value === null || value === undefined) continue;
    const found = lookup(followed, key);
    if (found?.fits(value) || lookup(harmless, key)?.includes(value)) continue;
    if (found) return `generation_kwargs.${key} is ${JSON.stringify(value).slice(0, 60)}; needed is ${found.allowed}`;
    return `generation_kwargs asks for ${key} ${(JSON.stringify(value) ?? '').slice(0, 60)}, which is not followed; followed are ${Object.keys(followed).join(', ')}`;
  }
  return null;
}

export function newTokens(kwargs: Readonly<Record<string, unknown>>): number | null {
  const key = lengths.find((name) => typeof kwargs[name] === 'number');
  return key === undefined ? null : (kwargs[key] as number);
}
