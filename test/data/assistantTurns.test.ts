/**
 * Which tokens of a conversation are the assistant's, against transformers (test/reference/chat/assistant.py); by a
 * template's marks, and by where its turns stand.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { Task } from '../../protocol/experiment.ts';
import { openCheckpoint } from '../../server/src/checkpoints/openCheckpoint.ts';
import { assistantSample } from '../../server/src/data/assistantTurns.ts';
import { bindTemplate } from '../../server/src/data/chatTurns.ts';
import { ChatTemplate } from '../../server/src/data/chatTemplate.ts';
import { createTokenizer } from '../../server/src/data/tokenizer.ts';
import type { Row } from '../../server/src/data/types.ts';

const folder = path.join(import.meta.dirname, '../reference');
const { templates, cases } = JSON.parse(fs.readFileSync(path.join(folder, 'chat/assistant.json'), 'utf8')) as {
  templates: Record<string, { marked: string; plain: string | null }>;
  cases: { template: string; messages: object[]; text: string; tokens: number[]; mask: number[] }[];
};
const tokenizer = createTokenizer(openCheckpoint(path.join(folder, 'evaluation/model')).tokenizer());

function counted(template: string, messages: object[], maxLength = 4096, more: Partial<Task> = {}) {
  const task = {
    task: 'talk',
    output_type: 'loglikelihood_rolling',
    doc_to_text: 'messages',
    apply_chat_template: true,
    ...more,
  } as Task;
  const now = new Date(2026, 2, 7, 9, 5, 3, 42);
  const chat = new ChatTemplate(template, { bos_token: '<bos>', eos_token: '<bos>' }, () => now);
  bindTemplate(task, () => chat);
  const row: Row = { values: { messages }, file: 'talks.jsonl', row: 3, line: 4 };
  return assistantSample(task, row, tokenizer, maxLength);
}

for (const [at, { template, messages, tokens, mask }] of cases.entries()) {
  // The first token is never predicted.
  const wanted = mask.map((one, t) => (t === 0 ? 0 : one));
  for (const [how, source] of Object.entries(templates[template])) {
    if (source === null) continue;
    test(`${template}, ${how}: conversation ${at}`, () => {
      const found = counted(source, messages);
      assert.deepEqual([...found.tokens], tokens);
      assert.deepEqual([...found.counted], wanted);
      assert.ok(wanted.includes(1) && wanted.includes(0));
    });
  }
}

test('a long conversation keeps its first tokens; one without an answer among them is refused with its row', () => {
  const { messages, tokens, mask } = cases[0];
  const source = templates.chatml.marked;
  const cut = mask.indexOf(1) + 2;
  const found = counted(source, messages, cut);
  assert.deepEqual([[...found.tokens], [...found.counted]], [tokens.slice(0, cut), mask.slice(0, cut)]);
  assert.throws(
    () => counted(source, messages, cut - 2),
    /^LayerifError: row 3 has no token to count a loss on: its first \d+ tokens \(max_length\) end before the first answer; remove the row$/,
  );
  assert.throws(
    () => counted(source, [{ role: 'user', content: 'alone' }]),
    /row 3 has no token to count a loss on: no message is of the assistant/,
  );
});

test('a template that writes earlier turns in another way and marks nothing is refused', () => {
  const last =
    "{% for m in messages %}{{ m['role'] + ': ' + (m['content'] if loop.last else '...') + '\\n' }}{% endfor %}";
  assert.throws(
    () => counted(last, cases[0].messages),
    /^LayerifError: task "talk": row 3: where message 1 of the assistant's stands cannot be told, .*mark the answers in the template with \{% generation %\}/,
  );
});

test('what is no whole conversation is refused', () => {
  const source = templates.chatml.marked;
  const message =
    /task "talk": loss: assistant counts the answers of whole conversations; set apply_chat_template: true/;
  assert.throws(() => counted(source, cases[0].messages, 100, { output_type: 'generate_until' }), message);
  assert.throws(() => counted(source, cases[0].messages, 100, { apply_chat_template: undefined }), message);
});
