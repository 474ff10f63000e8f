/**
 * Greedy answers of the model that a score is about, their first line that is not blank. They are kept beside its
 * observations, so that they are written once: `observations/answers-<hash>.json`.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { Machine } from '../../../../protocol/run.ts';
import { endTokens, generationConfig } from '../../checkpoints/generationConfig.ts';
import { makeFolder } from '../../files/writing.ts';
import { samplingOf } from '../../generation/settings.ts';
import { languageConfig } from '../../models/wrappers.ts';
import { generateTexts } from '../generate/generateTexts.ts';
import type { EnginePool } from '../machine/enginePool.ts';
import type { OpenExperiment } from '../inputs/openExperiment.ts';
import { requireLanguageModel } from '../inputs/scope.ts';
import { writeJson } from '../files/results.ts';
import type { AnswerTools, AskedAnswer } from './answerTexts.ts';

type Written = { text: string; tokens: number[] }[];

export interface WritingTools {
  /** Null where nothing may be computed. */
  run: { machine: Machine; engine: EnginePool } | null;
  /** Of the observations. */
  folder: string;
  modelSha256: string;
  onProgress?: ((event: { done: number; total: number; message: string }) => void) | undefined;
  /** What writing answers took. */
  onWritten?: (seconds: number) => void;
  signal?: AbortSignal | undefined;
}

/** @throws LayerifError `badModel` for a graph; `badRequest` where answers are missing and may not be written */
export function ownAnswers(opened: OpenExperiment, tools: WritingTools): AnswerTools['write'] {
  const { checkpoint, model } = opened;
  return async (prompts) => {
    requireWriter(opened);
    // A graph that takes no texts has none.
    const { tokenizer } = opened;
    const adapter = checkpoint.adapter?.path ?? null;
    const key = keyOf(prompts, [tools.modelSha256, adapter]);
    const file = path.join(tools.folder, `answers-${key.slice(0, 16)}.json`);
    const known = read(file, key, prompts.length);
    if (known) return known;
    if (!tools.run) {
      throw new LayerifError(
        'badRequest',
        "the model's own answers are not written yet: layerif score FILE --only scores does it",
      );
    }
    const sampling = samplingOf({}, generationConfig(checkpoint));
    const eos = endTokens(checkpoint, languageConfig(checkpoint.config), (token) => tokenizer.idOf(token));
    const { machine, engine } = tools.run;
    await engine.start(machine);
    const begun = performance.now();
    const { texts } = await generateTexts(
      { checkpoint, model, adapter },
      prompts.map((prompt) => {
        const room = (model.longest ?? Infinity) - prompt.tokens.length;
        return { ...prompt, maxNewTokens: Math.min(prompt.maxNewTokens, room) };
      }),
      { eos, sampling },
      { pool: engine, machine, tokenizer, onProgress: tools.onProgress, signal: tools.signal },
    );
    tools.onWritten?.((performance.now() - begun) / 1000);
    // Without the token that ends the text, and without those of a stop string or of lines behind the first one.
    const answers = texts.map(({ text, tokens }) => {
      const line = /^\s*[^\n]*/.exec(text)![0];
      const bare = tokens.filter((token) => !eos.includes(token));
      return { text: line, tokens: within(bare, line, (some) => tokenizer.decodeText(some)) };
    });
    makeFolder(tools.folder);
    writeJson(file, { key, answers });
    return answers;
  };
}

/** @throws LayerifError `badModel` for a graph or a classifier */
export function requireWriter({ checkpoint, model, graph }: OpenExperiment): void {
  if (graph) {
    throw new LayerifError(
      'badModel',
      `${checkpoint.path} is an ONNX graph, which writes no answers; name answers of a file (label, or truthful and incorrect)`,
    );
  }
  requireLanguageModel(model, checkpoint, 'generation');
}

/** The first tokens, as many as the text is made of. */
function within(tokens: number[], text: string, decode: (tokens: number[]) => string): number[] {
  let count = 0;
  while (count < tokens.length && decode(tokens.slice(0, count + 1)).length <= text.length) count++;
  return tokens.slice(0, count);
}

function keyOf(prompts: readonly AskedAnswer[], of: (string | null)[]): string {
  const hash = createHash('sha256').update(JSON.stringify(['first line', ...of]));
  for (const { tokens, maxNewTokens, stop } of prompts) {
    hash.update(JSON.stringify([tokens.length, maxNewTokens, stop])).update(tokens);
  }
  return hash.digest('hex');
}

/** Null for another one's file, or a damaged one: it is written again. */
function read(file: string, key: string, count: number): Written | null {
  try {
    const found = JSON.parse(fs.readFileSync(file, 'utf8')) as { key: string; answers: Written };
    return found.key === key && found.answers.length === count ? found.answers : null;
  } catch {
    return null;
  }
}
