/**
 * Prompt and answer of a row as tokens, in the forms that scores of rows ask for (`scores/dataTypes.ts`). A row without
 * a token of the answer that can be predicted has no text.
 */
import type { EncodedSample } from '../../../../protocol/samples.ts';
import type { TextTokenizer } from '../../data/tokenizer.ts';
import type { FormId, RowFacts, TextForm } from '../../scores/dataTypes.ts';

export interface PromptAndAnswer {
  prompt: string;
  answer: string;
}

/** Tokens of a row as they are trained on, before anything is cut. */
export interface Encoded extends PromptAndAnswer {
  /** Of prompt and answer as one text. */
  whole: Int32Array;
  /** Of the prompt alone, white space at its end left to the answer; as many of `whole` are the prompt's. */
  promptTokens: Int32Array;
  merged: boolean;
  /** Whether the tokens of an empty prompt begin the text, so that the first token is not predicted. */
  begun: boolean;
}

export function encoded({ prompt, answer }: PromptAndAnswer, tokenizer: TextTokenizer): Encoded {
  const whole = tokenizer.encode(prompt + answer);
  const kept = prompt.trimEnd();
  const length = kept === '' ? 0 : tokenizer.promptLength(kept);
  const promptTokens = kept === '' ? new Int32Array(0) : tokenizer.encode(kept).slice(0, length);
  const merged = promptTokens.some((token, t) => whole[t] !== token);
  return { prompt, answer, whole, promptTokens, merged, begun: tokenizer.begins !== null };
}

export function factsOf(row: Encoded, maxLength: number): Omit<RowFacts, 'text'> {
  const { promptTokens, whole, merged, prompt, answer } = row;
  return {
    prompt: promptTokens.length,
    answer: answer === '' ? 0 : Math.max(0, whole.length - Math.max(promptTokens.length, row.begun ? 1 : 0)),
    truncated: whole.length > maxLength,
    merged,
    emptyPrompt: prompt.trim() === '',
    emptyAnswer: answer.trim() === '',
  };
}

interface FormTools {
  tokenizer: TextTokenizer;
  maxLength: number;
  prefix: string;
}

const forms: Record<FormId, (row: Encoded, tools: FormTools) => EncodedSample | null> = {
  /** As `sampleOf` with the loss of the answer: a long text loses tokens of the prompt. */
  answered: ({ whole, promptTokens }, { maxLength }) => cut(whole, Math.max(1, promptTokens.length), maxLength),

  apart(row, tools) {
    if (row.promptTokens.length === 0) return forms.alone(row, { ...tools, prefix: '' });
    if (!row.merged) return forms.answered(row, tools);
    const { promptTokens } = row;
    return cut(joined(promptTokens, answerTokens(row, tools.tokenizer)), promptTokens.length, tools.maxLength);
  },

  alone(row, { tokenizer, maxLength, prefix }) {
    const answer = answerTokens(row, tokenizer);
    const begin = tokenizer.begins ?? tokenizer.prefix;
    const before =
      prefix !== ''
        ? tokenizer.encode(prefix).slice(0, tokenizer.promptLength(prefix))
        : Int32Array.from(begin === null ? [] : [begin]);
    // Of an answer that does not fit the same tokens as behind its prompt.
    const fitting = answer.subarray(0, Math.max(0, maxLength - Math.max(1, before.length)));
    return predicted(joined(before, fitting), Math.max(1, before.length));
  },

  prompt: ({ promptTokens }, { maxLength }) => predicted(promptTokens.slice(0, maxLength), 1),

  compat({ prompt, answer }, { tokenizer, maxLength }) {
    const text = prompt + answer;
    const start = tokenizer.encode(text.slice(0, text.lastIndexOf(answer))).length;
    return predicted(tokenizer.encodeStart(text, maxLength).tokens, Math.max(1, start));
  },

  compat_alone({ prompt, answer }, { tokenizer, maxLength, prefix }) {
    const promptLength = tokenizer.encodeStart(prompt, maxLength).tokens.length;
    // Room as in Superfiltering without a prefix, as in Cherry_LLM with one.
    const room = prefix === '' ? maxLength - promptLength + 1 : maxLength - promptLength - 2;
    if (room < (prefix === '' ? 1 : 5)) return null;
    const text = prefix + answer;
    const start = prefix === '' ? 0 : tokenizer.encode(text.slice(0, text.lastIndexOf(answer))).length;
    return predicted(tokenizer.encodeStart(text, room).tokens, Math.max(1, start));
  },
};

/** @returns null where no token of the answer is predicted */
export function formed(
  row: Encoded,
  { form, prefix }: TextForm,
  tools: Omit<FormTools, 'prefix'>,
): EncodedSample | null {
  return row.answer === '' ? null : forms[form](row, { ...tools, prefix });
}

/** Behind the prompt, with the white space that ends it; never merged with it. */
function answerTokens(
  { whole, promptTokens, merged, prompt, answer, begun }: Encoded,
  tokenizer: TextTokenizer,
): Int32Array {
  if (!merged) return whole.slice(Math.max(promptTokens.length, begun ? 1 : 0));
  return tokenizer.encodePlain(prompt.slice(prompt.trimEnd().length) + answer);
}

/** A long text loses tokens of the prompt, but for one, and then the end of the answer. */
function cut(tokens: Int32Array, boundary: number, maxLength: number): EncodedSample | null {
  const excess = Math.min(Math.max(0, tokens.length - maxLength), boundary - 1);
  return predicted(tokens.slice(Math.max(0, excess), Math.max(0, excess) + maxLength), boundary - Math.max(0, excess));
}

function predicted(tokens: Int32Array, countedFrom: number): EncodedSample | null {
  return tokens.length > countedFrom ? { tokens, countedFrom } : null;
}

function joined(a: Int32Array, b: Int32Array): Int32Array {
  const all = new Int32Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}
