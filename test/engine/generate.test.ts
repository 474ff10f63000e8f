/**
 * Greedy generation equals transformers' token for token, for every family, rotary variant, window and adapter of
 * test/reference, however the texts go through the model: alone, together, in small pieces of the prompt, with streamed
 * weights.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { EngineEvent } from '../../protocol/engine.ts';
import type { GenerateRequest, Sampling } from '../../protocol/generation.ts';
import { generate } from '../../server/src/engine/generate/generate.ts';
import { Runtime } from '../../server/src/engine/runtime/runtime.ts';
import { Model } from '../../server/src/engine/sweep/model.ts';
import { languageConfig } from '../../server/src/models/wrappers.ts';
import { families } from '../../server/src/models/families.ts';
import { casesFolder } from './reference.ts';

interface Text {
  prompt: number[];
  tokens: number[];
  margin: number;
}

const reference = JSON.parse(fs.readFileSync(path.join(casesFolder, 'generation/cases.json'), 'utf8')) as Record<
  string,
  Text[]
>;

const greedy: Sampling = {
  doSample: false,
  temperature: 1,
  topK: 0,
  topP: 1,
  minP: 0,
  repetitionPenalty: 1,
  seed: 0,
};

function open(name: string): { model: Model; modelPath: string } {
  const base = path.join(casesFolder, name, 'base.txt');
  const adapter = fs.existsSync(base) ? path.join(casesFolder, name, 'adapter') : undefined;
  const modelPath = path.join(casesFolder, adapter ? fs.readFileSync(base, 'utf8').trim() : name);
  return { model: Model.open(new Runtime('cpu', 1), modelPath, adapter), modelPath };
}

function requestOf(modelPath: string, texts: Text[], more: Partial<GenerateRequest> = {}): GenerateRequest {
  return {
    modelPath,
    prompts: texts.map(({ prompt }) => Int32Array.from(prompt)),
    maxNewTokens: texts.map(({ tokens }) => tokens.length),
    batches: [texts.map((_, i) => i)],
    weights: 'resident',
    chunk: 512,
    eos: [],
    sampling: greedy,
    ...more,
  };
}

const silent = (): void => undefined;

test('every family has a case', () => {
  const kinds = new Set(
    Object.keys(reference).flatMap((name) => {
      const file = path.join(casesFolder, name, 'config.json');
      return fs.existsSync(file)
        ? [String(languageConfig(JSON.parse(fs.readFileSync(file, 'utf8')) as Record<string, unknown>).model_type)]
        : [];
    }),
  );
  assert.deepEqual([...kinds].sort(), families.flatMap(({ modelTypes }) => modelTypes).sort());
});

for (const [name, texts] of Object.entries(reference)) {
  test(`${name}: tokens of transformers, together and streamed in pieces`, async () => {
    const { model, modelPath } = open(name);
    const expected = texts.map(({ tokens }) => tokens);
    const ways: Partial<GenerateRequest>[] = [{}, { batches: [[1], [2, 0]], weights: 'streamed', chunk: 4 }];
    // A prompt that is longer than the rotations are made for is read whole by transformers; so is ours, in pieces of
    // any size.
    for (const way of ways) {
      const { tokens, endings, counts } = await generate(model, requestOf(modelPath, texts, way), silent);
      assert.deepEqual(
        tokens.map((t) => [...t]),
        expected,
        JSON.stringify(way),
      );
      assert.deepEqual(endings, ['length', 'length', 'length']);
      const prompts = texts.reduce((sum, { prompt }) => sum + prompt.length, 0);
      assert.ok(counts.prompts >= prompts, `${counts.prompts} of ${prompts}`);
    }
    await model.release();
  });
}

test('ending tokens, texts that somebody has enough of, and a cancel', async () => {
  const name = 'llama/minimal';
  const texts = reference[name];
  const { model, modelPath } = open(name);
  const eos = texts[0].tokens[3];
  const first = texts.map(({ tokens }) => tokens.slice(0, tokens.indexOf(eos) + 1 || undefined));
  const ended = await generate(model, requestOf(modelPath, texts, { eos: [eos] }), silent);
  assert.deepEqual(
    ended.tokens.map((t) => [...t]),
    first,
  );
  assert.deepEqual(
    ended.endings,
    texts.map(({ tokens }) => (tokens.includes(eos) ? 'eos' : 'length')),
  );

  const enough = new Set<number>();
  const seen = texts.map((): number[] => []);
  const report = (event: Omit<EngineEvent, 'id'>): void => {
    const { type, prompts = [], tokens = [] } = event as { type: string; prompts?: number[]; tokens?: number[] };
    if (type !== 'tokens') return;
    prompts.forEach((prompt, i) => seen[prompt].push(tokens[i]));
    if (seen[1].length === 5) enough.add(1);
  };
  const stopped = await generate(model, requestOf(modelPath, texts), report, enough);
  assert.deepEqual(stopped.endings, ['length', 'stop', 'length']);
  assert.deepEqual([...stopped.tokens[1]], texts[1].tokens.slice(0, 5));
  assert.deepEqual(
    seen,
    stopped.tokens.map((t) => [...t]),
    'what is streamed is what is answered',
  );

  const abort = new AbortController();
  model.runtime.signal = abort.signal;
  const cancelled = generate(model, requestOf(modelPath, texts), () => abort.abort(new Error('cancelled by the test')));
  await assert.rejects(cancelled, /cancelled by the test/);
  model.runtime.signal = undefined;
  await model.release();
});

test('what is drawn for a text depends on seed and number alone, not on its batch', async () => {
  const name = 'qwen3/tied';
  const texts = reference[name];
  const { model, modelPath } = open(name);
  const sampling = { ...greedy, doSample: true, temperature: 1.5, topK: 20, topP: 0.95, seed: 7 };
  const drawn = async (more: Partial<GenerateRequest>) =>
    (await generate(model, requestOf(modelPath, texts, { sampling, ...more }), silent)).tokens.map((t) => [...t]);
  const together = await drawn({});
  assert.deepEqual(await drawn({ batches: [[2], [1], [0]], weights: 'streamed' }), together);
  assert.notDeepEqual(await drawn({ sampling: { ...sampling, seed: 8 } }), together);
  assert.deepEqual(
    await drawn({ sampling: { ...sampling, topK: 1 } }),
    texts.map(({ tokens }) => tokens),
  );
  await model.release();
});
