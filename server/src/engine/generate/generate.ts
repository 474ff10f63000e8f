/**
 * Texts that go on from prompts, batch by batch. A prompt is read in pieces of `chunk` tokens, then every text of the
 * batch gets one token a run until all have ended; ended ones leave the batch. A text alone, among others, with
 * streamed or resident weights has the same tokens but where two logits are closer than rounding; what is drawn for a
 * text depends on the seed and its own number (or its `streams`) alone.
 */
import { LayerifError } from '../../../../protocol/errors.ts';
import type { Ending, GenerateRequest, GenerateSummary } from '../../../../protocol/generation.ts';
import { nextToken } from '../../generation/sampling.ts';
import { Random } from '../../random/random.ts';
import type { Model } from '../sweep/model.ts';
import type { Report } from '../runtime/report.ts';
import { CachedForward } from './cachedForward.ts';
import { KeyValueCache } from './keyValueCache.ts';

interface Text {
  prompt: number;
  /** Prompt and new tokens. */
  tokens: number[];
  seen: Set<number>;
  random: Random | null;
  /** Whether its rotations are still those of short texts (models/positions.ts: `readAnewBeyond`). */
  short: boolean;
}

/**
 * @param finished prompts that whoever asked has enough of; looked at after every run
 * @throws LayerifError `badModel` where logits are no numbers; the AbortSignal's reason when cancelled
 */
export async function generate(
  model: Model,
  request: GenerateRequest,
  report: Report,
  finished: ReadonlySet<number> = new Set(),
): Promise<GenerateSummary> {
  const { prompts, maxNewTokens, streams, batches, sampling, chunk } = request;
  const eos = new Set(request.eos);
  model.weights.restore();
  model.weights.mode = request.weights;
  const runsBefore = model.runtime.runs;
  const forward = await CachedForward.of(model);
  const tokens = prompts.map(() => new Int32Array(0));
  const endings = prompts.map((): Ending => 'length');
  const seconds = { prompts: 0, tokens: 0 };
  const counts = { prompts: 0, tokens: 0 };
  const anew = model.architecture.positions?.readAnewBeyond ?? Infinity;
  let done = 0;

  const end = ({ prompt, tokens: all }: Text): boolean => {
    const made = all.length - prompts[prompt].length;
    const ending: Ending | null =
      made > 0 && eos.has(all.at(-1)!)
        ? 'eos'
        : finished.has(prompt)
          ? 'stop'
          : made >= maxNewTokens[prompt]
            ? 'length'
            : null;
    if (ending === null) return false;
    endings[prompt] = ending;
    tokens[prompt] = Int32Array.from(all.slice(prompts[prompt].length));
    report({ type: 'generating', done: ++done, total: prompts.length });
    return true;
  };

  /** Adds the next token of these texts and tells of it. */
  const extend = (texts: readonly Text[], logits: readonly Float32Array[]): void => {
    const next = texts.map((text, i) => chosenToken(text, logits[i], sampling));
    texts.forEach((text, i) => {
      text.tokens.push(next[i]);
      text.seen.add(next[i]);
    });
    report({ type: 'tokens', prompts: texts.map(({ prompt }) => prompt), tokens: next });
  };

  for (const batch of batches) {
    let texts = batch.map((prompt): Text => {
      const random = sampling.doSample ? new Random(sampling.seed, streams?.[prompt] ?? `text ${prompt}`) : null;
      const tokens = [...prompts[prompt]];
      return { prompt, tokens, seen: new Set(tokens), random, short: tokens.length <= anew };
    });
    texts = texts.filter((text) => !end(text));
    if (texts.length === 0) continue;
    const cache = new KeyValueCache(forward.shapes, texts.length);
    let reading = true;
    while (texts.length > 0) {
      const started = performance.now();
      texts.forEach((text, r) => {
        if (text.short && text.tokens.length > anew) {
          text.short = false;
          cache.lengths[r] = 0;
        }
      });
      const missing = texts.map((text, r) => text.tokens.length - cache.lengths[r]);
      const added = texts.map((text, r) => text.tokens.slice(cache.lengths[r], cache.lengths[r] + chunk));
      const whole = texts.flatMap((_, r) => (added[r].length === missing[r] ? [r] : []));
      const logits = await forward.run(
        cache,
        added,
        texts.map((text) => text.tokens.length),
        whole,
      );
      extend(
        whole.map((r) => texts[r]),
        logits,
      );
      const step = reading ? 'prompts' : 'tokens';
      seconds[step] += (performance.now() - started) / 1000;
      counts[step] += reading ? added.reduce((sum, { length }) => sum + length, 0) : whole.length;
      reading &&= texts.some((text) => text.tokens.length === prompts[text.prompt].length);
      const left = texts.flatMap((text, r) => (whole.includes(r) && end(text) ? [] : [r]));
      if (left.length < texts.length) {
        cache.keep(left);
        texts = left.map((r) => texts[r]);
      }
    }
  }
  return {
    tokens,
    endings,
    seconds,
    counts,
    sessionRuns: model.runtime.runs - runsBefore,
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
  };
}

function chosenToken(
  { prompt, seen, random }: Text,
  logits: Float32Array,
  sampling: GenerateRequest['sampling'],
): number {
  try {
    return nextToken(logits, seen, sampling, random);
  } catch (error) {
    throw new LayerifError(
      'badModel',
      `prompt ${prompt}: ${(error as Error).message}; the model overflows in float32 or its weights are damaged`,
    );
  }
}
