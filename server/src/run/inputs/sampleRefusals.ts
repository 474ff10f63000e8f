/**
 * What of encoded texts a model cannot take: tokens that it has no embedding for, and more tokens than it has positions
 * for.
 */
import type { Place } from '../../../../protocol/errors.ts';
import type { TextTokenizer } from '../../data/tokenizer.ts';
import type { OpenedGraph } from '../../graphs/open.ts';
import { embeddingRows } from '../../graphs/embedding.ts';
import type { Architecture } from '../../models/types.ts';
import { requireNone, verbs } from './refusals.ts';
import type { Refusal, Verb } from './refusals.ts';

/** An encoded text; `file` and `line` where it comes from a row. */
export interface EncodedText {
  tokens: Int32Array;
  file?: string;
  line?: number | null;
}

export interface SampleFacts {
  /** What the texts are, for the message: `training sample`, `document of task x`. */
  what: string;
  /** Name of the task, or of the section of the experiment file. */
  task: string;
  texts: readonly EncodedText[];
  /** Null where it is not known. */
  vocabulary: number | null;
  /** Positions of the model; undefined where there is no limit. */
  longest: number | undefined;
  /** Tells the text of a token. */
  tokenizer: Pick<TextTokenizer, 'decode'> | null;
}

function placeOf({ file, line }: EncodedText): Place | null {
  if (file === undefined) return null;
  return line === null || line === undefined ? { file } : { file, line };
}

export const sampleRefusals: readonly Refusal<SampleFacts>[] = [
  {
    id: 'tokenBeyondVocabulary',
    verbs,
    code: 'badModel',
    path: [],
    says({ what, texts, vocabulary, tokenizer }) {
      if (vocabulary === null) return null;
      for (const [index, text] of texts.entries()) {
        const id = text.tokens.find((token) => token < 0 || token >= vocabulary);
        if (id === undefined) continue;
        const written = tokenizer ? JSON.stringify(tokenizer.decode([id]).slice(0, 60)) : 'it';
        const message = `token id ${id} of ${what} ${index} is outside the model's vocabulary of ${vocabulary}: the embedding has no row for ${written}; take the token out of the text, or give the model rows for the tokens that tokenizer.json adds (transformers: resize_token_embeddings), or the tokenizer.json that belongs to it`;
        const place = placeOf(text);
        return place ? { message, place } : message;
      }
      return null;
    },
  },
  {
    id: 'moreTokensThanPositions',
    // `evaluate` cuts its texts by the harness' rule.
    verbs: ['score', 'validate', 'prune', 'train', 'train-experts'],
    code: 'badExperiment',
    path: ['model', 'max_length'],
    says({ task, texts, longest }) {
      const tokens = texts.reduce((most, text) => Math.max(most, text.tokens.length), 0);
      if (longest === undefined || tokens <= longest) return null;
      return `model.max_length: a sample of task ${task} has ${tokens} tokens, the model has positions for ${longest}; set max_length to ${longest} or less`;
    },
  },
];

/** Limits of a model on its texts. */
export function limitsOf(
  model: Architecture,
  graph: OpenedGraph | null = null,
): Pick<SampleFacts, 'vocabulary' | 'longest'> {
  const { longest, vocabulary } = model;
  if (!graph) return { longest, vocabulary };
  const rows = embeddingRows(graph.file.model);
  // Logits of a classifier say nothing about tokens.
  const known = [...(graph.task === 'causal' ? [vocabulary] : []), ...(rows === null ? [] : [rows])];
  return { longest, vocabulary: known.length === 0 ? null : Math.min(...known) };
}

/** @throws LayerifError placed at the row where there is one */
export function requireTexts(facts: SampleFacts, verb: Verb): void {
  requireNone(sampleRefusals, facts, verb);
}
