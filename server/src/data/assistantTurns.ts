/**
 * A whole conversation as a sample of which the assistant's turns are counted (`loss: assistant`), as TRL's
 * `assistant_only_loss` and transformers' `return_assistant_tokens_mask` do: a token counts where one of its characters
 * belongs to a turn of the assistant's. A long text keeps its first tokens.
 */
import { LayerifError } from '../../../protocol/errors.ts';
import type { Task } from '../../../protocol/experiment.ts';
import { renderedAssistant, usesChat } from './chatTurns.ts';
import { byHarness } from './continuations.ts';
import { conversationIn } from './examples.ts';
import { placeOf } from './splits.ts';
import type { TextTokenizer } from './tokenizer.ts';
import type { Row } from './types.ts';

export interface AssistantSample {
  tokens: Int32Array;
  /** Of the whole text. */
  whole: Int32Array;
  /** 1 for each token that is counted. */
  counted: Uint8Array;
}

/** @throws LayerifError `badExperiment` for a task of another kind; `badData` with the row: nothing is counted */
export function assistantSample(task: Task, row: Row, tokenizer: TextTokenizer, maxLength: number): AssistantSample {
  const messages = usesChat(task) ? conversationIn(task, row) : null;
  if (task.output_type !== 'loglikelihood_rolling' || messages === null) {
    throw new LayerifError(
      'badExperiment',
      `task "${task.task}": loss: assistant counts the answers of whole conversations; set apply_chat_template: true, output_type: loglikelihood_rolling and doc_to_text to a column with a list of messages`,
    );
  }
  const { text, spans } = renderedAssistant(task, row, messages);
  const by = byHarness(tokenizer);
  const whole = by.encode(text);
  const counted = new Uint8Array(whole.length);
  for (const { from, to } of spans) {
    if (to > from)
      counted.fill(1, tokensWithin(by, text.slice(0, from), whole).length, lastOf(by, text.slice(0, to), whole));
  }
  counted[0] = 0; // never predicted
  const tokens = whole.slice(0, maxLength);
  if (!counted.subarray(0, tokens.length).includes(1)) {
    const why =
      spans.length === 0
        ? 'no message is of the assistant'
        : counted.includes(1)
          ? `its first ${maxLength} tokens (max_length) end before the first answer`
          : 'the answers are empty';
    throw new LayerifError('badData', `row ${row.row} has no token to count a loss on: ${why}; remove the row`, {
      place: placeOf(row),
    });
  }
  return { tokens, whole, counted: counted.slice(0, tokens.length) };
}

/** How a beginning of the text is tokenised, as far as the whole text is tokenised so too. */
function tokensWithin(by: TextTokenizer, beginning: string, whole: Int32Array): { length: number; all: boolean } {
  const own = by.encode(beginning).subarray(0, by.promptLength(beginning));
  const different = own.findIndex((id, at) => id !== whole[at]);
  return different < 0 ? { length: own.length, all: true } : { length: different, all: false };
}

/** Behind the token that holds the last character of a beginning. */
function lastOf(by: TextTokenizer, beginning: string, whole: Int32Array): number {
  const { length, all } = tokensWithin(by, beginning, whole);
  return all ? length : length + 1;
}
