/**
 * Completions of prompts that are drawn for a score, kept beside its observations as they come:
 * `observations/completions-<hash>.jsonl`, one line for each fact, so that an interrupted run goes on behind the last
 * one. What is drawn for a prompt depends on the seed, the prompt and the number of the sample alone.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type { Sampling } from '../../../../protocol/generation.ts';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { Place } from '../../../../protocol/errors.ts';
import { endTokens } from '../../checkpoints/generationConfig.ts';
import { cannotWrite, makeFolder } from '../../files/writing.ts';
import { languageConfig } from '../../models/wrappers.ts';
import type { FactAsk } from '../../scores/dataTypes.ts';
import { generateTexts } from '../generate/generateTexts.ts';
import type { OpenExperiment } from '../inputs/openExperiment.ts';
import { requireLanguageModel } from '../inputs/scope.ts';
import type { WritingTools } from './ownAnswers.ts';

/** Facts between two looks at the disk. */
const FACTS_PER_PART = 8;

/** Of one fact. */
export interface AskedCompletions {
  prompts: readonly string[];
  promptTokens: readonly Int32Array[];
  place: Place;
}

export type DrawnTools = Omit<WritingTools, 'run'> & { run: NonNullable<WritingTools['run']> };

/**
 * @returns per fact, prompt x sample
 * @throws LayerifError `badData` for a prompt that leaves no room; `notEnoughMemory`, `cannotWrite`, `cancelled`
 */
export async function drawnCompletions(
  { checkpoint, model, tokenizer }: OpenExperiment,
  facts: readonly AskedCompletions[],
  { samples, temperature, maxNewTokens, seed }: NonNullable<FactAsk['completions']>,
  tools: DrawnTools,
): Promise<string[][][]> {
  requireLanguageModel(model, checkpoint, 'generation');
  const doSample = temperature > 0;
  // Nothing of the checkpoint's own settings: the share of hits is one of the model's own distribution.
  const sampling: Sampling = {
    ...{ doSample, temperature: doSample ? temperature : 1, seed },
    ...{ topK: 0, topP: 1, minP: 0, repetitionPenalty: 1 },
  };
  const adapter = checkpoint.adapter?.path ?? null;
  const key = createHash('sha256').update(
    JSON.stringify([tools.modelSha256, adapter, sampling, samples, maxNewTokens]),
  );
  for (const { promptTokens } of facts)
    for (const tokens of promptTokens) key.update(`${tokens.length} `).update(tokens);
  const file = path.join(tools.folder, `completions-${key.digest('hex').slice(0, 16)}.jsonl`);
  const kept = keptLines(file, facts.length);
  if (kept.length === facts.length) return kept;
  const eos = endTokens(checkpoint, languageConfig(checkpoint.config), (token) => tokenizer.idOf(token));
  const { machine, engine } = tools.run;
  await engine.start(machine);
  makeFolder(tools.folder);
  save(file, kept, 'w');
  for (let from = kept.length; from < facts.length; from += FACTS_PER_PART) {
    const part = facts.slice(from, from + FACTS_PER_PART);
    const prompts = part.flatMap(({ prompts, promptTokens, place }) =>
      promptTokens.flatMap((tokens, i) => {
        const room = (model.longest ?? Infinity) - tokens.length;
        if (room < 1)
          throw new LayerifError(
            'badData',
            `a prompt has ${tokens.length} tokens, the model has ${model.longest} positions and needs one for every new token; shorten ${JSON.stringify(prompts[i]?.slice(0, 40))}`,
            { place },
          );
        return Array.from({ length: samples }, (_, sample) => ({
          tokens,
          maxNewTokens: Math.min(maxNewTokens, room),
          stop: [],
          stream: `sample ${sample} ${prompts[i]}`,
        }));
      }),
    );
    const { texts } = await generateTexts(
      { checkpoint, model, adapter },
      prompts,
      { eos, sampling },
      {
        ...{ pool: engine, machine, tokenizer, signal: tools.signal },
        onProgress: ({ done, total }) =>
          tools.onProgress?.({
            done: from + (part.length * done) / total,
            total: facts.length,
            message: `completions of ${facts.length} facts`,
          }),
      },
    );
    let next = 0;
    const made = part.map(({ prompts: own }) =>
      own.map(() => texts.slice(next, (next += samples)).map(({ text }) => text)),
    );
    save(file, made, 'a');
    kept.push(...made);
  }
  return kept;
}

/** Whole lines of a file that a run has left; none of a damaged one. */
function keptLines(file: string, most: number): string[][][] {
  if (!fs.existsSync(file)) return [];
  const lines = fs.readFileSync(file, 'utf8').split('\n').slice(0, -1);
  try {
    return lines.slice(0, most).map((line) => JSON.parse(line) as string[][]);
  } catch {
    return [];
  }
}

function save(file: string, lines: readonly string[][][], flag: 'w' | 'a'): void {
  try {
    fs.writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''), { flag });
  } catch (error) {
    throw cannotWrite(file, error);
  }
}
