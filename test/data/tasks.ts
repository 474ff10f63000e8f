/** Tasks and rows for tests. */
import type { Task } from '../../protocol/experiment.ts';
import type { Row } from '../../server/src/data/types.ts';
import type { TextTokenizer } from '../../server/src/data/tokenizer.ts';

export function aTask(keys: Partial<Task> = {}): Task {
  return {
    task: 'quiz',
    dataset: 'set',
    training_split: 'train[:300]',
    target_delimiter: ' ',
    fewshot_delimiter: '\n\n',
    output_type: 'multiple_choice',
    num_fewshot: 0,
    ...keys,
  };
}

export function aRow(values: Record<string, unknown>, row = 0): Row {
  return { values, file: '/data/rows.jsonl', row, line: row + 1 };
}

/** One token a character, with a begin token (0) in front. */
export const letters: TextTokenizer = {
  encode: (text) => Int32Array.from([0, ...[...text].map((c) => c.codePointAt(0)!)]),
  encodeStart(text, limit) {
    const tokens = this.encode(text);
    return { tokens: tokens.slice(0, limit), truncated: tokens.length > limit };
  },
  encodePlain: (text) => Int32Array.from([...text].map((c) => c.codePointAt(0)!)),
  prefix: 0,
  prefixText: '\0',
  endText: null,
  begins: 0,
  promptLength: (text) => [...text].length + 1,
  decode: (tokens) => String.fromCodePoint(...Array.from(tokens).filter((id) => id !== 0)),
  decodeText: (tokens) => letters.decode(tokens),
  idOf: (content) => content.codePointAt(0) ?? null,
  warnings: [],
};
