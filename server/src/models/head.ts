/**
 * Which matrix stands behind the last norm. `tie_word_embeddings`, the tensors of the file and the class of the model
 * decide together, as in transformers 5:
 *
 *   tied, no head in the file        the embedding is the head
 *   tied, both in the file           the head of the file (transformers keeps the two apart where they differ)
 *   tied, no embedding in the file   the head is the embedding
 *   not tied, no head in the file    refused: transformers would draw a random one
 *   a sequence classifier            `score.weight`, one row a class, read at the last token that is no padding
 */
import type { Value } from '../onnx/graph.ts';
import { headKind } from './architectures.ts';
import { flag, positiveInteger } from './config.ts';
import type { SegmentBuilder } from './segment.ts';
import type { Architecture, Classes, Config, Head, Weights } from './types.ts';
import { nth } from '../lists/nth.ts';

export interface HeadNames {
  /** The family's names; of several for the head the one that the file has counts, else the first. */
  embedding: string;
  heads?: readonly string[];
  /** What transformers takes for a missing `tie_word_embeddings`. */
  tied: boolean;
  vocabulary: number;
}

/** @throws Error for a model without a head of its own kind */
export function headOf(
  config: Config,
  weights: Weights,
  { embedding, heads = ['lm_head.weight'], tied: fallback, vocabulary }: HeadNames,
): Head {
  const tied = flag(config, 'tie_word_embeddings', fallback);
  const output = heads.find((name) => weights.has(name)) ?? nth(heads, 0);
  if (headKind(config) === 'classes') {
    if (!weights.has(SCORE)) {
      throw new Error(
        `the model is a sequence classifier and has no tensor ${SCORE}; transformers would draw a random head: train it, or save the trained model again (save_pretrained)`,
      );
    }
    const classes = classesOf(config);
    return { embedding, output: SCORE, rows: classes.count, classes, twins: null };
  }
  const language = { embedding, output, rows: vocabulary, classes: null, twins: null };
  const [hasHead, hasEmbedding] = [weights.has(output), weights.has(embedding)];
  if (hasHead) {
    if (!tied || hasEmbedding) return { ...language, twins: tied ? [output, embedding] : null };
    return { ...language, embedding: output };
  }
  if (tied) return { ...language, output: embedding };
  const classifier = weights.has(SCORE) ? ` but ${SCORE}: name its class (...ForSequenceClassification) in` : '; if';
  const advice = weights.has(SCORE)
    ? ' architectures of config.json'
    : ' its head is the embedding, set tie_word_embeddings to true in config.json; embedding models have no head and cannot be scored';
  throw new Error(
    `config.json: tie_word_embeddings is ${config.tie_word_embeddings === undefined ? 'not given, which means false for this family' : 'false'}, and the file has no ${output}${classifier}${advice}`,
  );
}

const SCORE = 'score.weight';

/** Numbers that the head gives for a position: the vocabulary, or the classes. */
export function headRows({ outputs, vocabulary }: Architecture): number {
  return outputs?.rows ?? vocabulary;
}

/**
 * Where a classifier reads its answer: the last token that is no padding, wherever padding stands (transformers' rule),
 * so that a text that ends in the padding token by itself is read before it.
 */
export function classifiedPosition(tokens: ArrayLike<number>, { padding }: Classes): number {
  for (let t = tokens.length - 1; t > 0; t--) if (tokens[t] !== padding) return t;
  return padding === null ? Math.max(0, tokens.length - 1) : 0;
}

/** Last states, normed, [P, width] -> logits [P, rows] */
export function project(b: SegmentBuilder, states: Value, head: Head, width: number): Value {
  return b.graph.matMul(states, b.graph.transpose(b.weight(head.output, [head.rows, width]), [1, 0]));
}

/**
 * Names and number of the classes: `id2label`, else `num_labels`, else two (transformers' rule).
 * @throws Error for heads whose loss is no cross-entropy over classes
 */
function classesOf(config: Config): Classes {
  const labels = config.id2label ?? null;
  if (labels !== null && (typeof labels !== 'object' || Array.isArray(labels))) {
    throw new Error(`config.json: id2label is ${JSON.stringify(labels)}; an object from number to name is needed`);
  }
  const count = labels === null ? positiveInteger(config, 'num_labels', 2) : Object.keys(labels).length;
  const problem = config.problem_type ?? null;
  if (count < 2 || (problem !== null && problem !== 'single_label_classification')) {
    throw new Error(
      `config.json: ${count < 2 ? `the head has ${count} output (id2label, num_labels)` : `problem_type is ${JSON.stringify(problem)}`}, as reward models and regressions have it; only classifiers of two and more classes with one class a text (single_label_classification) can be scored`,
    );
  }
  const names = Array.from({ length: count }, (_, i) => {
    const name = labels === null ? `LABEL_${i}` : (labels as Record<string, unknown>)[String(i)];
    if (typeof name !== 'string') throw new Error(`config.json: id2label has no name for class ${i} of ${count}`);
    return name;
  });
  const padding = config.pad_token_id ?? null;
  if (padding !== null && typeof padding !== 'number') {
    throw new Error(`config.json: pad_token_id is ${JSON.stringify(padding)}; a token id or null is needed`);
  }
  return { count, names, padding };
}
