/**
 * Texts from tokens, ends of texts, what generation_config.json says, memory, and `generate` on models and experiments.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { LayerifError } from '../../protocol/errors.ts';
import { endTokens, generationConfig } from '../../server/src/checkpoints/generationConfig.ts';
import { openCheckpoint } from '../../server/src/checkpoints/openCheckpoint.ts';
import { createTokenizer } from '../../server/src/data/tokenizer.ts';
import { generateFile } from '../../server/src/run/generate/generateFile.ts';
import type { GenerateOptions } from '../../server/src/run/generate/generateFile.ts';
import { cutAt, GrowingText } from '../../server/src/run/generate/growingText.ts';
import { planGeneration } from '../../server/src/run/generate/planGeneration.ts';
import { samplingNotes, samplingOf } from '../../server/src/generation/settings.ts';
import { openModel } from '../../server/src/run/inputs/openModel.ts';
import { letters } from '../data/tasks.ts';
import { engine, machine, tinyWorkspace } from './workspace.ts';

test('pieces are shown once nothing can take them back, and cut before the first stop string', () => {
  const shown = (text: string, stops: string[]): { pieces: string[]; text: string; stopped: boolean } => {
    const growing = new GrowingText(letters, stops);
    const pieces = [...text].map((c) => growing.push(c.codePointAt(0)!));
    pieces.push(growing.stopped ? '' : growing.rest());
    return { pieces, text: growing.text, stopped: growing.stopped };
  };
  assert.deepEqual(shown('abc', []), { pieces: ['a', 'b', 'c', ''], text: 'abc', stopped: false });
  assert.deepEqual(shown('a\nQ: b', ['\nQ:']), { pieces: ['a', '', '', '', '', '', ''], text: 'a', stopped: true });
  assert.deepEqual(shown('a\nRest', ['\nQ:']).pieces, ['a', '', '\nR', 'e', 's', 't', '']);
  assert.deepEqual(shown('a\nQ', ['\nQ:']), { pieces: ['a', '', '', '\nQ'], text: 'a\nQ', stopped: false });
  // One after the other, as lm-evaluation-harness cuts.
  assert.equal(cutAt('xabz', ['ab', 'b']), 'x');
  assert.equal(cutAt('one. two\n', ['\n', '. ', '']), 'one');
});

test('the bytes of one character are shown together', (t) => {
  const { model } = tinyWorkspace(t);
  const tokenizer = createTokenizer(openCheckpoint(model).tokenizer());
  const text = 'the 日本 was é!';
  const growing = new GrowingText(tokenizer, []);
  const pieces = [...tokenizer.encodePlain(text)].map((token) => growing.push(token));
  assert.ok(pieces.length > text.length, 'characters of several tokens');
  assert.ok(pieces.every((piece) => !piece.includes('\ufffd')));
  assert.equal(pieces.join(''), text);
  assert.equal(growing.text, text);
});

test('ends of a text: generation_config.json, a number or a list, else config.json, else the tokenizer', (t) => {
  const { model } = tinyWorkspace(t);
  const endsWith = (generation: unknown, config: Record<string, unknown>): number[] => {
    const file = path.join(model, 'generation_config.json');
    if (generation === undefined) fs.rmSync(file, { force: true });
    else fs.writeFileSync(file, JSON.stringify(generation));
    const checkpoint = openCheckpoint(model);
    const tokenizer = createTokenizer(checkpoint.tokenizer());
    return endTokens(checkpoint, config, (token) => tokenizer.idOf(token));
  };
  assert.deepEqual(endsWith({ eos_token_id: [7, 3, 7] }, { eos_token_id: 5 }), [3, 7]);
  assert.deepEqual(endsWith({ eos_token_id: 0 }, { eos_token_id: 5 }), [0]);
  assert.deepEqual(endsWith({}, { eos_token_id: 5 }), [5]);
  assert.deepEqual(endsWith(undefined, { eos_token_id: [5] }), [5]);
  assert.deepEqual(endsWith(undefined, {}), [1], 'the tokenizer names </s>');
  assert.throws(() => endsWith({ eos_token_id: 'x' }, {}), /eos_token_id holds "x"; a token id or a list/);
  fs.writeFileSync(path.join(model, 'generation_config.json'), '[1]');
  assert.throws(() => generationConfig(openCheckpoint(model)), /generation_config\.json is not a JSON object/);
});

test('what is asked for comes first, then generation_config.json, then the defaults of transformers', () => {
  const config = { do_sample: true, temperature: 0.6, top_p: 0.9, repetition_penalty: 1.1 };
  assert.deepEqual(samplingOf({}, config), {
    doSample: false,
    temperature: 1,
    topK: 0,
    topP: 1,
    minP: 0,
    repetitionPenalty: 1.1,
    seed: 0,
  });
  assert.deepEqual(samplingOf({ doSample: true, temperature: 2, seed: 4 }, config), {
    doSample: true,
    temperature: 2,
    topK: 50,
    topP: 0.9,
    minP: 0,
    repetitionPenalty: 1.1,
    seed: 4,
  });
  assert.throws(
    () => samplingOf({ doSample: true }, { top_p: 3 }),
    /generation_config\.json: top_p is 3; needed is a number above 0/,
  );
  const notes = samplingNotes({ num_beams: 4, no_repeat_ngram_size: 0, suppress_tokens: [3], bad_words_ids: null });
  assert.deepEqual(notes, [
    'generation_config.json asks for num_beams 4, which is not followed',
    'generation_config.json asks for suppress_tokens [3], which is not followed',
  ]);
});

test('memory decides how many texts share a run, then whether weights stay', (t) => {
  const { model: folder } = tinyWorkspace(t);
  const opened = openModel({ path: folder }, '/');
  const lengths = Array.from({ length: 20 }, (_, i) => ({ prompt: 10 + i, most: 4000 + i }));
  const plan = (limit: number) => planGeneration(opened, lengths, limit);
  const all = plan(Infinity);
  assert.deepEqual([all.weights, all.batches.length, all.batches[0][0]], ['resident', 2, 19]);
  assert.deepEqual(
    all.batches.flat().sort((a, b) => a - b),
    lengths.map((_, i) => i),
  );
  const fewer = plan(all.memoryBytes - 1);
  assert.deepEqual([fewer.weights, fewer.batches.length], ['resident', 3]);
  assert.ok(fewer.memoryBytes < all.memoryBytes);
  const least = plan(0);
  assert.deepEqual([least.weights, least.batches.length], ['streamed', 20]);
  // 3 layers, 2 tensors of 2 heads of 8 numbers, 4 bytes: cache of one text of 4,032 slots, and of one more layer.
  const cache = (texts: number) => texts * 3 * 2 * 16 * 4 * (4032 * (1 + 2 / 3));
  assert.ok(all.memoryBytes - fewer.memoryBytes > 0.9 * (cache(16) - cache(8)));
  opened.checkpoint.close();
});

const options = (target: string, more: Partial<GenerateOptions> = {}): GenerateOptions => {
  return { target, baseDir: '/', maxNewTokens: 6, stop: [], sampling: {}, machine, engine, ...more };
};

test('a model with prompts and a file of prompts: batched texts are those of each alone, and what is shown is the text', async (t) => {
  const { model, folder } = tinyWorkspace(t);
  const promptsFile = path.join(folder, 'prompts.csv');
  fs.writeFileSync(promptsFile, 'id,prompt\n1,the film was\n2,"it is, he said"\n');
  const shown: string[] = ['', '', ''];
  const onText = (prompt: number, piece: string): void => void (shown[prompt] += piece);
  const made = await generateFile(options(model, { prompts: ['once'], promptsFile, onText }));
  assert.deepEqual(
    made.texts.map(({ prompt }) => prompt),
    ['once', 'the film was', 'it is, he said'],
  );
  assert.deepEqual(
    made.texts.map(({ line }) => line),
    [undefined, 2, 3],
  );
  assert.deepEqual(
    shown,
    made.texts.map(({ text }) => text),
  );
  assert.ok(made.texts.every(({ tokens, ending }) => ending === 'eos' || tokens.length === 6));
  for (const [i, { prompt, tokens }] of made.texts.entries()) {
    const alone = await generateFile(options(model, { prompts: [prompt] }));
    assert.deepEqual(alone.texts[0].tokens, tokens, `text ${i}`);
  }
  const stop = made.texts[1].text.slice(2, 4);
  const stopped = await generateFile(options(model, { prompts: ['the film was'], stop: [stop] }));
  assert.equal(stopped.texts[0].text, made.texts[1].text.split(stop)[0]);
  assert.equal(stopped.texts[0].ending, 'stop');
  assert.ok(stopped.texts[0].tokens.length < 6);

  fs.writeFileSync(promptsFile, 'id,text\n1,the film was\n');
  await assert.rejects(
    generateFile(options(model, { promptsFile })),
    /row 0 has neither a text in the column "prompt" nor a list of messages with role and content in "messages"; its columns: id, text/,
  );
  await assert.rejects(generateFile(options(model)), /is a model: give --prompt TEXT or --prompts FILE/);
});

test('conversations, and prompts where asked, go through the chat template; its special tokens are not added twice', async (t) => {
  const { model, folder } = tinyWorkspace(t);
  const turn = '{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}';
  fs.writeFileSync(
    path.join(model, 'chat_template.jinja'),
    `{{ bos_token }}${turn}{% if tools %}{{ tools | length }} tools\n{% endif %}{% if add_generation_prompt %}assistant:{% endif %}`,
  );
  const promptsFile = path.join(folder, 'talks.jsonl');
  const said = (role: string, content: string) => ({ role, content });
  const rows = [
    { messages: [said('user', 'once')], tools: [{}, {}] },
    { messages: [said('system', 'be'), said('user', 'once'), said('assistant', 'the film')] },
    { prompt: [said('user', 'it is')] },
  ];
  fs.writeFileSync(promptsFile, rows.map((row) => JSON.stringify(row)).join('\n'));
  const tokenizer = createTokenizer(openCheckpoint(model).tokenizer());
  const made = await generateFile(options(model, { promptsFile, maxNewTokens: 1 }));
  const expected = [
    `<s>user: once\n2 tools\nassistant:`,
    `<s>system: be\nuser: once\nassistant: the film`,
    `<s>user: it is\nassistant:`,
  ];
  assert.deepEqual(
    made.texts.map(({ prompt }) => prompt),
    expected,
  );
  assert.deepEqual(
    made.texts.map(({ promptTokens }) => promptTokens),
    expected.map((text) => tokenizer.encodePlain(text).length),
  );
  // Texts are left as they are unless asked; the system's message stands before what a user says.
  const texts = (chat: GenerateOptions['chat']) =>
    generateFile(options(model, { prompts: ['once'], maxNewTokens: 1, chat }));
  assert.equal((await texts(undefined)).texts[0].prompt, 'once');
  const asked = await texts({ template: true, system: 'be' });
  assert.equal(asked.texts[0].prompt, `<s>system: be\nuser: once\nassistant:`);
  await assert.rejects(texts({ template: 'tool_us' }), /has no chat template "tool_us"; its templates are default/);

  fs.writeFileSync(path.join(model, 'chat_template.jinja'), "{{ raise_exception('Roles must alternate') }}");
  await assert.rejects(
    generateFile(options(model, { promptsFile })),
    (error: LayerifError) =>
      error.place?.line === 1 && /chat template refuses a conversation: Roles must alternate/.test(error.message),
  );
  fs.writeFileSync(path.join(model, 'chat_template.jinja'), '{% if %}');
  await assert.rejects(texts({ template: true }), /the chat template of .* is not valid: .*at column/);
  fs.rmSync(path.join(model, 'chat_template.jinja'));
  await assert.rejects(texts({ template: true }), /has no chat template: neither chat_template\.jinja nor/);
});

test('an experiment gives the rows of its task, with examples and description, as evaluate reads them', async (t) => {
  const { experiment } = tinyWorkspace(t);
  const made = await generateFile(options(experiment, { limit: 2, maxNewTokens: 2 }));
  assert.equal(made.texts.length, 2);
  assert.ok(
    made.texts.every(({ prompt, line, file }) => prompt.length > 0 && file !== undefined && typeof line === 'number'),
  );
  await assert.rejects(
    generateFile(options(experiment, { task: 'x' })),
    /there is no task "x" to generate for; tasks: /,
  );
});

test('an ONNX graph is refused, alone and in an experiment', async (t) => {
  const { experiment, edit } = tinyWorkspace(t);
  const graph = path.join(import.meta.dirname, '../reference/onnx_graphs/llama-torchscript.onnx');
  await assert.rejects(
    generateFile(options(graph, { prompts: ['a'] })),
    /is an ONNX graph; generate needs a checkpoint/,
  );
  const line = /path: .*/.exec(fs.readFileSync(experiment, 'utf8'))![0];
  edit(line, `path: ${graph}`);
  await assert.rejects(generateFile(options(experiment)), /is an ONNX graph; generate needs a checkpoint/);
});

test('learned positions end a text, and a prompt that fills them is refused', async () => {
  const model = path.join(import.meta.dirname, '../reference/opt/before');
  await assert.rejects(generateFile(options(model, { prompts: ['a '.repeat(40)] })), /the model has 20 positions/);
});
