/** Texts that begin with BOS by themselves: what lm-evaluation-harness makes of them, and what `score` says. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { encodeContinuation, harnessIds } from '../../server/src/data/continuations.ts';
import { loadTask } from '../../server/src/data/loadTask.ts';
import { createTokenizer } from '../../server/src/data/tokenizer.ts';
import { filled, reference } from '../reference/tokenizers/cases.ts';
import { folder } from './files.ts';
import { aRow, aTask, letters } from './tasks.ts';

const { tokenizer, pairs, rolling } = reference('harness.json') as {
  tokenizer: Record<string, unknown>;
  pairs: { context: string; continuation: string; before: number[]; after: number[] }[];
  rolling: { text: string; ids: number[] }[];
};
const files = {
  tokenizerJson: filled(tokenizer) as Record<string, unknown>,
  tokenizerConfig: { bos_token: '<s>', eos_token: '</s>' },
};
const begun = createTokenizer(files);

for (const { context, continuation, before, after } of pairs) {
  test(`${JSON.stringify(context)} and ${JSON.stringify(continuation)} are encoded as by the harness`, () => {
    const { tokens, countedFrom } = encodeContinuation(begun, context, continuation, 64, aRow({}));
    assert.deepEqual([[...tokens.slice(0, countedFrom)], [...tokens.slice(countedFrom)]], [before, after]);
  });
}

test('a text that begins with BOS is given no second one when it is evaluated', () => {
  for (const { text, ids } of rolling) assert.deepEqual([...harnessIds(begun, text)], ids, text);
  const eosAlone = createTokenizer({ ...files, tokenizerConfig: { eos_token: '</s>' } });
  assert.deepEqual([...harnessIds(eosAlone, '</s>the')], [...eosAlone.encodePlain('</s>the')]);
  assert.deepEqual([...harnessIds(eosAlone, '<s>the')], [...eosAlone.encode('<s>the')]);
});

test('texts that are scored keep both, and it is said how many there are', async (t) => {
  const rows = ['the', '<s>city', 'of', '<s>long'].map((text) => JSON.stringify({ text }));
  const baseDir = folder(t, { 'd.jsonl': rows.join('\n') });
  const task = aTask({
    task: 'chat',
    dataset: 'd',
    training_split: 'train[:3]',
    validation_split: 'train[3:]',
    doc_to_text: '{{text}} a',
    output_type: 'loglikelihood_rolling',
  });
  const load = (tokenizer: typeof begun) =>
    loadTask({ task, datasets: { d: { path: 'd.jsonl' } }, baseDir, maxLength: 64, loss: 'all', tokenizer });
  const loaded = await load(begun);
  assert.deepEqual(loaded.textWarnings, [
    'task "chat": 2 of 4 texts begin with <s>, which the tokenizer puts in front too, so they begin with it twice (first: row 1 of d.jsonl); take it out of doc_to_text or the data',
  ]);
  assert.deepEqual([...loaded.train[1].tokens], [1, ...begun.encodePlain('<s>city a')]);
  assert.deepEqual((await load(letters)).textWarnings, []);
  const none = createTokenizer({ ...files, tokenizerJson: { ...files.tokenizerJson, post_processor: null } });
  assert.deepEqual((await load(none)).textWarnings, []);
});
