/** Texts that go on from prompts: the one way in which commands, tasks and scores generate. */
import { LayerifError } from '../../../../protocol/errors.ts';
import type { Ending, GenerateSummary, Sampling } from '../../../../protocol/generation.ts';
import type { Machine } from '../../../../protocol/run.ts';
import type { TextTokenizer } from '../../data/tokenizer.ts';
import type { EnginePool } from '../machine/enginePool.ts';
import { requireFit } from '../machine/fitting.ts';
import { memoryLimit } from '../machine/machine.ts';
import type { ObservedModel } from '../machine/observing.ts';
import { GrowingText } from './growingText.ts';
import { planGeneration } from './planGeneration.ts';
import { nth } from '../../lists/nth.ts';

export interface Prompt {
  tokens: Int32Array;
  maxNewTokens: number;
  /** Strings before which the text ends. */
  stop: readonly string[];
  /** Which random numbers it is drawn with; default: by its index. */
  stream?: string;
}

export interface GeneratedText {
  /** Without special tokens and stop string. */
  text: string;
  /** New tokens, up to the one that ended the text. */
  tokens: number[];
  ending: Ending;
}

export interface GenerateTools {
  pool: EnginePool;
  machine: Machine;
  tokenizer: TextTokenizer;
  /** Told of each piece of text as soon as it can be shown. */
  onText?: ((prompt: number, piece: string) => void) | undefined;
  onProgress?: ((event: { done: number; total: number; message: string }) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** @throws LayerifError `notEnoughMemory`; `badRequest` for a prompt without tokens; as `EnginePool.work` */
export async function generateTexts(
  target: ObservedModel,
  prompts: readonly Prompt[],
  { eos, sampling }: { eos: readonly number[]; sampling: Sampling },
  { pool, machine, tokenizer, onText, onProgress, signal }: GenerateTools,
): Promise<{ texts: GeneratedText[]; summary: GenerateSummary }> {
  const empty = prompts.findIndex(({ tokens }) => tokens.length === 0);
  if (empty >= 0) {
    throw new LayerifError(
      'badRequest',
      `prompt ${empty} has no tokens, and the tokenizer names neither bos_token nor eos_token to begin with; give a prompt with a text`,
    );
  }
  const { checkpoint, adapter } = target;
  const lengths = prompts.map(({ tokens, maxNewTokens }) => {
    return { prompt: tokens.length, most: tokens.length + maxNewTokens };
  });
  const limit = memoryLimit(machine);
  const { memoryBytes, ...plan } = planGeneration(target, lengths, limit);
  requireFit(memoryBytes, limit, 'generation', 'take shorter prompts or fewer new tokens, or raise --memory');
  const growing = prompts.map(({ stop }) => new GrowingText(tokenizer, stop));
  const total = prompts.reduce((sum, { maxNewTokens }) => sum + maxNewTokens, 0);
  const ended = new Set<number>();
  let made = 0;
  const summary = await pool.work(
    'generate',
    {
      modelPath: checkpoint.path,
      adapter: adapter ?? undefined,
      prompts: prompts.map(({ tokens }) => tokens),
      maxNewTokens: prompts.map(({ maxNewTokens }) => maxNewTokens),
      streams: prompts.map(({ stream }, i) => stream ?? `text ${i}`),
      eos: [...eos],
      sampling,
      ...plan,
    },
    machine,
    (event) => {
      if (event.type === 'generating') {
        onProgress?.({ done: made, total, message: `generating: ${event.done} of ${event.total} texts` });
      }
      if (event.type !== 'tokens') return;
      const enough = event.prompts.filter((prompt, i) => {
        const text = nth(growing, prompt);
        if (text.stopped) return false;
        const piece = text.push(nth(event.tokens, i));
        if (piece !== '') onText?.(prompt, piece);
        return text.stopped;
      });
      if (enough.length > 0) pool.finish(event.id, enough);
      made += event.prompts.length;
      for (const prompt of enough) {
        ended.add(prompt);
        made += nth(prompts, prompt).maxNewTokens - nth(growing, prompt).tokens.length;
      }
      onProgress?.({ done: Math.min(made, total), total, message: `generating: ${made} tokens` });
    },
    signal,
  );
  const texts = growing.map((text, i): GeneratedText => {
    const piece = text.stopped ? '' : text.rest();
    if (piece !== '') onText?.(i, piece);
    return { text: text.text, tokens: text.tokens, ending: ended.has(i) ? 'stop' : nth(summary.endings, i) };
  });
  return { texts, summary };
}
