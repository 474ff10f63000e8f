/**
 * A second model beside the experiment's, for scores that look at the same rows with both: any checkpoint, GGUF file or
 * ONNX graph with tokens, with its own tokenizer, its own layers and its own limits.
 *
 *   const second = await others.second('fusion', './models/MiniLM');   // TunedModels keeps it open
 *   const set = await sets.labelledBy(texts, second);                   // the rows by its tokenizer
 *   needs: { of: 'text_states', options, model: 'second', second: './models/MiniLM' }
 */
import type { ModelVariant } from '../../../../protocol/scores.ts';
import type { TextTokenizer } from '../../data/tokenizer.ts';
import type { ScoreNeed } from '../../scores/types.ts';
import type { OpenedModel } from '../inputs/openModel.ts';
import { tokenizerOf } from '../inputs/openExperiment.ts';
import { requireOfGraph, requireTokens } from './graphScores.ts';

export interface SecondModel {
  opened: OpenedModel;
  tokenizer: TextTokenizer;
  variant: ModelVariant;
}

/**
 * @param opened stays with whoever opened it
 * @throws LayerifError `badModel` for one that reads no texts, or without a tokenizer
 */
export async function secondModel(score: string, opened: OpenedModel): Promise<SecondModel> {
  const { checkpoint, graph } = opened;
  requireTokens(`${score}.second ${checkpoint.path}`, graph);
  const variant: ModelVariant = { variant: 'checkpoint', sha256: await checkpoint.sha256() };
  return { opened, tokenizer: tokenizerOf(checkpoint), variant };
}

/** What a score reads of it. @throws LayerifError for what a graph cannot give */
export function requireOfSecond(score: string, need: ScoreNeed, { opened: { graph } }: SecondModel): void {
  if (graph) requireOfGraph(score, [need], graph);
}
