/**
 * How tokens are chosen: what was asked for, filled up with the checkpoint's own generation_config.json and the
 * defaults of transformers. Greedy unless sampling is asked for, whatever `do_sample` of the file says.
 */
import { LayerifError } from '../../../protocol/errors.ts';
import type { Sampling } from '../../../protocol/generation.ts';

/** generation_config.json. */
type GenerationConfig = Readonly<Record<string, unknown>>;

/** What is asked for; left out: the checkpoint's. */
export type AskedSampling = { [K in keyof Sampling]?: Sampling[K] | undefined };

interface Setting {
  key: string;
  /** Of transformers. */
  fallback: number;
  allowed: string;
  fits: (value: number) => boolean;
}

const whole = (value: number): boolean => Number.isInteger(value) && value >= 0;

/** Numbers of a sampling, with the key of generation_config.json. */
export const samplingSettings = {
  temperature: { key: 'temperature', fallback: 1, allowed: 'a number above 0', fits: (value) => value > 0 },
  topK: { key: 'top_k', fallback: 50, allowed: 'a whole number from 0 (0: all tokens)', fits: whole },
  topP: { key: 'top_p', fallback: 1, allowed: 'a number above 0, at most 1', fits: (value) => value > 0 && value <= 1 },
  minP: { key: 'min_p', fallback: 0, allowed: 'a number from 0, below 1', fits: (value) => value >= 0 && value < 1 },
  repetitionPenalty: {
    key: 'repetition_penalty',
    fallback: 1,
    allowed: 'a number above 0',
    fits: (value) => value > 0,
  },
} as const satisfies Record<string, Setting>;

/** Keys of generation_config.json that change texts and are not followed, with the values that change nothing. */
const notFollowed: Readonly<Record<string, readonly unknown[]>> = {
  num_beams: [1],
  no_repeat_ngram_size: [0],
  encoder_no_repeat_ngram_size: [0],
  encoder_repetition_penalty: [1],
  min_length: [0],
  min_new_tokens: [0],
  bad_words_ids: [],
  sequence_bias: [],
  suppress_tokens: [],
  begin_suppress_tokens: [],
  forced_bos_token_id: [],
  forced_eos_token_id: [],
  exponential_decay_length_penalty: [],
  guidance_scale: [1],
  typical_p: [1],
  epsilon_cutoff: [0],
  eta_cutoff: [0],
  penalty_alpha: [0],
};

/** @throws LayerifError `badModel` for values of the file that cannot be, naming them */
export function samplingOf(asked: AskedSampling, config: GenerationConfig): Sampling {
  const number = (name: keyof typeof samplingSettings): number => {
    const { key, fallback, allowed, fits }: Setting = samplingSettings[name];
    const value = asked[name] ?? config[key] ?? fallback;
    if (typeof value === 'number' && fits(value)) return value;
    throw new LayerifError(
      asked[name] === undefined ? 'badModel' : 'badRequest',
      `${asked[name] === undefined ? 'generation_config.json: ' : ''}${key} is ${JSON.stringify(value)}; needed is ${allowed}`,
    );
  };
  const { doSample = false, seed = 0 } = asked;
  const repetitionPenalty = number('repetitionPenalty');
  if (!doSample) return { doSample, temperature: 1, topK: 0, topP: 1, minP: 0, repetitionPenalty, seed };
  return {
    doSample,
    temperature: number('temperature'),
    topK: number('topK'),
    topP: number('topP'),
    minP: number('minP'),
    repetitionPenalty,
    seed,
  };
}

/** In words, what of the file is left out. */
export function samplingNotes(config: GenerationConfig): string[] {
  return Object.entries(notFollowed).flatMap(([key, same]) => {
    const value = config[key] ?? null;
    const nothing = value === null || same.includes(value) || (Array.isArray(value) && value.length === 0);
    return nothing
      ? []
      : [`generation_config.json asks for ${key} ${JSON.stringify(value).slice(0, 60)}, which is not followed`];
  });
}
