/** `layerif generate` as a shell sees it: text, one JSON document, bad input in one line, a cancel. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { GeneratedFile } from '../../protocol/generation.ts';
import { readSampling } from '../../server/src/cli/generate.ts';
import { writeTinyWorkspace } from '../tinyLlama.ts';
import { layerif } from './layerifProcess.ts';

let folder = '';
let experiment = '';
let model = '';
const cpu = ['--device', 'cpu', '--threads', '1'];
before(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-generate-'));
  ({ experiment, model } = writeTinyWorkspace(folder));
});
after(() => fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

test('a prompt gives its text and nothing else on standard output; --json one document with the same text', async () => {
  const words = ['generate', model, '--prompt', 'the film was', '--max-new-tokens', '5', ...cpu];
  const shown = await layerif(words, { cwd: folder });
  assert.equal(shown.code, 0, shown.stderr);
  assert.match(shown.stderr, /^\d tokens? in [\d.]+ s on cpu/m);
  const { code, stdout } = await layerif([...words, '--json'], { cwd: folder });
  assert.equal(code, 0);
  const made = JSON.parse(stdout) as GeneratedFile;
  assert.equal(shown.stdout, `${made.texts[0].text}\n`);
  assert.deepEqual(
    [made.format, made.version, made.maxNewTokens, made.sampling.doSample],
    ['layerif-generation', 1, 5, false],
  );
  assert.equal(made.texts[0].prompt, 'the film was');
});

test('the demo model writes the tokens that transformers writes for its GGUF file', async (t) => {
  const demo = path.join(import.meta.dirname, '../../examples/models/SmolLM2-135M-Instruct.Q4_1.gguf');
  if (!fs.existsSync(demo)) return t.skip('the demo model is not there: node scripts/demoModel.mjs');
  const file = path.join(import.meta.dirname, '../reference/generation/demo.json');
  const reference = JSON.parse(fs.readFileSync(file, 'utf8')) as { prompt: string; ids: number[]; tokens: number[] }[];
  const prompts = reference.flatMap(({ prompt }) => ['--prompt', prompt]);
  const words = ['generate', demo, ...prompts, '--max-new-tokens', '16', '--json', ...cpu];
  const { code, stdout, stderr } = await layerif(words, { cwd: folder });
  assert.equal(code, 0, stderr);
  const { texts, eos } = JSON.parse(stdout) as GeneratedFile;
  assert.deepEqual(eos, [2]);
  texts.forEach(({ tokens, promptTokens, ending }, i) => {
    assert.deepEqual(tokens, reference[i].tokens);
    assert.equal(promptTokens, reference[i].ids.length);
    assert.equal(ending, tokens.at(-1) === 2 ? 'eos' : 'length');
  });
  assert.equal(texts[1].text, 'The capital of Italy is Rome.');
});

test('rows of an experiment: a numbered text each; drawn texts are the same for the same seed', async () => {
  const words = ['generate', path.basename(experiment), '--limit', '2', '--max-new-tokens', '3', ...cpu];
  const drawn = (seed: string) => layerif([...words, '--temperature', '2', '--seed', seed], { cwd: folder });
  const [first, again, other] = [await drawn('1'), await drawn('1'), await drawn('2')];
  assert.equal(first.code, 0, first.stderr);
  assert.match(first.stdout, /^\[1\] [^]*\n\[2\] /);
  assert.equal(again.stdout, first.stdout);
  assert.notEqual(other.stdout, first.stdout);
});

test('bad input is one line with what to do, exit code 2', async () => {
  const cases: [string[], RegExp][] = [
    [['generate', model], /is a model: give --prompt TEXT or --prompts FILE\.jsonl/],
    [['generate', model, '--prompt', 'a', '--top-p', '0.5'], /--top-p 0\.5 is about drawing.*--temperature X/],
    [['generate', model, '--prompt', 'a', '--temperature', '0'], /--temperature "0": needed is a number above 0/],
    [['generate', model, '--prompts', 'absent.jsonl'], /absent\.jsonl/],
    [['generate', 'nowhere', '--prompt', 'a'], /nowhere/],
    [['generate', model, '--prompt', 'a', '--adapter', 'none'], /none/],
  ];
  for (const [words, message] of cases) {
    const { code, stdout, stderr } = await layerif([...words, ...cpu], { cwd: folder });
    assert.deepEqual([code, stdout], [2, ''], stderr);
    assert.match(stderr, message);
    assert.equal(stderr.trimEnd().split('\n').length, 1, stderr);
  }
  assert.throws(() => readSampling({ temperature: '1', 'top-k': '1.5' }), /--top-k "1\.5": needed is a whole number/);
  assert.throws(
    () => readSampling({ temperature: '1', 'min-p': '1' }),
    /--min-p "1": needed is a number from 0, below 1/,
  );
  assert.deepEqual(readSampling({ 'repetition-penalty': '1.2' }), { doSample: false, repetitionPenalty: 1.2 });
});

test('too little memory ends with exit code 3', async () => {
  const words = ['generate', model, '--prompt', 'a', '--memory', '0.01', ...cpu];
  const { code, stderr } = await layerif(words, { cwd: folder });
  assert.equal(code, 3);
  assert.match(stderr, /generation needs about .* of memory, the limit is .*--memory/);
});
